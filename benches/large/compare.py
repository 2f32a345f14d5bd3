#!/usr/bin/env python3
"""Times the decryption of one large file by `clearkey`, a plain `cp`, and other decrypters.

First every tool's output is hashed: a tool that gets a sample wrong is not timed. Then all take
turns. The input is copied into the folder for the outputs, so that both are on one file system.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import measure
from measure import Tool

PEERS = ["ffmpeg", "ffmpeg8", "packager", "mp4decrypt", "vsd-mp4"]
NAMES = ["clearkey", "clearkey-in-place", "cp", *PEERS]

# Whichever of the peers it is.
FASTEST = "fastest peer"


def main() -> int:
    """Checks, times, prints. Returns the exit code."""
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="compare-", dir=options.work) as folder:
        work = Path(folder)
        source = measure.stage(options.file, work, "in.mp4")
        tools, refused = check(candidates(options, source, work), options)
        measure.take_turns(tools, options.runs)
        report(tools, refused, options, measure.filesystem(work), PEERS)
    return 1 if any(name.startswith("clearkey") for name in refused) else 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = measure.parser(__doc__.splitlines()[0])
    parser.add_argument("--file", required=True, type=Path, help="the encrypted file")
    parser.add_argument("--clear", required=True, type=Path, help="the same samples, clear")
    parser.add_argument("--tools", type=Path, metavar="DIR", help="ffmpeg8, packager and peers")
    parser.add_argument("--only", metavar="NAMES", help=f"of {','.join(NAMES)}; cp always is")
    options = measure.parse(parser)
    for path in (options.file, options.clear):
        if not path.is_file():
            parser.error(f"{path} is not a file")
    options.only = {"cp", *options.only.split(",")} if options.only else set(NAMES)
    if unknown := options.only - set(NAMES):
        parser.error(f"--only knows {', '.join(NAMES)}; not {', '.join(sorted(unknown))}")
    return options


def candidates(options: argparse.Namespace, source: Path, work: Path) -> list[Tool]:
    """The tools that were asked for, each with its whole command."""
    output = work / "out.mp4"
    tools = [
        measure.clearkey(options, "clearkey", source, output),
        in_place(options, source, output),
        Tool("cp", ["cp", str(source), str(output)], source, [output], decrypts=False),
        ffmpeg(options, "ffmpeg", "ffmpeg", source, output),
    ]
    if options.tools:
        tools += [
            ffmpeg(options, "ffmpeg8", str(options.tools / "ffmpeg8"), source, output),
            packager(options, source, work),
            peer(options, "mp4decrypt", source, output),
            peer(options, "vsd-mp4", source, output),
        ]
    return [tool for tool in tools if tool.name in options.only]


def in_place(options: argparse.Namespace, source: Path, output: Path) -> Tool:
    """`clearkey decrypt --in-place`, on a copy."""
    command = [options.clearkey, "decrypt", str(output), "--in-place", "--key", options.key]
    return Tool("clearkey-in-place", command, source, [output], in_place=True)


def ffmpeg(
    options: argparse.Namespace, name: str, program: str, source: Path, output: Path
) -> Tool:
    """FFmpeg, without decoding."""
    command = [program, "-nostdin", "-v", "error", "-y"]
    command += ["-decryption_key", options.key.split(":")[1], "-i", str(source)]
    return Tool(name, [*command, "-map", "0", "-c", "copy", str(output)], source, [output])


def packager(options: argparse.Namespace, source: Path, work: Path) -> Tool:
    """Shaka Packager, which writes a file for each track."""
    kid, key = options.key.split(":")
    outputs = {kind: work / f"{kind}.mp4" for kind in measure.stream_types(source)}
    streams = [f"in={source},stream={kind},output={path}" for kind, path in outputs.items()]
    keys = ["--enable_raw_key_decryption", "--keys", f"label=:key_id={kid}:key={key}"]
    command = [str(options.tools / "packager"), "--quiet", *streams, *keys]
    return Tool("packager", command, source, list(outputs.values()))


def peer(options: argparse.Namespace, crate: str, source: Path, output: Path) -> Tool:
    """A command of `peers/`."""
    command = [str(options.tools / f"peer-{crate}"), str(source), str(output), options.key]
    return Tool(crate, command, source, [output])


def check(tools: list[Tool], options: argparse.Namespace) -> tuple[list[Tool], dict[str, str]]:
    """The tools whose samples are right, and what is wrong with the others."""
    clear = measure.sample_hashes(options.clear)
    faults = {tool.name: measure.fault(tool, clear) for tool in tools}
    refused = {name: reason for name, reason in faults.items() if reason}
    return [tool for tool in tools if tool.name not in refused], refused


def report(
    tools: list[Tool],
    refused: dict[str, str],
    options: argparse.Namespace,
    filesystem: str,
    peers: list[str],
) -> None:
    """Prints medians and ratios as Markdown, and writes them as JSON."""
    medians = {tool.name: tool.median() for tool in tools}
    fastest = min(set(peers) & set(medians), key=lambda name: medians[name], default="")
    found = ratios(medians, fastest)
    megabytes = options.file.stat().st_size / 1e6
    print(f"{options.file.name}, {megabytes:.0f} MB, on {filesystem}, runs: {options.runs}\n")
    rows = [[t.name, *t.cells(), f"{medians[t.name] / medians['cp']:.2f}"] for t in tools]
    measure.print_table(["tool", *measure.COLUMNS, "× cp"], rows)
    print()
    for name, reason in refused.items():
        print(f"- {name} is not timed: it {reason}")
    if fastest:
        print(f"- {FASTEST}: {fastest}")
    for label, ratio in found.items():
        print(f"- {label} = {ratio:.2f}")
    figures = {
        "file": options.file.name,
        "filesystem": filesystem,
        "tools": [tool.figures() for tool in tools],
        "refused": refused,
        "fastest_peer": fastest,
        "ratios": found,
    }
    measure.write_json(options.json, figures)


def ratios(medians: dict[str, float], fastest: str) -> dict[str, float]:
    """The ratios that the program is judged by, of the tools that were timed."""
    pairs = [
        ("clearkey", "cp"),
        (FASTEST, "clearkey"),
        ("mp4decrypt", "clearkey"),
        ("clearkey-in-place", "cp"),
    ]
    known = {**medians, FASTEST: medians[fastest]} if fastest else medians
    return {
        f"{dividend} ÷ {divisor}": known[dividend] / known[divisor]
        for dividend, divisor in pairs
        if dividend in known and divisor in known
    }


if __name__ == "__main__":
    sys.exit(main())
