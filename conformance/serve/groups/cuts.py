"""Connections that break off: in the head, in the body, before, in and after the answer."""

from __future__ import annotations

import socket
import struct

import material
import wire
from rig import Rig

TIMES = 20
RESET = struct.pack("ii", 1, 0)  # closing sends RST


def run(rig: Rig) -> None:
    """Each in two ways: closed, and reset."""
    whole = wire.request("POST", "/", body=material.license_request([rig.keys[0].kid]))
    head = whole.index(b"\r\n\r\n") + 4
    media = wire.request("GET", "/media/large.mp4")
    for is_reset in (False, True):
        for length in (0, 1, 10, head - 2, head, head + 10, len(whole) - 1, len(whole)):
            for _ in range(TIMES):
                cut(rig, whole[:length], is_reset)
        for _ in range(TIMES):
            cut(rig, media, is_reset)
            cut(rig, media, is_reset, read=100_000)
            cut(rig, media + whole, is_reset, read=1000)
    half_closed(rig, whole)


def cut(rig: Rig, octets: bytes, is_reset: bool, read: int = 0) -> None:
    """Sends, reads a little, and goes."""
    with wire.Connection(rig.server) as connection:
        if is_reset:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.send(octets)
        while read > 0 and (got := len(connection.socket.recv(read))):
            read -= got


def half_closed(rig: Rig, whole: bytes) -> None:
    """Who only says that no more comes: what was asked before is answered, or dropped, and the connection ends."""
    for octets in (b"", whole[:30], whole[:-5], whole, whole + whole):
        with wire.Connection(rig.server) as connection:
            connection.send(octets)
            connection.socket.shutdown(socket.SHUT_WR)
            try:
                answered = connection.rest()
            except wire.Hang:
                rig.checks.that(False, f"half closed after {len(octets)} octets: the connection stays open")
                continue
        is_so = octets.startswith(whole) or b" 200 " not in answered
        rig.checks.that(is_so, f"half closed after {len(octets)} octets: {answered[:100]}")
