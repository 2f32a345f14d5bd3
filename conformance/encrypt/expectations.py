"""What is known to go wrong with a tool, and why: `expectations.json`.

An entry names tools, an outcome and a reason, and the cases by regular expressions. The first entry
that fits a case says what must come of it; without one the samples must be exact. `same_with` names
streams of others that the tool gets wrong, too: that is tried. An entry that fits nothing is an
error.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from decrypters import Decrypter, Job, Programs, Verdict, verdict

LABELS = ("codecs", "container", "scheme", "variant")


@dataclass
class Expectation:
    """An entry, and the cases that it has fitted."""

    entry: dict
    fitted: list[tuple[str, str]] = field(default_factory=list)

    def fits(self, tool: str, labels: dict[str, str]) -> bool:
        """Whether it is about a tool and a case."""
        return bool(re.fullmatch(self.entry["tool"], tool)) and all(
            re.fullmatch(self.entry.get(label, ".*"), labels[label]) for label in LABELS
        )

    def is_met(self, seen: Verdict) -> bool:
        """Whether what was to come has come, in the words that were to be said."""
        said = re.search(self.entry.get("said", ""), seen.said)
        return seen.outcome == self.entry["outcome"] and said is not None


def read(path: Path) -> list[Expectation]:
    """All entries."""
    return [Expectation(entry) for entry in json.loads(path.read_text())]


def find(expectations: list[Expectation], tool: str, labels: dict[str, str]) -> Expectation | None:
    """The first that fits."""
    return next((known for known in expectations if known.fits(tool, labels)), None)


def unused(expectations: list[Expectation], tools: list[str]) -> list[str]:
    """What is said of tools that were run, and fits nothing."""
    return [
        f"the expectation “{known.entry['reason']}” fits no case"
        for known in expectations
        if not known.fitted and any(re.fullmatch(known.entry["tool"], tool) for tool in tools)
    ]


def strangers(
    expectations: list[Expectation],
    decrypters: list[Decrypter],
    media: Path,
    programs: Programs,
    work: Path,
) -> tuple[dict[str, dict[str, Verdict]], list[str]]:
    """What tools make of the streams that `same_with` names, and what is not as it says."""
    manifest = {entry["file"]: entry for entry in json.loads((media / "manifest.json").read_text())}
    seen: dict[str, dict[str, Verdict]] = {}
    wrong = []
    for known in expectations:
        for name in known.entry.get("same_with", []):
            for decrypter in decrypters:
                if not re.fullmatch(known.entry["tool"], decrypter.name):
                    continue
                entry = manifest[name]
                if decrypter.takes_one_key and len(entry["keys"]) > 1:
                    continue
                clear = {kind: [digest] for kind, digest in entry["clear_md5"].items()}
                job = Job(media / name, tuple(entry["keys"]), tuple(clear), work, programs)
                made = seen.setdefault(decrypter.name, {})
                made[name] = made.get(name) or verdict(decrypter, job, clear)
                if made[name].outcome == "exact":
                    wrong.append(f"{decrypter.name} decrypts {name}, which is to fail as ours do")
    return seen, wrong
