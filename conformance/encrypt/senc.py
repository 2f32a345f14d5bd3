"""Which octets of a video's samples are protected, by the `senc` boxes of an MP4 file."""

from __future__ import annotations

from typing import Iterator, NamedTuple

from boxes import Box, Malformed, Movie
from index import ENTRY_FIELDS


class Range(NamedTuple):
    """Octets of a sample, from `start` up to `end`."""

    start: int
    end: int


def protected(movie: Movie) -> list[list[Range]]:
    """The protected ranges of each sample of the only encrypted track, in decoding order.

    Ranges that touch are one. A sample without subsamples is protected whole.
    """
    number, iv_size = _encrypted_track(movie)
    sizes = [size for _, size in movie.tracks[number].samples()]
    tables = [table for senc in _sencs(movie, number) for table in _read(movie, senc, iv_size)]
    if len(tables) != len(sizes):
        raise Malformed(f"{len(tables)} samples in senc, {len(sizes)} in the track")
    return [_ranges(table, size) for table, size in zip(tables, sizes)]


def _encrypted_track(movie: Movie) -> tuple[int, int]:
    """Its number, and the octets of each IV."""
    for moov in movie.of_kind("moov"):
        for trak, track in zip(movie.all(moov, "trak"), movie.tracks.values()):
            stsd = movie.one(trak, "mdia", "minf", "stbl", "stsd")
            for entry in movie.inside(stsd, 8):
                if entry.kind in ("encv", "enca"):
                    for sinf in movie.inside(entry, ENTRY_FIELDS[track.handler]):
                        if sinf.kind == "sinf":
                            tenc = movie.one(sinf, "schi", "tenc")
                            return track.number, movie.data[tenc.body + 7]
    raise Malformed("no track is encrypted")


def _sencs(movie: Movie, number: int) -> Iterator[Box]:
    """The `senc` boxes of a track."""
    for moov in movie.of_kind("moov"):
        for trak, track in zip(movie.all(moov, "trak"), movie.tracks):
            if track == number:
                yield from movie.all(movie.one(trak, "mdia", "minf", "stbl"), "senc")
    for moof in movie.of_kind("moof"):
        for traf in movie.all(moof, "traf"):
            if movie.u32(movie.one(traf, "tfhd").body + 4) == number:
                yield from movie.all(traf, "senc")


def _read(movie: Movie, senc: Box, iv_size: int) -> Iterator[list[tuple[int, int]]]:
    """The clear and protected octets of each subsample of each sample."""
    at = senc.body + 8
    for _ in range(movie.u32(senc.body + 4)):
        at += iv_size
        table = []
        if movie.flags(senc) & 2:
            count = movie.u32(at - 2) & 0xFFFF
            for entry in range(at + 2, at + 2 + 6 * count, 6):
                table.append((movie.u32(entry - 2) & 0xFFFF, movie.u32(entry + 2)))
            at += 2 + 6 * count
        yield table
    if at != senc.end:
        raise Malformed(f"the senc box at {senc.start} ends at {senc.end}, its entries at {at}")


def _ranges(table: list[tuple[int, int]], size: int) -> list[Range]:
    if not table:
        return [Range(0, size)]
    ranges: list[Range] = []
    at = 0
    for clear, covered in table:
        start, at = at + clear, at + clear + covered
        if covered and ranges and ranges[-1].end == start:
            ranges[-1] = Range(ranges[-1].start, at)
        elif covered:
            ranges.append(Range(start, at))
    if at != size:
        raise Malformed(f"subsamples have {at} octets, the sample {size}")
    return ranges
