"""The license server when what it serves goes away under it."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from pathlib import Path

import material
import wire
from server import Server
from stand import NOBODY, Stand

NAME = "The license server"
SIZE = 16 << 20  # more than all buffers on the way


def run(stand: Stand) -> None:
    """Everything."""
    stand.table.note(
        "File descriptors that run out: `serve/groups/crowd.py`. Key files that are broken: `serve/leaks.py`; replaced "
        "while many ask: `serve/replace.py`. Full disks and kills: above."
    )
    folder = stand.folder()
    folder.chmod(0o755)
    keys = material.keys(3)
    media = folder / "media"
    media.mkdir()
    film = media / "film.mp4"
    for change in (truncated, emptied, grown, overwritten, replaced, deleted):
        row = stand.table.row(
            f"a stream is {change.__name__} while it is sent",
            "serve --media DIR",
            "as many octets as announced, or the connection is closed; it answers on",
        )
        film.write_bytes(bytes([7]) * SIZE)
        (folder / "keys.txt").write_text(material.key_lines(keys))
        with Server(stand.program, folder, "--keys-file", folder / "keys.txt", "--media", media, "--rate", "0") as server:
            streaming(row, server, film, change)
            answers(row, server, keys)
    pipe(stand, folder, keys)
    key_file(stand, folder, keys)
    under_load(stand, folder, keys)


def truncated(path: Path) -> None:
    """Half of it is gone."""
    os.truncate(path, SIZE // 2)


def emptied(path: Path) -> None:
    """All of it is gone."""
    os.truncate(path, 0)


def grown(path: Path) -> None:
    """It has more at its end."""
    with path.open("ab") as file:
        file.write(bytes([8]) * SIZE)


def overwritten(path: Path) -> None:
    """Other octets, as many as before."""
    with path.open("r+b") as file:
        file.write(bytes([8]) * SIZE)


def replaced(path: Path) -> None:
    """Another file takes its name."""
    other = path.with_name("other.mp4")
    other.write_bytes(bytes([8]) * 1000)
    os.replace(other, path)


def deleted(path: Path) -> None:
    """Its name is gone."""
    path.unlink()


def streaming(row, server: Server, film: Path, change) -> None:
    """Takes the begin of an answer, changes the file, and takes the rest."""
    with socket.create_connection(server.address, 15) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        connection.sendall(wire.request("GET", f"/media/{film.name}"))
        octets = bytearray(connection.recv(1 << 16))
        change(film)
        try:
            while len(octets) < SIZE + (1 << 16):
                more = connection.recv(1 << 20)
                if not more:
                    break
                octets += more
                if len(octets) - octets.index(b"\r\n\r\n") - 4 >= SIZE:
                    break
        except ConnectionError:
            pass
        except TimeoutError:
            row.that(False, "it neither sends nor closes")
    head, _, body = bytes(octets).partition(b"\r\n\r\n")
    row.that(head.startswith(b"HTTP/1.1 200") and f"content-length: {SIZE}".encode() in head.lower(), f"{head}")
    row.that(len(body) <= SIZE and set(body) <= {7, 8}, f"{len(body)} octets of {SIZE}")
    if change in (replaced, deleted):
        row.that(len(body) == SIZE and set(body) == {7}, f"{len(body)} octets of what was opened")
    if change in (grown, overwritten):
        row.that(len(body) == SIZE, f"{len(body)} octets of {SIZE}")
    row.saw("all octets" if len(body) == SIZE else "closed early")


def answers(row, server: Server, keys: list[material.Key]) -> None:
    """It is well."""
    octets = wire.request("POST", "/", body=material.license_request([keys[0].kid]))
    answer = wire.ask(server, octets)
    row.that(answer is not None and material.is_license(answer.body, keys[:1]), f"it does not answer: {answer}")
    row.that("panic" not in server.log(), f"a panic: {server.log()}")


def pipe(stand: Stand, folder: Path, keys: list[material.Key]) -> None:
    """Pipes among the streams, more than there are threads that read files."""
    row = stand.table.row("pipes among the streams", "serve --media DIR", "404, and it answers on")
    media = folder / "pipes"
    media.mkdir()
    (media / "film.mp4").write_bytes(b"film")
    for number in range(20):
        os.mkfifo(media / f"{number}.mp4")
    with Server(stand.program, folder, "--keys-file", folder / "keys.txt", "--media", media, "--rate", "0") as server:
        for number in range(20):
            try:
                answer = wire.ask(server, wire.request("GET", f"/media/{number}.mp4"))
            except wire.Hang:
                row.that(False, f"pipe {number}: neither answered nor dropped")
                break
            row.that(answer is not None and answer.status == 404, f"pipe {number}: {answer}")
            row.saw(f"status {answer.status}" if answer else "dropped")
        answer = wire.ask(server, wire.request("GET", "/media/film.mp4"))
        row.that(answer is not None and answer.body == b"film", f"the stream beside them: {answer}")
        answers(row, server, keys)


def key_file(stand: Stand, folder: Path, keys: list[material.Key]) -> None:
    """A key file that goes, or that cannot be read any more: the keys stay, and the log says why."""
    path = folder / "keys.txt"
    path.write_text(material.key_lines(keys))

    def unreadable() -> None:
        path.chmod(0)

    def a_folder() -> None:
        path.unlink()
        path.mkdir()

    def a_pipe() -> None:
        path.rmdir()
        os.mkfifo(path)

    def gone() -> None:
        path.unlink()

    program = folder / "clearkey-as-nobody"
    program.write_text(f'#!/bin/sh\nexec {" ".join(NOBODY if os.getuid() == 0 else [])} {stand.program} "$@"\n')
    program.chmod(0o755)
    with Server(program, folder, "--keys-file", path, "--rate", "0") as server:
        for change in (unreadable, a_folder, a_pipe, gone):
            row = stand.table.row(
                f"the key file is {change.__name__.replace('_', ' ')}", "serve --keys-file KEYS", "the keys stay; the log names it"
            )
            before = server.log().count("keys.txt")
            change()
            end = time.monotonic() + 4
            while server.log().count("keys.txt") == before and time.monotonic() < end:
                time.sleep(0.05)
            row.that(server.log().count("keys.txt") > before, f"nothing is said: {server.log()[-300:]}")
            answers(row, server, keys)
            row.saw("a license, and a word in the log")
        row = stand.table.row("the key file is back", "serve --keys-file KEYS", "it is read again")
        fresh = material.keys(1, seed=9)
        path.write_text(material.key_lines([*keys, *fresh]))
        octets = wire.request("POST", "/", body=material.license_request([fresh[0].kid]))
        end = time.monotonic() + 4
        answer = None
        while time.monotonic() < end and not (answer and material.is_license(answer.body, fresh)):
            answer = wire.ask(server, octets)
            time.sleep(0.05)
        row.that(answer is not None and material.is_license(answer.body, fresh), f"{answer}")
        row.saw("the new key")


def under_load(stand: Stand, folder: Path, keys: list[material.Key]) -> None:
    """Signals while many ask: every answer that begins is whole."""
    for number in (signal.SIGTERM, signal.SIGINT):
        row = stand.table.row(
            f"{number.name} while 16 clients ask", "serve", "what has begun is answered whole; exit 0 within seconds"
        )
        server = Server(stand.program, folder, "--keys-file", folder / "keys.txt", "--rate", "0")
        octets = wire.request("POST", "/", body=material.license_request([key.kid for key in keys]))
        halves: list[bytes] = []
        asked = [0] * 16

        def ask(at: int) -> None:
            try:
                with wire.Connection(server) as connection:
                    while connection.send(octets):
                        answer = connection.answer("POST")
                        if answer is None:
                            return
                        asked[at] += 1
                        if not material.is_license(answer.body, keys):
                            halves.append(answer.body)
            except OSError:
                return

        threads = [threading.Thread(target=ask, args=(at,)) for at in range(len(asked))]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        start = time.monotonic()
        server.process.send_signal(number)
        code = server.process.wait(30)
        took = time.monotonic() - start
        for thread in threads:
            thread.join(15)
        server.process.stdout.close()
        row.that(code == 0 and took < 11, f"exit {code} after {took:.1f} s")
        row.that(not halves and all(asked), f"{len(halves)} answers are no licenses, asked {asked}")
        row.that("panic" not in server.log(), "a panic")
        row.saw(f"exit {code}")
