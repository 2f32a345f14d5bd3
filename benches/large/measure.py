"""What the benches of this folder share: commands run in turns, their samples, their figures."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import IO

# Wraps each command and writes its peak memory, in KiB. Linux counts the memory of a process that
# starts another as the other's, too, so Python itself cannot tell: it is larger than `clearkey`.
GNU_TIME = ["/usr/bin/time", "--quiet", "--format=%M"]

# Titles of `Tool.cells`.
COLUMNS = ["median s", "least s", "most s", "MB/s", "peak MiB"]


@dataclass(frozen=True)
class Run:
    """What one run took: wall time and the most memory, in KiB. `reason` is why it failed."""

    seconds: float = 0.0
    peak: int = 0
    reason: str = ""


@dataclass
class Tool:
    """A command that turns `source` into `outputs`, and its runs.

    With `in_place` its output is its input too: a fresh copy of `source`, made before each run.
    """

    name: str
    command: list[str]
    source: Path
    outputs: list[Path]
    decrypts: bool = True
    in_place: bool = False
    runs: list[Run] = field(default_factory=list)

    def median(self) -> float:
        """The median of the wall times."""
        return median(run.seconds for run in self.runs)

    def speed(self) -> float:
        """Megabytes of input in a second."""
        return self.source.stat().st_size / 1e6 / self.median()

    def peak(self) -> int:
        """The most memory of any run, in KiB."""
        return max(run.peak for run in self.runs)

    def cells(self) -> list[str]:
        """Its part of a table."""
        seconds = [run.seconds for run in self.runs]
        times = [f"{value:.3f}" for value in (self.median(), min(seconds), max(seconds))]
        return [*times, f"{self.speed():.0f}", f"{self.peak() / 1024:.1f}"]

    def figures(self) -> dict[str, object]:
        """Its part of a JSON file."""
        return {
            "name": self.name,
            "bytes": self.source.stat().st_size,
            "seconds": [run.seconds for run in self.runs],
            "median_seconds": self.median(),
            "megabytes_per_second": self.speed(),
            "peak_kib": self.peak(),
        }


def parser(description: str) -> argparse.ArgumentParser:
    """The arguments that every bench has."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--clearkey", required=True, help="the program")
    made.add_argument("--key", required=True, metavar="KID:KEY", help="of all tracks, in hex")
    made.add_argument("--runs", type=int, default=5, help="of each command (default 5)")
    made.add_argument("--work", type=Path, help="folder for inputs and outputs, on tmpfs or a disk")
    made.add_argument("--json", type=Path, metavar="FILE", help="writes the figures there, too")
    return made


def parse(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The command line, refused when nothing could be measured."""
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs must be at least 1")
    if not Path(GNU_TIME[0]).exists():
        parser.error(f"{GNU_TIME[0]} is missing (apt install time)")
    return options


def clearkey(options: argparse.Namespace, name: str, source: Path, output: Path) -> Tool:
    """`clearkey decrypt`, from file to file."""
    command = [options.clearkey, "decrypt", str(source), "-o", str(output), "--key", options.key]
    return Tool(name, command, source, [output])


def stage(source: Path, work: Path, name: str) -> Path:
    """A copy of an input where the outputs will be, which leaves it in the page cache."""
    return Path(shutil.copyfile(source, work / name))


def filesystem(path: Path) -> str:
    """The type of file system that a folder is on."""
    command = ["findmnt", "--noheadings", "--first-only", "--output=FSTYPE", "--target", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def fault(tool: Tool, clear: list[str]) -> str:
    """Runs a tool once. What is wrong with it, by the hashes of the clear samples."""
    reason = run(tool).reason
    if reason or not tool.decrypts:
        return reason
    seen = [track for output in tool.outputs for track in sample_hashes(output)]
    tracks = len(stream_types(tool.source))
    if len(seen) != tracks:
        return f"makes {len(seen)} tracks out of {tracks}"
    # The clear file may have tracks that the encrypted one lacks.
    strange = [track.split(",")[0] for track in seen if track not in clear]
    return f"makes samples that are not the clear ones: {', '.join(strange)}" if strange else ""


def stream_types(path: Path) -> list[str]:
    """`video`, `audio`, or both."""
    command = ["ffprobe", "-v", "quiet", "-show_entries", "stream=codec_type", "-of", "csv=p=0"]
    printed = subprocess.run([*command, str(path)], capture_output=True, text=True, check=True)
    return [line.split(",")[0] for line in printed.stdout.split()]


def sample_hashes(path: Path) -> list[str]:
    """The type of each track (v or a), and FFmpeg's hash of all its samples."""
    command = ["ffmpeg", "-v", "fatal", "-i", str(path), "-map", "0", "-c", "copy"]
    command += ["-f", "streamhash", "-hash", "md5", "-"]
    printed = subprocess.run(command, capture_output=True, text=True).stdout
    return [line.split(",", 1)[1] for line in printed.splitlines()]


def take_turns(tools: list[Tool], runs: int) -> None:
    """The runs that count. Whatever else the machine does falls on all tools alike."""
    for _ in range(runs):
        for tool in tools:
            done = run(tool)
            if done.reason:
                sys.exit(f"{tool.name} {done.reason}")
            tool.runs.append(done)


def run(tool: Tool) -> Run:
    """Runs a tool once, on a machine that is in the same state for each."""
    prepare(tool)
    with tempfile.NamedTemporaryFile("r") as peak, tempfile.TemporaryFile() as said:
        command = [*GNU_TIME, f"--output={peak.name}", *tool.command]
        start = time.perf_counter()
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said
        )
        seconds = time.perf_counter() - start
        if done.returncode:
            return Run(reason=f"exits {done.returncode}: {last_line(said)}")
        return Run(seconds, int(peak.read()))


def prepare(tool: Tool) -> None:
    """Removes what the last run wrote, and waits until nothing is being written back.

    The input is copied to where the output goes, and stays there only for `in_place`. So every tool
    finds memory that was in use a moment ago: a virtual machine may lack what was not.
    """
    for output in tool.outputs:
        shutil.copyfile(tool.source, output)
        if not tool.in_place:
            output.unlink()
    os.sync()


def last_line(said: IO[bytes]) -> str:
    """What a command said before it gave up."""
    said.seek(0)
    lines = said.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def print_table(titles: list[str], rows: list[list[str]]) -> None:
    """Markdown: names to the left, figures to the right."""
    marks = ["---", *["--:"] * (len(titles) - 1)]
    print(f"| {' | '.join(titles)} |\n|{'|'.join(marks)}|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def write_json(path: Path | None, figures: dict[str, object]) -> None:
    """Writes the figures, if a file was asked for."""
    if path:
        path.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
