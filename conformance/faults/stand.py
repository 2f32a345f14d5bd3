"""The program, what it works on, and the ways to trouble it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Sequence, TypeVar

from table import Row, Table

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
PATIENCE = 30  # seconds; what takes longer hangs
UNFINISHED = ".clearkey-"  # how a file is called that is not whole yet
NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]

T = TypeVar("T")

KEYS = {
    "10000000100010001000100000000001": "3a2a1b68dd2bd9b2eeb25e84c4776668",
    "10000000100010001000100000000002": "550727de4c96ef1ecff874905493580f",
}


@dataclass(frozen=True)
class End:
    """How a run ended."""

    code: int
    stderr: str
    stdout: bytes = b""

    def short(self) -> str:
        """In a word or two."""
        if self.code < 0 or self.code in (134, 137, 143):
            number = -self.code if self.code < 0 else self.code - 128
            return f"ended by {signal.Signals(number).name}"
        return f"exit {self.code}"


Files = dict[str, bytes]


@dataclass
class Stand:
    """What groups of tests need."""

    program: Path
    persistent: Path
    shim: Path
    work: Path
    table: Table
    is_long: bool
    media: Path = field(init=False)
    number: int = 0

    def __post_init__(self) -> None:
        self.work.mkdir()
        # Where somebody who is not root may look, too.
        shutil.copy2(self.program, self.work / "clearkey")
        self.program = self.work / "clearkey"
        self.media = self.work / "media"
        self.media.mkdir()
        for source in ["media/b4_cenc_avc_aac_fragb4.mp4", "media/ff81_cenc_prog_avc_aac.mp4"]:
            shutil.copy2(FIXTURES / source, self.media)
        for source in ["clear/avc_aac_frag.mp4", "indexed/avc.mp4", "indexed/aac.mp4"]:
            shutil.copy2(FIXTURES / source, self.media)
        (self.media / "keys.txt").write_text("".join(f"{kid}:{key}\n" for kid, key in KEYS.items()))

    def file(self, name: str) -> Path:
        """A file to read."""
        return self.media / name

    @property
    def encrypted(self) -> Path:
        """A fragmented file with two tracks, in many fragments."""
        return self.file("b4_cenc_avc_aac_fragb4.mp4")

    @property
    def progressive(self) -> Path:
        """The same as one movie."""
        return self.file("ff81_cenc_prog_avc_aac.mp4")

    def large(self, times: int) -> Path:
        """Movies one behind the other: a file that takes a while."""
        path = self.media / f"large-{times}.mp4"
        if not path.exists():
            path.write_bytes(self.encrypted.read_bytes() * times)
        return path

    def folder(self) -> Path:
        """A new folder."""
        self.number += 1
        path = self.work / f"folder-{self.number}"
        path.mkdir()
        return path

    def keys(self) -> list[str | Path]:
        """The options that give it its keys."""
        return ["--keys-file", self.file("keys.txt"), "--quiet"]

    def decrypt(self, source: str | Path, *more: str | Path) -> list[str | Path]:
        """A command line."""
        return ["decrypt", source, *self.keys(), *more]

    def encrypt(self, folder: Path, *more: str | Path) -> list[str | Path]:
        """A command line that writes nine files, which are the same each time."""
        kid, key = next(iter(KEYS.items()))
        command: list[str | Path] = ["encrypt", self.file("avc.mp4"), self.file("aac.mp4"), "-o", folder, "--quiet"]
        command += ["--key", f"{kid}:{key}", "--iv", "0102030405060708", "--mpd", folder / "film.mpd"]
        command += ["--hls", folder / "film.m3u8", "--keys-out", folder / "keys.txt"]
        return [*command, "--license-out", folder / "license.json", *more]

    def run(
        self,
        arguments: Sequence[str | Path],
        *,
        before: Sequence[str | Path] = (),
        environment: dict[str, str] | None = None,
        **more: object,
    ) -> End:
        """Runs it to its end. `before` is what stands before the program in the command line."""
        more = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        command = [*map(str, before), str(self.program), *map(str, arguments)]
        child = subprocess.Popen(command, env={**os.environ, **(environment or {})}, **more)
        try:
            stdout, stderr = child.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            return End(999, "it hangs")
        return End(child.returncode, (stderr or b"").decode(errors="replace"), stdout or b"")

    def injected(self, what: str, *, path: Path | None = None) -> list[str]:
        """strace, which makes a call to the system fail or be a moment for a signal."""
        calls = what.split(":")[0]
        command = ["strace", "-f", "-qqq", "-o", "/dev/null", "-e", f"trace={calls}"]
        # That is faster, and sends no signals.
        command += [] if ":signal=" in what else ["--seccomp-bpf"]
        if path:
            command += ["-P", str(path)]
        return [*command, "-e", f"inject={what}"]

    def calls(
        self, names: str, arguments: Sequence[str | Path], *, path: Path | None = None
    ) -> list[tuple[str, int]]:
        """The calls of these names that the main thread of a run makes, each with its number among its like."""
        log = self.work / "calls"
        command = ["strace", "-f", "-qqq", "-o", str(log), "--seccomp-bpf", "-e", f"trace={names}"]
        if path:
            command += ["-P", str(path)]
        self.run(arguments, before=command)
        made = re.findall(r"^(\d+) +(\w+)\(", log.read_text(errors="replace"), re.MULTILINE)
        names_made = [name for thread, name in made if thread == made[0][0]]
        return [(name, names_made[: at + 1].count(name)) for at, name in enumerate(names_made)]

    def some(self, choices: Sequence[T], most: int = 8) -> list[T]:
        """So many of them, or of the long set eight times as many, with the first and the last."""
        count, most = len(choices), most * (8 if self.is_long else 1)
        if count <= most:
            return list(choices)
        return [choices[at] for at in sorted({round(at * (count - 1) / (most - 1)) for at in range(most)})]

    def steps(self, count: int, most: int = 8) -> list[int]:
        """Numbers from 1 to `count`, likewise."""
        return self.some(range(1, count + 1), most)

    def has_no_word_of_panic(self, row: Row, end: End, what: str) -> None:
        """It neither panics nor hangs, and shows no key."""
        row.that(end.code not in (101, 999) and "panicked" not in end.stderr, f"{what}: {end.short()}: {end.stderr}")
        row.that(not any(key in end.stderr.lower() for key in KEYS.values()), f"{what}: a key on stderr")


def files(folder: Path) -> Files:
    """All files of a folder, with what is in them."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def put(folder: Path, content: Files) -> None:
    """Makes a folder hold these files and no others."""
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    for name, octets in content.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_bytes(octets)


def judge(row: Row, end: End, found: Files, old: Files, new: Files, what: str, *, says: Sequence[str] = ()) -> None:
    """Whether all is new and the exit code is 0; or all is as it was, and a message says why."""
    names = sorted(name for name in found if found[name] != old.get(name)) or sorted(set(old) - set(found))
    if end.code == 0:
        wrong = [name for name in new if found.get(name) != new[name]]
        row.that(not wrong, f"{what}: exit 0, and not as it should be: {wrong}")
        row.that(set(found) == set(old) | set(new), f"{what}: exit 0, and {sorted(found)}")
        row.saw("done")
        return
    row.that(found == old, f"{what}: {end.short()}, and {names} are not as they were")
    if row.that(end.code == 2, f"{what}: {end.short()}: {end.stderr}"):
        is_told = end.stderr.startswith("clearkey: ") and all(words in end.stderr for words in says)
        row.that(is_told, f"{what}: {says} expected, it says: {end.stderr}")
    row.saw(f"old intact, {end.short()}")
