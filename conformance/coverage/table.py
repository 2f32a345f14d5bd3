"""Lines of each crate that tests run, from an LCOV report; with `--missing`, the others by file."""

import argparse
import collections
import pathlib
import re
import sys

ENOUGH = 90
ROOT = pathlib.Path(__file__).resolve().parents[2]
# What only tests, fuzzers and checks are made of.
FOR_TESTS = re.compile(r"(^|/)(tests|testing|laws|fuzzing|vectors|examples|benches)(/|\.rs$)|^cenc/src/naive\.rs$")
# Judged by sanitizers, fuzzers and real browsers.
ELSEWHERE = ("browser", "browser/abi", "browser/host")


def first_line_of_tests(path):
    """Tests stand last in a file."""
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines, 1):
        if line == "#[cfg(test)]" and number < len(lines) and re.fullmatch(r"mod \w+ \{", lines[number]):
            return number
    return len(lines) + 1


def files(report):
    """Yields a path in the workspace, and its lines: number and count of executions."""
    path, lines = None, {}
    for record in report.read_text().splitlines():
        key, _, value = record.partition(":")
        if key == "SF":
            path, lines = pathlib.Path(value), {}
        elif key == "DA":
            number, count = map(int, value.split(",")[:2])
            lines[number] = max(count, lines.get(number, 0))
        elif key == "end_of_record" and path.is_relative_to(ROOT):
            yield path.relative_to(ROOT), lines


def runs(numbers):
    """`[3, 4, 5, 9]` as `3-5 9`."""
    found = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in found)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("report", type=pathlib.Path)
    arguments.add_argument("--missing", action="store_true")
    arguments = arguments.parse_args()
    crates, missing = collections.defaultdict(lambda: [0, 0]), {}
    for path, lines in files(arguments.report):
        if FOR_TESTS.search(str(path)) or "src" not in path.parts:
            continue
        crate = "/".join(path.parts[: path.parts.index("src")]) or "(the command)"
        end = first_line_of_tests(ROOT / path)
        lines = {number: count for number, count in lines.items() if number < end}
        crates[crate][0] += sum(count > 0 for count in lines.values())
        crates[crate][1] += len(lines)
        missing[path] = sorted(number for number, count in lines.items() if count == 0)
    if arguments.missing:
        for path, numbers in sorted(missing.items()):
            if numbers:
                print(f"{path}: {runs(numbers)}")
        print()
    print("| crate | lines | run by tests | |\n|---|---|---|---|")
    failed = 0
    for crate, (run, lines) in sorted(crates.items()):
        print(f"| {crate} | {lines} | {run} | {100 * run / lines:.1f} % |")
        failed += crate not in ELSEWHERE and 100 * run < ENOUGH * lines
    print(f"coverage: {len(crates) - failed} passed, {failed} failed")
    return 1 if failed or not crates else 0


if __name__ == "__main__":
    sys.exit(main())
