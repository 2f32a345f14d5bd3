"""The real program, running."""

from __future__ import annotations

import os
import resource
import select
import signal
import ssl
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

SECONDS = 15  # what starts and stops in milliseconds


class Server:
    """
    `clearkey serve` with its log in a file. As a context it is stopped at the end, and must then stop well.

    `heard`, where it is a list, collects what `wire` reads of answers: status, head and body.
    """

    def __init__(
        self,
        program: Path,
        work: Path,
        *options: str | Path,
        is_https: bool = False,
        files: int | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        command = [str(program), "serve", "--bind", "127.0.0.1:0", *map(str, options)]
        self.context = None
        if is_https:
            cert, key = certificate(work)
            command += ["--tls-cert", str(cert), "--tls-key", str(key)]
            self.context = ssl.create_default_context(cafile=cert)
        self.log_path = work / f"log-{time.monotonic_ns()}"
        limit = None
        if files:
            limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                preexec_fn=limit,
                env={**os.environ, **(environment or {})},
            )
        self.url = self.first_line()
        parts = urlsplit(self.url)
        self.address = (parts.hostname, parts.port)
        self.heard: list[tuple[int, bytes, bytes]] | None = None

    def first_line(self) -> str:
        """The address that it prints."""
        ready, _, _ = select.select([self.process.stdout], [], [], SECONDS)
        line = self.process.stdout.readline().decode().strip() if ready else ""
        if not line:
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"clearkey serve does not start: {self.log()}")
        return line

    def log(self) -> str:
        """What it has said on stderr so far."""
        return self.log_path.read_text(errors="replace")

    def rss(self) -> int:
        """Resident memory, in KiB."""
        return self.status("VmRSS")

    def threads(self) -> int:
        """Threads."""
        return self.status("Threads")

    def fds(self) -> int:
        """Open files and connections."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def status(self, name: str) -> int:
        """A number of /proc/PID/status."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in text.splitlines() if line.startswith(f"{name}:"))
        return int(line.split()[1])

    def command_line(self) -> bytes:
        """What others see of its arguments."""
        return Path(f"/proc/{self.process.pid}/cmdline").read_bytes()

    def stop(self) -> int:
        """Asks it to stop. Returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        code = self.process.poll()
        if code is not None:
            raise RuntimeError(f"the server is gone, exit code {code}: {self.log()[-2000:]}")
        code = self.stop()
        self.process.stdout.close()
        if code and kind is None:
            raise RuntimeError(f"the server stops with {code}: {self.log()[-2000:]}")


def certificate(work: Path) -> tuple[Path, Path]:
    """A self-signed certificate of 127.0.0.1, and its key."""
    cert, key = work / "cert.pem", work / "key.pem"
    if not cert.exists():
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        command += ["-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        command += ["-keyout", str(key), "-out", str(cert)]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL, timeout=60)
    return cert, key
