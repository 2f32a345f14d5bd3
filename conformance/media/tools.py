"""What FFmpeg says about a file: hashes of its samples, complaints while decoding, packets."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Iterable

SECONDS = 300  # one process on one small file; only a hang takes longer
KINDS = {"v": "video", "a": "audio"}
PACKET = "stream_index,pts,dts,duration,size,flags"


class Failed(Exception):
    """A process did not do what was asked of it. The message is fit for a report."""


def run(
    command: list[str], stdin: Path | None = None, stdout: Path | None = None
) -> tuple[str, str]:
    """Runs a command to a good end. Returns its stdout (unless that is a file) and its stderr."""
    with ExitStack() as files:
        source = files.enter_context(open(stdin or os.devnull, "rb"))
        sink = files.enter_context(open(stdout, "wb")) if stdout else subprocess.PIPE
        try:
            done = subprocess.run(
                command, stdin=source, stdout=sink, stderr=subprocess.PIPE, timeout=SECONDS
            )
        except subprocess.TimeoutExpired as late:
            raise Failed(f"{Path(command[0]).name} still runs after {SECONDS} s") from late
    said = done.stderr.decode(errors="replace")
    if done.returncode:
        raise Failed(f"{Path(command[0]).name} exits {done.returncode}: {shorten(said)}")
    return (done.stdout or b"").decode(errors="replace"), said


def shorten(text: str) -> str:
    """The first line of `text`, cut to a length that a table can bear."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    line = lines[0] if lines else "(nothing said)"
    more = f" (+{len(lines) - 1} lines)" if len(lines) > 1 else ""
    return line[:160] + more


def sample_hashes(path: Path) -> dict[str, list[str]]:
    """MD5 of all samples of each track, by kind of track, in the tracks' order."""
    printed, _ = run(hash_command(path))
    return read_hashes(printed)


def hash_command(path: Path, program: str = "ffmpeg", options: Iterable[str] = ()) -> list[str]:
    """FFmpeg's hashes of all samples; the options are for reading the file."""
    command = [program, "-v", "error", *options, "-i", str(path), "-map", "0", "-c", "copy"]
    return [*command, "-f", "streamhash", "-hash", "md5", "-"]


def read_hashes(printed: str) -> dict[str, list[str]]:
    """What `hash_command` prints, by kind of track."""
    hashes: dict[str, list[str]] = {}
    for line in printed.splitlines():
        _, kind, digest = line.split(",", 2)
        hashes.setdefault(KINDS.get(kind, kind), []).append(digest.removeprefix("MD5="))
    return hashes


def complaints(path: Path) -> str:
    """What the decoders say about the file. Silence is the only good answer."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path)]
    _, said = run([*command, "-map", "0", "-f", "null", "-"])
    return said


def packets(path: Path) -> dict[int, list[tuple]]:
    """The packets of each stream: times, durations, sizes and flags."""
    command = ["ffprobe", "-v", "error", "-show_entries", f"packet={PACKET}", "-of", "json"]
    printed, _ = run([*command, str(path)])
    streams: dict[int, list[tuple]] = {}
    for packet in json.loads(printed)["packets"]:
        row = tuple(packet.get(name) for name in PACKET.split(","))
        streams.setdefault(row[0], []).append(row[1:])
    return streams
