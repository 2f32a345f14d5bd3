#!/usr/bin/env python3
"""Asks `clearkey serve` for all that it must not do, and sees it well after each group of requests.

Every such request is refused or dropped; after each group a good one is answered; and after all groups the server
holds no more memory, connections or threads than before. See ../README.md.
"""

from __future__ import annotations

import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import material
import wire
from checks import Checks, figure
from groups import bodies, crowd, cuts, handshakes, heads, origins, paths, ranges, rates, slow
from rig import Rig, arguments, rig, wait

QUICK = [bodies.run, heads.run, paths.run, ranges.run, origins.run, rates.run, cuts.run, crowd.run]
SLOW = [slow.run, handshakes.run]
SLOWEST = [slow.readers, crowd.stays]
GROWTH = 6 << 10  # KiB that all groups may leave behind when they run first
MORE = 1 << 10  # and when they run again


def main() -> None:
    """Runs everything."""
    parser = arguments(__doc__)
    parser.add_argument(
        "--long", action="store_true", help="what takes half a minute, too, and all of it twice"
    )
    parser.add_argument("--group", help="only this one, as bodies or slow")
    options = parser.parse_args()
    warnings.simplefilter("ignore", DeprecationWarning)  # of old versions of TLS, which are refused
    groups = [*QUICK, *SLOW, *(SLOWEST if options.long else [])]
    if options.group:
        groups = [group for group in groups if group.__module__.endswith(options.group)]
    checks = Checks()
    with rig(options.clearkey, checks) as made:
        warm_up(made)
        before = state(made)
        figure(f"warm: {before}")
        rounds = []
        for number in range(3 if options.long else 1):
            for group in groups:
                if group not in SLOW:
                    one(made, group)
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda group: one(made, group), [group for group in groups if group in SLOW]))
            made.rest()
            rounds.append(state(made))
            figure(f"after round {number + 1}: {rounds[-1]}")
        checks.that(rounds[0].rss - before.rss <= GROWTH, f"memory: {rounds[0]}, {before} before")
        for earlier, later in zip(rounds, rounds[1:]):
            checks.that(later.rss - earlier.rss <= MORE, f"memory: {later}, {earlier} a round before")
        # Threads that read files go after ten seconds without one.
        is_back = wait(lambda: made.server.threads() <= before.threads, 15 if options.long else 0.1)
        if options.long:
            checks.that(is_back, f"threads: {state(made)}, {before} before")
            figure(f"at rest: {state(made)}")
    checks.end()


def one(made: Rig, group) -> None:
    """Runs a group, and sees the server well."""
    name = f"{group.__module__.split('.')[-1]}.{group.__name__}"
    start, passed = time.monotonic(), made.checks.passed
    try:
        group(made)
    except OSError as error:
        made.checks.that(False, f"{name}: {error!r}")
    made.serves(name)
    made.checks.that("panic" not in made.server.log(), f"{name}: a panic")
    figure(f"{name}: {made.checks.passed - passed} checks in {time.monotonic() - start:.1f} s")


class state:
    """What a server holds at a time."""

    def __init__(self, made: Rig) -> None:
        self.rss, self.threads, self.fds = made.server.rss(), made.server.threads(), made.server.fds()

    def __repr__(self) -> str:
        return f"{self.rss} KiB, {self.threads} threads, {self.fds} files"


def warm_up(made: Rig) -> None:
    """What a server does all day, until it holds what it needs for that: as many connections as it has room for."""
    licenses = wire.request("POST", "/", body=material.license_request([key.kid for key in made.keys[:50]]))
    for _ in range(500):
        wire.ask(made.server, licenses)
    for target in ["/", "/streams", "/metrics", "/media/video.mp4"] * 5:
        wire.ask(made.server, wire.request("GET", target))
    with ExitStack() as stack:
        full = [stack.enter_context(wire.Connection(made.server)) for _ in range(crowd.ROOM - 8)]
        for connection in full:
            connection.send(licenses)
        for connection in full:
            answer = connection.answer("POST")
            made.checks.that(
                answer is not None and answer.status == 200, f"with all connections open: {answer}"
            )
    made.rest()


if __name__ == "__main__":
    main()
