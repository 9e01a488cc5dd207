"""A server on this machine that answers whatever bytes a test wants, and ends with the test."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["HANG", "RESET", "Server", "answer", "serving"]

RESET = b"<reset>"
"""In place of a piece: the connection is reset."""
HANG = b"<hang>"
"""In place of a piece: nothing more comes, and the connection stays open."""


def answer(body: bytes, status: str = "200 OK", *headers: str, length: int | None = -1) -> bytes:
    """Make an answer; its length is that of the body (-1), another, or not stated (None)."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if length is not None:
        lines.append(f"Content-Length: {len(body) if length == -1 else length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


@dataclass
class Server:
    """Where it is, and how often it was asked."""

    url: str
    host: str
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving(*answers: Iterable[bytes]) -> Iterator[Server]:
    """Answer the first request with the first, and so on; each request after that with the last.

    An answer is made of pieces. One without end is cut off when nobody listens any longer.
    """
    stop = threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                piece = self.connection.recv(4096)
                if not piece:
                    return
                request += piece
            number = len(server.asked)
            server.asked.append(request.split(b" ")[1].decode())
            for piece in answers[min(number, len(answers) - 1)]:
                if stop.is_set():
                    return
                if piece == HANG:
                    stop.wait()
                elif piece == RESET:
                    self.connection.setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                    )
                    return
                else:
                    self.connection.sendall(piece)

    class Quiet(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that hangs up is what some tests are about."""

    with Quiet(("127.0.0.1", 0), Handler) as tcp:
        host = f"127.0.0.1:{tcp.server_address[1]}"
        server = Server(f"http://{host}", host)
        thread = threading.Thread(target=tcp.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            stop.set()
            tcp.shutdown()
            thread.join()
