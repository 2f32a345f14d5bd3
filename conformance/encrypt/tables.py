"""What must be the same in a clear file and in what is made of it: packets, samples, and tables."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import check
import index
import tools
from boxes import Movie
from sources import Source

# The tables whose octets say when samples are shown, how long they are, and how they lie in chunks.
TABLES = ("stts", "ctts", "stss", "stsz", "stsc")
# The sources are asked for again and again.
_packets_of_clear = cache(tools.packets)


def hashes(path: Path) -> dict[str, list[str]]:
    """MD5 of all samples of each track, by kind: by the box reader, or FFmpeg for WebM."""
    if path.suffix == ".webm":
        return tools.sample_hashes(path)
    return check.box_hashes(Movie(path.read_bytes()))


def of_encrypted(encrypted: Path, source: Source) -> list[str]:
    """What is wrong with the encrypted file: nothing has moved in time, and no track is clear.

    FFmpeg reads into samples to say how long packets last, so the tables of MP4 are read instead.
    """
    found = []
    seen = hashes(encrypted)
    for kind, clear in source.hashes.items():
        if set(seen.get(kind, clear)) & set(clear):
            found.append(f"the {kind} is not encrypted")
    if not source.is_mp4():
        return found
    movie, clear = Movie(encrypted.read_bytes()), Movie(source.path.read_bytes())
    found += [line for wrong in index.problems(movie).values() for line in wrong]
    if not index.protection(movie):
        found.append("nothing in it says that it is encrypted")
    if _tables(movie) != _tables(clear):
        found.append("its sample tables are not the clear file's")
    for number, track in clear.tracks.items():
        if _offsets(movie.tracks[number].runs) != _offsets(track.runs):
            found.append(f"track {number}: its runs of samples are not the clear file's")
    return found


def of_decrypted(decrypted: Path, encrypted: Path, source: Source) -> list[str]:
    """What is wrong with the decrypted file of the same length."""
    found = _packet_problems(decrypted, source)
    if decrypted.stat().st_size != encrypted.stat().st_size:
        found.append("it is not as long as the encrypted file")
    return found + (_same_movie(decrypted, source) if source.is_mp4() else [])


def of_compact(compact: Path, source: Source) -> list[str]:
    """What the compact file has more or less than the clear one: nothing."""
    if compact.read_bytes() == source.path.read_bytes():
        return []
    found = _packet_problems(compact, source)
    if compact.stat().st_size > source.path.stat().st_size:
        found.append("it is longer than the clear file")
    return found + (_same_movie(compact, source) if source.is_mp4() else [])


def _packet_problems(path: Path, source: Source) -> list[str]:
    """FFmpeg sees the packets of the clear file: times, durations, sizes, flags."""
    if tools.packets(path) == _packets_of_clear(source.path):
        return []
    return ["its packets are not the clear file's"]


def _same_movie(path: Path, source: Source) -> list[str]:
    """Samples, runs and tables of an MP4 file are those of the clear one."""
    movie, clear = Movie(path.read_bytes()), Movie(source.path.read_bytes())
    found = index.protection(movie) + check.index_problems(movie, clear)
    for number, track in clear.tracks.items():
        runs = movie.tracks[number].runs if number in movie.tracks else []
        if [check.run_bytes(movie, run) for run in runs] != [
            check.run_bytes(clear, run) for run in track.runs
        ]:
            found.append(f"track {number}: the samples of its runs are not the clear file's")
        if _offsets(runs) != _offsets(track.runs):
            found.append(f"track {number}: its samples lie apart otherwise than the clear file's")
    if _tables(movie) != _tables(clear):
        found.append("its sample tables are not the clear file's")
    return found


def _offsets(runs: list[list[tuple[int, int]]]) -> list[list[tuple[int, int]]]:
    """Where the samples of each run lie, from the start of the run."""
    return [[(at - run[0][0], size) for at, size in run] for run in runs if run]


def _tables(movie: Movie) -> list[tuple[str, bytes]]:
    """The tables of all tracks, octet by octet."""
    found = []
    for moov in movie.of_kind("moov"):
        for trak in movie.all(moov, "trak"):
            for box in movie.inside(movie.one(trak, "mdia", "minf", "stbl")):
                if box.kind in TABLES:
                    found.append((box.kind, movie.data[box.body : box.end]))
    return found
