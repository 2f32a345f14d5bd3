"""A client that asks too often."""

from __future__ import annotations

import time

import material
import wire
from rig import Rig

RATE = 20


def run(rig: Rig) -> None:
    """It is told to wait, others are not, and when it has waited it is answered."""
    octets = wire.request("POST", "/", body=material.license_request([rig.keys[0].kid]))
    limited = rig.another("--rate", str(RATE))
    limited.heard = rig.server.heard
    with limited as server:
        start = time.monotonic()
        answers = [wire.ask(server, octets) for _ in range(5 * RATE)]
        seconds = time.monotonic() - start
        good = [answer for answer in answers if answer and answer.status == 200]
        refused = [answer for answer in answers if answer and answer.status == 429]
        rig.checks.same(len(good) + len(refused), len(answers), "answers of a client that asks too often")
        most = RATE * (1 + seconds) + 1
        rig.checks.that(
            RATE <= len(good) <= most, f"{len(good)} licenses in {seconds:.2f} s at a rate of {RATE}"
        )
        waits = {answer.headers.get("retry-after") for answer in refused}
        rig.checks.same(waits, {"1"}, "retry-after")
        other = wire.ask(server, octets, "127.0.0.2")
        rig.checks.that(other is not None and other.status == 200, f"another client: {other}")
        streams = wire.ask(server, wire.request("GET", "/streams"))
        rig.checks.that(streams is not None and streams.status == 429, f"/streams for it: {streams}")
        forged = {"x-forwarded-for": "10.0.0.1", "forwarded": "for=10.0.0.1", "x-real-ip": "10.0.0.1"}
        body = material.license_request([rig.keys[0].kid])
        wire_octets = wire.request("POST", "/", forged, body)
        statuses = {getattr(wire.ask(server, wire_octets), "status", None) for _ in range(RATE)}
        rig.checks.that(429 in statuses, f"a client that says it is another: {statuses}")
        for target in ("/healthz", "/metrics", "/media/sub/audio.m4a"):
            answer = wire.ask(server, wire.request("GET", target))
            rig.checks.that(answer is not None and answer.status == 200, f"{target} for it: {answer}")
        time.sleep(1.1)
        answer = wire.ask(server, octets)
        rig.checks.that(answer is not None and answer.status == 200, f"after it has waited: {answer}")
