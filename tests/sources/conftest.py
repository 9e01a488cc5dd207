"""A server that misbehaves on request, and a source that it publishes."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from commonweal.sources import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = b"code,score\n" + b"".join(b"E%08d,%d.5\n" % (i, i) for i in range(2000))


class Server:
    """Plays faults by path; `hits` counts the requests for each."""

    def __init__(self, port: int, hits: Counter[str]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.host = f"127.0.0.1:{port}"
        self.hits = hits


@pytest.fixture
def server() -> Iterator[Server]:
    hits: Counter[str] = Counter()
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def whole(self, body: bytes, length: int | None = None) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            path = self.path
            hits[path] += 1
            if path.endswith("/good.csv"):
                self.whole(TABLE)
            elif path == "/slow/table.csv":
                self.send_response(200)
                self.send_header("Content-Length", str(len(TABLE)))
                self.end_headers()
                for start in range(0, len(TABLE), 8000):
                    self.wfile.write(TABLE[start : start + 8000])
                    self.wfile.flush()
                    time.sleep(0.02)
            elif path == "/silent/table.csv":
                stop.wait(5)
            elif path == "/500-then-fine/table.csv":
                if hits[path] < 3:
                    self.send_error(500)
                else:
                    self.whole(TABLE)
            elif path == "/503/table.csv":
                self.send_error(503)
            elif path == "/truncated/table.csv":
                self.whole(TABLE[:5000], len(TABLE))
                self.close_connection = True
            elif path == "/truncated-then-fine/table.csv":
                self.whole(TABLE if hits[path] > 1 else TABLE[:5000], len(TABLE))
                self.close_connection = True
            elif path == "/unsized-truncated/table.csv":
                self.send_response(200)
                self.end_headers()
                self.wfile.write(TABLE[:5000])
                self.close_connection = True
            elif path == "/wrong/table.csv":
                self.whole(TABLE.replace(b"7", b"8"))
            elif path == "/shorter/table.csv":
                self.whole(TABLE[:5000])
            elif path == "/too-large/table.csv":
                self.whole(TABLE + b"x" * 100)
            elif path == "/endless/table.csv":
                self.send_response(200)
                self.end_headers()
                try:
                    while not stop.is_set():
                        self.wfile.write(b"x" * 65536)
                except OSError:
                    pass
            elif path == "/moved/table.csv":
                self.send_response(302)
                self.send_header("Location", "/good.csv")
                self.end_headers()
            elif path == "/moved-to-file/table.csv":
                self.send_response(302)
                self.send_header("Location", "file:///etc/hostname")
                self.end_headers()
            else:
                self.send_error(404)

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *args: object) -> None:
            """A client that hangs up is what some tests are about."""

    httpd = Quiet(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Server(httpd.server_port, hits)
    stop.set()
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def published(url: str, body: bytes = TABLE, **changes: object) -> Source:
    """A source of these bytes at this address."""
    fields: dict[str, object] = {
        "id": "scores",
        "title": "Scores",
        "publisher": "Somebody",
        "licence": "Open Government Licence v3.0",
        "attribution": "Contains scores.",
        "vintage": "2019",
        "url": url,
        "size": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
        "reader": "csv",
    }
    return Source.model_validate(fields | changes)
