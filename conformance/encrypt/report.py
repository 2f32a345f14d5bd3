"""The outcomes as tables: `peers.md` to read, `peers.json` for programs."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from cases import SCHEMES

CONTAINERS = ("fragmented", "progressive", "faststart", "webm")


def write(folder: Path, cells: list, known: list, strangers: dict) -> None:
    """Both files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "peers.json").write_text(as_json(cells))
    (folder / "peers.md").write_text("\n".join(as_markdown(cells, known, strangers)) + "\n")


def as_json(cells: list) -> str:
    """A line for each case: what it is, and the outcome by tool, with the tool's words."""
    cases: dict[str, dict] = {}
    for one in cells:
        case = cases.setdefault(one.case.name(), {**one.case.labels(), "outcomes": {}})
        said = f": {one.seen.said}" if one.seen.said else ""
        case["outcomes"][one.tool] = one.seen.outcome + said
    lines = (json.dumps(case, ensure_ascii=False) for case in cases.values())
    return "[\n" + ",\n".join(lines) + "\n]\n"


def as_markdown(cells: list, known: list, strangers: dict) -> list[str]:
    """Tables by container and by codec, then the reasons."""
    lines = ["# Who decrypts what `clearkey encrypt` writes", ""]
    lines += ["Cases whose samples are exact, of all. Why the others are not is said below.", ""]
    groups = [
        (container, scheme)
        for container in CONTAINERS
        for scheme in SCHEMES
        if container != "webm" or scheme == "cenc"
    ]
    lines += table(
        cells,
        ["tool"],
        [f"{container} {scheme}" for container, scheme in groups],
        lambda one: ((one.tool,), f"{one.case.source.container} {one.case.scheme}"),
    )
    lines += ["", "By codec:", ""]
    lines += table(
        cells,
        ["tool", "codecs"],
        list(SCHEMES),
        lambda one: ((one.tool, one.case.source.codecs), one.case.scheme),
    )
    lines += ["", "By variant:", ""]
    lines += table(
        cells,
        ["tool", "variant"],
        list(SCHEMES),
        lambda one: ((one.tool, one.case.variant.name), one.case.scheme),
    )
    return [*lines, "", *reasons(cells, known, strangers)]


def table(cells: list, titles: list[str], columns: list[str], place) -> list[str]:
    """Exact cases of all, where `place` says the row and the column of a cell."""
    exact: Counter = Counter()
    every: Counter = Counter()
    for one in cells:
        every[place(one)] += 1
        exact[place(one)] += one.seen.outcome == "exact"
    rows = dict.fromkeys(row for row, _ in every)
    lines = [f"| {' | '.join([*titles, *columns])} |"]
    lines.append(f"|{'|'.join(['---'] * len(titles) + ['--:'] * len(columns))}|")
    for row in rows:
        counts = [
            f"{exact[row, column]} of {every[row, column]}" if every[row, column] else ""
            for column in columns
        ]
        lines.append(f"| {' | '.join([*row, *counts])} |")
    return lines


def reasons(cells: list, known: list, strangers: dict) -> list[str]:
    """Each expectation: how many cases it explains, the tool's words, the reason, the proof."""
    lines = ["## Why samples are not exact", ""]
    lines += ["| tool | cases | outcome | it says | reason | the same with |"]
    lines += ["|---|--:|---|---|---|---|"]
    for expectation in known:
        entry = expectation.entry
        for tool in dict.fromkeys(tool for tool, _ in expectation.fitted):
            mine = [one for one in cells if one.known is entry and one.tool == tool]
            said = Counter(one.seen.said for one in mine).most_common(1)[0][0]
            same = [
                f"`{name}`: {strangers[tool][name].outcome}"
                for name in entry.get("same_with", [])
                if name in strangers.get(tool, {})
            ]
            words = said.replace("|", "\\|")
            lines.append(
                f"| {tool} | {len(mine)} | {entry['outcome']} | {words} | {entry['reason']} "
                f"| {'; '.join(same)} |"
            )
    return lines
