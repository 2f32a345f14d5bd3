"""What an MP4 file says about itself beside its samples: its indexes, and its protection.

Each check returns problems as sentences; none means that all is well.
"""

from __future__ import annotations

from collections import Counter
from typing import Iterator

from boxes import Box, Movie

# What may stand between the start of a media segment and its `moof`.
BEFORE_MOOF = {"styp", "sidx", "ssix", "prft", "emsg", "free", "skip"}
# Boxes to look for protection in. `stsd` and its entries are walked apart.
PARENTS = {"moov", "trak", "mdia", "minf", "stbl", "moof", "traf"}
# Fields of a sample entry before its boxes, by the handler of its track.
ENTRY_FIELDS = {"vide": 78, "soun": 28}
PROTECTION = {"sinf", "pssh", "senc", "saiz", "saio", "encv", "enca"}
PIFF = {
    "8974dbce7be74c5184f97148f9882554",  # track encryption
    "a2394f525a9b4f14a2446c427c648df4",  # sample encryption
    "d08a4f1810f34a82b6c832d8aba183d3",  # protection system
}


def problems(movie: Movie) -> dict[str, list[str]]:
    """By kind of index: every entry of `sidx`, `tfra` and `mfro` that is wrong."""
    found: dict[str, list[str]] = {"sidx": [], "tfra": [], "mfro": []}
    for sidx in movie.of_kind("sidx"):
        found["sidx"] += _sidx_problems(movie, sidx)
    for mfra in movie.of_kind("mfra"):
        found["tfra"] += _tfra_problems(movie, mfra)
        found["mfro"] += _mfro_problems(movie, mfra)
    return {kind: wrong for kind, wrong in found.items() if wrong}


def entries(movie: Movie) -> Counter[str]:
    """How many entries each kind of index has."""
    count: Counter[str] = Counter()
    for sidx in movie.of_kind("sidx"):
        count["sidx"] += len(list(_references(movie, sidx)))
    for mfra in movie.of_kind("mfra"):
        for tfra in movie.all(mfra, "tfra"):
            count["tfra"] += len(list(_random_access(movie, tfra)))
        count["mfro"] += len(movie.all(mfra, "mfro"))
    return count


def protection(movie: Movie) -> list[str]:
    """Every box left that says something is encrypted."""
    return [f"{what} is left at {at}" for what, at in _protection(movie, movie.top)]


def _sidx_problems(movie: Movie, sidx: Box) -> list[str]:
    """Every reference starts at a segment (or at another `sidx`), and the last ends at a box."""
    found = []
    starts = {box.start: place for place, box in enumerate(movie.top)}
    end = sidx.end
    for number, (kind, start, end) in enumerate(_references(movie, sidx)):
        expected = "sidx" if kind else "moof"
        seen = _leads_to(movie, starts.get(start), expected)
        if seen != expected:
            found.append(f"sidx reference {number} to {start} leads to {seen}, not to a {expected}")
    if end not in starts and end != len(movie.data):
        found.append(f"the last sidx reference ends at {end}, which is within a box")
    return found


def _leads_to(movie: Movie, place: int | None, expected: str) -> str:
    """The kind of the first box, from the one at `place` on, that is not a segment's preamble."""
    if place is None:
        return "no box"
    for box in movie.top[place:]:
        if box.kind == expected or box.kind not in BEFORE_MOOF:
            return box.kind
    return "the end"


def _references(movie: Movie, sidx: Box) -> Iterator[tuple[int, int, int]]:
    """The references of a `sidx`: type, and the first and last offset of what they name."""
    wide = movie.version(sidx) >= 1
    at = sidx.body + 12
    first = movie.u64(at + 8) if wide else movie.u32(at + 4)
    at += 16 if wide else 8
    start = sidx.end + first
    for index in range(movie.u32(at) & 0xFFFF):
        word = movie.u32(at + 4 + 12 * index)
        end = start + (word & 0x7FFFFFFF)
        yield word >> 31, start, end
        start = end


def _tfra_problems(movie: Movie, mfra: Box) -> list[str]:
    """Every `tfra` entry names a `moof` that has its track."""
    found = []
    moofs = {box.start: _track_numbers(movie, box) for box in movie.of_kind("moof")}
    for tfra in movie.all(mfra, "tfra"):
        track = movie.u32(tfra.body + 4)
        for number, offset in enumerate(_random_access(movie, tfra)):
            if offset not in moofs:
                found.append(f"tfra entry {number} of track {track}: no moof at {offset}")
            elif track not in moofs[offset]:
                found.append(f"tfra entry {number}: the moof at {offset} has no track {track}")
    return found


def _mfro_problems(movie: Movie, mfra: Box) -> list[str]:
    """The `mfro` is the last box of the `mfra`, and has its size."""
    found = []
    for mfro in movie.all(mfra, "mfro"):
        size = movie.u32(mfro.body + 4)
        if size != mfra.size or mfro.end != mfra.end:
            found.append(f"mfro says {size} octets, the mfra has {mfra.size}")
    return found


def _track_numbers(movie: Movie, moof: Box) -> set[int]:
    return {movie.u32(movie.one(traf, "tfhd").body + 4) for traf in movie.all(moof, "traf")}


def _random_access(movie: Movie, tfra: Box) -> Iterator[int]:
    """The `moof` offset of each entry of a `tfra`."""
    wide = movie.version(tfra) == 1
    lengths = movie.u32(tfra.body + 8)
    tail = sum((lengths >> shift & 3) + 1 for shift in (0, 2, 4))
    stride = (16 if wide else 8) + tail
    for index in range(movie.u32(tfra.body + 12)):
        at = tfra.body + 16 + stride * index
        yield movie.u64(at + 8) if wide else movie.u32(at + 4)


def _protection(movie: Movie, boxes: list[Box], handler: str = "") -> Iterator[tuple[str, int]]:
    for box in boxes:
        if box.kind in PROTECTION:
            yield box.kind, box.start
        elif box.kind == "uuid" and movie.data[box.body : box.body + 16].hex() in PIFF:
            yield "a PIFF box", box.start
        elif box.kind in ("sbgp", "sgpd") and movie.text(box.body + 4) == "seig":
            yield f"{box.kind} of seig", box.start
        elif box.kind == "trak":
            own = movie.text(movie.one(box, "mdia", "hdlr").body + 8)
            yield from _protection(movie, movie.inside(box), own)
        elif box.kind == "stsd":
            yield from _entry_protection(movie, box, handler)
        elif box.kind in PARENTS:
            yield from _protection(movie, movie.inside(box), handler)


def _entry_protection(movie: Movie, stsd: Box, handler: str) -> Iterator[tuple[str, int]]:
    fields = ENTRY_FIELDS.get(handler)
    for entry in movie.inside(stsd, 8):
        if entry.kind in PROTECTION:
            yield entry.kind, entry.start
        elif fields is not None:
            yield from _protection(movie, movie.inside(entry, fields))
