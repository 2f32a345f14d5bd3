#!/usr/bin/env python3
"""Times `clearkey decrypt` on files of several sizes: do speed and memory change as files grow?

First the samples of every output are hashed. Then the sizes take turns. All inputs are copied into
the folder for the outputs, so that everything is on one file system.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import measure
from measure import Tool


def main() -> int:
    """Checks, times, prints. Returns the exit code."""
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="grow-", dir=options.work) as folder:
        work = Path(folder)
        sizes = [checked(options, folder, work) for folder in options.folders]
        nothing = Tool("a command that does nothing", ["true"], Path(), [])
        measure.take_turns([nothing, *sizes], options.runs)
        report(sizes, nothing, options, measure.filesystem(work))
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = measure.parser(__doc__.splitlines()[0])
    parser.add_argument("--base", required=True, metavar="NAME", help="of the folder to compare to")
    parser.add_argument("folders", nargs="+", type=Path, help="made by make-large.sh")
    options = measure.parse(parser)
    if options.base not in [folder.name for folder in options.folders]:
        parser.error(f"no folder is called {options.base}")
    return options


def checked(options: argparse.Namespace, folder: Path, work: Path) -> Tool:
    """`clearkey` and its input of one size, when its samples are right."""
    source = measure.stage(folder / "cenc-fragmented.mp4", work, f"{folder.name}.mp4")
    tool = measure.clearkey(options, folder.name, source, work / "out.mp4")
    if reason := measure.fault(tool, measure.sample_hashes(folder / "clear.mp4")):
        sys.exit(f"{folder}: clearkey {reason}")
    return tool


def report(sizes: list[Tool], nothing: Tool, options: argparse.Namespace, filesystem: str) -> None:
    """Prints medians as Markdown, and writes them as JSON."""
    base = next(tool.speed() for tool in sizes if tool.name == options.base)
    print(f"clearkey, cenc-fragmented.mp4, on {filesystem}, runs: {options.runs}\n")
    rows = [[tool.name, *tool.cells(), f"{tool.speed() / base:.2f}"] for tool in sizes]
    measure.print_table(["size, MB", *measure.COLUMNS, f"× {options.base} MB"], rows)
    print(f"\n- {nothing.name} takes {nothing.median():.3f} s")
    figures = {
        "filesystem": filesystem,
        "sizes": [tool.figures() for tool in sizes],
        "nothing_seconds": nothing.median(),
    }
    measure.write_json(options.json, figures)


if __name__ == "__main__":
    sys.exit(main())
