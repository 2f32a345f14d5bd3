"""Calls to the system that fail, each in turn: what reads, writes, syncs, renames, opens."""

from __future__ import annotations

from pathlib import Path

from stand import Stand, files, judge, put
from groups import tracks

NAME = "Calls to the system that fail"
RENAMES = "rename,renameat,renameat2"


def run(stand: Stand) -> None:
    """Everything."""
    reads(stand)
    writes(stand)
    retried(stand)
    in_place(stand)


def decryptions(stand: Stand) -> list[tuple[str, list[str | Path]]]:
    """Ways to decrypt into a file, by one thread, so that calls have numbers."""
    folder = stand.folder()
    plain = stand.decrypt(stand.large(8), "-o", folder / "out.mp4", "--threads", "1")
    return [("decrypt IN -o OUT", plain), ("decrypt IN -o OUT --compact", [*plain, "--compact"])]


def reads(stand: Stand) -> None:
    """A disk that cannot be read at some place."""
    for name, command in decryptions(stand):
        source, out = Path(command[1]), Path(command[command.index("-o") + 1])
        row = stand.table.row("EIO at each read", name, "exit 2, the input named, OUT intact")
        each(stand, row, "pread64", "error=EIO", command, out.parent, [source.name, "Input/output error"], source)
    folder = stand.folder()
    row = stand.table.row("EIO at each read", "encrypt A B -o DIR --mpd …", "exit 2, the input named, all intact")
    command = [*stand.encrypt(folder), "--threads", "1"]
    each(stand, row, "pread64", "error=EIO", command, folder, ["Input/output error"], stand.file("aac.mp4"))
    row = stand.table.row("EIO at each read of stdin", "decrypt - -o OUT < IN", "exit 2, stdin named, OUT intact")
    out = stand.folder() / "out.mp4"
    new = {"out.mp4": stand.run(stand.decrypt(stand.encrypted, "-o", "-")).stdout}
    for at in stand.steps(3):
        put(out.parent, {"out.mp4": b"old"})
        before = stand.injected(f"read:error=EIO:when={at}", path=stand.encrypted)
        with stand.encrypted.open("rb") as stdin:
            end = stand.run(stand.decrypt("-", "-o", out), before=before, stdin=stdin)
        judge(row, end, files(out.parent), {"out.mp4": b"old"}, new, f"read {at}", says=["stdin", "Input/output"])
    row = stand.table.row("EIO at each read of the keys", "decrypt IN -o OUT --keys-file KEYS", "exit 2, KEYS named")
    command = stand.decrypt(stand.encrypted, "-o", out)
    each(stand, row, "read", "error=EIO", command, out.parent, ["keys.txt", "Input/output"], stand.file("keys.txt"))


def writes(stand: Stand) -> None:
    """A disk that does not take what it is given."""
    for name, command in decryptions(stand):
        out = Path(command[command.index("-o") + 1])
        for calls, error, text in (
            ("pwrite64", "EIO", "Input/output error"),
            ("pwrite64", "EDQUOT", "quota exceeded"),
            (RENAMES, "EIO", "Input/output error"),
        ):
            what = "rename" if calls == RENAMES else "write"
            row = stand.table.row(f"{error} at each {what}", name, "exit 2, OUT named, the old file intact, nothing beside it")
            each(stand, row, calls, f"error={error}", command, out.parent, ["out.mp4", text])
    folder = stand.folder()
    command = [*stand.encrypt(folder), "--threads", "1"]
    name = "encrypt A B -o DIR --mpd … --keys-out …"
    for calls, what in (("pwrite64,write", "write"), ("fsync,fdatasync", "sync")):
        row = stand.table.row(f"EIO at each {what}", name, "exit 2, the file named, all old files intact")
        each(stand, row, calls, "error=EIO", command, folder, [str(folder), "Input/output error"])
    renames(stand, folder, command, name)
    for code, words in (("EMFILE", "Too many open files"), ("ENOSPC", "No space left"), ("EACCES", "Permission denied")):
        row = stand.table.row(f"{code} at each open", name, "done; or exit 2 and all old files intact")
        opens(stand, row, code, words, folder, command)


def each(
    stand: Stand, row, calls: str, fault: str, command: list, folder: Path, says: list[str], path: Path | None = None
) -> None:
    """Lets each call fail in turn."""
    put(folder, {})
    row.that(stand.run(command).code == 0, "it fails without a fault")
    new = files(folder)
    old = {name: f"old {name}".encode() for name in new}
    made = stand.calls(calls, command, path=path)
    row.that(len(made) > 0, f"no call of {calls}")
    for call, at in stand.some(made, 5):
        put(folder, old)
        end = stand.run(command, before=stand.injected(f"{call}:{fault}:when={at}", path=path))
        judge(row, end, files(folder), old, new, f"{call} {at}", says=says)
    row.that(sum(row.seen.values()) > row.seen["done"], "no fault shows")


def renames(stand: Stand, folder: Path, command: list, name: str) -> None:
    """The one moment at which some files are new and others old: all are whole, and nothing else is left."""
    row = stand.table.row(
        "EIO at each rename", name, "exit 2, the file named; files named before it are new, keys first, the others old, all whole"
    )
    put(folder, {})
    row.that(stand.run(command).code == 0, "it fails without a fault")
    new = files(folder)
    old = {name: f"old {name}".encode() for name in new}
    for at in stand.steps(len(new)):
        put(folder, old)
        end = stand.run(command, before=stand.injected(f"{RENAMES}:error=EIO:when={at}"))
        found = files(folder)
        row.that(end.code == 2 and "Input/output error" in end.stderr, f"rename {at}: {end.short()}: {end.stderr}")
        row.that(set(found) == set(old), f"rename {at}: {sorted(found)}")
        halves = [name for name in found if found[name] not in (old.get(name), new.get(name))]
        row.that(not halves, f"rename {at}: half-written: {halves}")
        fresh = [name for name in found if found[name] == new.get(name)]
        row.that(len(fresh) == at - 1, f"rename {at}: new are {fresh}")
        if fresh:
            row.that("license.json" in fresh, f"rename {at}: new without their keys: {fresh}")
        row.saw(f"{len(fresh)} new, {end.short()}")


def opens(stand: Stand, row, code: str, words: str, folder: Path, command: list) -> None:
    """Lets each open fail in turn. The loader's own come first: it says so, and it is not us."""
    put(folder, {})
    stand.run(command)
    new = files(folder)
    old = {name: f"old {name}".encode() for name in new}
    for _, at in stand.some(stand.calls("openat", command), 6):
        put(folder, old)
        end = stand.run(command, before=stand.injected(f"openat:error={code}:when={at}"))
        if end.code == 127 and "shared libraries" in end.stderr:
            row.that(files(folder) == old, f"open {at}: the loader fails, and files are not as they were")
            row.saw("old intact, not loaded")
            continue
        judge(row, end, files(folder), old, new, f"open {at}", says=[words])


def retried(stand: Stand) -> None:
    """What is no fault: a call that is interrupted, or does a part."""
    out = stand.folder() / "out.mp4"
    for name, more in (("decrypt IN -o OUT", ()), ("decrypt - -o - < IN > OUT", ("-",))):
        row = stand.table.row("EINTR, and half of each read and write done", name, "done")
        source = "-" if more else stand.encrypted
        target = "-" if more else out
        whole = stand.run(stand.decrypt(stand.encrypted, "-o", "-")).stdout
        ways = [
            stand.injected("pread64,pwrite64,read,write:error=EINTR:when=20+2"),
            ["env", f"LD_PRELOAD={stand.shim}", "FAULTS_SHORT=1"],
        ]
        for before in ways:
            put(out.parent, {"out.mp4": b"old"})
            with stand.encrypted.open("rb") as stdin, open(stand.work / "stdout", "wb") as stdout:
                command = stand.decrypt(source, "-o", target)
                end = stand.run(command, before=before, stdin=stdin, stdout=stdout)
            found = (stand.work / "stdout").read_bytes() if more else out.read_bytes()
            row.that(end.code == 0 and found == whole, f"{before[0]}: {end.short()}: {end.stderr}")
            row.saw("done" if end.code == 0 else end.short())


def in_place(stand: Stand) -> None:
    """No way back: what is promised is that it says so, and that the file never passes for a clear one."""
    for source in (stand.encrypted, stand.progressive):
        file = stand.folder() / "in.mp4"
        old = source.read_bytes()
        new = stand.run(stand.decrypt(source, "-o", "-")).stdout
        command = stand.decrypt(file, "--in-place", "--threads", "1")
        kind = "fragments" if source == stand.encrypted else "one movie"
        put(file.parent, {"in.mp4": old})
        reads = stand.calls("pread64", command, path=file)
        put(file.parent, {"in.mp4": old})
        writes = stand.calls("pwrite64", command, path=file)
        for calls, made in (("pread64", reads), ("pwrite64", writes)):
            what = "read" if calls == "pread64" else "write"
            row = stand.table.row(
                f"EIO at each {what}, {kind}",
                "decrypt IN --in-place",
                "exit 2; before the first write the file is intact, and then the message says that a part is decrypted, "
                "and a header that has changed stands before clear samples only",
            )
            for _, at in stand.some(made, 6):
                put(file.parent, {"in.mp4": old})
                end = stand.run(command, before=stand.injected(f"{calls}:error=EIO:when={at}", path=file))
                partly(row, end, file, old, new, f"{what} {at} of {len(made)}")


def partly(row, end, file: Path, old: bytes, new: bytes, what: str) -> None:
    """Whether a file in place is in a state that was promised."""
    found = file.read_bytes()
    says_so = "a part of the file is decrypted already" in end.stderr
    if found == old:
        row.that(end.code == 2 and "in.mp4" in end.stderr, f"{what}: {end.short()}: {end.stderr}")
        row.saw(f"intact, {end.short()}")
    elif found == new:
        row.that(end.code == 0 or says_so, f"{what}: {end.short()}: {end.stderr}")
        row.saw(f"done, {end.short()}")
    else:
        row.that(end.code == 2 and says_so, f"{what}: {end.short()}: {end.stderr}")
        row.that(tracks.is_honest(found, old, new), f"{what}: a header says clear of what is not")
        row.saw(f"partly decrypted, {end.short()}")
