#!/usr/bin/env python3
"""Many license requests from many connections at a time: every answer is the right license, over http and https.

Clients in several processes check each answer; their times hold their own work. With --long, h2load asks as often
again and gives the times of the server alone. See ../README.md.
"""

from __future__ import annotations

import multiprocessing
import random
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import material
import wire
from checks import Checks, figure
from rig import Rig, arguments, rig
from server import Server

PROCESSES = 4
CONNECTIONS = 64


def main() -> None:
    """Runs everything."""
    parser = arguments(__doc__)
    parser.add_argument("--requests", type=int, default=10_000, help="of each kind (default 10,000)")
    parser.add_argument("--long", action="store_true", help="ask with h2load, too")
    options = parser.parse_args()
    checks = Checks()
    with rig(options.clearkey, checks) as made:
        load(made, made.server, options)
        with made.another("--rate", "0", is_https=True) as secure:
            load(made, secure, options)
    checks.end()


def load(made: Rig, server: Server, options) -> None:
    """Asks one server."""
    scheme = server.url.split(":")[0]
    before, start = server.rss(), time.monotonic()
    share = options.requests // CONNECTIONS + 1
    with multiprocessing.get_context("fork").Pool(PROCESSES, prepare, (server, made.keys)) as pool:
        clients = [range(at, CONNECTIONS, PROCESSES) for at in range(PROCESSES)]
        found = pool.starmap(many, [(list(numbers), share) for numbers in clients])
    seconds = time.monotonic() - start
    times = sorted(taken for taken_by_one, _ in found for taken in taken_by_one)
    wrong = [what for _, wrong_of_one in found for what in wrong_of_one]
    made.checks.same(len(times), share * CONNECTIONS, f"{scheme}: answers")
    for what in wrong[:5]:
        print(f"    {what}")
    made.checks.same(len(wrong), 0, f"{scheme}: wrong answers")
    tell(f"{scheme}, clients that check", times, seconds)
    if options.long:
        with_h2load(made, server, scheme, options.requests)
    figure(f"{scheme}: {before} KiB before, {server.rss()} KiB after")


def prepare(server: Server, keys: list[material.Key]) -> None:
    """What a process of clients knows."""
    many.server, many.keys = server, keys


def many(numbers: list[int], share: int) -> tuple[list[float], list[str]]:
    """Clients with one connection each. Returns how long each answer took, and what was wrong."""
    with ThreadPoolExecutor(len(numbers)) as pool:
        found = list(pool.map(lambda number: client(number, share), numbers))
    return [taken for times, _ in found for taken in times], [what for _, wrong in found for what in wrong]


def client(number: int, share: int) -> tuple[list[float], list[str]]:
    """One client, which asks for one to five keys, again and again."""
    chance, times, wrong = random.Random(number), [], []
    with wire.Connection(many.server) as connection:
        for _ in range(share):
            asked = chance.sample(many.keys, chance.randint(1, 5))
            octets = wire.request("POST", "/", body=material.license_request([key.kid for key in asked]))
            start = time.perf_counter()
            connection.send(octets)
            answer = connection.answer("POST")
            times.append(time.perf_counter() - start)
            if answer is None:
                return times, [*wrong, f"client {number}: the connection is dropped"]
            if answer.status != 200 or not material.is_license(answer.body, asked):
                wrong.append(f"client {number}: {answer.status} {answer.body[:200]!r}")
    return times, wrong


def with_h2load(made: Rig, server: Server, scheme: str, requests: int) -> None:
    """Asks for one key. h2load does not look into answers, but counts their octets."""
    body, log = made.work / "request.json", made.work / f"{scheme}.log"
    body.write_bytes(material.license_request([made.keys[0].kid]))
    length = len(wire.ask(server, wire.request("POST", "/", body=body.read_bytes())).body)
    log.unlink(missing_ok=True)
    command = ["h2load", "--h1", "-n", str(requests), "-c", str(CONNECTIONS), "-d", str(body)]
    done = subprocess.run(
        [*command, "--log-file", str(log), server.url], capture_output=True, text=True, timeout=300
    )
    counts = re.search(r"(\d+) succeeded, (\d+) failed.*\n.*status codes: (\d+) 2xx", done.stdout)
    expected = (str(requests), "0", str(requests))
    made.checks.same(counts and counts.groups(), expected, f"{scheme}, h2load: {done.stdout[-500:]}")
    octets = re.search(r"\((\d+)\) data", done.stdout)
    made.checks.same(octets and int(octets[1]), requests * length, f"{scheme}, h2load: octets of answers")
    lines = [line.split() for line in log.read_text().splitlines()]
    times = sorted(int(micros) / 1e6 for _, _, micros in lines)
    seconds = re.search(r"finished in ([\d.]+)(ms|s)", done.stdout)
    tell(f"{scheme}, h2load", times, float(seconds[1]) / (1000 if seconds[2] == "ms" else 1))


def tell(what: str, times: list[float], seconds: float) -> None:
    """The figures of a load."""
    at = lambda share: f"{1000 * times[min(int(share * len(times)), len(times) - 1)]:.2f} ms"
    rate = len(times) / seconds
    figure(f"{what}: {len(times)} answers, {rate:.0f} a second, p50 {at(0.5)}, p99 {at(0.99)}, longest {at(1)}")


if __name__ == "__main__":
    main()
