"""Reads the boxes of an MP4 file: just enough to find every sample of every track.

It shares no code with the program under test. It is strict: a box that does not fit into its
parent is an error, and so is a sample that lies outside the file.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field
from typing import Iterator


class Malformed(ValueError):
    """The file breaks a rule of ISO/IEC 14496-12 that this reader relies on."""


@dataclass(frozen=True)
class Box:
    """A box: `start` and `end` bound all of it, `body` is where its payload begins."""

    kind: str
    start: int
    body: int
    end: int

    @property
    def size(self) -> int:
        """The octets of the whole box, header included."""
        return self.end - self.start


@dataclass
class Track:
    """A track and where its samples lie, grouped as they are stored: by chunk, or by `trun`."""

    number: int
    handler: str = ""
    entries: list[str] = field(default_factory=list)
    runs: list[list[tuple[int, int]]] = field(default_factory=list)

    def samples(self) -> Iterator[tuple[int, int]]:
        """Each sample's offset and size, in decoding order."""
        for run in self.runs:
            yield from run


class Movie:
    """A whole file and the box tree above its samples."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.top = children(data, 0, len(data))
        self.tracks: dict[int, Track] = {}
        self._defaults: dict[int, int] = {}
        for box in self.top:
            if box.kind == "moov":
                self._read_moov(box)
            elif box.kind == "moof":
                self._read_moof(box)
        for track in self.tracks.values():
            self._check_bounds(track)

    def inside(self, box: Box, skip: int = 0) -> list[Box]:
        """The boxes inside `box`, `skip` octets after its header."""
        return children(self.data, box.body + skip, box.end)

    def one(self, box: Box, *path: str) -> Box:
        """The box at `path` below `box`; there must be one."""
        for kind in path:
            found = [child for child in self.inside(box) if child.kind == kind]
            if not found:
                raise Malformed(f"{box.kind} at {box.start} has no {kind}")
            box = found[0]
        return box

    def all(self, box: Box, kind: str) -> list[Box]:
        """The boxes called `kind` directly inside `box`."""
        return [child for child in self.inside(box) if child.kind == kind]

    def of_kind(self, kind: str) -> list[Box]:
        """The top-level boxes called `kind`."""
        return [box for box in self.top if box.kind == kind]

    def u32(self, at: int) -> int:
        """The 32-bit number at octet `at`."""
        return self._number(">I", at)

    def i32(self, at: int) -> int:
        """The signed 32-bit number at octet `at`."""
        return self._number(">i", at)

    def u64(self, at: int) -> int:
        """The 64-bit number at octet `at`."""
        return self._number(">Q", at)

    def version(self, box: Box) -> int:
        """A full box's version."""
        return self.u32(box.body) >> 24

    def flags(self, box: Box) -> int:
        """A full box's flags."""
        return self.u32(box.body) & 0xFFFFFF

    def text(self, at: int) -> str:
        """The four-character code at octet `at`."""
        return self.data[at : at + 4].decode("latin-1")

    def sample_bytes(self, sample: tuple[int, int]) -> bytes:
        """The octets of a sample."""
        offset, size = sample
        return self.data[offset : offset + size]

    def md5(self, track: Track) -> str:
        """MD5 of all samples of `track`, one after the other."""
        digest = hashlib.md5()
        for sample in track.samples():
            digest.update(self.sample_bytes(sample))
        return digest.hexdigest()

    def _number(self, form: str, at: int) -> int:
        try:
            return struct.unpack_from(form, self.data, at)[0]
        except struct.error as short:
            raise Malformed(f"the file ends within a field at {at}") from short

    def _read_moov(self, moov: Box) -> None:
        for trak in self.all(moov, "trak"):
            track = self._read_trak(trak)
            self.tracks[track.number] = track
        for mvex in self.all(moov, "mvex"):
            for trex in self.all(mvex, "trex"):
                self._defaults[self.u32(trex.body + 4)] = self.u32(trex.body + 16)

    def _read_trak(self, trak: Box) -> Track:
        header = self.one(trak, "tkhd")
        number = self.u32(header.body + (20 if self.version(header) == 1 else 12))
        table = self.one(trak, "mdia", "minf", "stbl")
        return Track(
            number=number,
            handler=self.text(self.one(trak, "mdia", "hdlr").body + 8),
            entries=[entry.kind for entry in self.inside(self.one(table, "stsd"), 8)],
            runs=self._read_chunks(table),
        )

    def _read_chunks(self, table: Box) -> list[list[tuple[int, int]]]:
        """The chunks of a progressive track; none when all its samples are in fragments."""
        sizes = self._sample_sizes(self.one(table, "stsz"))
        chunks = []
        taken = 0
        for offset, count in zip(self._chunk_offsets(table), self._chunk_lengths(table)):
            chunk = []
            for size in sizes[taken : taken + count]:
                chunk.append((offset, size))
                offset += size
            taken += count
            chunks.append(chunk)
        if taken != len(sizes):
            raise Malformed(f"chunks hold {taken} samples, stsz lists {len(sizes)}")
        return chunks

    def _sample_sizes(self, stsz: Box) -> list[int]:
        common, count = self.u32(stsz.body + 4), self.u32(stsz.body + 8)
        if common:
            return [common] * count
        return [self.u32(stsz.body + 12 + 4 * index) for index in range(count)]

    def _chunk_offsets(self, table: Box) -> list[int]:
        for kind, width, read in (("stco", 4, self.u32), ("co64", 8, self.u64)):
            for box in self.all(table, kind):
                return [read(box.body + 8 + width * i) for i in range(self.u32(box.body + 4))]
        raise Malformed("neither stco nor co64")

    def _chunk_lengths(self, table: Box) -> Iterator[int]:
        """Samples per chunk, for ever: the last row of `stsc` holds for all further chunks."""
        stsc = self.one(table, "stsc")
        rows = [
            (self.u32(stsc.body + 8 + 12 * i), self.u32(stsc.body + 12 + 12 * i))
            for i in range(self.u32(stsc.body + 4))
        ]
        for row, (first, length) in enumerate(rows):
            if row + 1 == len(rows):
                while True:
                    yield length
            for _ in range(rows[row + 1][0] - first):
                yield length

    def _read_moof(self, moof: Box) -> None:
        follows = moof.start
        for traf in self.all(moof, "traf"):
            follows = self._read_traf(moof, traf, follows)

    def _read_traf(self, moof: Box, traf: Box, follows: int) -> int:
        """Reads the runs of a `traf`. Returns where their data ends, for the next one's sake."""
        tfhd = self.one(traf, "tfhd")
        flags, at = self.flags(tfhd), tfhd.body + 8
        track = self.tracks.get(self.u32(tfhd.body + 4))
        if track is None:
            raise Malformed(f"traf at {traf.start} is of a track that moov does not have")
        base = moof.start if flags & 0x020000 else follows
        if flags & 0x01:
            base, at = self.u64(at), at + 8
        at += 4 * bool(flags & 0x02) + 4 * bool(flags & 0x08)
        default = self.u32(at) if flags & 0x10 else self._defaults.get(track.number, 0)
        position = base
        for trun in self.all(traf, "trun"):
            run, position = self._read_trun(trun, base, position, default)
            track.runs.append(run)
        return position

    def _read_trun(
        self, trun: Box, base: int, position: int, default: int
    ) -> tuple[list[tuple[int, int]], int]:
        flags, at = self.flags(trun), trun.body + 8
        if flags & 0x01:
            position, at = base + self.i32(at), at + 4
        at += 4 * bool(flags & 0x04)
        before = 4 * bool(flags & 0x100)
        stride = sum(4 for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit)
        run = []
        for index in range(self.u32(trun.body + 4)):
            size = self.u32(at + stride * index + before) if flags & 0x200 else default
            run.append((position, size))
            position += size
        return run, position

    def _check_bounds(self, track: Track) -> None:
        """Every sample lies in the payload of an `mdat`."""
        payloads = [(box.body, box.end) for box in self.of_kind("mdat")]
        for index, (offset, size) in enumerate(track.samples()):
            if not any(start <= offset and offset + size <= end for start, end in payloads):
                raise Malformed(
                    f"sample {index} of track {track.number} ({size} octets at {offset}) "
                    "is not in an mdat"
                )


def children(data: bytes, at: int, end: int) -> list[Box]:
    """The boxes that fill `data[at:end]`, without a gap."""
    found = []
    while at < end:
        if end - at < 8:
            raise Malformed(f"{end - at} octets at {at} are no box")
        size, kind = struct.unpack_from(">I4s", data, at)
        body = at + 8
        if size == 1:
            if end - at < 16:
                raise Malformed(f"no room for the size of the box at {at}")
            size, body = struct.unpack_from(">Q", data, at + 8)[0], at + 16
        elif size == 0:
            size = end - at
        if size < body - at or size > end - at:
            raise Malformed(f"the box at {at} says {size} octets, {end - at} are there")
        found.append(Box(kind.decode("latin-1"), at, body, at + size))
        at += size
    return found
