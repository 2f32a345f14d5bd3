"""Keys, what a server is told of them, and what a CDM asks for and gets."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Key:
    """A key with its id, 16 octets each."""

    kid: bytes
    key: bytes

    def line(self) -> str:
        """As a line of a key file."""
        return f"{self.kid.hex()}:{self.key.hex()}\n"

    def jwk(self) -> dict[str, str]:
        """As a member of a JWK set."""
        return {"kty": "oct", "k": base64url(self.key), "kid": base64url(self.kid)}

    def spellings(self) -> list[bytes]:
        """All that a key may look like where it has no business: hex, base64, base64url, and its octets."""
        base64_text = base64.b64encode(self.key).rstrip(b"=")
        hex_text = self.key.hex()
        texts = {hex_text.encode(), hex_text.upper().encode(), base64_text}
        return [*sorted(texts | {base64url(self.key).encode()}), self.key]


def base64url(octets: bytes) -> str:
    """Without padding, as EME has it."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def keys(count: int, seed: int = 1) -> list[Key]:
    """The same keys in each run."""
    source = random.Random(seed)
    return [Key(source.randbytes(16), source.randbytes(16)) for _ in range(count)]


def key_lines(chosen: list[Key]) -> str:
    """A key file of lines."""
    return "".join(key.line() for key in chosen)


def key_set(chosen: list[Key]) -> str:
    """A key file that is a JWK set."""
    return json.dumps({"keys": [key.jwk() for key in chosen]})


def license_request(kids: list[bytes], session_type: str = "temporary") -> bytes:
    """What a CDM says in a `message` event."""
    return json.dumps({"kids": [base64url(kid) for kid in kids], "type": session_type}).encode()


def is_license(body: bytes, expected: list[Key], session_type: str = "temporary") -> bool:
    """Whether an answer is the license with exactly these keys, in this order."""
    try:
        found = json.loads(body)
    except ValueError:
        return False
    return found == {"keys": [key.jwk() for key in expected], "type": session_type}


def media_folder(folder: Path, secret: str) -> dict[str, bytes]:
    """
    Lays out a folder of streams, beside files that are nobody's business: those hold `secret`. Returns what is to
    be seen, by path.
    """
    source = random.Random(2)
    shown = {
        "video.mp4": source.randbytes(1 << 20),
        "sub/audio.m4a": source.randbytes(10_000),
        "sub/Größe 1%.webm": source.randbytes(1000),
        "empty.mp4": b"",
        "large.mp4": b"",
    }
    (folder / "sub").mkdir(parents=True)
    for name, content in shown.items():
        (folder / name).write_bytes(content)
    with (folder / "large.mp4").open("wb") as large:
        large.truncate(LARGE)
    hidden = [
        "keys.txt",
        ".hidden.mp4",
        ".git/video.mp4",
        "sub/keys.json",
        "../outside.mp4",
        "../media-2/a.mp4",
    ]
    for name in hidden:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(secret)
    (folder / "outside.mp4").symlink_to("../outside.mp4")
    (folder / "absolute.mp4").symlink_to((folder / "../outside.mp4").resolve())
    (folder / "keys.mp4").symlink_to("keys.txt")
    (folder / "unhidden.mp4").symlink_to(".hidden.mp4")
    (folder / "up").symlink_to("..")
    (folder / "loop.mp4").symlink_to("loop.mp4")
    (folder / "folder.mp4").mkdir()
    (folder / "link.mp4").symlink_to("video.mp4")
    return {**shown, "link.mp4": shown["video.mp4"]}


LARGE = 256 << 20  # more than all buffers on the way; a hole, so it takes no room
