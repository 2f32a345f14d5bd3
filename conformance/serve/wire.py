"""HTTP to the octet: requests that no client library would send, and what comes back."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Mapping

from server import Server

PATIENCE = 15  # seconds; the server's own limits are 10
GONE = (ConnectionError, http.client.HTTPException, ssl.SSLEOFError, ssl.SSLZeroReturnError)
Hang = socket.timeout  # the server does nothing at all


@dataclass(frozen=True)
class Answer:
    """An answer that came whole."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Connection:
    """One connection to a server, from any address of this machine."""

    def __init__(self, server: Server, source: str = "127.0.0.1", is_plain: bool = False) -> None:
        self.server = server
        self.socket = socket.create_connection(server.address, PATIENCE, (source, 0))
        if server.context and not is_plain:
            self.socket = server.context.wrap_socket(self.socket, server_hostname=server.address[0])

    def send(self, octets: bytes) -> bool:
        """Whether the server took them."""
        try:
            self.socket.sendall(octets)
            return True
        except OSError:
            return False

    def answer(self, method: str = "GET") -> Answer | None:
        """The next answer; `None` if the server drops the connection. It is a `Hang` to do neither."""
        response = http.client.HTTPResponse(self.socket, method=method)
        try:
            response.begin()
            answer = Answer(response.status, response.msg, response.read())
        except GONE:
            return None
        finally:
            response.close()
        if self.server.heard is not None:
            head = "".join(f"{name}: {value}\n" for name, value in answer.headers.items())
            self.server.heard.append((answer.status, head.encode("latin-1"), answer.body))
        return answer

    def rest(self) -> bytes:
        """All that comes until the server closes the connection. It is a `Hang` not to."""
        octets = bytearray()
        while True:
            try:
                more = self.socket.recv(1 << 16)
            except GONE:
                more = b""
            if not more:
                return bytes(octets)
            octets += more

    def seconds_until_dropped(self, trickle: bytes = b"") -> float:
        """
        How long until the server drops the connection, or answers; each second it gets an octet of `trickle`. It is
        a `Hang` if it does neither.
        """
        start = time.monotonic()
        self.socket.settimeout(1)
        for at in range(2 * PATIENCE):
            if trickle and not self.send(trickle[at % len(trickle)].to_bytes(1, "big")):
                return time.monotonic() - start
            try:
                self.socket.recv(1 << 16)
                return time.monotonic() - start
            except Hang:
                continue
            except GONE:
                return time.monotonic() - start
        raise Hang

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def request(
    method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> bytes:
    """A request as it should be."""
    lines = {"host": "127.0.0.1", **(headers or {})}
    if body is not None:
        lines["content-length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + (body or b"")


def ask(server: Server, octets: bytes, source: str = "127.0.0.1") -> Answer | None:
    """Sends octets on a connection of their own. Returns the answer, or `None` if the connection is dropped."""
    with Connection(server, source) as connection:
        connection.send(octets)
        return connection.answer(octets.split(b" ", 1)[0].decode("latin-1"))
