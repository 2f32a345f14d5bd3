"""Faults, what is promised of each, and what was seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Row:
    """A fault that is brought about once or often, and what is expected of it each time."""

    fault: str
    command: str
    expected: str
    seen: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    skipped: str = ""

    def that(self, is_so: bool, what: str) -> bool:
        """One check: `what` says what is wrong if it is not so."""
        if not is_so:
            self.failed.append(what)
        return is_so

    def saw(self, what: str) -> None:
        """An outcome."""
        self.seen[what] += 1

    def text(self) -> str:
        """Outcomes, each with how often it was."""
        if self.skipped:
            return f"skipped: {self.skipped}"
        times = sum(self.seen.values())
        said = ", ".join(f"{count}× {what}" if times > 1 else what for what, count in self.seen.most_common())
        return f"**FAILED**: {self.failed[0]}; {said}" if self.failed else said


class Table:
    """All rows, by group."""

    def __init__(self) -> None:
        self.groups: dict[str, list[Row]] = {}
        self.notes: dict[str, list[str]] = {}
        self.current = ""

    def group(self, name: str) -> None:
        """What comes now belongs there."""
        self.current = name
        self.groups[name] = []
        self.notes[name] = []

    def row(self, fault: str, command: str, expected: str) -> Row:
        """A new row."""
        made = Row(fault, command, expected)
        self.groups[self.current].append(made)
        return made

    def note(self, text: str) -> None:
        """A sentence below the rows of a group."""
        self.notes[self.current].append(text)

    def rows(self) -> list[Row]:
        """All of them."""
        return [row for rows in self.groups.values() for row in rows]

    def write(self, folder: Path, head: str) -> None:
        """Writes it as Markdown."""
        folder.mkdir(parents=True, exist_ok=True)
        lines = [head.strip()]
        for name, rows in self.groups.items():
            if not rows:
                continue
            lines += ["", f"## {name}", "", "| fault | command | expected | seen |", "|---|---|---|---|"]
            for row in rows:
                cells = [row.fault, f"`{row.command}`", row.expected, row.text()]
                lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
            for note in self.notes[name]:
                lines += ["", note]
        (folder / "README.md").write_text("\n".join(lines) + "\n")

    def end(self) -> bool:
        """Prints what failed, and the totals. Returns whether nothing has failed."""
        rows = self.rows()
        failed = [row for row in rows if row.failed]
        skipped = [row for row in rows if row.skipped]
        for row in failed:
            print(f"FAILED: {row.fault}: {row.command}:")
            for what in row.failed[:5]:
                print(f"    {what}")
            if len(row.failed) > 5:
                print(f"    and {len(row.failed) - 5} more")
        for row in skipped:
            print(f"skipped: {row.fault}: {row.command}: {row.skipped}")
        # A row in which nothing was seen proves nothing.
        empty = [row for row in rows if not row.seen and not row.skipped and not row.failed]
        for row in empty:
            print(f"FAILED: {row.fault}: {row.command}: nothing was seen")
        passed = len(rows) - len(failed) - len(skipped) - len(empty)
        skips = f", {len(skipped)} skipped" if skipped else ""
        print(f"faults: {passed} passed, {len(failed) + len(empty)} failed{skips}", flush=True)
        return passed > 0 and not failed and not empty
