"""A disk that is full at any point: a small tmpfs, or a limit on the size of files where nothing can be mounted."""

from __future__ import annotations

import subprocess
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from stand import PATIENCE, Stand, files, judge, put

PAGE = 4096
NAME = "Full disk"
SAYS = "No space left on device"


class Disk:
    """A file system of a size that can be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.is_limit = False

    def room(self, pages: int) -> list[str]:
        """Leaves so many pages free. Returns what has to stand before the program, where it is a limit."""
        if self.is_limit:
            return ["env", "--ignore-signal=XFSZ", "prlimit", f"--fsize={pages * PAGE}:{pages * PAGE}"]
        used = subprocess.run(["df", "-B1", "--output=used", self.folder], capture_output=True, check=True)
        size = int(used.stdout.split()[-1]) + pages * PAGE
        # A size of nothing is no limit.
        subprocess.run(["mount", "-o", f"remount,size={max(size, PAGE)}", self.folder], check=True)
        return []

    def ample(self) -> None:
        """Leaves room for everything."""
        if not self.is_limit:
            subprocess.run(["mount", "-o", "remount,size=64m", self.folder], check=True)


@contextmanager
def disk(stand: Stand) -> Iterator[Disk]:
    """One that is there for as long as the context."""
    made = Disk(stand.folder())
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m,mode=755", "none", made.folder], capture_output=True
    )
    made.is_limit = mounted.returncode != 0
    try:
        yield made
    finally:
        if not made.is_limit:
            subprocess.run(["umount", made.folder], check=True)


def run(stand: Stand) -> None:
    """Everything."""
    with disk(stand) as made:
        by = "`ulimit -f`, since nothing could be mounted" if made.is_limit else "a tmpfs"
        stand.table.note(f"The disk is {by}; its room grows page by page, from none to more than is needed.")
        says = "File too large" if made.is_limit else SAYS
        outputs(stand, made, says)
        to_stdout(stand, made, says)
        in_place(stand, made)
        several(stand, made, says)
        kept_stdin(stand, made, says)
        if not made.is_limit:
            store(stand, made)
            log(stand, made)


def pages(stand: Stand, octets: int, most: int) -> list[int]:
    """Rooms from none to enough."""
    return [number - 1 for number in stand.steps(octets // PAGE + 4, most)]


def outputs(stand: Stand, disk: Disk, says: str) -> None:
    """One output that replaces an old one."""
    ways = [("decrypt IN -o OUT", ()), ("decrypt IN -o OUT --compact", ("--compact",))]
    for name, more in ways:
        row = stand.table.row(
            "no room for the output", name, "done; or exit 2, OUT named, the old file intact and nothing beside it"
        )
        sweep(stand, disk, row, lambda out: stand.decrypt(stand.progressive, "-o", out, *more), says)
    row = stand.table.row("no room for the output", "encrypt IN -o OUT", "the same")
    key = next(iter(stand.file("keys.txt").read_text().splitlines()))
    source = stand.file("avc_aac_frag.mp4")
    command = ["encrypt", source, "--quiet", "--key", key, "--iv", "0102030405060708", "-o"]
    sweep(stand, disk, row, lambda out: [*command, out], says)


def sweep(stand: Stand, disk: Disk, row, command, says: str) -> None:
    """Runs a command with every room."""
    disk.ample()
    put(disk.folder, {})
    out = disk.folder / "out.mp4"
    row.that(stand.run(command(out)).code == 0, "it fails with room enough")
    new, old = files(disk.folder), {"out.mp4": b"old"}
    for room in pages(stand, len(new["out.mp4"]), 8):
        disk.ample()
        put(disk.folder, old)
        end = stand.run(command(out), before=disk.room(room))
        judge(row, end, files(disk.folder), old, new, f"{room} pages", says=["out.mp4", says])
    row.that(row.seen["done"] > 0 and len(row.seen) > 1, "the sweep does not reach both outcomes")


def to_stdout(stand: Stand, disk: Disk, says: str) -> None:
    """What the shell opens has no way back: what fits is there, and the exit code says that it is not all."""
    row = stand.table.row(
        "no room for stdout", "decrypt IN -o - > OUT", "done; or exit 2, stdout named, OUT a part of the whole"
    )
    disk.ample()
    whole = stand.run(stand.decrypt(stand.encrypted, "-o", "-")).stdout
    for room in pages(stand, len(whole), 8):
        disk.ample()
        put(disk.folder, {})
        out = disk.folder / "out.mp4"
        limit = disk.room(room)
        with out.open("wb") as stdout:
            end = stand.run(stand.decrypt(stand.encrypted, "-o", "-"), stdout=stdout, before=limit)
        found = out.read_bytes()
        row.that((end.code == 0) == (found == whole), f"{room} pages: {end.short()}, {len(found)} octets")
        if end.code:
            is_told = end.code == 2 and "stdout" in end.stderr and says in end.stderr
            row.that(is_told and whole.startswith(found), f"{room} pages: {end.short()}: {end.stderr}")
        row.saw("done" if end.code == 0 else f"a part, {end.short()}")


def in_place(stand: Stand, disk: Disk) -> None:
    """That needs no room."""
    row = stand.table.row("no room at all", "decrypt IN --in-place", "done: it needs no room")
    new = stand.run(stand.decrypt(stand.encrypted, "-o", "-")).stdout
    disk.ample()
    put(disk.folder, {"in.mp4": stand.encrypted.read_bytes()})
    if not disk.is_limit:
        disk.room(0)
    end = stand.run(stand.decrypt(disk.folder / "in.mp4", "--in-place"))
    row.that(end.code == 0 and files(disk.folder) == {"in.mp4": new}, f"{end.short()}: {end.stderr}")
    row.saw("done" if end.code == 0 else end.short())


def several(stand: Stand, disk: Disk, says: str) -> None:
    """Outputs, keys, license, manifests: all new or all old, so that no old file is without its keys."""
    row = stand.table.row(
        "no room for all outputs",
        "encrypt A B -o DIR --mpd … --hls … --keys-out … --license-out …",
        "done; or exit 2, the file named, and every old file intact, its keys too",
    )
    disk.ample()
    put(disk.folder, {})
    row.that(stand.run(stand.encrypt(disk.folder)).code == 0, "it fails with room enough")
    new = files(disk.folder)
    old = {name: f"old {name}".encode() for name in new}
    needed = sum(-(-len(octets) // PAGE) * PAGE for octets in new.values())
    for room in pages(stand, max(map(len, new.values())) if disk.is_limit else needed, 16):
        disk.ample()
        put(disk.folder, old)
        end = stand.run(stand.encrypt(disk.folder), before=disk.room(room))
        judge(row, end, files(disk.folder), old, new, f"{room} pages", says=[str(disk.folder), says])
    row.that(row.seen["done"] > 0 and len(row.seen) > 1, "the sweep does not reach both outcomes")
    folder = stand.table.row(
        "no room, and a new folder", "encrypt A B -o NEW --mpd …", "exit 2, and no folder is left"
    )
    disk.ample()
    put(disk.folder, {})
    end = stand.run(stand.encrypt(disk.folder / "new"), before=disk.room(3))
    folder.that(end.code == 2 and says in end.stderr, f"{end.short()}: {end.stderr}")
    folder.that(not any(disk.folder.iterdir()), f"left: {sorted(files(disk.folder))}")
    folder.saw(f"nothing left, {end.short()}")


def kept_stdin(stand: Stand, disk: Disk, says: str) -> None:
    """Stdin that has to be read twice goes to a temporary file, which nobody else sees."""
    row = stand.table.row(
        "no room in TMPDIR", "decrypt - -o OUT --compact < IN", "done; or exit 2, the reason named, and no file left"
    )
    out = stand.folder() / "out.mp4"
    octets = stand.encrypted.stat().st_size
    whole = stand.run(stand.decrypt(stand.encrypted, "--compact", "-o", "-")).stdout
    for room in pages(stand, octets, 6):
        disk.ample()
        put(disk.folder, {})
        put(out.parent, {"out.mp4": b"old"})
        limit = disk.room(room)
        with stand.encrypted.open("rb") as stdin:
            environment = {"TMPDIR": str(disk.folder)}
            command = stand.decrypt("-", "--compact", "-o", out)
            end = stand.run(command, stdin=stdin, environment=environment, before=limit)
        what = f"{room} pages"
        row.that(files(disk.folder) == {}, f"{what}: left: {files(disk.folder).keys()}")
        says_so = ["out.mp4"] if disk.is_limit else ["temporary file"]
        judge(row, end, files(out.parent), {"out.mp4": b"old"}, {"out.mp4": whole}, what, says=[*says_so, says])


def store(stand: Stand, disk: Disk) -> None:
    """`DirectoryStore`, by the example that stores, loads, removes and releases a license."""
    row = stand.table.row(
        "no room for a license",
        "cdm's example persistent, with its store there",
        "done; or an error that names the record or its folder, and no half-written record",
    )
    for room in range(12):
        disk.ample()
        put(disk.folder, {})
        disk.room(room)
        done = subprocess.run(
            [stand.persistent],
            env={"TMPDIR": str(disk.folder)},
            capture_output=True,
            timeout=PATIENCE,
            text=True,
        )
        found = files(disk.folder)
        if done.returncode == 0:
            row.that(not found, f"{room} pages: left: {sorted(found)}")
            row.saw("done")
            continue
        is_told = SAYS in done.stderr and str(disk.folder) in done.stderr and "panicked" not in done.stderr
        row.that(is_told, f"{room} pages: {done.stderr}")
        records = [octets for name, octets in found.items() if name.endswith(".license")]
        row.that(all(map(is_record, records)), f"{room} pages: half a record")
        left = [name for name in found if not name.endswith(("/lock", ".license"))]
        row.that(not left, f"{room} pages: left: {left}")
        row.saw("an error, the record before it" if records else "an error, no record")
    row.that(row.seen["done"] > 0 and len(row.seen) > 1, "the sweep does not reach both outcomes")
    kept = stand.table.row(
        "no room for what replaces a record",
        "cdm: DirectoryStore killed or refused",
        "every acknowledged license loads: `cdm/tests/crash.rs`, 500 kills",
    )
    kept.saw("see there")


def is_record(octets: bytes) -> bool:
    """Whether a record is whole, by its length and its checksum (`cdm/src/record.rs`)."""
    head, length, checksum, body = octets[:8], octets[8:12], octets[12:16], octets[16:]
    is_all = len(body) == int.from_bytes(length, "big")
    return is_all and zlib.crc32(head + length + body) == int.from_bytes(checksum, "big")


def log(stand: Stand, disk: Disk) -> None:
    """A log that nobody can write: requests do not wait for it."""
    import material
    import wire
    from server import Server

    row = stand.table.row(
        "no room for the log", "serve … 2> LOG", "it answers on, and ends by SIGTERM with 0; the log goes on when there is room"
    )
    disk.ample()
    put(disk.folder, {})
    keys = material.keys(2)
    file = stand.folder() / "keys.txt"
    file.write_text(material.key_lines(keys))
    octets = wire.request("POST", "/", body=material.license_request([keys[0].kid]))
    disk.room(2)
    server = Server(stand.program, disk.folder, "--keys-file", file, "--rate", "0")
    answers = [wire.ask(server, octets) for _ in range(200)]
    good = sum(answer is not None and material.is_license(answer.body, keys[:1]) for answer in answers)
    row.that(good == len(answers), f"{good} of {len(answers)} answers are good")
    full = server.log_path.stat().st_size
    row.that(full <= 2 * PAGE, f"the log has {full} octets where there is no room")
    disk.ample()
    for _ in range(20):
        wire.ask(server, octets)
    code = server.stop()
    server.process.stdout.close()
    row.that(code == 0, f"it ends with {code}")
    row.that(server.log_path.stat().st_size > full, "the log does not go on")
    row.saw(f"{good} licenses, exit {code}")
