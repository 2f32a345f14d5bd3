"""A server with keys and streams, and the two questions that are asked all the time."""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

import material
import wire
from checks import Checks
from server import Server


@dataclass
class Rig:
    """What tests of a server need."""

    program: Path
    work: Path
    checks: Checks
    keys: list[material.Key]
    shown: dict[str, bytes]
    server: Server
    options: tuple[str, ...] = ()
    fds: int = 0

    def is_refused(self, octets: bytes, what: str, statuses: range | set[int] = range(400, 500)) -> None:
        """A check: a request gets such a status, or the connection is dropped."""
        try:
            answer = wire.ask(self.server, octets)
        except wire.Hang:
            self.checks.that(False, f"{what}: neither answered nor dropped")
            return
        status = answer.status if answer else None
        self.checks.that(status is None or status in statuses, f"{what}: {status}")

    def serves(self, after: str) -> None:
        """A check: a good request has its license."""
        key = self.keys[0]
        octets = wire.request("POST", "/", body=material.license_request([key.kid]))
        try:
            answer = wire.ask(self.server, octets)
        except OSError as error:
            self.checks.that(False, f"after {after}, a good request: {error!r}")
            return
        is_good = answer is not None and material.is_license(answer.body, [key])
        self.checks.that(is_good, f"after {after}, a good request: {answer}")

    def rest(self) -> int:
        """Waits until no connection is open. Returns how many files are open then, as at the start."""
        self.checks.that(
            wait(lambda: self.server.fds() <= self.fds), f"{self.server.fds()} open files, {self.fds} before"
        )
        return self.fds

    def another(self, *options: str, **more: object) -> Server:
        """A server of the same keys and streams, with other options."""
        options = (*self.options, *options)
        options = ("--keys-file", self.work / "keys.txt", "--media", self.work / "media", *options)
        return Server(self.program, self.work, *options, **more)


@contextmanager
def rig(program: Path, checks: Checks, *options: str, count: int = 100) -> Iterator[Rig]:
    """A server that is there for as long as the context."""
    with tempfile.TemporaryDirectory(prefix="serve-") as folder:
        work = Path(folder)
        keys = material.keys(count)
        (work / "keys.txt").write_text(material.key_lines(keys))
        shown = material.media_folder(work / "media", material.key_lines(keys))
        made = Rig(program, work, checks, keys, shown, server=None, options=options)
        with made.another("--rate", "0") as made.server:
            made.fds = made.server.fds()
            yield made


def wait(is_so: Callable[[], bool], seconds: float = 5) -> bool:
    """Waits for something to be so. Returns whether it has come to be."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def arguments(description: str) -> argparse.ArgumentParser:
    """What all scripts are told."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--clearkey", type=lambda text: Path(text).resolve(), required=True, help="the program")
    return parser
