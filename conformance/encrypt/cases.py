"""What is asked of `clearkey encrypt`: every scheme, in every way that its arguments allow."""

from __future__ import annotations

from dataclasses import dataclass

from sources import Source

KEYS = (
    "10000000100010001000100000000001:3a2a1b68dd2bd9b2eeb25e84c4776668",
    "10000000100010001000100000000002:550727de4c96ef1ecff874905493580f",
)
CTR, CBC = ("cenc", "cens"), ("cbc1", "cbcs")
SCHEMES = CTR + CBC
# They are given, so that every run writes the same octets. FFmpeg takes the IVs of PIFF for
# counts of subsamples: these are small enough that it reads on.
IV8, IV16 = "0001020304050607", "000102030405060708090a0b0c0d0e0f"
ONE = ("--key", KEYS[0])


@dataclass(frozen=True)
class Variant:
    """Arguments beside the scheme and the IV, how many keys they use, and who takes them."""

    name: str
    options: tuple[str, ...]
    keys: int = 1
    schemes: tuple[str, ...] = SCHEMES
    for_webm: bool = False


VARIANTS = (
    Variant("plain", ONE, for_webm=True),
    Variant("clear lead", (*ONE, "--clear-lead", "1.5"), for_webm=True),
    Variant("two keys", (), keys=2, for_webm=True),
    Variant("rotation", ("--key", KEYS[0], "--key", KEYS[1], "--rotate", "1"), keys=2),
    Variant("16-octet IV", ONE, schemes=("cenc", "cens")),
    Variant("IV per sample", (*ONE, "--per-sample-iv"), schemes=("cbcs",)),
    Variant("5:5", (*ONE, "--pattern", "5:5"), schemes=("cens", "cbcs")),
    Variant("PIFF", (*ONE, "--piff"), schemes=("cenc", "cbc1")),
)


@dataclass(frozen=True)
class Case:
    """A source, and how it is encrypted."""

    source: Source
    scheme: str
    variant: Variant

    def name(self) -> str:
        """For reports."""
        return ", ".join(self.labels().values())

    def labels(self) -> dict[str, str]:
        """What expectations go by."""
        return {
            "codecs": self.source.codecs,
            "container": self.source.container,
            "scheme": self.scheme,
            "variant": self.variant.name,
        }

    def keys(self) -> tuple[str, ...]:
        """The keys that it is encrypted with."""
        return KEYS[: self.variant.keys]

    def options(self) -> list[str]:
        """The arguments of `clearkey encrypt`."""
        long_iv = self.scheme in CBC or self.variant.name == "16-octet IV"
        options = ["--scheme", self.scheme, "--iv", IV16 if long_iv else IV8, *self.variant.options]
        if self.variant.name == "two keys":
            for kind, key in zip(self.source.hashes, KEYS):
                options += ["--track", f"{kind}={key}"]
        return options


def every(sources: list[Source]) -> list[Case]:
    """All cases. WebM has one scheme, and no key that changes."""
    return [
        Case(source, scheme, variant)
        for source in sources
        for scheme in SCHEMES
        for variant in VARIANTS
        if scheme in variant.schemes
        and (source.is_mp4() or (scheme == "cenc" and variant.for_webm))
        and (variant.name != "two keys" or len(source.hashes) == 2)
    ]
