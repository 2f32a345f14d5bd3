#!/usr/bin/env python3
"""What /metrics counts is what was asked, as Prometheus' own parser of OpenMetrics reads it.

Needs the package prometheus_client of PyPI. See ../README.md.
"""

from __future__ import annotations

import random
from collections import Counter

import material
import wire
from checks import Checks, figure
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from replace import by_rename
from rig import Rig, arguments, rig, wait

TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
MEDIA = "/media/{*path}"


def main() -> None:
    """Runs everything."""
    options = arguments(__doc__).parse_args()
    checks = Checks()
    with rig(options.clearkey, checks) as made:
        expected, kids = ask(made)
        reload(made)
        compare(made, expected, kids)
    checks.end()


def ask(made: Rig) -> tuple[Counter, Counter]:
    """Asks for all there is. Returns how often each route should have answered with each status, and key ids."""
    chance, expected, kids = random.Random(6), Counter(), Counter()
    post = lambda body: wire.request("POST", "/", body=body)
    known, unknown = [key.kid for key in made.keys[:7]], [bytes([n]) for n in range(5)]
    kinds = [
        ("/", 200, post(material.license_request(known)), (7, 0)),
        ("/", 200, post(material.license_request([*known, *unknown])), (7, 5)),
        ("/", 404, post(material.license_request(unknown)), (0, 5)),
        ("/", 400, post(b"{"), (0, 0)),
        ("/", 413, post(bytes(200_000)), (0, 0)),
        ("/", 415, wire.request("POST", "/", {"content-encoding": "gzip"}, b"{}"), (0, 0)),
        ("/", 200, post(b'{"kids":["AA"]}'), (0, 0)),
        ("/", 200, wire.request("GET", "/"), (0, 0)),
        ("/", 204, wire.request("OPTIONS", "/"), (0, 0)),
        ("/", 405, wire.request("DELETE", "/"), (0, 0)),
        (MEDIA, 200, wire.request("GET", "/media/sub/audio.m4a"), (0, 0)),
        (MEDIA, 206, wire.request("GET", "/media/video.mp4", {"range": "bytes=5-9"}), (0, 0)),
        (MEDIA, 416, wire.request("GET", "/media/video.mp4", {"range": "bytes=9999999-"}), (0, 0)),
        (MEDIA, 404, wire.request("GET", "/media/keys.txt"), (0, 0)),
        ("/streams", 200, wire.request("GET", "/streams"), (0, 0)),
        ("/streams", 405, wire.request("POST", "/streams"), (0, 0)),
        ("/healthz", 200, wire.request("HEAD", "/healthz"), (0, 0)),
        ("/page/{name}", 404, wire.request("GET", "/page/nothing"), (0, 0)),
        ("other", 404, wire.request("GET", '/x"\n'.replace("\n", "%0a")), (0, 0)),
    ]
    for route, status, octets, (answered, missing) in chance.choices(kinds, k=2000):
        answer = wire.ask(made.server, octets)
        if made.checks.that(answer is not None and answer.status == status, f"{route}: {answer}, not {status}"):
            expected[route, str(status)] += 1
            kids["true"] += answered
            kids["false"] += missing
    return expected, kids


def reload(made: Rig) -> None:
    """Two new key files, and one that is broken."""
    path = made.work / "keys.txt"
    for count, ending, said in ((50, "", "were read"), (60, "x", "cannot be"), (70, "", "were read")):
        before = made.server.log().count(said)
        by_rename(path, material.key_lines(material.keys(count, seed=1)) + ending)
        made.checks.that(wait(lambda: made.server.log().count(said) > before), f"no word of {count} keys")


def compare(made: Rig, expected: Counter, kids: Counter) -> None:
    """Whether it counts right."""
    checks = made.checks
    made.rest()
    with wire.Connection(made.server) as silent, wire.Connection(made.server) as connection:
        silent.send(b"G")
        connection.send(wire.request("GET", "/metrics"))
        answer = connection.answer()
    checks.same(answer.headers.get("content-type"), TYPE, "its type")
    families = {family.name: family for family in text_string_to_metric_families(answer.body.decode())}

    def values(family: str, sample: str, *labels: str) -> dict:
        found = [one for one in families[family].samples if one.name == sample]
        return {tuple(one.labels[label] for label in labels): one.value for one in found}

    by_status = values("clearkey_requests", "clearkey_requests_total", "route", "status")
    checks.same(by_status, dict(expected), "requests")
    by_route: Counter = Counter()
    for (route, _), count in expected.items():
        by_route[route,] += count
    durations = "clearkey_request_duration_seconds"
    checks.same(values(durations, f"{durations}_count", "route"), dict(by_route), "times")
    for (route,), seconds in values(durations, f"{durations}_sum", "route").items():
        mean = seconds / by_route[route,]
        checks.that(0 < mean < 1, f"{route}: {mean} s in the mean")
    by_known = {
        known: count for (known,), count in values("clearkey_kids", "clearkey_kids_total", "known").items()
    }
    checks.same(by_known, dict(kids), "key ids")
    reloads = values("clearkey_key_reloads", "clearkey_key_reloads_total", "result")
    checks.same(reloads, {("done",): 2, ("failed",): 1}, "readings of key files")
    checks.same(values("clearkey_keys", "clearkey_keys"), {(): 70}, "keys")
    checks.same(values("clearkey_connections", "clearkey_connections"), {(): 2}, "connections")
    checks.same(values("clearkey_panics", "clearkey_panics_total"), {(): 0}, "panics")
    figure(f"{sum(expected.values())} requests, {len(expected)} kinds of answers, {sum(kids.values())} key ids")


if __name__ == "__main__":
    main()
