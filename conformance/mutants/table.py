#!/usr/bin/env python3
"""What became of the mutants, by crate and file, and which of them no test sees.

    table.py OUT                the table, as Markdown
    table.py OUT --rest CRATE   a pattern for the mutants of a crate that are not tried yet

OUT is what `run` wrote: for each crate the list of its mutants, a table of those that were woven in, and the folder
that `cargo mutants` made for the others. The score is caught of viable; a mutant whose tests do not end is caught.
"""
import collections
import json
import pathlib
import re
import sys

out = pathlib.Path(sys.argv[1])
VERDICTS = ("caught", "timeout", "unviable", "missed")


def verdicts(crate):
    """The names of a crate's mutants, with what became of each; `None`: it was not tried."""
    mutants = json.loads((out / f"{crate}.json").read_text())
    found = {}
    for verdict in VERDICTS:
        for listed in out.glob(f"{crate}/**/{verdict}.txt"):
            found |= {name: verdict for name in listed.read_text().splitlines()}
    if (out / f"{crate}.tsv").exists():
        for line in (out / f"{crate}.tsv").read_text().splitlines():
            _, verdict, _, name = line.split("\t")
            found[name] = verdict
    return {mutant["name"]: found.get(mutant["name"]) for mutant in mutants}


def rest(crate):
    names = [name for name, verdict in verdicts(crate).items() if verdict is None]
    return "^(" + "|".join(re.sub(r"([^\w\s<>=/%',\":;!@])", r"\\\1", name) for name in names) + ")$"


def row(name, verdicts):
    count = collections.Counter(verdicts)
    viable = count["caught"] + count["timeout"] + count["missed"]
    score = 100 * (viable - count["missed"]) / viable if viable else 100
    cells = [name, len(verdicts), *(count[verdict] for verdict in VERDICTS), f"{score:.1f} %"]
    if count[None]:
        cells[0] += f" ({count[None]} not tried)"
    return "| " + " | ".join(map(str, cells)) + " |"


def table():
    missed = []
    print("| | mutants | caught | without end | not viable | missed | score |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    passed, failed = 0, 0
    for crate in sorted(path.stem for path in out.glob("*.json")):
        files = collections.defaultdict(list)
        for name, verdict in verdicts(crate).items():
            files[name.split(":")[0]].append(verdict)
            missed += [name] if verdict == "missed" else []
        of_all = sum(files.values(), [])
        passed += of_all.count("caught") + of_all.count("timeout")
        failed += of_all.count("missed")
        print(row(f"**{crate}**", of_all))
        for file, of_file in sorted(files.items()):
            print(row(f"`{file}`", of_file))
    print("\nMissed:\n")
    for name in missed:
        print(f"- `{name}`")
    print(f"\nmutants: {passed} passed, {failed} failed")


if sys.argv[2:3] == ["--rest"]:
    print(rest(sys.argv[3]))
else:
    table()
