"""Files that somebody changes while they are read: the program is stopped at a read, and goes on after the change."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Callable

from stand import PATIENCE, UNFINISHED, End, Stand, files, put

NAME = "Files that change while they are read"


def truncated(path: Path) -> None:
    """Half of it is gone."""
    os.truncate(path, path.stat().st_size // 2)


def emptied(path: Path) -> None:
    """All of it is gone."""
    os.truncate(path, 0)


def grown(path: Path) -> None:
    """It has more at its end."""
    with path.open("ab") as file:
        file.write(path.read_bytes()[:100_000])


def overwritten(path: Path) -> None:
    """Other octets, as many as before."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.write(bytes(size))


def replaced(path: Path) -> None:
    """Another file takes its name."""
    other = path.with_name("other")
    other.write_bytes(b"another file")
    os.replace(other, path)


def deleted(path: Path) -> None:
    """Its name is gone."""
    path.unlink()


CHANGES = [truncated, emptied, grown, overwritten, replaced, deleted]
HARMLESS = [replaced, deleted]


def run(stand: Stand) -> None:
    """Everything."""
    key = next(iter(stand.file("keys.txt").read_text().splitlines()))
    fixed = ["--key", key, "--iv", "0102030405060708", "--quiet"]
    plain = lambda source, out: stand.decrypt(source, "-o", out, "--threads", "1")
    ways: list[tuple[str, Path, Callable]] = [
        ("decrypt IN -o OUT", stand.large(8), plain),
        ("decrypt IN -o OUT --compact", stand.large(8), lambda source, out: [*plain(source, out), "--compact"]),
        ("decrypt IN -o OUT --no-verify", stand.large(8), lambda source, out: [*plain(source, out), "--no-verify"]),
        ("encrypt IN -o OUT", stand.file("avc_aac_frag.mp4"), lambda source, out: ["encrypt", source, "-o", out, *fixed]),
    ]
    for name, source, command in ways:
        for change in CHANGES:
            expected = "done: what was opened is read to its end" if change in HARMLESS else "exit 2 or 1, IN named, OUT intact"
            row = stand.table.row(f"the input is {change.__name__}", name, expected)
            sweep(stand, row, source, command, change)
    for change in CHANGES:
        row = stand.table.row(
            f"the input is {change.__name__}",
            "decrypt IN --in-place",
            "done: the file that was opened"
            if change in HARMLESS
            else "exit 2 or 1; before the first write nothing is written",
        )
        in_place(stand, row, change)
    stand.table.note(
        "A change that leaves the length and comes within the clock tick of the one before (4 ms at most) cannot be told "
        "by a file's times. In place, who writes at the same time gets a mixture: nothing guards against that but a copy."
    )


def stopped(stand: Stand, command: list, name: str, at: int, change: Callable[[], None]) -> tuple[End, bool]:
    """Runs it, and makes a change before its read number `at`. Returns whether it came so far."""
    environment = {"LD_PRELOAD": str(stand.shim), "FAULTS_STOP": str(at), "FAULTS_NAME": name}
    child = subprocess.Popen(
        [stand.program, *map(str, command)],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    _, status = os.waitpid(child.pid, os.WUNTRACED)
    is_stopped = os.WIFSTOPPED(status)
    if is_stopped:
        # A file's times tell changes that are a tick of the clock apart.
        time.sleep(0.01)
        change()
        child.send_signal(signal.SIGCONT)
    else:
        child.returncode = os.waitstatus_to_exitcode(status)
    try:
        stdout, stderr = child.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return End(999, "it hangs"), is_stopped
    return End(child.returncode, stderr.decode(errors="replace"), stdout), is_stopped


def sweep(stand: Stand, row, original: Path, command: Callable, change: Callable) -> None:
    """The change before each read."""
    source, out = stand.folder() / "in.mp4", stand.folder() / "out.mp4"
    put(source.parent, {"in.mp4": original.read_bytes()})
    row.that(stand.run(command(source, out)).code == 0, "it fails without a change")
    new = out.read_bytes()
    for at in stand.steps(len(stand.calls("pread64,read", command(source, out), path=source)), 4):
        put(source.parent, {"in.mp4": original.read_bytes()})
        put(out.parent, {"out.mp4": b"old"})
        end, is_stopped = stopped(stand, command(source, out), str(source), at, lambda: change(source))
        row.that(is_stopped, f"read {at}: it does not come so far")
        stand.has_no_word_of_panic(row, end, f"read {at}")
        found = files(out.parent)
        if end.code == 0:
            row.that(change in HARMLESS and found == {"out.mp4": new}, f"read {at}: exit 0, and an output of a mixture")
            row.saw("done")
            continue
        row.that(change not in HARMLESS, f"read {at}: {end.short()}: {end.stderr}")
        row.that(end.code in (1, 2) and "in.mp4" in end.stderr, f"read {at}: {end.short()}: {end.stderr}")
        row.that(found == {"out.mp4": b"old"}, f"read {at}: {sorted(found)}")
        row.saw(f"old intact, {end.short()}")


def in_place(stand: Stand, row, change: Callable) -> None:
    """The same for a file in place."""
    source = stand.folder() / "in.mp4"
    old = stand.large(8).read_bytes()
    command = stand.decrypt(source, "--in-place", "--threads", "1")
    put(source.parent, {"in.mp4": old})
    count = len(stand.calls("pread64,read", command, path=source))
    new = source.read_bytes()
    for at in stand.steps(count, 6):
        put(source.parent, {"in.mp4": old})
        kept, seen = source.parent / "kept", []
        os.link(source, kept)

        def changed() -> None:
            change(source)
            seen.append(kept.read_bytes())

        end, is_stopped = stopped(stand, command, str(source), at, changed)
        row.that(is_stopped, f"read {at}: it does not come so far")
        stand.has_no_word_of_panic(row, end, f"read {at}")
        found = kept.read_bytes()
        if change in HARMLESS:
            row.that(end.code == 0 and found == new, f"read {at}: {end.short()}: {end.stderr}")
            row.saw("done" if end.code == 0 else end.short())
            continue
        is_begun = seen[0][: len(old)] != old[: len(seen[0])] and change is not overwritten
        if change is overwritten:
            is_begun = at > count // 2
        if end.code == 0:
            # What is behind the part that is read again is nobody's to see.
            row.that(is_begun, f"read {at}: exit 0, though it changed before the first write")
            row.saw("a mixture, exit 0")
            continue
        row.that(end.code in (1, 2) and "in.mp4" in end.stderr, f"read {at}: {end.short()}: {end.stderr}")
        says_so = "decrypted already" in end.stderr
        row.that(found == seen[0] or says_so, f"read {at}: written, and not a word of it: {end.stderr}")
        row.saw(f"{'as the change left it' if found == seen[0] else 'partly decrypted'}, {end.short()}")
