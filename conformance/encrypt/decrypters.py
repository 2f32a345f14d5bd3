"""Who decrypts: `clearkey` itself, and tools that are not ours. Each is told the keys, no more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import tables
import tools
from boxes import Malformed


@dataclass(frozen=True)
class Programs:
    """Where the programs are."""

    clearkey: Path
    tools: Path | None


@dataclass(frozen=True)
class Job:
    """An encrypted file, its keys, the kinds of its tracks, and a folder for outputs."""

    path: Path
    keys: tuple[str, ...]
    kinds: tuple[str, ...]
    work: Path
    programs: Programs

    def output(self, name: str) -> Path:
        """Where a tool writes to."""
        return self.work / f"{name}{self.path.suffix}"

    def tool(self, name: str) -> str:
        """The path of a peer."""
        return str(self.programs.tools / name)


@dataclass(frozen=True)
class Verdict:
    """`exact`, `wrong` or `refused`, and what the tool said of it."""

    outcome: str
    said: str = ""


# What a tool made: hashes of the tracks by kind, and its stderr.
Made = tuple[dict[str, list[str]], str]


def clearkey(job: Job, *options: str) -> Made:
    """`clearkey decrypt`, from file to file."""
    output = job.output("-".join(["clearkey", *options]))
    keys = [word for key in job.keys for word in ("--key", key)]
    command = [str(job.programs.clearkey), "decrypt", "-q", str(job.path), "-o", str(output)]
    _, said = tools.run([*command, *options, *keys])
    return tables.hashes(output), said


def ffmpeg_dictionary(job: Job) -> Made:
    """FFmpeg 8, which looks keys up by their ids."""
    keys = ":".join(key.replace(":", "=") for key in job.keys)
    return ffmpeg(job, job.tool("ffmpeg8"), "-decryption_keys", keys)


def ffmpeg_key(job: Job, program: str, *options: str) -> Made:
    """FFmpeg with one key for everything."""
    return ffmpeg(job, program, *options, "-decryption_key", job.keys[0].split(":")[1])


def ffmpeg_debian(job: Job) -> Made:
    """FFmpeg 5.1. Where it can seek among fragments, it takes the wrong IVs."""
    is_fragmented = job.path.suffix == ".mp4" and b"moof" in job.path.read_bytes()
    return ffmpeg_key(job, "ffmpeg", *(("-seekable", "0") if is_fragmented else ()))


def ffmpeg(job: Job, program: str, *options: str) -> Made:
    """FFmpeg hashes what it has decrypted, without a file between."""
    printed, said = tools.run(tools.hash_command(job.path, program, options))
    return tools.read_hashes(printed), said


def packager(job: Job) -> Made:
    """Shaka Packager, which writes a file for each track."""
    outputs = {kind: job.output(f"packager-{kind}") for kind in job.kinds}
    streams = [f"in={job.path},stream={kind},output={path}" for kind, path in outputs.items()]
    pairs = enumerate(key.split(":") for key in job.keys)
    keys = ",".join(f"label={label}:key_id={kid}:key={key}" for label, (kid, key) in pairs)
    command = [job.tool("packager"), "--quiet", *streams, "--enable_raw_key_decryption"]
    _, said = tools.run([*command, "--keys", keys])
    hashes: dict[str, list[str]] = {}
    for path in outputs.values():
        hashes |= tables.hashes(path)
    return hashes, said


def mp4decrypt(job: Job) -> Made:
    """The crate of that name, which is Bento4's code: a command of `benches/large/peers`."""
    output = job.output("mp4decrypt")
    _, said = tools.run([job.tool("peer-mp4decrypt"), str(job.path), str(output), *job.keys])
    return tables.hashes(output), said


@dataclass(frozen=True)
class Decrypter:
    """A tool, or a way to call it."""

    name: str
    decrypt: Callable[[Job], Made]
    takes_one_key: bool = False


OURS = (
    Decrypter("clearkey", clearkey),
    Decrypter("clearkey --compact", lambda job: clearkey(job, "--compact")),
)
DEBIAN = (
    Decrypter("ffmpeg 5.1 -decryption_key", ffmpeg_debian, True),
)
OTHERS = (
    Decrypter("ffmpeg 8 -decryption_keys", ffmpeg_dictionary),
    Decrypter("ffmpeg 8 -decryption_key", lambda job: ffmpeg_key(job, job.tool("ffmpeg8")), True),
    Decrypter("packager", packager),
    Decrypter("mp4decrypt", mp4decrypt),
)


def verdict(decrypter: Decrypter, job: Job, expected: dict[str, list[str]]) -> Verdict:
    """Runs a tool and compares the samples of each track with the clear ones."""
    try:
        hashes, said = decrypter.decrypt(job)
    except tools.Failed as failure:
        return Verdict("refused", tidy(str(failure), job))
    except (Malformed, OSError) as failure:
        return Verdict("wrong", tidy(f"its output cannot be read: {failure}", job))
    if hashes == expected:
        return Verdict("exact")
    wrong = [kind for kind in expected if hashes.get(kind) != expected[kind]]
    more = f"; {tools.shorten(said)}" if said.strip() else ""
    return Verdict("wrong", tidy(f"{' and '.join(wrong)}{more}", job))


def tidy(said: str, job: Job) -> str:
    """A message without what differs from run to run: folders, addresses, times, lines."""
    said = said.replace(f"{job.work}/", "").replace(f"{job.path.parent}/", "")
    said = re.sub(r" @ 0x[0-9a-f]+|\b[EW]\d{4} [\d:.]+ +\d+ ", "", said)
    return re.sub(r" \(\+\d+ lines\)", "", said)
