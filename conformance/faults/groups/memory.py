"""Memory that the system refuses: all of it beyond some size, and single requests for it."""

from __future__ import annotations

import signal

from groups.calls import decryptions
from stand import UNFINISHED, End, Stand, files, put

NAME = "Memory refused"
MIB = 1 << 20


def run(stand: Stand) -> None:
    """Everything."""
    folder = stand.folder()
    large = stand.large(8)
    commands = [
        ("decrypt IN -o OUT", stand.decrypt(large, "-o", folder / "out.mp4")),
        ("decrypt IN -o OUT --compact", stand.decrypt(large, "-o", folder / "out.mp4", "--compact")),
        ("encrypt A B -o DIR --mpd … --keys-out …", stand.encrypt(folder)),
    ]
    for name, command in commands:
        put(folder, {})
        assert stand.run(command).code == 0
        new = files(folder)
        old = {name: f"old {name}".encode() for name in new}
        for limit, what, sizes in (
            ("--as", "ulimit -v", range(2, 34)),
            ("--data", "ulimit -d", range(16)),
        ):
            row = stand.table.row(
                f"{what} of {sizes[0]} to {sizes[-1]} MiB", name, f"done; or a message or SIGABRT, and all old files intact, beside them at most {UNFINISHED}…"
            )
            for at in stand.steps(len(sizes), 8):
                size = sizes[at - 1] * MIB
                put(folder, old)
                end = stand.run(command, before=["prlimit", f"{limit}={size}:{size}"])
                judge(row, end, folder, old, new, f"{size // MIB} MiB")
    name, command = decryptions(stand)[0]
    folder = command[command.index("-o") + 1].parent
    put(folder, {})
    assert stand.run(command).code == 0
    new, old = files(folder), {"out.mp4": b"old"}
    for calls in ("mmap", "brk", "clone,clone3"):
        row = stand.table.row(f"ENOMEM at each {calls.split(',')[0]}", name, "the same")
        for call, at in stand.some(stand.calls(calls, command), 8):
            put(folder, old)
            end = stand.run(command, before=stand.injected(f"{call}:error=ENOMEM:when={at}"))
            judge(row, end, folder, old, new, f"{call} {at}")


def judge(row, end: End, folder, old, new, what: str) -> None:
    """Whether the old files are there, whole, or the new ones."""
    found = files(folder)
    left = [name for name in found if name.startswith(UNFINISHED)]
    rest = {name: octets for name, octets in found.items() if name not in left}
    if end.code == 0:
        row.that(rest == {**old, **new} and not left, f"{what}: exit 0, and {sorted(found)} are not as they should be")
        row.saw("done")
        return
    row.that(rest == old, f"{what}: {end.short()}, and files are not as they were")
    # Exit codes of who is not loaded: of the loader, and of the system when it cannot even begin.
    is_loaded = end.code not in (127, -signal.SIGKILL, -signal.SIGSEGV) or end.stderr.startswith("clearkey: ")
    is_ended = end.code in (2, -signal.SIGABRT, 134) or not is_loaded
    row.that(is_ended and end.code != 999, f"{what}: {end.short()}: {end.stderr}")
    row.that(end.code != 2 or end.stderr.startswith("clearkey: "), f"{what}: {end.short()}: {end.stderr}")
    row.saw(f"old intact{f' and {UNFINISHED}…' if left else ''}, {end.short() if is_loaded else 'not loaded'}")
