"""Clients that are slow on purpose. All at a time, since each takes as long as the server has patience."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import material
import wire
from rig import Rig, wait

PATIENCE = 10  # what the server says
MOST = PATIENCE + 1.5
WRITE = 30  # and of a client that reads nothing
HEAD = b"POST / HTTP/1.1\r\nhost: a\r\nx: "


def run(rig: Rig) -> None:
    """What is dropped within the time of a head or a body."""
    body = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n{"
    pieces = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
    good = wire.request("POST", "/", body=material.license_request([rig.keys[0].kid]))
    cases = {
        "nothing": (b"", b""),
        "a head that stops": (HEAD, b""),
        "a head of an octet a second": (HEAD, b"a"),
        "a head of a line a second": (HEAD[:-3], b"a:\n"),
        "empty lines before a head": (b"", b"\r\n"),
        "a body that stops": (body, b""),
        "a body of an octet a second": (body, b" "),
        "pieces that stop": (pieces + b"1000\r\n{", b""),
        "a piece of all octets that there are": (pieces + b"ffffffffffffffff\r\n{", b" "),
        "pieces of an octet a second": (pieces, b"1\r\n \r\n"),
        "a body to who wants none": (body.replace(b"POST / ", b"GET /healthz "), b" "),
        "a body to what is not there": (body.replace(b"POST / ", b"POST /nothing "), b" "),
    }
    with ThreadPoolExecutor(2 * len(cases)) as pool:
        jobs = {name: pool.submit(dropped, rig, *case) for name, case in cases.items()}
        jobs["nothing after a license"] = pool.submit(idle_after, rig, good, b"")
        jobs["an octet a second after a license"] = pool.submit(idle_after, rig, good, b"G")
        for name, job in jobs.items():
            seconds = job.result()
            rig.checks.that(seconds is not None and seconds <= MOST, f"{name}: there for {seconds} s")


def dropped(rig: Rig, first: bytes, trickle: bytes) -> float | None:
    """For how long a client is borne."""
    with wire.Connection(rig.server) as connection:
        connection.send(first)
        try:
            return connection.seconds_until_dropped(trickle)
        except wire.Hang:
            return None


def idle_after(rig: Rig, good: bytes, trickle: bytes) -> float | None:
    """The same of one that has been answered."""
    with wire.Connection(rig.server) as connection:
        connection.send(good)
        answer = connection.answer("POST")
        rig.checks.that(answer is not None and answer.status == 200, f"before the silence: {answer}")
        try:
            return connection.seconds_until_dropped(trickle)
        except wire.Hang:
            return None


def readers(rig: Rig) -> None:
    """Who asks for a large file and reads nothing of it, or a little and then nothing, is dropped."""
    before = rig.rest()
    with ExitStack() as stack:
        for read in (0, 0, 0, 0, 1000, 10_000):
            connection = stack.enter_context(wire.Connection(rig.server))
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.send(wire.request("GET", "/media/large.mp4"))
            while read > 0 and (got := len(connection.socket.recv(min(read, 4096)))):
                read -= got
        start = time.monotonic()
        # Each has a connection and a file.
        rig.checks.that(wait(lambda: rig.server.fds() >= before + 12), "who reads nothing is not even served")
        is_dropped = wait(lambda: rig.server.fds() <= before, WRITE + 10)
        seconds = time.monotonic() - start
    is_so = is_dropped and WRITE - 2 <= seconds <= WRITE + 1.5
    rig.checks.that(is_so, f"who reads nothing: there for {seconds:.1f} s")
