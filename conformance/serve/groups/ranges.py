"""Ranges of files: every answer is the whole file, the range that it says it is, or a refusal."""

from __future__ import annotations

import re

import wire
from rig import Rig

# (the header, the range that is meant): `None`: whole, or refused.
SIZE = 1 << 20
RANGES: list[tuple[str, tuple[int, int] | None]] = [
    ("bytes=0-0", (0, 0)),
    ("bytes=0-", (0, SIZE - 1)),
    ("bytes=-1", (SIZE - 1, SIZE - 1)),
    (f"bytes=-{SIZE}", (0, SIZE - 1)),
    ("bytes=5-10", (5, 10)),
    (f"bytes={SIZE - 1}-", (SIZE - 1, SIZE - 1)),
    (f"bytes={SIZE - 2}-{SIZE + 5}", (SIZE - 2, SIZE - 1)),
    (f"bytes=0-{2**63}", (0, SIZE - 1)),
    *[
        (text, None)
        for text in (
            *("bytes=-0", "bytes=-", "bytes=", "bytes", "bytes=a-b", "bytes=1-a", "bytes=0x1-2", "bytes=1.5-2"),
            *("bytes=10-5", f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 1}"),
            *("bytes=--5", "bytes=-5-", "bytes=5--1"),
            *(f"bytes={2**64}-", f"bytes={2**64 - 1}-{2**64 - 1}", f"bytes=0-{2**64}", f"bytes=-{2**64}"),
            *(
                "bytes=" + "9" * 5000 + "-",
                "bytes=0-" + "9" * 5000,
                "octets=0-5",
                "lines=0-5",
                "=",
                "0-5",
                "bytes:0-5",
            ),
            *(
                "bytes=0-1,2-3",
                "bytes=0-5,3-9",
                "bytes=0-0,0-0",
                "bytes=0-,0-,0-",
                "bytes=" + "0-," * 5000 + "0-",
            ),
            *(
                "bytes=" + ",".join(f"{n}-{n}" for n in range(2000)),
                "bytes=,",
                "bytes=,,,",
                "bytes=0-1,",
                "bytes=0-1,a",
            ),
            *("bytes=٣-٤", "bytes= 0 - 1", "bytes=0-1;q=1", "bytes=+1-+2", "BYTES=10-5"),
        )
    ],
]


def run(rig: Rig) -> None:
    """All of them, on a file with and a file without content."""
    for text, meant in RANGES:
        shown = text if len(text) < 60 else f"{text[:57]}..."
        judge(rig, "video.mp4", text, meant, shown)
        judge(rig, "empty.mp4", text, None, f"{shown} of nothing")
        whole = wire.ask(rig.server, ranged("HEAD", "video.mp4", text))
        rig.checks.that(whole is None or whole.status in (200, 206, 416, 431), f"HEAD, {shown}: {whole}")
    twice = {"range": "bytes=0-0\r\nrange: bytes=5-9"}
    answer = wire.ask(rig.server, wire.request("GET", "/media/video.mp4", twice))
    rig.checks.that(answer is not None and answer.status in (200, 206, 400, 416), f"two ranges: {answer}")
    for name in ("if-range", "if-none-match", "if-modified-since", "if-match", "if-unmodified-since"):
        for value in ('"', "*", "W/", "Thu, 99 Foo 9999 99:99:99 GMT", "x" * 5000, "\xff"):
            octets = wire.request("GET", "/media/sub/audio.m4a", {name: value, "range": "bytes=0-9"})
            answer = wire.ask(rig.server, octets)
            is_so = answer is not None and answer.status in (200, 206, 304, 400, 412)
            rig.checks.that(is_so, f"{name}: {value[:20]}: {answer}")


def ranged(method: str, name: str, text: str) -> bytes:
    """A request for a range."""
    head = f"{method} /media/{name} HTTP/1.1\r\nhost: a\r\nrange: {text}\r\n\r\n"
    return head.encode()


def judge(rig: Rig, name: str, text: str, meant: tuple[int, int] | None, shown: str) -> None:
    """Whether an answer is what it says, and what was meant."""
    whole = rig.shown[name]
    answer = wire.ask(rig.server, ranged("GET", name, text))
    if answer is None:
        rig.checks.that(False, f"{shown}: dropped")
        return
    content_range = answer.headers.get("content-range", "")
    if meant:
        first, last = meant
        expected = (206, f"bytes {first}-{last}/{len(whole)}", whole[first : last + 1])
        is_so = (answer.status, content_range, answer.body) == expected
    elif answer.status == 206:
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", content_range)
        first, last, size = map(int, found.groups()) if found else (0, 0, 0)
        is_so = size == len(whole) and first <= last < size and answer.body == whole[first : last + 1]
    elif answer.status == 416:
        is_so = content_range in (f"bytes */{len(whole)}", "")
    else:
        is_so = answer.status in (400, 431) or answer.status == 200 and answer.body == whole
    rig.checks.that(is_so, f"{shown}: {answer.status} {content_range!r}, {len(answer.body)} octets")
