"""Places where nothing can be read or written, and names that lead elsewhere, as somebody who is not root."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

from stand import NOBODY, Stand, files, put

NAME = "Permissions, names and kinds of files"


def run(stand: Stand) -> None:
    """Everything."""
    before = NOBODY if os.getuid() == 0 else []
    home = stand.folder()
    home.chmod(0o777)
    whole = stand.run(stand.decrypt(stand.encrypted, "-o", "-")).stdout
    (home / "out.mp4").write_bytes(b"old")
    (home / "closed.mp4").write_bytes(stand.encrypted.read_bytes())
    (home / "closed.mp4").chmod(0)
    (home / "closed.txt").write_bytes(stand.file("keys.txt").read_bytes())
    (home / "closed.txt").chmod(0)
    (home / "readonly.mp4").write_bytes(stand.encrypted.read_bytes())
    (home / "readonly.mp4").chmod(0o444)
    for name, mode in (("readonly", 0o555), ("closed", 0)):
        (home / name).mkdir()
        (home / name / "out.mp4").write_bytes(b"old")
        (home / name).chmod(mode)
    (home / "folder").mkdir()
    (home / "empty").write_bytes(b"")
    (home / "nowhere.mp4").symlink_to("nothing/there.mp4")
    (home / "loop.mp4").symlink_to("loop.mp4")
    os.mkfifo(home / "fifo")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(home / "socket"))
    (home / "socket").chmod(0o777)
    source, keys = stand.encrypted, ["--keys-file", stand.file("keys.txt"), "--quiet"]
    denied, regular = "Permission denied", "not a regular file"
    long = "n" * 300 + ".mp4"

    def decrypt(given: str | Path, *more: str | Path) -> list[str | Path]:
        return ["decrypt", home / given, *keys, *more]

    out = home / "out.mp4"
    single = ["encrypt", stand.file("avc.mp4"), "--key", stand.file("keys.txt").read_text().splitlines()[0]]
    refused = [
        ("no permission for the input", decrypt("closed.mp4", "-o", out), ["closed.mp4", denied]),
        ("no permission for the key file", ["decrypt", source, "--keys-file", home / "closed.txt", "-o", out], ["closed.txt", denied]),
        ("no permission for the license", ["decrypt", source, "--license", home / "closed.txt", "-o", out], ["closed.txt", denied]),
        ("a folder that is read-only", ["decrypt", source, *keys, "-o", home / "readonly/new.mp4"], ["readonly", denied]),
        ("the same, and an old output", ["decrypt", source, *keys, "-o", home / "readonly/out.mp4"], ["readonly", denied]),
        ("no permission for the folder", ["decrypt", source, *keys, "-o", home / "closed/out.mp4"], ["closed/out.mp4", denied]),
        ("a file in place that is read-only", decrypt("readonly.mp4", "--in-place"), ["readonly.mp4", denied]),
        ("an output in no folder", ["decrypt", source, *keys, "-o", home / "none/out.mp4"], ["none", "No such file"]),
        ("an output in a file", ["decrypt", source, *keys, "-o", home / "empty/out.mp4"], ["empty/out.mp4", "Not a directory"]),
        ("the output is a folder", ["decrypt", source, *keys, "-o", home / "folder"], ["folder", "Is a directory"]),
        ("the output is a socket", ["decrypt", source, *keys, "-o", home / "socket"], ["socket", "No such device"]),
        ("the output is a link that leads nowhere", ["decrypt", source, *keys, "-o", home / "nowhere.mp4"], ["nowhere.mp4", "leads nowhere"]),
        ("the output is a link to itself", ["decrypt", source, *keys, "-o", home / "loop.mp4"], ["loop.mp4", "symbolic links"]),
        ("the output's name is too long", ["decrypt", source, *keys, "-o", home / long], [long, "File name too long"]),
        ("the input is a folder", decrypt("folder", "-o", out), ["folder", regular]),
        ("the input is a pipe without a writer", decrypt("fifo", "-o", out), ["fifo", regular]),
        ("the input is a socket", decrypt("socket", "-o", out), ["socket", regular]),
        ("the input is a device", ["decrypt", "/dev/zero", *keys, "-o", out], ["/dev/zero", regular]),
        ("the input is empty", decrypt("empty", "-o", out), ["empty"]),
        ("the input is a link that leads nowhere", decrypt("nowhere.mp4", "-o", out), ["nowhere.mp4", "No such file"]),
        ("the input is a link to itself", decrypt("loop.mp4", "-o", out), ["loop.mp4", "symbolic links"]),
        ("in place, a pipe", decrypt("fifo", "--in-place"), ["fifo", regular]),
        ("in place, a folder", decrypt("folder", "--in-place"), ["folder", regular]),
        ("the key file is a folder", ["decrypt", source, "--keys-file", home / "folder", "-o", out], ["folder", "Is a directory"]),
        ("the init segment is a folder", ["decrypt", source, *keys, "--init", home / "folder", "-o", out], ["folder", regular]),
        ("no permission for the keys to serve", ["serve", "--keys-file", home / "closed.txt"], ["closed.txt", denied]),
        ("media that are no folder", ["serve", *keys[:2], "--media", home / "empty"], ["empty"]),
        ("several outputs, and the folder is read-only", stand.encrypt(home / "readonly"), ["readonly", denied]),
        ("keys for a place that is read-only", [*single, "-o", out, "--keys-out", home / "readonly/keys.txt"], ["readonly", denied]),
    ]
    old = files(home)
    for fault, command, says in refused:
        row = stand.table.row(fault, _shown(command), f"exit 2: {', '.join(says[1:]) or 'it is named'}; everything intact")
        end = stand.run(command, before=before)
        is_told = end.stderr.startswith("clearkey: ") and all(words in end.stderr for words in says)
        row.that(end.code == 2 and is_told, f"{end.short()}: {end.stderr}")
        row.that(files(home) == old, f"changed: {set(files(home)) ^ set(old)}")
        links = (home / "nowhere.mp4").is_symlink() and (home / "loop.mp4").is_symlink()
        row.that(links and not (home / "new").exists(), "a link or a folder has changed")
        row.saw(end.short())
    listener.close()
    names(stand, whole)


def _shown(command: list[str | Path]) -> str:
    """A command line without the way to its files."""
    shown = [Path(part).name if "/" in str(part) and not str(part).startswith("/dev") else str(part) for part in command]
    return " ".join(part if len(part) < 40 else part[:8] + "…" for part in shown if part != "--quiet")


def names(stand: Stand, whole: bytes) -> None:
    """The output is the input by another name."""
    for fault, expected in (
        ("the output is the input", {"in.mp4": whole}),
        ("the output is a link to the input", {"in.mp4": whole}),
        ("the output is a hard link to the input", {"in.mp4": stand.encrypted.read_bytes(), "other.mp4": whole}),
        ("the output is read-only, its folder is not", {"in.mp4": stand.encrypted.read_bytes(), "other.mp4": whole}),
    ):
        folder = stand.folder()
        shutil.copy(stand.encrypted, folder / "in.mp4")
        out = folder / "other.mp4"
        meant = {
            "the output is the input": "done, by the name",
            "the output is a link to the input": "done; the link stays one",
            "the output is a hard link to the input": "done; the other name keeps the input",
        }.get(fault, "done: another file takes the name, as read-only as the old one")
        if fault == "the output is the input":
            out = folder / "../" / folder.name / "in.mp4"
        elif "a link to" in fault:
            out.symlink_to("in.mp4")
        elif "hard link" in fault:
            os.link(folder / "in.mp4", out)
        else:
            out.write_bytes(b"old")
            out.chmod(0o444)
        row = stand.table.row(fault, "decrypt IN -o OUT", meant)
        end = stand.run(stand.decrypt(folder / "in.mp4", "-o", out))
        row.that(end.code == 0 and files(folder) == expected, f"{end.short()}: {end.stderr}{sorted(files(folder))}")
        row.that("a link to" not in fault or out.is_symlink(), "the link is gone")
        row.that("read-only" not in fault or out.stat().st_mode & 0o777 == 0o444, "it can be written")
        row.saw("done" if end.code == 0 else end.short())
    row = stand.table.row("two outputs that are one file", "encrypt A B -o DIR --keys-out DIR/avc.mp4", "exit 2, nothing written")
    folder = stand.folder()
    command = [*stand.encrypt(folder)]
    command[command.index("--keys-out") + 1] = folder / "avc.mp4"
    end = stand.run(command)
    row.that(end.code == 2 and not files(folder) and "avc.mp4" in end.stderr, f"{end.short()}: {end.stderr}")
    row.saw(end.short())
