"""The clear sources, each in every container that it can be had in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tools
from boxes import Movie

# How FFmpeg writes each kind of MP4 file. A fragment begins at a key frame, or after a second.
REMUX = {
    "fragmented": [
        *("-movflags", "+frag_keyframe+delay_moov+default_base_moof"),
        *("-frag_duration", "1000000"),
    ],
    "progressive": [],
    "faststart": ["-movflags", "+faststart"],
}


@dataclass(frozen=True)
class Source:
    """A clear file, and the hashes of its tracks by kind."""

    codecs: str
    container: str
    path: Path
    hashes: dict[str, list[str]]

    def is_mp4(self) -> bool:
        """Whether the box reader reads it."""
        return self.container != "webm"


def gather(folder: Path, work: Path) -> list[Source]:
    """The files of a folder, and what they become in the containers that it lacks."""
    found: dict[tuple[str, str], Source] = {}
    for path in sorted(folder.iterdir()):
        container = container_of(path)
        codecs = path.stem.removesuffix("_frag")
        found[codecs, container] = Source(codecs, container, path, tools.sample_hashes(path))
    mp4 = {source.codecs: source for source in found.values() if source.is_mp4()}
    for codecs, source in mp4.items():
        for container in REMUX.keys() - {has for name, has in found if name == codecs}:
            found[codecs, container] = remux(source, container, work)
    return [found[key] for key in sorted(found)]


def container_of(path: Path) -> str:
    """What a file is, by its boxes."""
    if path.suffix == ".webm":
        return "webm"
    kinds = [box.kind for box in Movie(path.read_bytes()).top]
    if "moof" in kinds:
        return "fragmented"
    return "faststart" if kinds.index("moov") < kinds.index("mdat") else "progressive"


def remux(source: Source, container: str, work: Path) -> Source:
    """The same samples in another container; it is an error if they are not the same."""
    path = work / f"{source.codecs}-{container}.mp4"
    copy = ["-map", "0", "-c", "copy", "-strict", "-2", *REMUX[container]]
    tools.run(["ffmpeg", "-v", "error", "-y", "-i", str(source.path), *copy, str(path)])
    if container_of(path) != container or tools.sample_hashes(path) != source.hashes:
        raise tools.Failed(f"FFmpeg makes no {container} file with the samples of {source.path}")
    return Source(source.codecs, container, path, source.hashes)
