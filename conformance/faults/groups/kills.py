"""Signals at any moment: at calls to the system, one after the other, and at random."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Callable

from groups import tracks
from groups.calls import RENAMES
from stand import PATIENCE, UNFINISHED, End, Files, Stand, files, put

NAME = "Signals at any moment"
INTERRUPTED = 130
CALLS = f"openat,pwrite64,write,fsync,{RENAMES},unlink,unlinkat,exit_group"


def run(stand: Stand) -> None:
    """Everything."""
    folder = stand.folder()
    plain = stand.decrypt(stand.large(100 if stand.is_long else 30), "-o", folder / "out.mp4")
    several = stand.encrypt(folder)
    for name, command in (("decrypt IN -o OUT", plain), ("encrypt A B -o DIR --mpd … --keys-out …", several)):
        put(folder, {})
        assert stand.run(command).code == 0
        new = files(folder)
        old = {name: f"old {name}".encode() for name in new}
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            expected = "old or new, every file whole; " + (
                f"what stays is called {UNFINISHED}…" if number == signal.SIGKILL else "nothing else is left; exit 130"
            )
            row = stand.table.row(f"{number.name} at random", name, expected)
            random_moments(stand, row, command, number, folder, old, new)
        if name.startswith("decrypt"):
            command[1] = stand.large(2)
        at_calls(stand, name, [*command, "--threads", "1"], folder)
    in_place(stand)
    served_keys(stand)
    stand.table.note(
        f"Licenses: `CLEARKEY_KILLS=500 cargo test -p cdm --test crash`. A file called `{UNFINISHED}…` is not whole, and "
        "nobody reads it: it can be deleted. It has the permissions of what it would have become, so keys stay their "
        "owner's."
    )


def random_moments(
    stand: Stand, row, command: list, number: signal.Signals, folder: Path, old: Files, new: Files
) -> None:
    """Signals while it runs, from its start to a little behind its end."""
    put(folder, old)
    start = time.monotonic()
    stand.run(command)
    length = time.monotonic() - start
    source = random.Random(number)
    for _ in range(100 if stand.is_long else 5):
        put(folder, old)
        moment = source.uniform(0, 1.1 * length)
        end = signalled(stand, command, number, moment)
        judge(row, end, number, folder, old, new, f"after {moment * 1000:.1f} ms")


def signalled(stand: Stand, command: list, number: signal.Signals, moment: float) -> End:
    """Starts it, and sends it a signal at a moment."""
    child = subprocess.Popen(
        [stand.program, *map(str, command)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        child.wait(moment)
    except subprocess.TimeoutExpired:
        child.send_signal(number)
    try:
        _, stderr = child.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return End(999, "it hangs")
    return End(child.returncode, stderr.decode(errors="replace"))


def at_calls(stand: Stand, name: str, command: list, folder: Path) -> None:
    """A signal at each call that opens, writes, syncs, renames or removes."""
    put(folder, {})
    made = stand.calls(CALLS, command)
    new = files(folder)
    old = {name: f"old {name}".encode() for name in new}
    for number in (signal.SIGKILL, signal.SIGTERM):
        expected = "the same"
        row = stand.table.row(f"{number.name} at each call", name, expected)
        for call, at in stand.some(made, 12):
            put(folder, old)
            end = stand.run(command, before=stand.injected(f"{call}:signal={number.name}:when={at}"))
            judge(row, end, number, folder, old, new, f"{call} {at}")
        row.that(any("exit 0" not in seen for seen in row.seen), "no signal arrives")


def judge(row, end: End, number: signal.Signals, folder: Path, old: Files, new: Files, what: str) -> None:
    """Whether each file is whole, and what is left is called so."""
    found = files(folder)
    left = [name for name in found if Path(name).name.startswith(UNFINISHED)]
    halves = [name for name in found if name not in left and found[name] not in (old.get(name), new.get(name))]
    row.that(not halves, f"{what}: half-written: {halves}")
    row.that(set(found) - set(left) == set(old), f"{what}: {sorted(found)}")
    fresh = [name for name in found if found[name] == new.get(name)]
    if number == signal.SIGKILL:
        row.that(end.code in (0, -number), f"{what}: {end.short()}: {end.stderr}")
    else:
        # Before there is anything to be swept, the system's own way ends it.
        row.that(end.code in (0, INTERRUPTED, -number), f"{what}: {end.short()}: {end.stderr}")
        row.that(not left, f"{what}: {end.short()}, and left: {left}")
        row.that(len(fresh) in (0, len(new)), f"{what}: new are only {fresh}")
    if end.code == 0:
        row.that(len(fresh) == len(new), f"{what}: exit 0, and new are only {fresh}")
    elif fresh and "keys.txt" in new:
        row.that("keys.txt" in fresh or "license.json" in fresh, f"{what}: new without their keys: {fresh}")
    state = "new" if len(fresh) == len(new) else "old" if not fresh else "some new"
    row.saw(f"{state}{f' and {UNFINISHED}…' if left else ''}, {end.short()}")


def in_place(stand: Stand) -> None:
    """No way back. A file that is not finished says that it is encrypted, or all of its samples are clear."""
    file = stand.folder() / "in.mp4"
    old = stand.large(20).read_bytes()
    put(file.parent, {"in.mp4": old})
    start = time.monotonic()
    stand.run(stand.decrypt(file, "--in-place"))
    length = time.monotonic() - start
    new = file.read_bytes()
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        row = stand.table.row(
            f"{number.name} at random",
            "decrypt IN --in-place",
            "intact, done, or partly decrypted: then a header that has changed stands before clear samples only",
        )
        source = random.Random(number)
        for _ in range(100 if stand.is_long else 4):
            put(file.parent, {"in.mp4": old})
            moment = source.uniform(0, length)
            end = signalled(stand, stand.decrypt(file, "--in-place"), number, moment)
            state(row, end, file, old, new, f"after {moment * 1000:.1f} ms")
    command = stand.decrypt(file, "--in-place", "--threads", "1")
    for source_file in (stand.encrypted, stand.progressive):
        old = source_file.read_bytes()
        put(file.parent, {"in.mp4": old})
        made = stand.calls("pwrite64", command)
        new = file.read_bytes()
        kind = "fragments" if source_file == stand.encrypted else "one movie"
        row = stand.table.row(f"SIGKILL at each write, {kind}", "decrypt IN --in-place", "the same")
        for _, at in stand.some(made, 8):
            put(file.parent, {"in.mp4": old})
            end = stand.run(command, before=stand.injected(f"pwrite64:signal=SIGKILL:when={at}"))
            state(row, end, file, old, new, f"write {at} of {len(made)}")
        row.that("done, exit 0" not in row.seen, "no signal arrives")


def state(row, end: End, file: Path, old: bytes, new: bytes, what: str) -> None:
    """Whether a file in place is in a state that was promised."""
    found = file.read_bytes()
    row.that(set(files(file.parent)) == {"in.mp4"}, f"{what}: {sorted(files(file.parent))}")
    row.that(end.code <= 0 and (end.code != 0 or found == new), f"{what}: {end.short()}: {end.stderr}")
    if found in (old, new):
        row.saw(f"{'intact' if found == old else 'done'}, {end.short()}")
        return
    row.that(tracks.is_honest(found, old, new), f"{what}: a header says clear of what is not")
    row.saw(f"partly decrypted, {end.short()}")


def served_keys(stand: Stand) -> None:
    """Who replaces a key file that is served is killed at any moment: the server has the old keys or the new ones."""
    import json

    import material
    import wire
    from server import Server

    row = stand.table.row(
        "SIGKILL at random", "encrypt … --keys-out KEYS, which serve serves", "it always serves whole keys, and complains of nothing"
    )
    folder = stand.folder()
    keys = folder / "keys.txt"
    kid = bytes.fromhex("10000000100010001000100000000001")

    def command(number: int) -> list[str | Path]:
        key = f"{kid.hex()}:{number:032x}"
        return ["encrypt", stand.file("aac.mp4"), "-o", folder / "out.mp4", "--key", key, "--keys-out", keys, "--quiet"]

    assert stand.run(command(0)).code == 0
    octets = wire.request("POST", "/", body=material.license_request([kid]))
    served = set()
    with Server(stand.program, folder, "--keys-file", keys, "--rate", "0") as server:
        for number in range(1, 101 if stand.is_long else 16):
            # Now and then one comes to its end.
            moment = 5 if number % 5 == 0 else random.Random(number).uniform(0, 0.02)
            signalled(stand, command(number), signal.SIGKILL, moment)
            text = keys.read_text()
            row.that(text.startswith(f"{kid.hex()}:") and len(text) == 66, f"a key file of {len(text)} octets")
            if number % 10 == 0:
                time.sleep(1.2)
            answer = wire.ask(server, octets)
            is_whole = answer is not None and answer.status == 200 and len(json.loads(answer.body)["keys"]) == 1
            row.that(is_whole, f"kill {number}: {answer}")
            served.add(answer.body if answer else b"")
            row.saw("a license")
        row.that("cannot be read again" not in server.log(), "it complains of the key file")
        row.that(len(served) > 1, "it has never seen a new key")
