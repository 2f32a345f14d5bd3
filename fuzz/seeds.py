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


def license() -> Dict[str, bytes]:
    return named(
        [
            *texts("license_parse", "input"),
            *texts("license_request", "expected_utf8"),
            *texts("license_release", "expected_utf8", "input"),
        ]
    )


def media(*globs: str) -> Callable[[], Dict[str, bytes]]:
    """The beginnings of these files of `fixtures`."""
    return lambda: {name.replace("/", "_"): beginning(name) for name in files(*globs)}


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
    lines = (SEEDS / "settings.txt").read_text().splitlines()
    settings = [line.split(" ", 1) for line in lines if not line.startswith("#")]
    read = {path.name: path.read_bytes() for path in (SEEDS / "clear").iterdir()}
    read.update(media("indexed/*")())
    return {
        f"{name}_{octets}": bytes.fromhex(octets) + read[name]
        for name in read
        for octets, what in settings
        if what.startswith("webm") or not name.endswith(".webm")
    }
