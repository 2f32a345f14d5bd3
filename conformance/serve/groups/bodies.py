"""Bodies that are no message of a CDM, and bodies that are not as long as is said."""

from __future__ import annotations

import gzip
import json

import material
import wire
from rig import Rig

LIMIT = 128 << 10
B64 = "AAAAAAAAAAAAAAAAAAAAAA"

NO_MESSAGES = {
    "nothing": b"",
    "white space": b" \r\n\t",
    "an open object": b"{",
    "a list": b"[]",
    "null": b"null",
    "a number": b"1e999",
    "a string": b'"kids"',
    "an empty object": b"{}",
    "no kids": b'{"type":"temporary"}',
    "kids of null": b'{"kids":null,"type":"temporary"}',
    "kids as text": b'{"kids":"%s","type":"temporary"}' % B64.encode(),
    "kids as an object": b'{"kids":{"0":"AA"},"type":"temporary"}',
    "an empty list": b'{"kids":[],"type":"temporary"}',
    "an empty kid": b'{"kids":[""],"type":"temporary"}',
    "a kid of one letter": b'{"kids":["A"],"type":"temporary"}',
    "a kid that is a number": b'{"kids":[1],"type":"temporary"}',
    "a kid that is a list": b'{"kids":[["AA"]],"type":"temporary"}',
    "a kid with padding": b'{"kids":["AA=="],"type":"temporary"}',
    "a kid in base64": b'{"kids":["//++"],"type":"temporary"}',
    "a kid with spaces": b'{"kids":[" AAAA "],"type":"temporary"}',
    "a kid with bits left over": b'{"kids":["AB"],"type":"temporary"}',
    "a kid that is not ASCII": '{"kids":["ＡＡＡＡ"],"type":"temporary"}'.encode(),
    "a kid of 513 octets": json.dumps({"kids": ["AAAA" * 171], "type": "temporary"}).encode(),
    "a kid of 90 KiB": json.dumps({"kids": ["AAAA" * 23_000], "type": "temporary"}).encode(),
    "129 kids": material.license_request([bytes([1, n]) for n in range(129)]),
    "5,000 kids": material.license_request([n.to_bytes(2, "big") for n in range(5000)]),
    "a type of null": b'{"kids":["%s"],"type":null}' % B64.encode(),
    "a type that there is not": b'{"kids":["%s"],"type":"eternal"}' % B64.encode(),
    "a type that is a number": b'{"kids":["%s"],"type":1}' % B64.encode(),
    "a type that is a list": b'{"kids":["%s"],"type":["temporary"]}' % B64.encode(),
    "a license": b'{"keys":[{"kty":"oct","k":"%s","kid":"%s"}]}' % (B64.encode(), B64.encode()),
    "a comma too many": b'{"kids":["%s",],"type":"temporary"}' % B64.encode(),
    "single quotes": b"{'kids':['AAAA'],'type':'temporary'}",
    "a comment": b'{"kids":["AAAA"],/**/"type":"temporary"}',
    "more after the end": b'{"kids":["AAAA"],"type":"temporary"}{}',
    "a NUL after the end": b'{"kids":["AAAA"],"type":"temporary"}\0',
    "a NUL in text": b'{"kids":["AA\0A"],"type":"temporary"}',
    "half a surrogate": b'{"kids":["\\ud800"],"type":"temporary"}',
    "an escape that there is not": b'{"kids":["\\x41AAA"],"type":"temporary"}',
    "no UTF-8": b'{"kids":["\xff\xfe"],"type":"temporary"}',
    "overlong UTF-8": b'{"kids":["\xc1\x81AAA"],"type":"temporary"}',
    "UTF-16": '{"kids":["AAAA"],"type":"temporary"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"kids":["AAAA"],"type":"temporary"}',
    "100,000 open lists": b"[" * 100_000,
    "100,000 open objects": b'{"kids":' * 14_000,
    "lists in lists of kids": b'{"kids":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "lists in a member that is not looked at": b'{"x":' + b"[" * 50_000 + b"]" * 50_000 + b',"kids":["AAAA"]',
    "a number of 100,000 digits": b"1" * 100_000,
    "a form": b"kids=AAAA&type=temporary",
    "XML": b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
    "octets": bytes(range(256)) * 100,
}


def run(rig: Rig) -> None:
    """All of them."""
    for name, body in NO_MESSAGES.items():
        rig.is_refused(wire.request("POST", "/", body=body), f"a message: {name}")
    lengths(rig)
    encodings(rig)
    chunks(rig)


def lengths(rig: Rig) -> None:
    """What is too long, and what is not as long as is said."""
    good = material.license_request([rig.keys[0].kid])
    full = good.ljust(LIMIT)
    answer = wire.ask(rig.server, wire.request("POST", "/", body=full))
    is_good = answer is not None and material.is_license(answer.body, rig.keys[:1])
    rig.checks.that(is_good, f"a message of 128 KiB: {answer}")
    rig.is_refused(wire.request("POST", "/", body=full + b" "), "a message of 128 KiB and 1", {413})
    rig.is_refused(wire.request("POST", "/", body=good.ljust(10 << 20)), "a message of 10 MiB", {413})
    for length in ["-1", "+5", "0x10", "1e3", "5 5", "5,6", "", "٣", str(1 << 64), "9" * 40, "5\0"]:
        octets = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %s\r\n\r\n" % length.encode()
        rig.is_refused(octets + good, f"a content-length of {length!r}")
    head = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\ncontent-length: %d\r\n\r\n"
    rig.is_refused(head % (len(good), 5) + good, "two lengths", {400})
    rig.is_refused(head % (5, len(good)) + good, "two lengths, the other way round", {400})
    huge = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % (1 << 40)
    rig.is_refused(huge + good, "a message of 1 TiB", {413})
    expects = b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % (1 << 40)
    rig.is_refused(b"POST / HTTP/1.1\r\nhost: a\r\n" + expects, "a message of 1 TiB, if it may come", {413})
    # What is said to be shorter is no message, and its rest is no request.
    shorter = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n" + good
    with wire.Connection(rig.server) as connection:
        connection.send(shorter)
        octets = connection.rest()
    is_so = octets.startswith(b"HTTP/1.1 400 ") and b" 200 " not in octets
    rig.checks.that(is_so, f"a message that is longer than its length: {octets[:100]}")


def encodings(rig: Rig) -> None:
    """Encodings are not undone: what is small may be large then."""
    bomb = gzip.compress(b" " * (50 << 20))
    for coding in ["gzip", "deflate", "br", "zstd", "identity, gzip", "x"]:
        octets = wire.request("POST", "/", {"content-encoding": coding}, bomb)
        rig.is_refused(octets, f"a message in {coding}", {415})
    rig.is_refused(wire.request("POST", "/", body=bomb), "a message in gzip that is not said to be", {400})


def chunks(rig: Rig) -> None:
    """Bodies in pieces, without an end, or with one that is none."""
    head = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
    good = material.license_request([rig.keys[0].kid])
    whole = b"%x\r\n%s\r\n0\r\n\r\n" % (len(good), good)
    answer = wire.ask(rig.server, head + whole)
    is_good = answer is not None and material.is_license(answer.body, rig.keys[:1])
    rig.checks.that(is_good, f"a message in pieces: {answer}")
    endless = b"400\r\n" + b" " * 1024 + b"\r\n"
    rig.is_refused(head + endless * 1000, "pieces without an end", {413})
    for name, piece in {
        "a length that is none": b"x\r\n{}\r\n0\r\n\r\n",
        "a negative length": b"-1\r\n{}\r\n0\r\n\r\n",
        "a length of 17 digits": b"fffffffffffffffff\r\n" + good,
        "an endless extension": b"5;" + b"a" * 100_000,
        "more than was said": b"2\r\n{}{}\r\n0\r\n\r\n",
        "100 KiB of trailers": b"2\r\n{}\r\n0\r\n" + b"a: b\r\n" * 17_000 + b"\r\n",
    }.items():
        rig.is_refused(head + piece, f"pieces with {name}")
