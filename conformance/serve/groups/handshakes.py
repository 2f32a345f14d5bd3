"""TLS that is none, is not finished, or is not wanted."""

from __future__ import annotations

import ssl
from concurrent.futures import ThreadPoolExecutor

import material
import wire
from rig import Rig, wait
from groups.slow import MOST

HELLO = bytes.fromhex("16030102000100") + b"\1\xfc\3\3" + bytes(100)


def run(rig: Rig) -> None:
    """What is no TLS is dropped at once, and what is not finished with the server's patience."""
    with rig.another("--rate", "0", is_https=True) as server:
        server.heard = rig.server.heard
        before = server.fds()
        for octets in (
            wire.request("GET", "/"),
            b"\0" * 1000,
            bytes(range(256)),
            b"\x16\x03\x01\xff\xff" + bytes(70_000),
        ):
            with wire.Connection(server, is_plain=True) as connection:
                connection.send(octets)
                answered = connection.rest()
                rig.checks.that(b"HTTP" not in answered, f"no TLS: {answered[:100]}")
        with ThreadPoolExecutor(8) as pool:
            cases = {"nothing": (b"", b""), "a hello that stops": (HELLO, b""), "a slow hello": (HELLO, b"\0")}
            jobs = {name: pool.submit(seconds, server, *case) for name, case in cases.items()}
            jobs["nothing after the handshake"] = pool.submit(seconds_inside, server)
            for name, job in jobs.items():
                rig.checks.that(job.result() <= MOST, f"https, {name}: there for {job.result():.1f} s")
        old(rig, server)
        key = rig.keys[0]
        answer = wire.ask(server, wire.request("POST", "/", body=material.license_request([key.kid])))
        rig.checks.that(answer is not None and material.is_license(answer.body, [key]), f"https: {answer}")
        is_back = wait(lambda: server.fds() <= before)
        rig.checks.that(is_back, f"https: {server.fds()} open files, {before} before")


def seconds(server: wire.Server, first: bytes, trickle: bytes) -> float:
    """For how long one is borne who does not finish a handshake."""
    with wire.Connection(server, is_plain=True) as connection:
        connection.send(first)
        try:
            return connection.seconds_until_dropped(trickle)
        except wire.Hang:
            return float("inf")


def seconds_inside(server: wire.Server) -> float:
    """The same of one who has finished it, and then says nothing."""
    with wire.Connection(server) as connection:
        try:
            return connection.seconds_until_dropped()
        except wire.Hang:
            return float("inf")


def old(rig: Rig, server: wire.Server) -> None:
    """Versions of TLS that are no longer safe."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with wire.Connection(server, is_plain=True) as connection:
        try:
            context.wrap_socket(connection.socket)
            rig.checks.that(False, "TLS 1.1 is spoken")
        except (ssl.SSLError, ConnectionError):
            rig.checks.that(True, "")
