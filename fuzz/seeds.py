"""Seeds out of the known answers in `fixtures/vectors`, which are JSON."""

import json
import pathlib
import struct
from typing import Callable, Dict, Iterable, List

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "fixtures"
VECTORS = FIXTURES / "vectors"
SEEDS = pathlib.Path(__file__).resolve().parent / "seeds"


def vectors(name: str):
    return json.loads((VECTORS / f"{name}.json").read_text())


def named(inputs: Iterable[bytes]) -> Dict[str, bytes]:
    """Each input once, under a name that says its place."""
    return {f"{at:03}": each for at, each in enumerate(dict.fromkeys(inputs))}


def texts(name: str, *members: str) -> Iterable[bytes]:
    """The texts that these members of each entry are."""
    for entry in vectors(name):
        for member in members:
            if isinstance(entry.get(member), str):
                yield entry[member].encode()


def init_data() -> Dict[str, bytes]:
    return named(bytes.fromhex(each["input_hex"]) for each in vectors("init_data") if "input_hex" in each)


def license() -> Dict[str, bytes]:
    return named(
        [
            *texts("license_parse", "input"),
            *texts("license_request", "expected_utf8"),
            *texts("license_release", "expected_utf8", "input"),
        ]
    )


def media(kind: str, *globs: str) -> Callable[[], Dict[str, bytes]]:
    """Files of a kind: the beginnings of these of `fixtures`; whole ones with an index, and short clear ones."""

    def read() -> Dict[str, bytes]:
        found = {name.replace("/", "_"): beginning(name) for name in files(*globs)}
        for path in [*(FIXTURES / "indexed").glob(f"*.{kind}"), *(SEEDS / "clear").glob(f"*.{kind}")]:
            found[f"{path.parent.name}_{path.name}_whole"] = path.read_bytes()
        return found

    return read


def files(*globs: str) -> List[str]:
    """Files of `fixtures` by their names from there."""
    found = [path.relative_to(FIXTURES) for each in globs for path in FIXTURES.glob(each)]
    return sorted(map(str, found))


def beginning(name: str) -> bytes:
    """What a fuzzer can do many times a second, and is a file still."""
    octets = (FIXTURES / name).read_bytes()
    return first_blocks(octets) if name.endswith(".webm") else first_fragment(octets)


def first_fragment(octets: bytes) -> bytes:
    """Up to the second `moof`; all of a file that has none."""
    at = fragments = 0
    while at < len(octets):
        size, kind = struct.unpack_from(">I4s", octets, at)
        fragments += kind == b"moof"
        if fragments > 1:
            break
        at += size
    return octets[:at]


SEGMENT = 0x18538067
CLUSTER = 0x1F43B675
SIMPLE_BLOCK = 0xA3
BLOCK_GROUP = 0xA0


def first_blocks(octets: bytes) -> bytes:
    """Up to the sixth block, in a segment and a cluster that do not say how long they are."""
    at = blocks = 0
    while at < len(octets) and blocks < 6:
        id_len = leading_zeros(octets[at]) + 1
        size_len = leading_zeros(octets[at + id_len]) + 1
        kind = int.from_bytes(octets[at : at + id_len], "big")
        body = at + id_len + size_len
        size = int.from_bytes(octets[at + id_len : body], "big") & ((1 << 7 * size_len) - 1)
        if kind in (SEGMENT, CLUSTER):
            # Of `size_len` octets as before, with all bits set.
            unknown = (1 << 7 * size_len + 1) - 1
            octets = octets[: at + id_len] + unknown.to_bytes(size_len, "big") + octets[body:]
            size = 0
        blocks += kind in (SIMPLE_BLOCK, BLOCK_GROUP)
        at = body + size
    return octets[:at]


def leading_zeros(octet: int) -> int:
    return 8 - octet.bit_length()


def encrypt() -> Dict[str, bytes]:
    """Clear files behind settings."""
    read = {path.name: path.read_bytes() for path in (SEEDS / "clear").iterdir()}
    read.update({name: beginning(name) for name in files("indexed/*")})
    return {
        f"{name.replace('/', '_')}_{octets}": bytes.fromhex(octets) + read[name]
        for name in read
        for octets, what, *_ in lines("settings.txt")
        if what == "webm:" or not name.endswith(".webm")
    }


def lines(name: str) -> List[List[str]]:
    """The words of each line of a file in `fuzz/seeds`."""
    text = (SEEDS / name).read_text().splitlines()
    return [line.split(" ") for line in text if not line.startswith("#")]


def samples() -> Dict[str, bytes]:
    return named(bytes.fromhex(words[0]) for words in lines("samples.txt"))


# As in `codec::fuzzing`.
NAMES = (
    "avc1 avc3 hvc1 hev1 av01 vp09 vp08 mp4a .mp3 ac-3 ec-3 fLaC Opus dvh1 dva1 text V_VP8 V_VP9 V_AV1 V_MPEG4/ISO/AVC "
    "V_MPEGH/ISO/HEVC A_OPUS A_VORBIS A_FLAC A_MPEG/L3 A_AC3 A_EAC3 A_AAC"
).split()


def codec() -> Dict[str, bytes]:
    """Configurations, each with the first samples of its stream."""
    streams = [
        (name, bytes.fromhex(config.strip("-")), [bytes.fromhex(sample)])
        for name, config, sample in lines("codec.txt")
    ]
    for path in sorted((FIXTURES / "codec").glob("*.json")):
        read = json.loads(path.read_text())
        for stream in read if isinstance(read, list) else [read]:
            name = stream.get("format") or ("av01" if path.name.startswith("av1") else "vp09")
            samples = [bytes.fromhex(each.get("data") or each["sample"]) for each in stream["samples"][:6]]
            streams.append((name, bytes.fromhex(stream.get("config", "")), samples))
    behind_its_len = lambda octets: struct.pack(">H", len(octets)) + octets
    return named(
        bytes([NAMES.index(name), 20, 12]) + b"".join(map(behind_its_len, [config, *samples]))
        for name, config, samples in streams
    )
