"""What a WebM file says about itself beside its frames: where its indexes lead, and its protection.

Shares no code with the program. A file it cannot make sense of is Malformed.
"""

from __future__ import annotations

from boxes import Malformed

SEGMENT, CLUSTER = "18538067", "1f43b675"
SEEK_ID, SEEK_POSITION, CLUSTER_POSITION = "53ab", "53ac", "f1"
POSITION, PREVIOUS_SIZE = "a7", "ab"
ENCODINGS = "6d80"
MASTERS = {
    SEGMENT: "Segment",
    "114d9b74": "SeekHead",
    "4dbb": "Seek",
    "1654ae6b": "Tracks",
    "ae": "TrackEntry",
    "1c53bb6b": "Cues",
    "bb": "CuePoint",
    "b7": "CueTrackPositions",
    CLUSTER: "Cluster",
}


class WebM:
    """A whole file, as a flat list of its elements: id, start, body, end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.elements: list[tuple[str, int, int, int]] = []
        self._walk(0, len(data))
        segments = [body for kind, _, body, _ in self.elements if kind == SEGMENT]
        if len(segments) != 1:
            raise Malformed(f"{len(segments)} segments")
        self.segment = segments[0]

    def _walk(self, at: int, end: int) -> None:
        while at < end:
            start = at
            kind = self.data[at : at + self._width(at)].hex()
            at += len(kind) // 2
            width = self._width(at)
            size = int.from_bytes(self.data[at : at + width], "big") & ((1 << (7 * width)) - 1)
            body = at + width
            at = body + size
            if at > end:
                raise Malformed(f"{kind} at {start} ends {at - end} octets too far")
            self.elements.append((kind, start, body, at))
            if kind in MASTERS:
                self._walk(body, at)

    def _width(self, at: int) -> int:
        if at >= len(self.data) or not self.data[at]:
            raise Malformed(f"no number at {at}")
        return 9 - self.data[at].bit_length()

    def _numbers(self, kind: str) -> list[tuple[int, int]]:
        """Where each element of that kind starts, and the integer in it."""
        return [
            (start, int.from_bytes(self.data[body:end], "big"))
            for found, start, body, end in self.elements
            if found == kind
        ]

    def targets(self) -> list[str]:
        """The kind of the element that each entry of SeekHead and Cues leads to."""
        starts = {start: kind for kind, start, _, _ in self.elements}
        positions = self._numbers(SEEK_POSITION) + self._numbers(CLUSTER_POSITION)
        return [starts.get(self.segment + position, "nothing") for _, position in positions]

    def index_problems(self) -> list[str]:
        """Every position that does not lead where it should."""
        wanted = [self.data[body:end].hex() for kind, _, body, end in self.elements if kind == SEEK_ID]
        wanted += [CLUSTER] * len(self._numbers(CLUSTER_POSITION))
        found = [
            f"entry {number} of the indexes leads to {target}, not to {kind}"
            for number, (target, kind) in enumerate(zip(self.targets(), wanted))
            if target != kind
        ]
        clusters = [(start, end) for kind, start, _, end in self.elements if kind == CLUSTER]
        for start, position in self._numbers(POSITION):
            if not any(begin == self.segment + position for begin, _ in clusters):
                found.append(f"the Position at {start} is none of a cluster")
        for start, size in self._numbers(PREVIOUS_SIZE):
            if size and size not in {end - begin for begin, end in clusters}:
                found.append(f"the PrevSize at {start} is none of a cluster")
        return found

    def protection(self) -> list[str]:
        """Everything left that says something is encrypted."""
        return [f"ContentEncodings are left at {at}" for kind, at, *_ in self.elements if kind == ENCODINGS]
