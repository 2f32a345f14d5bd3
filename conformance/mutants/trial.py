#!/usr/bin/env python3
"""Runs the tests of a crate for each mutant that build.py has put into them.

    trial.py LIST TARGET CRATE OUT [NUMBER...]

OUT gets a line for each mutant: its number, what became of it, and the first test that failed. Mutants that have a
line already are not tried again. The test programs run one after the other, and the first that fails is the last.

The tests whose names `QUICK` matches, in the form of `--skip`, come last: they take long and find little.

A mutant is `caught` if a test fails; `timeout` if a test program takes eight seconds of CPU time, which is six times
what the slowest needs, or is not done after two minutes and a half; `missed` if all tests pass.
"""
import concurrent.futures
import contextlib
import itertools
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys

CPU_SECONDS, SECONDS = 8, 150

mutants, target, crate, out = sys.argv[1:5]
out = pathlib.Path(out)
build = json.loads(pathlib.Path(target, "build.json").read_text())
titles = [mutant["name"] for mutant in json.loads(pathlib.Path(mutants).read_text())]
# The tests inside of the crate are the quickest.
tests = sorted(build["tests"], key=lambda test: not pathlib.Path(test).name.startswith(f"{crate}-"))


def limited():
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(command, env):
    """The status of a test program and what it said; `None`: it did not end. Nothing that it started is left."""
    with subprocess.Popen(
        command, cwd=pathlib.Path(target, crate), env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, preexec_fn=limited,
    ) as test:  # fmt: skip
        try:
            said = test.communicate(timeout=SECONDS)[0]
            return test.returncode, said.decode(errors="replace")
        except subprocess.TimeoutExpired:
            return None, ""
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(test.pid, signal.SIGKILL)


def trial(number):
    env = {**os.environ, "MUTANT": str(number), "PROPTEST_MAX_SHRINK_ITERS": "0"}
    env |= {"PROPTEST_DISABLE_FAILURE_PERSISTENCE": "true", "RUST_BACKTRACE": "0"}
    skipped = os.environ.get("QUICK", "").split()
    rounds = [[argument for name in skipped for argument in ("--skip", name)], skipped] if skipped else [[]]
    for names, test in itertools.product(rounds, tests):
        status, said = run([test, "--test-threads", "2", *names], env)
        if status is None:
            return "timeout", "waits"
        if status in (-signal.SIGKILL, -signal.SIGXCPU):
            return "timeout", "runs"
        if status:
            failed = re.search(r"^test (\S+).*FAILED$", said, re.M)
            return "caught", failed[1] if failed else f"status {status}"
    return "missed", ""


if trial(0)[0] != "missed":
    sys.exit(f"{crate}: tests fail without a mutant: {trial(0)[1]}")
done = {int(line.split("\t")[0]) for line in out.read_text().splitlines()} if out.exists() else set()
wanted = [int(number) for number in sys.argv[5:]] or build["woven"]
wanted = [number for number in wanted if number not in done]
with out.open("a") as lines, concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", "2"))) as pool:
    trials = {pool.submit(trial, number): number for number in wanted}
    for done in concurrent.futures.as_completed(trials):
        number, (verdict, test) = trials[done], done.result()
        print(number, verdict, test, titles[number - 1], sep="\t", file=lines, flush=True)
print(f"{crate}: {len(wanted)} mutants tried")
