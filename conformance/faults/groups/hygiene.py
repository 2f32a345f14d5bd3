"""Keys in the memory of the program, at work and at its end, as the system shows it in /proc/PID/mem."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import material
import wire
from server import Server
from stand import PATIENCE, Stand

NAME = "Keys in memory"
KID = bytes.fromhex("10000000100010001000100000000001")


@dataclass(frozen=True)
class Spellings:
    """A key as it may stand in memory."""

    octets: bytes
    base64url: bytes
    hex: bytes

    @classmethod
    def of(cls, key: bytes) -> Spellings:
        """All of them; halves of texts, since a copy may be cut."""
        return cls(key, material.base64url(key)[:20].encode(), key.hex().encode())

    def places(self, pid: int) -> dict[str, list[str]]:
        """Where each is in a process's memory: names of mappings."""
        found: dict[str, list[str]] = {"octets": [], "base64url": [], "hex": []}
        maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for line in maps:
                parts = line.split(maxsplit=5)
                name = Path(parts[5]).name if len(parts) > 5 else "memory without a name"
                if not parts[1].startswith("r") or name.startswith("[v"):
                    continue
                start, end = (int(number, 16) for number in parts[0].split("-"))
                try:
                    octets = os.pread(memory.fileno(), end - start, start)
                except OSError:
                    continue
                for kind in found:
                    if getattr(self, kind) in octets:
                        found[kind].append(name)
        return found


def run(stand: Stand) -> None:
    """Everything."""
    commands(stand)
    serve(stand)
    stand.table.note(
        "By nature: arguments and environment stay where the system put them, as long as the process lives, and others can "
        "see the arguments; the octets of a key in use are in memory. In the libraries: "
        "`cargo test -p cenc -p clearkey -p cdm -p server --test memory`."
    )


def commands(stand: Stand) -> None:
    """At work, while the output waits for a reader; and at the end of `main`, after all is dropped."""
    kid, key = KID.hex(), os.urandom(16)
    other = os.urandom(16)
    folder = stand.folder()
    source = folder / "in.mp4"
    keys = folder / "keys.txt"
    hexadecimal, text = f"{kid}:{key.hex()}", f"{kid}:{material.base64url(key)}"
    made = stand.run(["encrypt", stand.file("avc.mp4"), "-o", source, "--key", hexadecimal, "--quiet"])
    assert made.code == 0, made.stderr
    jwk = material.Key(KID, key)
    (folder / "license.json").write_text(material.key_set([jwk]))
    (folder / "base64url.txt").write_text(text + "\n")
    keys.write_text(hexadecimal + "\n")
    plain = ["decrypt", source, "--quiet"]
    ways = [
        ("--keys-file, hex", [*plain, "--keys-file", keys], {}, set()),
        ("--keys-file, base64url", [*plain, "--keys-file", folder / "base64url.txt"], {}, set()),
        ("--license FILE", [*plain, "--license", folder / "license.json"], {}, set()),
        ("--key", [*plain, "--key", hexadecimal], {}, {"hex"}),
        ("CLEARKEY_KEYS", plain, {"CLEARKEY_KEYS": hexadecimal}, {"hex"}),
    ]
    spelled = Spellings.of(key)
    for name, command, environment, stays in ways:
        row = stand.table.row("decrypting, at work", name, at_work(stays))
        fifo = folder / "fifo"
        fifo.unlink(missing_ok=True)
        os.mkfifo(fifo)
        child = spawn(stand, [*command, "-o", fifo], environment)
        # It opens the pipe last of all, and waits.
        found = when_asleep(child, spelled)
        child.kill()
        child.wait()
        row.that(bool(found["octets"]), "the search does not find the key that is in use")
        judge(row, found, {"octets", *stays}, "at work")

        row = stand.table.row("decrypting, at the end of main", name, at_end(stays))
        found = at_exit(stand, row, [*command, "-o", folder / "out.mp4"], environment, spelled)
        judge(row, found, stays, "at the end")
    for name, command in (
        ("encrypt --keys-file, --keys-out, --license-out", ["encrypt", stand.file("avc.mp4"), "-o", folder / "out.mp4", "--quiet", "--keys-file", keys, "--keys-out", folder / "k", "--license-out", folder / "l"]),
        ("license --keys-file", ["license", "--keys-file", keys]),
        ("decrypt with a wrong key", [*plain, "--no-verify", "--keys-file", wrong(folder, other), "-o", folder / "out.mp4"]),
    ):
        row = stand.table.row("at the end of main", name, "no key in any spelling")
        spelled_here = Spellings.of(other) if "wrong" in name else spelled
        found = at_exit(stand, row, command, {}, spelled_here)
        judge(row, found, set(), "at the end")
    with Server(stand.program, folder, "--keys-file", keys, "--rate", "0") as server:
        row = stand.table.row("decrypting, at the end of main", "--license URL", "no octets of a key; its text where the HTTP client has read it to")
        found = at_exit(stand, row, [*plain, "--license", server.url, "-o", folder / "out.mp4"], {}, spelled)
        judge(row, found, {"base64url"}, "at the end")


def at_work(stays: set[str]) -> str:
    """What is expected while a key is in use."""
    more = f", and {' and '.join(sorted(stays))} where the system put it" if stays else ""
    return f"octets, for they are in use{more}"


def at_end(stays: set[str]) -> str:
    """What is expected when it no longer is."""
    return f"{' and '.join(sorted(stays))} where the system put it, nothing else" if stays else "no key in any spelling"


def wrong(folder: Path, key: bytes) -> Path:
    """A key file with another key."""
    path = folder / "wrong.txt"
    path.write_text(f"{KID.hex()}:{key.hex()}\n")
    return path


def spawn(stand: Stand, command: list, environment: dict[str, str]) -> subprocess.Popen:
    """Starts it."""
    return subprocess.Popen(
        [stand.program, *map(str, command)],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def when_asleep(child: subprocess.Popen, spelled: Spellings) -> dict[str, list[str]]:
    """What is found once it waits in the call that opens the pipe."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            words = Path(f"/proc/{child.pid}/syscall").read_text().split()
        except OSError:
            words = []
        # openat on x86-64 and on others.
        if words and words[0] in ("257", "56"):
            time.sleep(0.02)
            if Path(f"/proc/{child.pid}/syscall").read_text().split()[:1] == words[:1]:
                break
        time.sleep(0.005)
    return spelled.places(child.pid)


def at_exit(stand: Stand, row, command: list, environment: dict[str, str], spelled: Spellings) -> dict[str, list[str]]:
    """What is found when `main` has returned."""
    more = {"LD_PRELOAD": str(stand.shim), "FAULTS_STOP_AT_EXIT": "1", **environment}
    child = spawn(stand, command, more)
    _, status = os.waitpid(child.pid, os.WUNTRACED)
    if not row.that(os.WIFSTOPPED(status), "it is not stopped at its end"):
        child.returncode = os.waitstatus_to_exitcode(status)
        return {"octets": [], "base64url": [], "hex": []}
    found = spelled.places(child.pid)
    child.send_signal(signal.SIGCONT)
    code = child.wait(PATIENCE)
    row.that(code in (0, 1), f"exit {code}")
    return found


def judge(row, found: dict[str, list[str]], allowed: set[str], what: str) -> None:
    """Whether nothing is found but what is there by nature: in the system's part of the stack, or in use."""
    for kind, places in found.items():
        row.that(kind in allowed or not places, f"{what}: {kind} in {', '.join(places)}")
    kinds = [f"{kind} in {', '.join(sorted(set(places)))}" for kind, places in found.items() if places]
    row.saw("; ".join(kinds) or "nothing")


def serve(stand: Stand) -> None:
    """The server after its key file was replaced, with answers given and connections closed."""
    folder = stand.folder()
    old, new = material.keys(1, seed=71)[0], material.keys(1, seed=72)[0]
    new = material.Key(old.kid, new.key)
    file = folder / "keys.txt"
    file.write_text(old.line())
    octets = wire.request("POST", "/", body=material.license_request([old.kid]))
    row = stand.table.row("serve, with a key file", "serve --keys-file KEYS", "octets, for they are served; no text of a file")
    with Server(stand.program, folder, "--keys-file", file, "--rate", "0") as server:
        found = Spellings.of(old.key).places(server.process.pid)
        row.that(bool(found["octets"]), "the search does not find the key that is served")
        judge(row, found, {"octets"}, "before a request")

        row = stand.table.row("serve, the key file replaced", "serve --keys-file KEYS", "no octets of the old key, and no text of it once connections are closed")
        for _ in range(50):
            answer = wire.ask(server, octets)
            row.that(answer is not None and material.is_license(answer.body, [old]), f"{answer}")
        file.write_text(new.line())
        end = time.monotonic() + 5
        while time.monotonic() < end:
            answer = wire.ask(server, octets)
            if answer and material.is_license(answer.body, [new]):
                break
            time.sleep(0.1)
        row.that(answer is not None and material.is_license(answer.body, [new]), "the new key is not served")
        time.sleep(0.3)
        found = Spellings.of(old.key).places(server.process.pid)
        judge(row, found, set(), "after the reload")
