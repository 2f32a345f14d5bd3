"""Addresses that try to get out of the folder, or to what is hidden in it."""

from __future__ import annotations

from urllib.parse import quote

import wire
from rig import Rig

HIDDEN = [
    *("keys.txt", "sub/keys.json", ".hidden.mp4", ".git/video.mp4", "%2ehidden.mp4", "%2egit/video.mp4"),
    *("outside.mp4", "absolute.mp4", "keys.mp4", "unhidden.mp4", "up/outside.mp4", "up/keys.txt", "loop.mp4"),
    *("folder.mp4", "folder.mp4/", "sub", "sub/", "", "."),
]
UP = [
    *("..", "%2e%2e", "%2e.", ".%2e", "%252e%252e", "..%00"),
    *("..;", "%c0%ae%c0%ae", "%e0%80%ae%e0%80%ae", "...", "....//.."),
    *("..\\", "..%5c", "%2e%2e%5c", "．．", "..%20", " .."),
]
SLASHES = ["/", "%2f", "%252f", "%5c", "\\", "//", "/./", "%c0%af"]
OUTSIDE = ["outside.mp4", "media-2/a.mp4"]


def run(rig: Rig) -> None:
    """All of them; and what is shown is shown."""
    for name, content in rig.shown.items():
        answer = wire.ask(rig.server, wire.request("HEAD", f"/media/{quote(name)}"))
        rig.checks.that(answer is not None and answer.status == 200, f"{name}: {answer}")
    for target in targets(rig):
        octets = f"GET {target} HTTP/1.1\r\nhost: a\r\n\r\n".encode()
        rig.is_refused(octets, target[:100])


def targets(rig: Rig) -> list[str]:
    """What must not be answered."""
    outside = [f"{up}{slash}{name}" for up in UP for slash in SLASHES for name in OUTSIDE]
    inside = [
        f"sub{slash}{up}{slash}{name}"
        for up in UP[:6]
        for slash in SLASHES
        for name in ("keys.txt", ".hidden.mp4")
    ]
    root = str(rig.work)
    far = ["../" * 20 + "etc/passwd", "%2e%2e%2f" * 20 + "etc%2fpasswd", "..%2f" * 20 + "etc/hostname.mp4"]
    absolute = [f"/{root}/outside.mp4", quote(f"{root}/outside.mp4", safe=""), f"%2f{root[1:]}/outside.mp4"]
    absolute += [f"file://{root}/outside.mp4", "C:\\outside.mp4", "\\\\host\\share\\a.mp4", "/etc/passwd"]
    nul = ["video.mp4%00", "keys.txt%00.mp4", "%00.mp4", "video%00.mp4", "keys.txt%0a.mp4"]
    other = [
        "video.mp4/",
        "video.mp4/.",
        "video.mp4%20",
        "video.mp4.",
        "video.mp4::$DATA",
        "VIDEO.MP4",
        "keys.txt?a.mp4",
        "keys.txt;a.mp4",
    ]
    other += [
        "%",
        "%2",
        "%zz.mp4",
        "%ff%fe.mp4",
        "a" * 300 + ".mp4",
        "a/" * 5000 + "a.mp4",
        "sub%2faudio.m4a%2f..%2f..%2fkeys.txt",
    ]
    media = [f"/media/{name}" for name in [*HIDDEN, *outside, *inside, *far, *absolute, *nul, *other]]
    beside = [
        "/media-2/a.mp4",
        "/../outside.mp4",
        "/media/../../outside.mp4",
        "/mediaoutside.mp4",
        "/keys.txt",
        "/media%2fkeys.txt",
    ]
    pages = [
        "/page/../Cargo.toml",
        "/page/..%2f..%2fetc%2fpasswd",
        "/page/nothing",
        "/page/page.css%00",
        "/page/.page.css",
    ]
    return [*media, *beside, *pages]
