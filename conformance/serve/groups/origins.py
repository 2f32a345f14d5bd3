"""Pages of other origins, with and without --allow-origin."""

from __future__ import annotations

import material
import wire
from rig import Rig

GOOD = "https://good.example"
OTHER = "http://player.example:8000"
FOREIGN = [
    *("https://evil.example", "null", "https://good.example.evil"),
    *("https://good.example.evil.com", "https://evilgood.example"),
    *("https://sub.good.example", "http://good.example"),
    *("https://good.example:443", "https://good.example:8443"),
    *("https://good.example/", "https://good.example.", "HTTPS://GOOD.EXAMPLE"),
    *("https://Good.example", "good.example"),
    *("https://good.example@evil.example", "https://evil.example#https://good.example"),
    "https://good.example, https://evil.example",
    *("https://good.example%00.evil.example", " https://good.example x", "https://good_example"),
    *("https://goodxexample", "*", "", "file://"),
    *("http://player.example", "http://player.example:80", "http://player.example:80000"),
    *("http://127.0.0.1", "http://localhost", "\xff", "https://good.example https://good.example"),
]
TARGETS = ["/", "/streams", "/media/video.mp4", "/healthz", "/metrics", "/page/page.css", "/nothing"]


def run(rig: Rig) -> None:
    """All of them."""
    everywhere(rig)
    few = rig.another("--rate", "0", "--allow-origin", GOOD, "--allow-origin", OTHER)
    few.heard = rig.server.heard
    with few:
        chosen(rig, few)
        preflights(rig, few, GOOD)
    preflights(rig, rig.server, "https://evil.example")


def from_page(
    server: wire.Server, method: str, target: str, headers: dict[str, str], body: bytes | None = None
) -> wire.Answer | None:
    """What a browser asks for a page: it names the server with its port."""
    host = "%s:%d" % server.address
    return wire.ask(server, wire.request(method, target, {"host": host, **headers}, body))


def allowed(answer: wire.Answer | None) -> str | None:
    """Which origin an answer is for."""
    return answer.headers.get("access-control-allow-origin") if answer else None


def everywhere(rig: Rig) -> None:
    """Without the option all pages may ask, and none may send credentials."""
    key = rig.keys[0]
    for origin in ["https://evil.example", "null", "http://[::1]:1"]:
        headers = {"origin": origin, "cookie": "a=b", "authorization": "Basic YTpi"}
        answer = from_page(rig.server, "POST", "/", headers, material.license_request([key.kid]))
        is_so = allowed(answer) == "*" and material.is_license(answer.body, [key])
        rig.checks.that(is_so, f"a page of {origin}: {answer}")
        without_credentials(rig, answer, origin)


def without_credentials(rig: Rig, answer: wire.Answer | None, what: str) -> None:
    """A check: no page's credentials are asked for, or set."""
    names = {name.lower() for name in answer.headers} if answer else set()
    found = names & {"access-control-allow-credentials", "set-cookie", "www-authenticate"}
    rig.checks.that(not found, f"{what}: {found}")


def chosen(rig: Rig, server: wire.Server) -> None:
    """With the option pages of all other origins are refused, and learn nothing."""
    key = rig.keys[0]
    body = material.license_request([key.kid])
    for target in TARGETS:
        for origin in FOREIGN:
            method, sent = ("POST", body) if target == "/" else ("GET", None)
            answer = from_page(server, method, target, {"origin": origin}, sent)
            is_refused = answer is None or answer.status in (400, 403)
            rig.checks.that(is_refused and allowed(answer) is None, f"{target} for {origin!r}: {answer}")
            without_credentials(rig, answer, origin)
    for origin in (GOOD, OTHER, "http://%s:%d" % server.address):
        answer = from_page(server, "POST", "/", {"origin": origin}, body)
        is_so = allowed(answer) == origin and material.is_license(answer.body, [key])
        rig.checks.that(is_so and "origin" in answer.headers.get("vary", "").lower(), f"{origin}: {answer}")
        without_credentials(rig, answer, origin)
    twice = {"origin": f"{GOOD}\r\norigin: https://evil.example"}
    answer = from_page(server, "POST", "/", twice, body)
    rig.checks.that(allowed(answer) in (None, GOOD), f"two origins: {answer}")
    reversed_twice = {"origin": f"https://evil.example\r\norigin: {GOOD}"}
    answer = from_page(server, "POST", "/", reversed_twice, body)
    rig.checks.that(answer is None or answer.status == 403, f"two origins, the foreign one first: {answer}")
    answer = from_page(server, "POST", "/", {}, body)
    is_so = allowed(answer) is None and material.is_license(answer.body, [key])
    rig.checks.that(is_so and "origin" in answer.headers.get("vary", "").lower(), f"no page: {answer}")


def preflights(rig: Rig, server: wire.Server, origin: str) -> None:
    """Which requests a page may send: those that a player sends, and no others."""
    for target, method, names, is_allowed in [
        ("/", "POST", "content-type", True),
        ("/", "POST", "Content-Type", True),
        ("/", "GET", "", True),
        ("/media/video.mp4", "GET", "range", True),
        ("/media/video.mp4", "HEAD", "range,content-type", True),
        ("/", "PUT", "", False),
        ("/", "DELETE", "", False),
        ("/", "PATCH", "", False),
        ("/", "post", "", False),
        ("/", "*", "", False),
        ("/", "", "", False),
        ("/", "POST", "authorization", False),
        ("/", "POST", "cookie", False),
        ("/", "POST", "x-forwarded-for", False),
        ("/", "POST", "content-type, x-token", False),
        ("/", "POST", "*", False),
        ("/", "POST", "\xff", False),
        ("/", "POST", "a" * 10_000, False),
        ("/media/video.mp4", "POST", "", False),
        ("/media/video.mp4", "DELETE", "", False),
        ("/streams", "POST", "", False),
        ("/nothing", "PUT", "", False),
    ]:
        headers = {"origin": origin, "access-control-request-method": method}
        if names:
            headers["access-control-request-headers"] = names
        answer = from_page(server, "OPTIONS", target, headers)
        says = f"preflight {method} {target} with {names[:20]!r}: {answer}"
        methods = answer.headers.get("access-control-allow-methods", "") if answer else ""
        if is_allowed:
            rig.checks.that(answer is not None and answer.status == 204 and method in methods, says)
            rig.checks.that(allowed(answer) in (origin, "*"), says)
        else:
            rig.checks.that(answer is None or answer.status in (400, 403) and not methods, says)
        without_credentials(rig, answer, says)
    if server is not rig.server:
        headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
        answer = from_page(server, "OPTIONS", "/", headers)
        rig.checks.that(answer is not None and answer.status == 403 and allowed(answer) is None, f"{answer}")
