#!/usr/bin/env python3
"""Times the decryption of one large file by `clearkey`, `cp`, FFmpeg and Shaka Packager.

First every tool's output is hashed: a tool that gets a sample wrong is not timed. Then all take
turns, so that whatever else the machine does falls on all of them. See ../README.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

# Wraps each command and writes its peak memory, in KiB. Linux counts the memory of a process that
# starts another as the other's, too, so Python itself cannot tell: it is larger than `clearkey`.
GNU_TIME = ["/usr/bin/time", "--quiet", "--format=%M"]


@dataclass(frozen=True)
class Run:
    """What one run took: wall time and the most memory, in KiB. `reason` is why it failed."""

    seconds: float = 0.0
    peak: int = 0
    reason: str = ""


@dataclass
class Tool:
    """A command that turns the file into outputs, and its runs."""

    name: str
    command: list[str]
    outputs: list[Path]
    decrypts: bool = True
    runs: list[Run] = field(default_factory=list)

    def seconds(self) -> list[float]:
        """The wall time of each run."""
        return [run.seconds for run in self.runs]


def main() -> int:
    """Checks, times, prints. Returns the exit code."""
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="compare-", dir=options.work) as work:
        tools, refused = check_all(candidates(options, Path(work)), options)
        for _ in range(options.runs):
            for tool in tools:
                take_turn(tool)
    print_table(tools, options)
    for name, reason in refused:
        print(f"\n{name} is not timed: it {reason}")
    return 1 if any(name == "clearkey" for name, _ in refused) else 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clearkey", required=True, help="the program")
    parser.add_argument("--file", required=True, type=Path, help="the encrypted file")
    parser.add_argument("--key", required=True, metavar="KID:KEY", help="of all its tracks")
    parser.add_argument("--clear", type=Path, help="a file with the same samples, clear")
    parser.add_argument("--packager", help="Shaka Packager, to be timed too")
    parser.add_argument("--runs", type=int, default=5, help="of each tool (default 5)")
    parser.add_argument("--work", type=Path, help="folder for the outputs, best on a tmpfs")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs must be at least 1")
    if not options.file.is_file():
        parser.error(f"{options.file} is not a file")
    if not Path(GNU_TIME[0]).exists():
        parser.error(f"{GNU_TIME[0]} is missing (apt install time)")
    return options


def candidates(options: argparse.Namespace, work: Path) -> list[Tool]:
    """The tools, each with its whole command."""
    source, output = str(options.file), work / "out.mp4"
    kid, key = options.key.split(":")
    ours = [options.clearkey, "decrypt", source, "-o", str(output), "--key", options.key]
    ffmpeg = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-decryption_key", key, "-i", source]
    tools = [
        Tool("clearkey", ours, [output]),
        Tool("cp", ["cp", source, str(output)], [output], decrypts=False),
        Tool("ffmpeg", [*ffmpeg, "-map", "0", "-c", "copy", str(output)], [output]),
    ]
    if options.packager:
        outputs = {kind: work / f"{kind}.mp4" for kind in stream_types(options.file)}
        streams = [f"in={source},stream={kind},output={path}" for kind, path in outputs.items()]
        keys = ["--enable_raw_key_decryption", "--keys", f"label=:key_id={kid}:key={key}"]
        command = [options.packager, "--quiet", *streams, *keys]
        tools.append(Tool("packager", command, list(outputs.values())))
    return tools


def stream_types(source: Path) -> list[str]:
    """`video`, `audio`, or both."""
    command = ["ffprobe", "-v", "quiet", "-show_entries", "stream=codec_type", "-of", "csv=p=0"]
    printed = subprocess.run([*command, str(source)], capture_output=True, text=True, check=True)
    return [line.split(",")[0] for line in printed.stdout.split()]


def check_all(
    tools: list[Tool], options: argparse.Namespace
) -> tuple[list[Tool], list[tuple[str, str]]]:
    """Keeps the tools whose samples are right. Says of the others what is wrong."""
    expected = sample_hashes(options.clear) if options.clear else ffmpeg_hashes(tools)
    tracks = len(stream_types(options.file))
    good, refused = [], []
    for tool in tools:
        reason = run(tool).reason
        if not reason and tool.decrypts:
            seen = [track for output in tool.outputs for track in sample_hashes(output)]
            reason = wrong_samples(seen, expected, tracks)
        if reason:
            refused.append((tool.name, reason))
        else:
            good.append(tool)
    return good, refused


def ffmpeg_hashes(tools: list[Tool]) -> list[str]:
    """Without a clear file, what FFmpeg decrypts is the measure."""
    tool = next(tool for tool in tools if tool.name == "ffmpeg")
    if reason := run(tool).reason:
        sys.exit(f"compare: nothing to measure samples by: ffmpeg {reason}")
    return sample_hashes(tool.outputs[0])


def sample_hashes(path: Path) -> list[str]:
    """The type of each track, and FFmpeg's hash of all its samples."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0", "-c", "copy"]
    command += ["-f", "streamhash", "-hash", "md5", "-"]
    printed = subprocess.run(command, capture_output=True, text=True).stdout
    return [line.split(",", 1)[1] for line in printed.splitlines()]


def wrong_samples(seen: list[str], expected: list[str], tracks: int) -> str:
    """What is wrong with an output. The clear file may have tracks that the encrypted one lacks."""
    if len(seen) != tracks:
        return f"makes {len(seen)} tracks out of {tracks}"
    strange = [track for track in seen if track not in expected]
    return f"makes samples that are not the clear ones: {' '.join(strange)}" if strange else ""


def run(tool: Tool) -> Run:
    """Runs a tool once, with none of its outputs there."""
    for output in tool.outputs:
        output.unlink(missing_ok=True)
    with tempfile.NamedTemporaryFile("r") as peak, tempfile.TemporaryFile() as said:
        command = [*GNU_TIME, f"--output={peak.name}", *tool.command]
        start = time.perf_counter()
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said
        )
        seconds = time.perf_counter() - start
        if done.returncode:
            said.seek(0)
            first = said.readline().decode(errors="replace").strip()
            return Run(reason=f"exits {done.returncode}: {first}")
        return Run(seconds, int(peak.read()))


def take_turn(tool: Tool) -> None:
    """One run that counts."""
    done = run(tool)
    if done.reason:
        sys.exit(f"compare: {tool.name} {done.reason}")
    tool.runs.append(done)


def print_table(tools: list[Tool], options: argparse.Namespace) -> None:
    """Medians, as a Markdown table."""
    megabytes = options.file.stat().st_size / 1e6
    copying = next(median(tool.seconds()) for tool in tools if tool.name == "cp")
    print(f"{options.file.name}, {megabytes:.0f} MB, runs of each tool: {options.runs}, in turns\n")
    print("| tool | median s | least s | most s | × cp | MB/s | peak MiB |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for tool in tools:
        seconds = tool.seconds()
        middle = median(seconds)
        peak = max(run.peak for run in tool.runs) / 1024
        print(
            f"| {tool.name} | {middle:.3f} | {min(seconds):.3f} | {max(seconds):.3f} "
            f"| {middle / copying:.2f} | {megabytes / middle:.0f} | {peak:.1f} |"
        )


if __name__ == "__main__":
    sys.exit(main())
