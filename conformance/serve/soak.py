#!/usr/bin/env python3
"""A steady mix of good and bad requests and of new key files: nothing fails, and memory and open files stay.

Memory is judged by medians, of one sample a second: that of the last quarter against that of the second. The first
quarter is the warm-up. See ../README.md.
"""

from __future__ import annotations

import random
import statistics
import threading
import time

import material
import wire
from checks import Checks, figure
from groups.bodies import NO_MESSAGES
from rig import Rig, arguments, rig
from replace import by_rename, in_place

WORKERS = 8
GROWTH = 1 << 10  # KiB
LONG = 2  # minutes; what is shorter is still warm-up, and only a large leak shows
REPLACED = 1.7  # seconds from one key file to the next


def main() -> None:
    """Runs everything."""
    parser = arguments(__doc__)
    parser.add_argument("--minutes", type=float, default=5, help="for so long (default 5)")
    parser.add_argument("--rate", type=int, default=400, help="requests a second (default 400)")
    options = parser.parse_args()
    checks = Checks()
    with rig(options.clearkey, checks) as made:
        stopping = threading.Event()
        asked = [0] * WORKERS
        jobs = [threading.Thread(target=replace, args=(made, stopping))]
        for at in range(WORKERS):
            jobs.append(threading.Thread(target=work, args=(made, stopping, asked, at, WORKERS / options.rate)))
        for job in jobs:
            job.start()
        samples = []
        end = time.monotonic() + 60 * options.minutes
        while time.monotonic() < end:
            time.sleep(min(1, options.minutes * 2))
            samples.append((made.server.rss(), made.server.fds(), made.server.threads()))
        stopping.set()
        for job in jobs:
            job.join()
        judge(checks, samples, sum(asked), options.minutes)
        checks.that(all(asked), f"some have not asked: {asked}")
        made.serves("the soak")
        made.rest()
        checks.that("panic" not in made.server.log(), "a panic")
    checks.end()


def judge(checks: Checks, samples: list[tuple[int, int, int]], asked: int, minutes: float) -> None:
    """Whether it has stayed as it was."""
    quarter = len(samples) // 4
    quarters = [samples[at * quarter : (at + 1) * quarter] for at in range(4)]
    medians = [[statistics.median(column) for column in zip(*part)] for part in quarters]
    memory = GROWTH if minutes >= LONG else 4 * GROWTH
    for name, column, allowed in (
        ("memory in KiB", 0, memory),
        ("open files", 1, WORKERS),
        ("threads", 2, 2 * WORKERS),
    ):
        by_quarter = [median[column] for median in medians]
        figure(f"{name}, by quarters: {', '.join(f'{value:.0f}' for value in by_quarter)}")
        growth = by_quarter[3] - by_quarter[1]
        checks.that(growth <= allowed, f"{name}: {growth:.0f} more in the last quarter than in the second")
    figure(f"{asked} requests in {minutes:g} min")


def work(made: Rig, stopping: threading.Event, asked: list[int], at: int, pause: float) -> None:
    """Asks one thing after the other, at its pace."""
    chance = random.Random(at)
    due = time.monotonic()
    while not stopping.is_set():
        ask = chance.choices([a_license, a_range, a_text, a_bad_one], [60, 20, 5, 15])[0]
        try:
            ask(made, chance)
        except OSError as error:
            made.checks.that(False, f"{ask.__name__}: {error!r}")
        asked[at] += 1
        due += pause
        time.sleep(max(0, due - time.monotonic()))


def a_license(made: Rig, chance: random.Random) -> None:
    """A few of them on one connection."""
    with wire.Connection(made.server) as connection:
        for _ in range(chance.randint(1, 3)):
            asked = chance.sample(made.keys, chance.randint(1, 20))
            connection.send(
                wire.request("POST", "/", body=material.license_request([key.kid for key in asked]))
            )
            answer = connection.answer("POST")
            made.checks.that(
                answer is not None and material.is_license(answer.body, asked), f"a license: {answer}"
            )


def a_range(made: Rig, chance: random.Random) -> None:
    """As players seek."""
    whole = made.shown["video.mp4"]
    first = chance.randrange(len(whole))
    last = min(first + chance.randrange(1 << 18), len(whole) - 1)
    answer = wire.ask(made.server, wire.request("GET", "/media/video.mp4", {"range": f"bytes={first}-{last}"}))
    is_so = answer is not None and answer.status == 206 and answer.body == whole[first : last + 1]
    made.checks.that(is_so, f"octets {first} to {last}: {answer and answer.status}")


def a_text(made: Rig, chance: random.Random) -> None:
    """What pages and Prometheus ask for."""
    target = chance.choice(["/", "/streams", "/metrics", "/healthz"])
    answer = wire.ask(made.server, wire.request("GET", target))
    made.checks.that(
        answer is not None and answer.status == 200 and len(answer.body) > 0, f"{target}: {answer}"
    )


def a_bad_one(made: Rig, chance: random.Random) -> None:
    """What is refused, and what breaks off."""
    name, body = chance.choice(list(NO_MESSAGES.items()))
    octets = chance.choice(
        [
            wire.request("POST", "/", body=body),
            wire.request("GET", f"/media/..%2f{chance.random()}.mp4"),
            wire.request("GET", f"/{chance.random()}"),
            wire.request(f"X{chance.randrange(10**6)}", "/"),
            wire.request("POST", "/", body=material.license_request([b"unknown" + chance.randbytes(9)])),
        ]
    )
    if chance.random() < 0.3:
        with wire.Connection(made.server) as connection:
            connection.send(octets[: chance.randrange(len(octets))])
    else:
        made.is_refused(octets, name)


def replace(made: Rig, stopping: threading.Event) -> None:
    """New key files, which all have the keys that are asked for."""
    number = 0
    while not stopping.wait(REPLACED):
        keys = [*made.keys, *material.keys(chance_of(number), seed=number + 10)]
        text = (material.key_set if number % 2 else material.key_lines)(keys)
        (by_rename, in_place)[number // 2 % 2](made.work / "keys.txt", text)
        number += 1


def chance_of(number: int) -> int:
    """How many keys more a version has."""
    return number * 37 % 200


if __name__ == "__main__":
    main()
