"""Ends of pipes that are closed, and devices that are full."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from pathlib import Path

from stand import KEYS, PATIENCE, UNFINISHED, End, Stand, files, put

NAME = "Closed pipes"


def run(stand: Stand) -> None:
    """Everything."""
    readers(stand)
    closed(stand)
    full(stand)
    elsewhere(stand)
    stand.table.note(
        "A stdout that is closed from the start (`>&-`) is `/dev/null` to a Rust program, which cannot tell: the exit "
        "code is 0."
    )


def gone(stand: Stand, arguments: list, octets: int = 0) -> tuple[End, bytes]:
    """Runs it with a reader that takes some octets, and goes."""
    child = subprocess.Popen(
        [stand.program, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    taken = child.stdout.read(octets) if octets else b""
    child.stdout.close()
    try:
        code = child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
        code = 999
    return End(code, child.stderr.read().decode()), taken


def readers(stand: Stand) -> None:
    """A reader that has had enough."""
    large = stand.large(40)
    whole = stand.run(stand.decrypt(stand.encrypted, "-o", "-")).stdout
    row = stand.table.row("stdout closed after 1,000 octets", "decrypt IN -o - | head -c 1000", "exit 0 at once, not a word")
    for octets in (0, 1, 1000, 100_000):
        end, taken = gone(stand, stand.decrypt(large, "-o", "-"), octets)
        row.that(end.code == 0 and not end.stderr, f"{octets}: {end.short()}: {end.stderr}")
        row.that(whole[:octets] == taken, f"{octets}: other octets")
        row.saw(end.short())

    (video, key), (audio, _) = KEYS.items()
    pair, wrong = f"{video}:{key}", ["--key", f"{audio}:{'00' * 16}"]
    out = stand.folder() / "out.mp4"
    for name, command in (
        ("decrypt, key wrong, --json", ["decrypt", stand.encrypted, *wrong, "--key", pair, "-o", out, "--json"]),
        (
            "decrypt --allow-missing-keys --json",
            ["decrypt", stand.encrypted, "--key", pair, "--allow-missing-keys", "--json", "-o", out],
        ),
        ("license, key missing", ["license", "--key", pair, "--request", stand.file("request.json")]),
    ):
        stand.file("request.json").write_text('{"kids":["EAAAABAAEAAQABAAAAAAAg"],"type":"temporary"}')
        row = stand.table.row("stdout closed", name, "exit 1: what came of the keys counts")
        end, _ = gone(stand, command)
        row.that(end.code == 1, f"{end.short()}: {end.stderr}")
        row.saw(end.short())
    for name, command in (
        ("inspect IN", ["inspect", stand.encrypted]),
        ("request IN", ["request", stand.encrypted]),
        ("decrypt IN -o OUT --json", [*stand.decrypt(stand.encrypted, "-o", out), "--json"]),
        ("man", ["man"]),
        ("completions bash", ["completions", "bash"]),
    ):
        row = stand.table.row("stdout closed", name, "exit 0, not a word")
        end, _ = gone(stand, command)
        row.that(end.code == 0 and not end.stderr, f"{end.short()}: {end.stderr}")
        row.saw(end.short())
    row = stand.table.row("stdout closed", "serve", "exit 2: nobody would know where it is")
    end, _ = gone(stand, ["serve", "--keys-file", stand.file("keys.txt"), "--bind", "127.0.0.1:0"])
    row.that(end.code == 2 and "stdout" in end.stderr, f"{end.short()}: {end.stderr}")
    row.saw(end.short())

    row = stand.table.row("a named pipe whose reader goes", "decrypt IN -o FIFO", "exit 0 at once, not a word")
    fifo = stand.folder() / "fifo"
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: fifo.open("rb").read(1000))
    reader.start()
    end = stand.run(stand.decrypt(large, "-o", fifo))
    reader.join()
    row.that(end.code == 0 and not end.stderr, f"{end.short()}: {end.stderr}")
    row.saw(end.short())


def closed(stand: Stand) -> None:
    """Ends that are closed from the start."""
    _, audio = KEYS
    folder = stand.folder()
    out = folder / "out.mp4"
    whole = stand.run(stand.decrypt(stand.encrypted, "-o", "-")).stdout
    row = stand.table.row("stdin closed", "decrypt - -o OUT <&-", "exit 2, stdin named, OUT intact")
    put(folder, {"out.mp4": b"old"})
    end = stand.run(stand.decrypt("-", "-o", out), before=["sh", "-c", 'exec "$0" "$@" <&-'])
    row.that(end.code == 2 and "stdin" in end.stderr, f"{end.short()}: {end.stderr}")
    row.that(files(folder) == {"out.mp4": b"old"}, f"{sorted(files(folder))}")
    row.saw(f"old intact, {end.short()}")
    for how, redirect in (("stderr closed", "2>&-"), ("stderr full", "2>/dev/full"), ("all closed", "<&- >&- 2>&-")):
        row = stand.table.row(how, "decrypt IN -o OUT", "exit 0, OUT whole; with a wrong key exit 1, OUT intact")
        script = ["sh", "-c", f'exec "$0" "$@" {redirect}']
        command = [argument for argument in stand.decrypt(stand.encrypted, "-o", out) if argument != "--quiet"]
        for more, code, expected in (((), 0, whole), (("--key", f"{audio}:{'00' * 16}"), 1, b"old")):
            put(folder, {"out.mp4": b"old"})
            end = stand.run([*command, *more], before=script)
            row.that(end.code == code and files(folder) == {"out.mp4": expected}, f"{more}: {end.short()}")
            row.saw(end.short())
    row = stand.table.row("stderr a pipe that nobody reads", "decrypt IN -o OUT", "the same")
    for more, code in (((), 0), (("--key", f"{audio}:{'00' * 16}"), 1)):
        reading, writing = os.pipe()
        os.close(reading)
        end = stand.run([*command, *more], stderr=writing)
        os.close(writing)
        row.that(end.code == code, f"{more}: {end.short()}")
        row.saw(end.short())


def full(stand: Stand) -> None:
    """A device that takes nothing."""
    video, audio = KEYS
    out = stand.folder() / "out.mp4"
    for name, command in (
        ("decrypt IN -o - >/dev/full", stand.decrypt(stand.encrypted, "-o", "-")),
        ("decrypt IN -o OUT --json >/dev/full", [*stand.decrypt(stand.encrypted, "-o", out), "--json"]),
        ("inspect IN >/dev/full", ["inspect", stand.encrypted]),
        ("request IN >/dev/full", ["request", stand.encrypted]),
        ("license --keys-file KEYS >/dev/full", ["license", "--keys-file", stand.file("keys.txt")]),
        ("init-data build keyids >/dev/full", ["init-data", "build", "keyids", next(iter(KEYS))]),
        ("man >/dev/full", ["man"]),
        ("serve >/dev/full", ["serve", "--keys-file", stand.file("keys.txt"), "--bind", "127.0.0.1:0"]),
    ):
        row = stand.table.row("stdout full", name, "exit 2, stdout named")
        with open("/dev/full", "wb") as device:
            end = stand.run(command, stdout=device)
        row.that(end.code == 2 and "stdout: No space left" in end.stderr, f"{end.short()}: {end.stderr}")
        row.saw(end.short())
    row = stand.table.row("stderr full, and JSON is to go there", "decrypt IN -o - --json 2>/dev/full", "exit 2")
    with open("/dev/full", "wb") as device:
        end = stand.run([*stand.decrypt(stand.encrypted, "-o", "-"), "--json"], stderr=device)
    row.that(end.code == 2, end.short())
    row.saw(end.short())
    row = stand.table.row("stdout full, and the key is wrong", "decrypt IN -o OUT --json >/dev/full", "exit 1, the key named")
    with open("/dev/full", "wb") as device:
        command = ["decrypt", stand.encrypted, "-o", out, "--json", "--key", f"{audio}:{'00' * 16}"]
        command += ["--key", f"{video}:{KEYS[video]}"]
        end = stand.run(command, stdout=device)
    row.that(end.code == 1 and audio in end.stderr, f"{end.short()}: {end.stderr}")
    row.saw(end.short())


def elsewhere(stand: Stand) -> None:
    """A pipe that is not ours: a license server that goes is no reader that has had enough."""
    row = stand.table.row("the license server closes the connection", "decrypt IN -o OUT --license URL", "exit 2, the server named")
    folder = stand.folder()
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        command: list[str | Path] = ["decrypt", stand.encrypted, "-o", folder / "out.mp4", "--license", url]
        end = stand.run(command, before=stand.injected("sendto,sendmsg,writev:error=EPIPE"))
    row.that(end.code == 2 and url in end.stderr, f"{end.short()}: {end.stderr}")
    row.that(not any(UNFINISHED in name or name == "out.mp4" for name in files(folder)), f"{sorted(files(folder))}")
    row.saw(end.short())
