#!/usr/bin/env python3
"""Asks FFmpeg and Shaka Packager about the manifests that `clearkey encrypt` writes.

Every clear source is refused, made what a manifest wants by the very lines of the refusal, and encrypted with manifests
of both kinds. See ../README.md.
"""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "media"))  # FFmpeg's hashes

import tools

ROOT = HERE.parent.parent
KID, KEY = "10000000100010001000100000000001", "3a2a1b68dd2bd9b2eeb25e84c4776668"
PAIR = f"{KID}:{KEY}"
MPD = {"mpd": "urn:mpeg:dash:schema:mpd:2011"}
DEFAULT_KID = "{urn:mpeg:cenc:2013}default_KID"


@dataclass(frozen=True)
class Said:
    """What a manifest says of a file, in the words of both writers."""

    codecs: str
    size: tuple[str, str]
    frame_rate: Fraction | None
    sampling_rate: str
    channels: str
    kid: str

    def differences(self, other: Said) -> list[str]:
        """What the other one says otherwise."""
        mine, theirs = vars(self), vars(other)
        return [f"{name}: {mine[name]} and {theirs[name]}" for name in mine if mine[name] != theirs[name]]


def main() -> int:
    """Runs everything. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clearkey", type=Path, required=True, help="the program")
    parser.add_argument("--clear", type=Path, default=ROOT / "fixtures/clear", help="the sources")
    parser.add_argument("--packager", type=Path, help="Shaka Packager")
    options = parser.parse_args()
    passed, failed, skipped = 0, 0, 0
    for source in sorted(options.clear.iterdir()):
        with tempfile.TemporaryDirectory(prefix="manifests-") as folder:
            for name, check in checks(options, source, Path(folder)):
                try:
                    why = check()
                    skipped += why is not None
                    passed += why is None
                    print(f"{'skipped' if why else 'ok'}: {name}{f': {why}' if why else ''}")
                except tools.Failed as failure:
                    failed += 1
                    print(f"FAILED: {name}: {failure}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


def checks(options: argparse.Namespace, source: Path, work: Path):
    """The checks of a source, in order; each may build upon those before."""
    copy = work / source.name
    copy.write_bytes(source.read_bytes())
    inputs: list[Path] = []

    def indexed() -> None:
        inputs.extend(follow(options.clearkey, copy, work))

    yield f"{source.name}: the lines of the refusal", indexed
    for scheme in ("cenc", "cbcs"):
        if source.suffix == ".webm" and scheme != "cenc":
            continue
        out = work / scheme
        playlists = source.suffix != ".webm"
        yield f"{source.name} {scheme}: encrypted", lambda: encrypt(options, inputs, out, scheme, playlists)
        yield f"{source.name} {scheme}: FFmpeg opens the DASH manifest", lambda: opens(out / "all.mpd", inputs)
        yield f"{source.name} {scheme}: FFmpeg decrypts by it", lambda: decrypts(out / "all.mpd", inputs)
        if playlists:
            yield f"{source.name} {scheme}: FFmpeg opens the playlists", lambda: opens(out / "all.m3u8", inputs)
        if options.packager:
            yield f"{source.name} {scheme}: Shaka Packager", lambda: agrees(
                options.packager, source, out / "all.mpd", scheme, work
            )


def follow(clearkey: Path, source: Path, work: Path) -> list[Path]:
    """Runs the command lines that a refusal prints. Returns what they make."""
    command = [str(clearkey), "encrypt", str(source), "-o", str(work / "out"), "--key", PAIR]
    done = subprocess.run([*command, "--mpd", str(work / "a.mpd")], capture_output=True, text=True, check=False)
    lines = [line.strip() for line in done.stderr.splitlines() if line.startswith("  ffmpeg ")]
    if done.returncode != 2 or not lines:
        raise tools.Failed(f"exit code {done.returncode} and {len(lines)} command lines")
    made = []
    for line in lines:
        command = shlex.split(line)
        tools.run(command)
        made.append(Path(command[-1]))
    return made


def encrypt(options: argparse.Namespace, inputs: list[Path], out: Path, scheme: str, playlists: bool) -> None:
    """Encrypts with manifests."""
    need(inputs)
    command = [str(options.clearkey), "encrypt", *map(str, inputs), "-o", str(out), "--key", PAIR]
    out.mkdir()
    hls = ["--hls", str(out / "all.m3u8")] if playlists else []
    tools.run([*command, "-q", "--scheme", scheme, "--mpd", str(out / "all.mpd"), *hls])


def need(inputs: list[Path]) -> None:
    """There is nothing to ask without inputs."""
    if not inputs:
        raise tools.Failed("there are no inputs")


def opens(manifest: Path, inputs: list[Path]) -> None:
    """FFprobe finds the streams of all inputs."""
    need(inputs)
    if manifest.suffix == ".m3u8":
        # It takes the key in a playlist for a file, and wants to be allowed that; and it knows no such key, so it
        # cannot look at samples to tell codecs apart.
        options, entries = ["-allowed_extensions", "ALL"], "stream=codec_type"
    else:
        options, entries = ["-cenc_decryption_key", KEY], "stream=codec_name,codec_type"
    show = ["-show_entries", entries, "-of", "csv=p=0"]
    printed, _ = tools.run(["ffprobe", "-v", "error", *options, *show, str(manifest)])
    found = sorted({line.strip(",") for line in printed.split() if line.strip(",")})
    wanted = []
    for path in inputs:
        printed, _ = tools.run(["ffprobe", "-v", "error", *show, str(path)])
        wanted += [line.strip(",") for line in printed.split()]
    if found != sorted(wanted):
        raise tools.Failed(f"streams {found}, not {sorted(wanted)}")


def decrypts(manifest: Path, inputs: list[Path]) -> str | None:
    """FFmpeg finds the clear samples with the key, as it follows the manifest."""
    need(inputs)
    if inputs[0].suffix == ".webm":
        return "FFmpeg decrypts no WebM"
    for path in inputs:
        wanted = tools.sample_hashes(path)
        command = tools.hash_command(manifest, options=["-cenc_decryption_key", KEY])
        # One stream at a time: of all together it leaves the last packets out where one is longer.
        command[command.index("-map") + 1] = "0:v" if "video" in wanted else "0:a"
        printed, _ = tools.run(command)
        found = tools.read_hashes(printed)
        if found != wanted:
            raise tools.Failed(f"samples {found}, not {wanted}")
    return None


def agrees(packager: Path, source: Path, manifest: Path, scheme: str, work: Path) -> str | None:
    """Shaka Packager says the same of the same source."""
    ours = read(manifest)
    folder = work / f"packager-{scheme}"
    folder.mkdir()
    streams = [
        f"in={source},stream={kind},output={folder / kind}{source.suffix}" for kind in sorted(ours, reverse=True)
    ]
    keys = ["--enable_raw_key_encryption", "--keys", f"label=:key_id={KID}:key={KEY}", "--clear_lead", "0"]
    options = [*keys, "--protection_scheme", scheme, "--mpd_output", str(folder / "all.mpd")]
    try:
        tools.run([str(packager), "-quiet", *streams, *options])
    except tools.Failed as failure:
        return f"it refuses the source: {failure}"
    theirs = read(folder / "all.mpd")
    for kind, said in ours.items():
        differences = said.differences(theirs[kind])
        if differences:
            raise tools.Failed(f"{kind}: {'; '.join(differences)}")
        check_ranges(folder / f"{kind}{source.suffix}", folder / "all.mpd", kind)
        check_ranges(manifest.parent / url(manifest, kind), manifest, kind)
    return None


def read(manifest: Path) -> dict[str, Said]:
    """What a manifest says, by kind."""
    found = {}
    for one, of in representations(manifest):
        kind = one.find("mpd:AudioChannelConfiguration", MPD)
        rate = of("frameRate")
        found[of("contentType")] = Said(
            codecs=of("codecs"),
            size=(of("width"), of("height")),
            frame_rate=Fraction(rate) if rate else None,
            sampling_rate=of("audioSamplingRate"),
            channels=kind.get("value", "") if kind is not None else "",
            kid=of(DEFAULT_KID),
        )
    return found


def representations(manifest: Path):
    """Each representation, and what finds an attribute of it or of its adaptation set."""
    for adaptation in ElementTree.parse(manifest).iterfind(".//mpd:AdaptationSet", MPD):
        inner = [adaptation, *adaptation.iterfind("mpd:ContentProtection", MPD)]
        for one in adaptation.iterfind("mpd:Representation", MPD):
            levels = [one, *inner]
            yield one, lambda name, levels=levels: next((e.get(name) for e in levels if e.get(name)), "")


def url(manifest: Path, kind: str) -> str:
    """Where a manifest finds the media of a kind."""
    found = [one.findtext("mpd:BaseURL", "", MPD) for one, of in representations(manifest) if of("contentType") == kind]
    return found[0]


def check_ranges(media: Path, manifest: Path, kind: str) -> None:
    """The index begins where the manifest says, and is all that is there; what is before it is the header."""
    data = media.read_bytes()
    for one, of in representations(manifest):
        if of("contentType") != kind:
            continue
        base = one.find("mpd:SegmentBase", MPD)
        start, end = (int(number) for number in re.split("-", base.get("indexRange")))
        init = base.find("mpd:Initialization", MPD).get("range").split("-")
        is_index = data[start + 4 : start + 8] == b"sidx" or data[start : start + 4] == b"\x1c\x53\xbb\x6b"
        if not is_index or init[0] != "0" or int(init[1]) >= start:
            raise tools.Failed(f"{media.name}: no index at {start}, or {init} for a header")
        if data[start + 4 : start + 8] == b"sidx":
            size = int.from_bytes(data[start : start + 4], "big")
            if end != start + size - 1:
                raise tools.Failed(f"{media.name}: an index of {size} octets at {start}-{end}")


if __name__ == "__main__":
    sys.exit(main())
