#!/usr/bin/env python3
"""Brings faults about, and sees what comes of them. `run` calls it; see ../README.md."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "serve"))

from groups import calls, changes, disk, hygiene, kills, memory, pipes, places, serving
from stand import Stand
from table import Table

# Those that take longest begin.
GROUPS = [kills, calls, changes, serving, memory, hygiene, disk, places, pipes]

HEAD = """
# Faults

What comes of each fault, as `faults/run CLEARKEY {options}--out DIR` saw it on two cores of an AMD EPYC (Zen 4), Debian 12,
Rust 1.95, in November 2026. *Intact* is octet by octet; *done* is the right output, octet by octet, and exit code 0. A
row fails if once anything else was seen. What may be left of a file that is not whole is called `.clearkey-…`.
"""


def main() -> None:
    """Runs everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--clearkey", "--persistent", "--work"):
        parser.add_argument(name, type=lambda text: Path(text).resolve(), required=True)
    parser.add_argument("--long", action="store_true", help="more steps, and 100 moments of each kill")
    parser.add_argument("--out", type=Path, help="where the table goes, as README.md")
    parser.add_argument("--group", help="only this one, as disk or kills")
    options = parser.parse_args()
    groups = [group for group in GROUPS if options.group in (None, group.__name__.split(".")[-1])]
    with ThreadPoolExecutor(2) as pool:
        tables = list(pool.map(lambda group: one(group, options), groups))
    table = Table()
    for part in tables:
        table.groups.update(part.groups)
        table.notes.update(part.notes)
    if options.out:
        table.write(options.out, HEAD.format(options="--long " if options.long else ""))
    sys.exit(0 if table.end() else 1)


def one(group, options: argparse.Namespace) -> Table:
    """Runs a group, in a folder of its own."""
    start, table = time.monotonic(), Table()
    name = group.__name__.split(".")[-1]
    shim = options.work / "shim.so"
    stand = Stand(options.clearkey, options.persistent, shim, options.work / name, table, options.long)
    table.group(group.NAME)
    try:
        group.run(stand)
    except Exception as error:  # whatever it is, the others go on
        traceback.print_exc()
        table.row("the test itself", name, "runs to its end").that(False, repr(error))
    rows = table.rows()
    times = sum(sum(row.seen.values()) for row in rows)
    print(f"    {group.NAME}: {len(rows)} rows, {times} runs, {time.monotonic() - start:.1f} s", flush=True)
    return table


if __name__ == "__main__":
    main()
