#!/usr/bin/env python3
"""Compares which octets `clearkey encrypt` and Shaka Packager protect in samples of the same video.

Prints a table of codecs and schemes: how many samples have the same protected ranges, and which
rule explains the others. It fails if a difference has no explanation. See ../README.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "media"))  # the box reader

import tools
from boxes import Movie

from cases import KEYS
from senc import Range, protected

CODECS = {
    "AVC": "avc_aac_frag.mp4",
    "HEVC": "hevc_eac3.mp4",
    "AV1": "av1_opus.mp4",
    "VP9": "vp9_opus.mp4",
}
SCHEMES = ("cenc", "cbcs")
BLOCK = 16

SAME = "the same"
FRONT = "what does not fill a block: ours leaves it clear in front of the data, Shaka behind it"
UNCUT = "what does not fill a block: ours leaves it clear in front of the data, Shaka does not cut"
OTHER = "no rule explains it"


def main() -> int:
    """Runs everything. Returns the exit code."""
    options = arguments()
    counts: dict[tuple[str, str], Counter[str]] = {}
    examples: dict[tuple[str, str, str], str] = {}
    with tempfile.TemporaryDirectory(prefix="maps-") as folder:
        for codec, name in CODECS.items():
            for scheme in SCHEMES:
                pairs = compare(options, options.clear / name, scheme, Path(folder))
                counts[codec, scheme] = Counter()
                for number, (ours, theirs) in enumerate(pairs):
                    why = explain(ours, theirs)
                    counts[codec, scheme][why] += 1
                    example = f"sample {number}: {show(ours)}, Shaka {show(theirs)}"
                    examples.setdefault((codec, scheme, why), example)
    lines = as_markdown(counts, examples)
    print("\n".join(lines))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "maps.md").write_text("\n".join(lines) + "\n")
    unexplained = sum(count[OTHER] for count in counts.values())
    total = sum(count.total() for count in counts.values())
    print(f"maps: {total} samples, {unexplained} unexplained")
    return 1 if unexplained else 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clearkey", type=Path, required=True, help="the program")
    parser.add_argument("--tools", type=Path, required=True, help="folder with packager")
    parser.add_argument("--clear", type=Path, default=HERE.parents[1] / "fixtures/clear")
    parser.add_argument("--out", type=Path, help="folder for maps.md")
    return parser.parse_args()


def compare(
    options: argparse.Namespace, source: Path, scheme: str, work: Path
) -> list[tuple[list[Range], list[Range]]]:
    """The protected ranges of each sample of the video: ours, and Shaka Packager's."""
    ours, theirs = work / "ours.mp4", work / "theirs.mp4"
    command = [str(options.clearkey.resolve()), "encrypt", "-q", str(source), "-o", str(ours)]
    tools.run([*command, "--scheme", scheme, "--key", KEYS[0], "--track", "audio=clear"])
    kid, key = KEYS[0].split(":")
    stream = f"in={source},stream=video,output={theirs}"
    command = [str(options.tools / "packager"), "--quiet", stream]
    command += ["--protection_scheme", scheme, "--clear_lead", "0", "--enable_raw_key_encryption"]
    tools.run([*command, "--keys", f"label=:key_id={kid}:key={key}"])
    maps = [protected(Movie(path.read_bytes())) for path in (ours, theirs)]
    if len(maps[0]) != len(maps[1]):
        raise tools.Failed(f"{len(maps[0])} samples, Shaka Packager has {len(maps[1])}")
    return list(zip(*maps))


def explain(ours: list[Range], theirs: list[Range]) -> str:
    """The rule that the two differ by."""
    if ours == theirs:
        return SAME
    if len(ours) != len(theirs):
        return OTHER
    pairs = [(mine, other) for mine, other in zip(ours, theirs) if mine != other]
    for why, holds in RULES.items():
        if all(holds(mine, other) for mine, other in pairs):
            return why
    return OTHER


RULES = {
    FRONT: lambda mine, other: 0 < mine.start - other.start == mine.end - other.end < BLOCK,
    UNCUT: lambda mine, other: mine.end == other.end and 0 < mine.start - other.start < BLOCK,
}


def show(ranges: list[Range]) -> str:
    """Ranges to read."""
    return " ".join(f"{one.start}–{one.end}" for one in ranges[:4]) or "nothing"


def as_markdown(
    counts: dict[tuple[str, str], Counter[str]], examples: dict[tuple[str, str, str], str]
) -> list[str]:
    """The table."""
    lines = ["# Which octets of samples are protected, beside Shaka Packager", ""]
    lines += ["| codec | scheme | samples | the same | different | why | example |"]
    lines += ["|---|---|--:|--:|--:|---|---|"]
    for (codec, scheme), count in counts.items():
        start = f"| {codec} | `{scheme}` | {count.total()} | {count[SAME]} |"
        others = {why: many for why, many in count.items() if why != SAME}
        if not others:
            lines.append(f"{start} 0 | | |")
        for why, many in others.items():
            lines.append(f"{start} {many} | {why} | {examples[codec, scheme, why]} |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
