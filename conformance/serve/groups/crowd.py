"""More connections than there is room for, and more than the system gives."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import wire
from rig import Rig, wait

CROWD = 2000
ROOM = 512  # what the server says


def run(rig: Rig) -> None:
    """Connections that say nothing: the server keeps to its limit, and serves when they are gone."""
    before = rig.rest()
    with ExitStack() as stack:
        crowd = [stack.enter_context(connect(rig)) for _ in range(CROWD)]
        rig.checks.that(
            wait(lambda: rig.server.fds() >= before + ROOM), f"room for {rig.server.fds() - before} only"
        )
        rig.checks.that(
            wait(lambda: len(closed(crowd)) >= CROWD - ROOM), f"{len(closed(crowd))} of {CROWD} are closed"
        )
        most = before + ROOM + 4  # a key file, and those that are on their way out
        rig.checks.that(rig.server.fds() <= most, f"{rig.server.fds()} open files, {before} before")
        rig.checks.that(len(closed(crowd)) <= CROWD - ROOM, "some for whom there was room are closed")
    rig.checks.that(wait(lambda: rig.server.fds() <= before), f"{rig.server.fds()} open files, {before} before")
    without_files(rig)


def stays(rig: Rig) -> None:
    """The same with a crowd that does not go by itself: the server sends it away."""
    before = rig.rest()
    with ExitStack() as stack:
        for _ in range(CROWD):
            stack.enter_context(connect(rig))
        is_gone = wait(lambda: rig.server.fds() <= before, 13)
        rig.checks.that(is_gone, f"who says nothing stays: {rig.server.fds()} open files, {before} before")
        rig.serves("2,000 silent connections, which are still open at their end")


def without_files(rig: Rig) -> None:
    """A system that gives no more files: who waits is served when some are free again."""
    with rig.another("--rate", "0", files=40) as server:
        server.heard = rig.server.heard
        octets = wire.request("GET", "/media/sub/audio.m4a")
        with ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(socket.create_connection(server.address, 5))
            wait(lambda: server.fds() >= 40, 1)
        answer = wire.ask(server, octets)
        rig.checks.that(answer is not None and answer.status == 200, f"after there were no files: {answer}")


def connect(rig: Rig) -> socket.socket:
    """A connection that says nothing."""
    return socket.create_connection(rig.server.address, 5)


def closed(crowd: list[socket.socket]) -> list[socket.socket]:
    """Those that the server has closed."""
    found = []
    for one in crowd:
        one.setblocking(False)
        try:
            one.recv(1)
        except BlockingIOError:
            continue
        except ConnectionError:
            pass
        found.append(one)
    return found
