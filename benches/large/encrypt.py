#!/usr/bin/env python3
"""Times the encryption of one large file by `clearkey`, a plain `cp`, and other encrypters.

First every tool's output is decrypted and hashed, and must not have the clear samples before that:
a tool that gets a sample wrong is not timed. Then all take turns. The input is copied into the
folder for the outputs, so that both are on one file system.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import compare
import measure
from measure import Tool

SCHEMES = ("cenc", "cbcs")
PEERS = ["ffmpeg8", "packager", "transmux"]


def main() -> int:
    """Checks, times, prints. Returns the exit code."""
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="encrypt-", dir=options.work) as folder:
        work = Path(folder)
        source = measure.stage(options.file, work, "in.mp4")
        tools, refused = check(candidates(options, source, work), options, work)
        measure.take_turns(tools, options.runs)
        compare.report(tools, refused, options, measure.filesystem(work), PEERS)
    return 1 if "clearkey" in refused else 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = measure.parser(__doc__.splitlines()[0])
    parser.add_argument("--file", required=True, type=Path, help="the clear file")
    parser.add_argument("--scheme", choices=SCHEMES, default="cenc")
    parser.add_argument("--tools", required=True, type=Path, help="folder with the peers")
    return measure.parse(parser)


def candidates(options: argparse.Namespace, source: Path, work: Path) -> list[Tool]:
    """The tools that write the scheme, each with its whole command."""
    output = work / "out.mp4"
    command = [options.clearkey, "encrypt", "-q", str(source), "-o", str(output)]
    tools = [
        Tool(
            "clearkey",
            [*command, "--scheme", options.scheme, "--key", options.key],
            source,
            [output],
        ),
        Tool("cp", ["cp", str(source), str(output)], source, [output], decrypts=False),
        packager(options, source, work),
        transmux(options, source, output),
    ]
    if options.scheme == "cenc":
        tools.append(ffmpeg(options, source, output))
    return tools


def ffmpeg(options: argparse.Namespace, source: Path, output: Path) -> Tool:
    """FFmpeg 8, which writes progressive files with `cenc`."""
    kid, key = options.key.split(":")
    command = [str(options.tools / "ffmpeg8"), "-nostdin", "-v", "error", "-y", "-i", str(source)]
    command += ["-map", "0", "-c", "copy", "-encryption_scheme", "cenc-aes-ctr"]
    command += ["-encryption_kid", kid, "-encryption_key", key, str(output)]
    return Tool("ffmpeg8", command, source, [output])


def packager(options: argparse.Namespace, source: Path, work: Path) -> Tool:
    """Shaka Packager, which writes a fragmented file for each track."""
    kid, key = options.key.split(":")
    outputs = {kind: work / f"{kind}.mp4" for kind in measure.stream_types(source)}
    streams = [f"in={source},stream={kind},output={path}" for kind, path in outputs.items()]
    command = [str(options.tools / "packager"), "--quiet", *streams]
    command += ["--protection_scheme", options.scheme, "--clear_lead", "0"]
    command += ["--enable_raw_key_encryption", "--keys", f"label=:key_id={kid}:key={key}"]
    return Tool("packager", command, source, list(outputs.values()))


def transmux(options: argparse.Namespace, source: Path, output: Path) -> Tool:
    """A command of `peers/`."""
    program = options.tools / f"peer-transmux-{options.scheme}"
    return Tool("transmux", [str(program), str(source), str(output), options.key], source, [output])


def check(
    tools: list[Tool], options: argparse.Namespace, work: Path
) -> tuple[list[Tool], dict[str, str]]:
    """The tools whose samples are right once decrypted, and what is wrong with the others."""
    clear = measure.sample_hashes(options.file)
    faults = {tool.name: fault(tool, clear, options, work) for tool in tools}
    refused = {name: reason for name, reason in faults.items() if reason}
    return [tool for tool in tools if tool.name not in refused], refused


def fault(tool: Tool, clear: list[str], options: argparse.Namespace, work: Path) -> str:
    """Runs a tool once. What is wrong with its samples, encrypted and decrypted."""
    reason = measure.run(tool).reason
    if reason or not tool.decrypts:
        return reason
    decrypted = []
    for output in tool.outputs:
        if set(measure.sample_hashes(output)) & set(clear):
            return "leaves a track clear"
        back = work / "back.mp4"
        command = [options.clearkey, "decrypt", "-q", str(output), "-o", str(back)]
        done = subprocess.run([*command, "--key", options.key], capture_output=True, text=True)
        if done.returncode:
            return f"makes what cannot be decrypted: {done.stderr.strip()}"
        decrypted += measure.sample_hashes(back)
        back.unlink()
    return "" if sorted(decrypted) == sorted(clear) else "makes samples that are not the clear ones"


if __name__ == "__main__":
    sys.exit(main())
