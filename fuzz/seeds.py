"""Seeds out of the known answers in `fixtures/vectors`, which are JSON."""

import json
import pathlib
import re
from typing import Dict, Iterable

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "vectors"


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
