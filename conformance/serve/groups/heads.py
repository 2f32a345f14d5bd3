"""Heads that are too large, too old, too new or no HTTP; methods; and requests that hide another."""

from __future__ import annotations

import material
import wire
from rig import Rig

HOST = b"host: a\r\n"


def run(rig: Rig) -> None:
    """All of them."""
    for name, octets in NO_HTTP.items():
        rig.is_refused(octets, name)
    for name, octets in TOO_LARGE.items():
        rig.is_refused(octets, name, {400, 414, 431})
    for method, target in METHODS:
        rig.is_refused(wire.request(method, target), f"{method} {target}", {400, 404, 405})
    smuggled(rig)


NO_HTTP = {
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/2 without TLS": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0",
    "HTTP/2.0 by name": b"GET / HTTP/2.0\r\n" + HOST + b"\r\n",
    "HTTP/3.0 by name": b"GET / HTTP/3.0\r\n" + HOST + b"\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "TLS where there is none": b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(200),
    "octets": bytes(range(128, 256)) * 4 + b"\r\n\r\n",
    "NULs": bytes(1000) + b"\r\n\r\n",
    "a space too many": b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target without a slash": b"GET streams HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target with a space": b"GET /str eams HTTP/1.1\r\n" + HOST + b"\r\n",
    "a NUL in the target": b"GET /media/a\0.mp4 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a NUL in a header": b"GET / HTTP/1.1\r\n" + HOST + b"a: \0\r\n\r\n",
    "a bare CR in a header": b"GET / HTTP/1.1\r\n" + HOST + b"a: b\rc: d\r\n\r\n",
    "a space before the colon": b"GET / HTTP/1.1\r\nhost : a\r\n\r\n",
    "a header without a name": b"GET / HTTP/1.1\r\n" + HOST + b": a\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\n" + HOST + b"abc\r\n\r\n",
    "a header that goes on in the next line": b"GET / HTTP/1.1\r\n" + HOST + b"a: b\r\n c\r\n\r\n",
    "CONNECT": b"CONNECT example.com:443 HTTP/1.1\r\n" + HOST + b"\r\n",
}
TOO_LARGE = {
    "a target of 1 MiB": b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a query of 60 KiB": b"GET /?" + b"a" * 60_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a header of 1 MiB": b"GET / HTTP/1.1\r\n" + HOST + b"a: " + b"b" * (1 << 20) + b"\r\n\r\n",
    "a name of 1 MiB": b"GET / HTTP/1.1\r\n" + HOST + b"b" * (1 << 20) + b": a\r\n\r\n",
    "1,000 headers": b"GET / HTTP/1.1\r\n" + HOST + b"a: b\r\n" * 1000 + b"\r\n",
    "100,000 headers": b"GET / HTTP/1.1\r\n" + HOST + b"a: b\r\n" * 100_000 + b"\r\n",
    "a method of 100 KiB": b"G" * 100_000 + b" / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a cookie of 100 KiB": b"GET / HTTP/1.1\r\n" + HOST + b"cookie: " + b"a=b; " * 20_000 + b"\r\n\r\n",
}
METHODS = [
    *((method, "/") for method in ("PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "post", "A" * 500)),
    *(("POST", target) for target in ("/streams", "/media/video.mp4", "/healthz", "/metrics", "/nothing")),
    *(("DELETE", target) for target in ("/media/video.mp4", "/metrics", "/streams")),
    ("PUT", "/media/new.mp4"),
    *(("GET", target) for target in ("//", "/page/", "/page/../", "/media", "/media/", "/Metrics", "/nothing")),
]


def smuggled(rig: Rig) -> None:
    """
    Where two lengths are told, a proxy may believe one and the server the other. The request that is hidden in the
    body asks for the numbers, so that its answer shows.
    """
    hidden = b"GET /metrics HTTP/1.1\r\n" + HOST + b"\r\n"
    good = material.license_request([rig.keys[0].kid])
    in_pieces = b"%x\r\n%s\r\n0\r\n\r\n" % (len(good), good)
    post = b"POST / HTTP/1.1\r\n" + HOST
    coding = b"transfer-encoding: %s\r\n"
    length = b"content-length: %d\r\n"
    both = len(in_pieces + hidden)
    with wire.Connection(rig.server) as connection:
        connection.send(
            wire.request("POST", "/", body=good) + hidden.replace(HOST, HOST + b"connection: close\r\n")
        )
        rig.checks.that(b"clearkey_requests" in connection.rest(), "a second request is not answered")
    for name, octets in {
        "length, then pieces": post + length % both + coding % b"chunked" + b"\r\n" + in_pieces + hidden,
        "pieces, then length": post + coding % b"chunked" + length % both + b"\r\n" + in_pieces + hidden,
        "pieces, then a short length": post + coding % b"chunked" + length % 4 + b"\r\n" + in_pieces + hidden,
        "a space before the colon": post
        + length % both
        + b"transfer-encoding : chunked\r\n\r\n"
        + in_pieces
        + hidden,
        "no HTTP/1.1": post.replace(b"1.1", b"1.0") + coding % b"chunked" + b"\r\n" + in_pieces + hidden,
        "a coding that is not the last": post + coding % b"chunked, gzip" + b"\r\n" + in_pieces + hidden,
        "an unknown coding": post + length % both + coding % b"xchunked" + b"\r\n" + in_pieces + hidden,
        "a vertical tab": post + length % both + coding % b"\x0bchunked" + b"\r\n" + in_pieces + hidden,
        "two codings": post + coding % b"chunked" + coding % b"identity" + b"\r\n" + in_pieces + hidden,
        "a line that goes on": post
        + length % both
        + b"transfer-encoding:\r\n chunked\r\n\r\n"
        + in_pieces
        + hidden,
        "a length in a list": post + b"content-length: 4, 5\r\n\r\nabcd" + hidden,
    }.items():
        try:
            with wire.Connection(rig.server) as connection:
                connection.send(octets)
                answered = connection.rest()
        except wire.Hang:
            rig.checks.that(False, f"smuggled, {name}: the connection stays open")
            continue
        is_so = answered.count(b"HTTP/1.1 ") <= 1 and b"clearkey_requests" not in answered
        rig.checks.that(is_so, f"smuggled, {name}: the hidden request is answered")
