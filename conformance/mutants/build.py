#!/usr/bin/env python3
"""Builds the tests of a crate with all of its mutants woven in.

    build.py LIST SOURCE TARGET CRATE

As weave.py. What the compiler refuses is left out, in as many rounds as that takes; `TARGET/build.json` tells the
numbers of the mutants in it, and of those left out, and where the tests are.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys

here = pathlib.Path(__file__).resolve().parent
mutants, source, target, crate = sys.argv[1:5]


def cargo(*args):
    command = ["cargo", *args, "--package", crate, "--message-format", "json"]
    done = subprocess.run(command, cwd=target, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def refused(messages, lines):
    """The mutants that errors are about."""
    numbers, others = set(), set()
    for message in (message.get("message", {}) for message in messages):
        if message.get("level") != "error" or not message.get("spans"):
            continue
        spans = sorted(message["spans"], key=lambda span: not span["is_primary"])
        found = next(filter(None, (within(span, lines) for span in spans)), None)
        numbers |= found or set()
        if not found:
            others |= near(spans[0], lines, (message.get("code") or {}).get("code") == "E0015")
    # Errors elsewhere are mostly consequences.
    return numbers or others


def within(span, lines):
    owners = lines.get(span["file_name"], {})
    whole = map(str, range(span["line_start"], span["line_end"] + 1))
    return {owners[line] for line in whole if line in owners}


def near(span, lines, is_ahead):
    """An error elsewhere comes of what a mutant returned before. What a constant may not ask is about what follows."""
    at, owners = span["line_start"], {int(line): owner for line, owner in lines.get(span["file_name"], {}).items()}
    if is_ahead:
        found = [line for line in owners if line > at]
        return {owners[min(found)]} if found else set()
    found = [line for line in owners if line < at]
    return {owners[max(found)]} if found else set()


dropped = {int(number) for number in sys.argv[5:]}
for _ in range(40):
    weave = [sys.executable, here / "weave.py", mutants, source, target, crate, *map(str, sorted(dropped))]
    subprocess.run(weave, check=True)
    woven = json.loads(pathlib.Path(target, "woven.json").read_text())
    failed, messages = cargo("check", "--lib")
    if not failed:
        failed, messages = cargo("test", "--no-run")
    if not failed:
        break
    numbers = refused(messages, woven["lines"])
    if not numbers:
        sys.exit("".join(message["message"]["rendered"] for message in messages if "message" in message))
    print(f"{crate}: the compiler refuses {len(numbers)}", flush=True)
    dropped |= numbers
tests = [message["executable"] for message in messages if message.get("executable") and message["profile"]["test"]]
# Another build may put its tests into the same place.
kept = pathlib.Path(target).resolve() / "tests"
shutil.rmtree(kept, ignore_errors=True)
kept.mkdir()
tests = [shutil.copy(test, kept) for test in tests]
build = {"woven": woven["woven"], "refused": sorted(dropped), "tests": list(map(str, tests))}
pathlib.Path(target, "build.json").write_text(json.dumps(build))
print(f"{crate}: {len(woven['woven'])} mutants in {len(tests)} tests; {len(dropped)} left out")
