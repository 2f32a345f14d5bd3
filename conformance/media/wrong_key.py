#!/usr/bin/env python3
"""Counts which wrong keys `clearkey decrypt` finds out, and that it never suspects a right one.

Every file of a manifest is decrypted with its keys, and then with each key in turn exchanged for
others. See ../README.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = 60  # one run over one small file; only a hang takes longer


@dataclass(frozen=True)
class Kind:
    """A way to protect a codec."""

    codec: str
    scheme: str
    pattern: str


@dataclass
class Tries:
    """What came of the wrong keys for one kind: samples looked at for each that was found out."""

    caught: list[int] = field(default_factory=list)
    missed: int = 0


@dataclass
class Outcome:
    """What came of one file. Problems are sentences."""

    name: str
    tries: dict[Kind, Tries] = field(default_factory=lambda: defaultdict(Tries))
    problems: list[str] = field(default_factory=list)


def main() -> int:
    """Runs everything. Returns the exit code."""
    options = arguments()
    files = json.loads((options.media / "manifest.json").read_text())
    if not files:
        sys.exit(f"wrong_key: {options.media}: no file to check")
    with ThreadPoolExecutor(options.jobs) as pool:
        jobs = [pool.submit(check, entry, options) for entry in files]
        outcomes = [job.result() for job in jobs]
    rows = merged(outcomes)
    print_table(rows, options.keys)
    for outcome in outcomes:
        for problem in outcome.problems:
            print(f"FAIL {outcome.name}: {problem}")
    if options.json:
        write_json(options.json, rows, outcomes)
    failed = sum(bool(outcome.problems) for outcome in outcomes)
    print(f"{len(outcomes) - failed} passed, {failed} failed")
    return 1 if failed else 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clearkey", type=Path, required=True, help="the program")
    parser.add_argument("--media", type=Path, required=True, help="folder with a manifest.json")
    parser.add_argument("--keys", type=int, default=20, help="wrong keys for each key (default 20)")
    parser.add_argument("--json", type=Path, help="write the outcomes to this file, too")
    parser.add_argument("--jobs", type=int, default=2, help="files at a time (default 2)")
    options = parser.parse_args()
    options.clearkey = options.clearkey.resolve()
    return options


def check(entry: dict, options: argparse.Namespace) -> Outcome:
    """Tries all keys on one file."""
    outcome = Outcome(entry["file"])
    path = options.media / entry["file"]
    right = dict(key.split(":") for key in entry["keys"])
    kinds = kinds_of(options.clearkey, path)
    suspects, outcome.problems = verdicts(options.clearkey, path, right)
    outcome.problems += [f"the right key for {kid} is suspected" for kid in suspects]
    for kid in {kid for _, kid in kinds}:
        for number in range(options.keys):
            keys = right | {kid: wrong_key(right[kid], number)}
            found, problems = verdicts(options.clearkey, path, keys)
            outcome.problems += [f"{kid}, key {number}: {problem}" for problem in problems]
            outcome.problems += [
                f"{kid}, key {number}: the right key for {other} is suspected"
                for _, other in found
                if other != kid
            ]
            for place, kind in kinds.items():
                if place[1] == kid and place in found:
                    outcome.tries[kind].caught.append(found[place])
                elif place[1] == kid:
                    outcome.tries[kind].missed += 1
    return outcome


def wrong_key(right: str, number: int) -> str:
    """The right key with another bit flipped each time, or bytes of no meaning; the same in each run."""
    if number % 2 == 0:
        return f"{int(right, 16) ^ 1 << number * 37 % 128:032x}"
    return hashlib.md5(f"{right} {number}".encode()).hexdigest()


def kinds_of(program: Path, path: Path) -> dict[tuple[str, str], Kind]:
    """How samples are protected, by track and key id."""
    done = subprocess.run(
        [program, "inspect", "--json", path], capture_output=True, timeout=SECONDS, check=True
    )
    kinds = {}
    for track, facts in json.loads(done.stdout)["tracks"].items():
        for entry in facts["entries"]:
            if entry["scheme"]:
                kind = Kind(entry["format"], entry["scheme"], entry["pattern"] or "0:0")
                kinds |= {(track, kid): kind for kid in facts["kids"]}
    return kinds


def verdicts(
    program: Path, path: Path, keys: dict[str, str]
) -> tuple[dict[tuple[str, str], int], list[str]]:
    """The tracks and key ids whose keys are suspected, with the samples looked at; and what is wrong
    with the run itself."""
    words = [word for kid, key in keys.items() for word in ("--key", f"{kid}:{key}")]
    with tempfile.TemporaryDirectory(prefix="wrong-key-") as work:
        output = Path(work, "out.mp4")
        command = [program, "decrypt", path, "-o", output, "--json", *words]
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, text=True)
        left = [file.name for file in Path(work).iterdir()]
    if done.returncode not in (0, 1):
        return {}, [f"exit code {done.returncode}: {done.stderr.strip()}"]
    found = {
        (track, kid): counts["checked"]
        for track, facts in json.loads(done.stdout)["tracks"].items()
        for kid, counts in facts.get("checks", {}).items()
        if counts["verdict"] == "wrong"
    }
    problems = []
    if done.returncode != bool(found):
        problems.append(f"exit code {done.returncode} with {len(found)} keys that look wrong")
    if left != ([] if found else ["out.mp4"]):
        problems.append(f"files left with {len(found)} keys that look wrong: {left}")
    for _, kid in found:
        if f"key for KID {kid} looks wrong" not in done.stderr:
            problems.append(f"{kid} is not named: {done.stderr.strip()}")
    return found, problems


def merged(outcomes: list[Outcome]) -> dict[Kind, Tries]:
    """All files together."""
    rows: dict[Kind, Tries] = defaultdict(Tries)
    for outcome in outcomes:
        for kind, tries in outcome.tries.items():
            rows[kind].caught += tries.caught
            rows[kind].missed += tries.missed
    return rows


def row(kind: Kind, tries: Tries) -> list[str]:
    """A row of the table."""
    total = len(tries.caught) + tries.missed
    median = f"{statistics.median(tries.caught):.0f}" if tries.caught else "-"
    share = f"{100 * len(tries.caught) / total:.0f} %"
    return [kind.codec, kind.scheme, kind.pattern, str(total), share, median]


def print_table(rows: dict[Kind, Tries], keys: int) -> None:
    """One row for each way to protect a codec, in Markdown."""
    print(f"{keys} wrong keys for each key of a file\n")
    print("| codec | scheme | pattern | keys | found out | samples looked at (median) |")
    print("|---|---|---|--:|--:|--:|")
    for kind in sorted(rows, key=lambda kind: (kind.codec, kind.scheme, kind.pattern)):
        print(f"| {' | '.join(row(kind, rows[kind]))} |")
    print()


def write_json(path: Path, rows: dict[Kind, Tries], outcomes: list[Outcome]) -> None:
    """The same outcomes for a program to read."""
    report = {
        "kinds": [
            vars(kind) | {"caught_after": sorted(tries.caught), "missed": tries.missed}
            for kind, tries in rows.items()
        ],
        "problems": {outcome.name: outcome.problems for outcome in outcomes if outcome.problems},
    }
    path.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
