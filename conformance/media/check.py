#!/usr/bin/env python3
"""Proves what `clearkey decrypt` makes of MP4 and WebM files with tools that are not ours.

Every file of a manifest is decrypted four ways: file to file, stdin to stdout, in place, and
compact. FFmpeg hashes and decodes the outputs; readers of our own, which share no code with the program, follow
their indexes, and compare sample with sample of MP4. See ../README.md.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import index
import tools
from boxes import Malformed, Movie
from webm import WebM

WAYS = ("file", "stdin", "in-place", "compact")
HANDLERS = {"vide": "video", "soun": "audio"}


@dataclass(frozen=True)
class Part:
    """One input file, and what the program must be told besides the keys."""

    path: Path
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """What is decrypted part by part, joined, and then checked as one file."""

    name: str
    parts: tuple[Part, ...]
    keys: tuple[str, ...]
    clear_md5: dict[str, str]

    def folder(self) -> str:
        """A name for the folder of its outputs."""
        stem = self.name.removesuffix(".mp4").removesuffix(".webm")
        return re.sub(r"\W+", "_", stem).strip("_")

    def suffix(self) -> str:
        """The end of its file names, which says the format."""
        return ".webm" if self.name.endswith(".webm") else ".mp4"

    def original(self) -> bytes:
        """The encrypted parts, joined."""
        return b"".join(part.path.read_bytes() for part in self.parts)


@dataclass
class Outcome:
    """Why each way failed; a way without a reason passed. Notes say what could not be checked."""

    case: Case
    reasons: dict[str, list[str]] = field(default_factory=lambda: {way: [] for way in WAYS})
    notes: list[str] = field(default_factory=list)


def main() -> int:
    """Runs everything. Returns the exit code."""
    options = arguments()
    cases = read_cases(options.media)
    if not cases:
        sys.exit(f"check: {options.media}: no file to check")
    with workspace(options.work) as work:
        with ThreadPoolExecutor(options.jobs) as pool:
            jobs = [
                pool.submit(check, case, options.clearkey, Path(work, case.folder()))
                for case in cases
            ]
            outcomes = [job.result() for job in jobs]
    print_table(outcomes)
    if options.json:
        write_json(options.json, outcomes)
    return print_totals(outcomes)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clearkey", type=Path, required=True, help="the program")
    parser.add_argument("--media", type=Path, required=True, help="folder with a manifest.json")
    parser.add_argument("--work", type=Path, help="keep the outputs here, as NAME/WAY.mp4 or .webm")
    parser.add_argument("--json", type=Path, help="write the outcomes to this file, too")
    parser.add_argument("--jobs", type=int, default=2, help="files at a time (default 2)")
    options = parser.parse_args()
    options.clearkey = options.clearkey.resolve()
    return options


def workspace(chosen: Path | None) -> AbstractContextManager:
    """A folder for the outputs: the chosen one, which stays, or one that goes away."""
    if chosen is None:
        return tempfile.TemporaryDirectory(prefix="check-")
    chosen.mkdir(parents=True, exist_ok=True)
    return nullcontext(chosen)


def read_cases(media: Path) -> list[Case]:
    """The cases of a folder."""
    entries = json.loads((media / "manifest.json").read_text())
    cases = []
    for entry in entries:
        name = entry["file"]
        part = Part(media / name)
        cases.append(Case(name, (part,), tuple(entry["keys"]), entry["clear_md5"]))
    for folder in ("seg", "segments"):
        cases += segment_cases(media / folder, entries)
    return cases


def segment_cases(folder: Path, entries: list[dict]) -> list[Case]:
    """The two tracks of a segmented presentation: their samples are those of two whole files."""
    twins = {"v": "shaka_cenc_avc_aac_video.mp4", "a": "shaka_cenc_avc_aac_audio.mp4"}
    by_name = {entry["file"]: entry for entry in entries}
    cases = []
    for track, twin in twins.items():
        init = folder / f"{track}_init.mp4"
        if not init.exists():
            continue
        media = sorted(folder.glob(f"{track}_*.m4s"), key=lambda path: int(path.stem[2:]))
        parts = [Part(init), *(Part(path, ("--init", str(init))) for path in media)]
        entry = by_name[twin]
        name = f"{folder.name}/{track}_*"
        cases.append(Case(name, tuple(parts), tuple(entry["keys"]), entry["clear_md5"]))
    return cases


def check(case: Case, program: Path, work: Path) -> Outcome:
    """Decrypts a case every way and judges each output."""
    outcome = Outcome(case)
    try:
        if case.suffix() == ".webm":
            original = WebM(case.original())
        else:
            original = Movie(case.original())
            outcome.notes += wrong_indexes(original)
    except (Malformed, OSError) as failure:
        outcome.reasons = {way: [f"the input cannot be read: {failure}"] for way in WAYS}
        return outcome
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    outputs = {}
    for way in WAYS:
        try:
            outputs[way] = decrypt(case, way, program, work)
        except (tools.Failed, OSError) as failure:
            outcome.reasons[way].append(str(failure))
    for way, output in outputs.items():
        try:
            default = outputs.get("file")
            if isinstance(original, WebM):
                outcome.reasons[way] += judge_webm(case, original, way, output, default)
            else:
                outcome.reasons[way] += judge(case, original, way, output, default)
        except (tools.Failed, Malformed) as failure:
            outcome.reasons[way].append(str(failure))
    return outcome


def decrypt(case: Case, way: str, program: Path, work: Path) -> Path:
    """Decrypts all parts of a case and joins the outputs."""
    joined = work / f"{way}{case.suffix()}"
    with joined.open("wb") as sink:
        for number, part in enumerate(case.parts):
            output = work / f"{way}-{number}{part.path.suffix}"
            decrypt_part(part, case.keys, way, program, output)
            sink.write(output.read_bytes())
            output.unlink()
    return joined


def decrypt_part(part: Part, keys: tuple[str, ...], way: str, program: Path, output: Path) -> None:
    """Runs the program once."""
    rest = [*part.options, *(word for key in keys for word in ("--key", key))]
    command = [str(program), "decrypt"]
    if way == "stdin":
        tools.run([*command, "-", "-o", "-", *rest], stdin=part.path, stdout=output)
    elif way == "in-place":
        shutil.copyfile(part.path, output)
        tools.run([*command, "--in-place", str(output), *rest])
    else:
        compact = ["--compact"] if way == "compact" else []
        tools.run([*command, str(part.path), "-o", str(output), *compact, *rest])
    if not output.exists():
        raise tools.Failed(f"no output for {part.path.name}")


def wrong_indexes(original: Movie) -> list[str]:
    """Indexes that are wrong before decryption; whether they are after it says nothing."""
    return [
        f"{kind} is wrong in the input already ({wrong[0]}), so only its length is checked"
        for kind, wrong in index.problems(original).items()
    ]


def judge(
    case: Case, original: Movie, way: str, output: Path, default: Path | None
) -> list[str]:
    """Everything that is wrong with one output, as sentences."""
    movie = Movie(output.read_bytes())
    found = hash_problems(case, tools.sample_hashes(output), "ffmpeg")
    found += hash_problems(case, box_hashes(movie), "the box reader")
    if said := tools.complaints(output):
        found.append(f"decoding says: {tools.shorten(said)}")
    found += index_problems(movie, original) + index.protection(movie)
    if way == "file":
        found += length_problems(movie, original)
    elif default is None:
        found.append("there is no default output to compare with")
    elif way == "compact":
        found += sample_problems(movie, Movie(default.read_bytes()))
        found += packet_problems(output, default)
    elif movie.data != default.read_bytes():
        found.append("differs from the default output")
    return found


def judge_webm(
    case: Case, original: WebM, way: str, output: Path, default: Path | None
) -> list[str]:
    """Everything that is wrong with one WebM output, as sentences."""
    film = WebM(output.read_bytes())
    found = hash_problems(case, tools.sample_hashes(output), "ffmpeg")
    if said := tools.complaints(output):
        found.append(f"decoding says: {tools.shorten(said)}")
    if film.targets() != original.targets():
        found.append("the indexes lead to other elements than before")
    found += film.index_problems() + film.protection()
    if way == "file":
        found += length_problems(film, original)
    elif default is None:
        found.append("there is no default output to compare with")
    elif way == "compact":
        if len(film.data) >= len(original.data):
            found.append(f"compact has {len(film.data)} octets, the input {len(original.data)}")
        found += packet_problems(output, default)
    elif film.data != default.read_bytes():
        found.append("differs from the default output")
    return found


def box_hashes(movie: Movie) -> dict[str, list[str]]:
    """What `tools.sample_hashes` prints, read by ourselves."""
    hashes: dict[str, list[str]] = {}
    for track in movie.tracks.values():
        hashes.setdefault(HANDLERS.get(track.handler, track.handler), []).append(movie.md5(track))
    return hashes


def hash_problems(case: Case, seen: dict[str, list[str]], reader: str) -> list[str]:
    """The samples of every track are the clear ones, and there is no other track."""
    expected = {kind: [digest] for kind, digest in case.clear_md5.items()}
    return [
        f"{kind} samples by {reader}: {' '.join(seen.get(kind, ['none']))}, "
        f"expected {' '.join(expected.get(kind, ['none']))}"
        for kind in sorted(expected.keys() | seen.keys())
        if seen.get(kind) != expected.get(kind)
    ]


def index_problems(movie: Movie, original: Movie) -> list[str]:
    """The output has as many index entries as the input, and they lead where they should."""
    before, after = index.entries(original), index.entries(movie)
    found = [
        f"{kind}: {before[kind]} entries in the input, {after[kind]} in the output"
        for kind in sorted(before | after)
        if before[kind] != after[kind]
    ]
    excused = index.problems(original)
    for kind, wrong in index.problems(movie).items():
        found += wrong if kind not in excused else []
    return found


def length_problems(movie: Movie | WebM, original: Movie | WebM) -> list[str]:
    """The default output is as long as the input."""
    before, after = len(original.data), len(movie.data)
    return [] if before == after else [f"{before} octets became {after}"]


def sample_problems(movie: Movie, default: Movie) -> list[str]:
    """The compact output has the runs and the samples of the default one, and is not longer."""
    found = []
    if len(movie.data) > len(default.data):
        found.append(f"compact has {len(movie.data)} octets, default {len(default.data)}")
    if movie.tracks.keys() != default.tracks.keys():
        found.append(f"tracks {sorted(movie.tracks)}, expected {sorted(default.tracks)}")
    for number in sorted(movie.tracks.keys() & default.tracks.keys()):
        ours, theirs = movie.tracks[number].runs, default.tracks[number].runs
        if len(ours) != len(theirs):
            found.append(f"track {number}: {len(ours)} runs of samples, expected {len(theirs)}")
        wrong = [
            f"track {number}: run {run} differs from the default output's"
            for run, pair in enumerate(zip(ours, theirs))
            if run_bytes(movie, pair[0]) != run_bytes(default, pair[1])
        ]
        found += wrong[:3]
    return found


def run_bytes(movie: Movie, run: list[tuple[int, int]]) -> list[bytes]:
    """The samples of one chunk or `trun`."""
    return [movie.sample_bytes(sample) for sample in run]


def packet_problems(output: Path, default: Path) -> list[str]:
    """FFmpeg sees the same packets in both: times, durations, sizes, flags."""
    ours, theirs = tools.packets(output), tools.packets(default)
    if not any(theirs.values()):
        return ["ffprobe sees no packets in the default output"]
    return [
        f"packets of stream {stream} differ from the default output's"
        for stream in sorted(ours.keys() | theirs.keys())
        if ours.get(stream) != theirs.get(stream)
    ]


def print_table(outcomes: list[Outcome]) -> None:
    """The table, then every reason in full."""
    width = max(len(outcome.case.name) for outcome in outcomes)
    columns = "  ".join(f"{way:8}" for way in WAYS)
    print(f"{'file':{width}}  {columns}".rstrip())
    for outcome in outcomes:
        cells = "  ".join(f"{'FAIL' if outcome.reasons[way] else 'ok':8}" for way in WAYS)
        print(f"{outcome.case.name:{width}}  {cells}".rstrip())
    print()
    for outcome in outcomes:
        for way in WAYS:
            for reason in outcome.reasons[way]:
                print(f"FAIL {outcome.case.name}, {way}: {reason}")
        for note in outcome.notes:
            print(f"note {outcome.case.name}: {note}")


def totals(outcomes: list[Outcome]) -> tuple[int, int]:
    """How many cells of the table passed, and how many failed."""
    failed = sum(bool(outcome.reasons[way]) for outcome in outcomes for way in WAYS)
    return len(outcomes) * len(WAYS) - failed, failed


def print_totals(outcomes: list[Outcome]) -> int:
    """The last line. Returns the exit code."""
    passed, failed = totals(outcomes)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def write_json(path: Path, outcomes: list[Outcome]) -> None:
    """The same outcomes for a program to read."""
    passed, failed = totals(outcomes)
    report = {
        "passed": passed,
        "failed": failed,
        "files": {outcome.case.name: outcome.reasons for outcome in outcomes},
        "notes": {outcome.case.name: outcome.notes for outcome in outcomes if outcome.notes},
    }
    path.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
