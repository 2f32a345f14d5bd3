#!/usr/bin/env python3
"""Replaces the key file again and again while clients ask: no request fails, and new keys are soon served.

Files come as lines and as JWK sets, by renaming and by writing over what is there, in one go and haltingly; some are
broken, and then the keys stay as they were. See ../README.md.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import material
import wire
from checks import Checks, figure
from rig import Rig, arguments, rig, wait

CLIENTS = 16
SOON = 2  # seconds
BROKEN = 10  # each of so many replacements is broken


def main() -> None:
    """Runs everything."""
    parser = arguments(__doc__)
    parser.add_argument("--times", type=int, default=200, help="replacements (default 200)")
    options = parser.parse_args()
    checks = Checks()
    with rig(options.clearkey, checks) as made:
        clients = Clients(made)
        delays = [replace(made, number) for number in range(options.times)]
        asked = clients.stop()
        delays = sorted(delay for delay in delays if delay is not None)
        checks.that(asked > 100 * options.times, f"{asked} requests only")
        median, longest = delays[len(delays) // 2], delays[-1]
        figure(
            f"{options.times} replacements, {asked} requests; served after {median:.2f} s, at most {longest:.2f} s"
        )
        checks.same("panic" in made.server.log(), False, "a panic")
    checks.end()


class Clients:
    """Those who ask, all the time, for keys that are in every version."""

    def __init__(self, made: Rig) -> None:
        self.made, self.asked, self.stopping = made, [0] * CLIENTS, threading.Event()
        self.threads = [threading.Thread(target=self.ask, args=(at,)) for at in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def ask(self, at: int) -> None:
        """One of them: its keys are the first of the file, one in the middle, and the last."""
        keys = [self.made.keys[0], self.made.keys[50], self.made.keys[-1]]
        octets = wire.request("POST", "/", body=material.license_request([key.kid for key in keys]))
        with wire.Connection(self.made.server) as connection:
            while not self.stopping.is_set():
                connection.send(octets)
                answer = connection.answer("POST")
                if answer is None or not material.is_license(answer.body, keys):
                    self.made.checks.that(False, f"while keys are replaced: {answer and answer.body!r}")
                    return
                self.asked[at] += 1
                time.sleep(0.02)

    def stop(self) -> int:
        """How often they have asked."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        self.made.checks.that(all(self.asked), f"some have not asked: {self.asked}")
        return sum(self.asked)


def replace(made: Rig, number: int) -> float | None:
    """Writes a version. Returns how long until its own key was served; `None` if it is broken."""
    fresh = material.keys(1, seed=1000 + number)
    keys = [*made.keys[:50], *fresh, *made.keys[50:]]
    form = material.key_set if number % 2 else material.key_lines
    text = form(keys)
    is_broken = number % BROKEN == BROKEN - 1
    if is_broken:
        text = text[: -20 - number % 7]
    complaints = lambda: made.server.log().count("cannot be read again")
    before = complaints()
    write = [by_rename, in_place, haltingly][number % 3]
    write(made.work / "keys.txt", text)
    start = time.monotonic()
    octets = wire.request("POST", "/", body=material.license_request([fresh[0].kid]))
    if is_broken:
        made.checks.that(
            wait(lambda: complaints() > before, SOON), f"version {number}, broken: nothing is said"
        )
        answer = wire.ask(made.server, octets)
        made.checks.that(answer is not None and answer.status == 404, f"version {number}, broken: {answer}")
        return None

    def is_served() -> bool:
        answer = wire.ask(made.server, octets)
        return answer is not None and material.is_license(answer.body, fresh)

    made.checks.that(
        wait(is_served, SOON), f"version {number}, by {write.__name__}: not served within {SOON} s"
    )
    return time.monotonic() - start


def by_rename(path: Path, text: str) -> None:
    """The new file takes the place of the old one."""
    new = path.with_suffix(".new")
    new.write_text(text)
    os.replace(new, path)


def in_place(path: Path, text: str) -> None:
    """The file is emptied and written."""
    path.write_text(text)


def haltingly(path: Path, text: str) -> None:
    """The same by who takes half a second for it."""
    with path.open("w") as file:
        for part in range(0, len(text), len(text) // 5):
            file.write(text[part : part + len(text) // 5])
            file.flush()
            time.sleep(0.1)


if __name__ == "__main__":
    main()
