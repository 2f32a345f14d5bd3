#!/usr/bin/env python3
"""Proves what `clearkey encrypt` makes with decrypters that are not ours.

Every clear source is encrypted in every scheme, container and variant; `clearkey decrypt` and its
peers decrypt that, and the samples of each track are compared with the source's. See ../README.md.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "media"))  # the box reader, and FFmpeg's hashes

import tools
from boxes import Malformed

import cases
import decrypters
import expectations
import report
import sources
import tables
from cases import Case
from decrypters import Decrypter, Job, Programs, Verdict

ROOT = HERE.parent.parent


@dataclass(frozen=True)
class Cell:
    """What a tool made of a case, what was expected, and the reason if that is a failure."""

    tool: str
    case: Case
    seen: Verdict
    is_right: bool
    known: dict | None


def main() -> int:
    """Runs everything. Returns the exit code."""
    options = arguments()
    known = expectations.read(HERE / "expectations.json")
    programs = Programs(options.clearkey, options.tools)
    chosen = [*decrypters.OURS, *decrypters.DEBIAN, *(() if options.short else decrypters.OTHERS)]
    with tempfile.TemporaryDirectory(prefix="peers-", dir=options.work) as folder:
        work = Path(folder)
        found = cases.every(sources.gather(options.clear, work))
        found = [case for case in found if re.search(options.case, case.name())]
        with ThreadPoolExecutor(options.jobs) as pool:
            jobs = [
                pool.submit(run, case, programs, chosen, known, work / str(number))
                for number, case in enumerate(found)
            ]
            cells = [cell for job in jobs for cell in job.result()]
        strangers, wrong = expectations.strangers(known, chosen, options.media, programs, work)
    if not options.case:
        wrong += expectations.unused(known, sorted({one.tool for one in cells}))
    if options.out:
        report.write(options.out, cells, known, strangers)
    return print_totals(cells, wrong)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clearkey", type=Path, required=True, help="the program")
    parser.add_argument("--clear", type=Path, default=ROOT / "fixtures/clear", help="the sources")
    parser.add_argument(
        "--media", type=Path, default=ROOT / "fixtures/media", help="streams of other encrypters"
    )
    parser.add_argument("--tools", type=Path, help="folder with ffmpeg8, packager and peer-…")
    parser.add_argument("--short", action="store_true", help="only clearkey and Debian's FFmpeg")
    parser.add_argument("--case", default="", help="only cases whose names fit this expression")
    parser.add_argument("--out", type=Path, help="folder for peers.json and peers.md")
    parser.add_argument("--work", type=Path, help="where the files are made, and removed")
    parser.add_argument("--jobs", type=int, default=2, help="cases at a time (default 2)")
    options = parser.parse_args()
    if not options.short and not options.tools:
        parser.error("--tools is needed, or --short")
    options.clearkey = options.clearkey.resolve()
    return options


def run(
    case: Case,
    programs: Programs,
    chosen: list[Decrypter],
    known: list[expectations.Expectation],
    work: Path,
) -> list[Cell]:
    """Encrypts a case, and has every tool decrypt it."""
    work.mkdir()
    source = case.source
    path = work / f"encrypted{source.path.suffix}"
    job = Job(path, case.keys(), tuple(source.hashes), work, programs)
    command = [str(programs.clearkey), "encrypt", "-q", str(source.path), "-o", str(path)]
    seen: dict[str, Verdict] = {}
    try:
        tools.run([*command, *case.options()])
        seen["encrypted file"] = judged(tables.of_encrypted, path, source)
    except tools.Failed as failure:
        seen["encrypted file"] = Verdict("refused", decrypters.tidy(str(failure), job))
        return [cell(tool, case, verdict, known) for tool, verdict in seen.items()]
    for decrypter in chosen:
        if len(job.keys) == 1 or not decrypter.takes_one_key:
            seen[decrypter.name] = decrypters.verdict(decrypter, job, source.hashes)
    default, compact = job.output("clearkey"), job.output("clearkey---compact")
    if default.exists() and compact.exists():
        seen["decrypted file"] = judged(tables.of_decrypted, default, path, source)
        seen["compact file"] = judged(tables.of_compact, compact, source)
    for made in work.iterdir():
        made.unlink()
    return [cell(tool, case, verdict, known) for tool, verdict in seen.items()]


def judged(check, *arguments) -> Verdict:
    """What a check of tables finds, as a verdict."""
    try:
        found = check(*arguments)
    except (tools.Failed, Malformed) as failure:
        found = [str(failure)]
    return Verdict("wrong", "; ".join(found[:3])) if found else Verdict("exact")


def cell(
    tool: str, case: Case, seen: Verdict, known: list[expectations.Expectation]
) -> Cell:
    """A verdict beside what is expected."""
    expectation = expectations.find(known, tool, case.labels())
    if expectation is None:
        return Cell(tool, case, seen, seen.outcome == "exact", None)
    expectation.fitted.append((tool, case.name()))
    return Cell(tool, case, seen, expectation.is_met(seen), expectation.entry)


def print_totals(cells: list[Cell], wrong: list[str]) -> int:
    """Everything that is not as expected, and the last line. Returns the exit code."""
    unexpected = [one for one in cells if not one.is_right]
    for one in unexpected:
        expected = one.known["outcome"] if one.known else "exact"
        seen = f"{one.seen.outcome}, not {expected}: {one.seen.said}"
        print(f"FAIL {one.tool}: {one.case.name()}: {seen}")
    for line in wrong:
        print(f"FAIL {line}")
    outcomes = Counter(one.seen.outcome for one in cells if one.is_right)
    failed = len(unexpected) + len(wrong)
    expected = outcomes.total() - outcomes["exact"]
    print(f"peers: {outcomes['exact']} passed, {failed} failed, {expected} expected failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
