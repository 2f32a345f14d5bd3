#!/usr/bin/env python3
"""Decrypts the media files of W3C's suite with `clearkey decrypt`, and compares every sample.

`content.json` holds what the suite publishes (items, their files and keys) and SHA-256 of the
clear samples: of all of a file in decoding order, and of each fragment with their number. Each
file is decrypted with the keys of each item that it belongs to, with and without `--compact`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "media"))  # the box reader

from boxes import Malformed, Movie, Track, children  # noqa: E402  (after the path is known)

WAYS = ((), ("--compact",))
SECONDS = 60  # only a hang takes longer
NO_KEY = 1  # the exit code for a protected sample without a key


class Wrong(Exception):
    """A file did not come out as it has to."""


@dataclass(frozen=True)
class Job:
    """One file of one item, to be decrypted one way. `facts` is its entry in content.json."""

    item: str
    path: Path
    keys: tuple[str, ...]
    options: tuple[str, ...]
    facts: dict

    def __str__(self) -> str:
        return " ".join((self.item, self.path.name, *self.options))


def main() -> int:
    """Runs everything. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clearkey", type=Path, required=True, help="the program")
    parser.add_argument("--wpt", type=Path, required=True, help="what `fetch` made")
    options = parser.parse_args()
    failed = 0
    everything = jobs(options.wpt / "encrypted-media" / "content")
    with tempfile.TemporaryDirectory(prefix="streams-") as work:
        for job in everything:
            try:
                check(job, options.clearkey.resolve(), Path(work))
            except (Wrong, Malformed, OSError, subprocess.TimeoutExpired) as why:
                failed += 1
                print(f"{job}: {why}")
    print(f"{len(everything) - failed} passed, {failed} failed")
    return 1 if failed else 0


def jobs(folder: Path) -> list[Job]:
    """Every file of every item, each way."""
    known = json.loads((HERE / "content.json").read_text())
    return [
        Job(item["item"], folder / name, tuple(item["keys"]), way, known["files"][name])
        for item in known["items"]
        for name in item["files"]
        for way in WAYS
    ]


def check(job: Job, clearkey: Path, work: Path) -> None:
    """Decrypts one file, and raises Wrong if anything differs from what is known."""
    if sha256(job.path.read_bytes()) != job.facts["input_sha256"]:
        raise Wrong("not the file that the hashes are of")
    output = work / "output.mp4"
    output.unlink(missing_ok=True)
    if job.facts["protected_samples"]:
        refuse(job, clearkey, output)
    code, said = decrypt(job, clearkey, output, job.keys)
    if code:
        raise Wrong(f"exit code {code}: {said}")
    compare(tracks(output.read_bytes()), job.facts)


def refuse(job: Job, clearkey: Path, output: Path) -> None:
    """Without a key, a protected file has to be refused, or the rest would prove nothing."""
    code, _ = decrypt(job, clearkey, output, ())
    if code != NO_KEY or output.exists():
        raise Wrong(f"without keys: exit code {code}, not {NO_KEY} and no output")


def decrypt(job: Job, clearkey: Path, output: Path, keys: tuple[str, ...]) -> tuple[int, str]:
    """Runs the program. Returns its exit code and what it said."""
    command = [str(clearkey), "decrypt", "--quiet", *job.options, str(job.path), "-o", str(output)]
    for key in keys:
        command += ["--key", key]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    return done.returncode, done.stderr.strip()


def tracks(data: bytes) -> list[tuple[Movie, Track]]:
    """The one track of each movie in the file: some have another movie header further on."""
    starts = [box.start for box in children(data, 0, len(data)) if box.kind == "ftyp"]
    movies = [Movie(data[at:end]) for at, end in zip(starts, [*starts[1:], len(data)])]
    return [(movie, track) for movie in movies for track in movie.tracks.values()]


def compare(found: list[tuple[Movie, Track]], facts: dict) -> None:
    """Compares fragment by fragment, and then the whole."""
    protected = [kind for _, track in found for kind in track.entries if kind in ("encv", "enca")]
    if protected:
        raise Wrong(f"still says {', '.join(protected)}")
    runs = [
        [movie.sample_bytes(sample) for sample in run]
        for movie, track in found
        for run in track.runs
    ]
    if len(runs) != len(facts["fragments"]):
        raise Wrong(f"{len(runs)} fragments, not {len(facts['fragments'])}")
    for index, (run, (count, digest)) in enumerate(zip(runs, facts["fragments"])):
        if len(run) != count:
            raise Wrong(f"fragment {index}: {len(run)} samples, not {count}")
        if sha256(b"".join(run)) != digest:
            raise Wrong(f"fragment {index}: its samples differ")
    if sha256(b"".join(sample for run in runs for sample in run)) != facts["sha256"]:
        raise Wrong("the samples differ, though those of each fragment do not")


def sha256(data: bytes) -> str:
    """In hex."""
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
