"""What a file says of itself while it is decrypted in place."""

from __future__ import annotations

from typing import Iterator


def is_honest(found: bytes, old: bytes, new: bytes) -> bool:
    """
    Whether each movie header that is no longer as it was has only clear samples: headers go last, so that what is
    partly decrypted still says that it is encrypted.
    """
    boxes = list(top_level(old))
    is_changed = any(found[at:end] != old[at:end] for kind, at, end in boxes if kind == b"moov")
    are_clear = all(found[at:end] == new[at:end] for kind, at, end in boxes if kind == b"mdat")
    return len(found) == len(old) and (are_clear or not is_changed)


def top_level(octets: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The boxes of a file: kind, begin and end."""
    at = 0
    while at < len(octets):
        size = int.from_bytes(octets[at : at + 4], "big")
        yield octets[at + 4 : at + 8], at, at + size
        at += size
