"""The command, as a user runs it: it serves, says where, stops cleanly, and says what is in the way."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import threading
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest
from tests import waits
from tests.waits import LIMIT_S, started

from commonweal.errors import CommonwealError
from commonweal.web.serve import address_of, is_loopback, listen, server_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from commonweal.web import Explorer
    from conftest import Client, Small


@pytest.mark.slow
def test_it_serves_a_study_and_stops_with_ctrl_c(small: Small, environment: dict[str, str]) -> None:
    command = [
        sys.executable,
        "-m",
        "commonweal",
        "explore",
        str(small.study),
        "--port",
        "0",
        "--no-browser",
    ]
    with started(command, env=environment) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        title, address, advice = (server.stdout.readline().strip() for _ in range(3))
        assert (title, advice) == ("Twenty places", "Stop it with Ctrl-C.")
        assert address.startswith("http://127.0.0.1:")
        assert json.load(urlopen(f"{address}api/study", timeout=LIMIT_S))["areas"] == 20
        server.send_signal(signal.SIGINT)
        assert server.wait() == 0
        assert server.stderr.read() == ""


SLOW = """
import time
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from commonweal.web import Explorer, serve

def answer(request):
    print("asked\\n", end="", flush=True)  # in one: several are asked at once
    time.sleep(1)  # longer than the server waits for answers once it is to stop
    return PlainTextResponse("made")

serve.create_app = lambda *_: Starlette(routes=[Route("/", answer)])
serve.STOP_SECONDS = 0.1
with serve.listen("127.0.0.1", 0) as held:
    serve.serve(Explorer(None), held, lambda: print(serve.address_of(held), flush=True))
print("stopped", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGINT] * 3, [signal.SIGTERM]])
def test_ctrl_c_while_answers_are_being_made_prints_nothing(
    environment: dict[str, str], signals: list[signal.Signals]
) -> None:
    """More are asked than are made at once, so that some are cut off while they are made, others before."""
    with ExitStack() as several, started([sys.executable, "-c", SLOW], env=environment) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        port = int(server.stdout.readline().rstrip("/\n").rpartition(":")[2])
        for _ in range(3 * (os.cpu_count() or 1) + 3):
            one = several.enter_context(socket.create_connection(("127.0.0.1", port)))
            one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert server.stdout.readline() == "asked\n"
        for one_of_them in signals:
            server.send_signal(one_of_them)
        said, complaint = server.communicate()
        ended = said.rstrip().endswith("stopped") or signals == [signal.SIGTERM]
        assert (complaint, ended) == ("", True)
        assert server.returncode == (0 if signals[0] == signal.SIGINT else -signal.SIGTERM)


LONG = """
import sys
import time
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from commonweal.cli.app import main
from commonweal.web import serve

def answer(request):
    print("asked", flush=True)
    time.sleep(60)
    print("waited for", flush=True)
    return PlainTextResponse("made")

def serve_and_say(*given):
    serving(*given)
    print("stopped", flush=True)

serving, serve.serve = serve.serve, serve_and_say
serve.create_app = lambda *_: Starlette(routes=[Route("/", answer)])
serve.STOP_SECONDS = 0.1
sys.argv = ["commonweal", "explore", sys.argv[1], "--port", "0", "--no-browser"]
main()
"""


@pytest.mark.slow
def test_once_stopped_it_waits_for_no_answer(small: Small, environment: dict[str, str]) -> None:
    """And a second Ctrl-C, after the server has closed, is no fault."""
    with started([sys.executable, "-c", LONG, str(small.study)], env=environment) as server:
        assert server.stdout is not None
        _, address, _ = (server.stdout.readline().strip() for _ in range(3))
        port = int(address.rstrip("/").rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as one:
            one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert server.stdout.readline() == "asked\n"
            server.send_signal(signal.SIGINT)
            assert server.stdout.readline() == "stopped\n"
            server.send_signal(signal.SIGINT)
            assert server.communicate() == ("", "")
        assert server.returncode == 0


def test_a_port_that_is_taken_is_said_before_the_run(
    small: Small, tell: Callable[..., tuple[int, str, str]]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, said, complaint = tell("explore", small.study, "--port", str(port), "--no-browser")
    assert (code, said) == (2, "")
    assert complaint == (
        f"commonweal: port {port} on 127.0.0.1 is in use; give another with --port, or 0 for any that is free\n"
    )


def test_a_host_of_another_machine_is_refused() -> None:
    with pytest.raises(CommonwealError, match=r"cannot serve on 192\.0\.2\.1"):
        listen("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("127.0.0.1", True),
        ("LOCALHOST", True),
        ("0:0:0:0:0:0:0:1", True),
        ("0.0.0.0", False),
        ("192.168.1.2", False),
        ("127.evil.example", False),
    ],
)
def test_only_loopback_is_alone(host: str, alone: bool) -> None:
    assert is_loopback(host) == alone


def test_an_address_can_be_opened() -> None:
    with listen("0.0.0.0", 0) as held:
        assert address_of(held) == f"http://localhost:{held.getsockname()[1]}/"


def test_on_loopback_it_answers_to_the_address_it_is_at(explorer: Explorer, client: Client) -> None:
    other = type(client)(server_of(explorer, "127.0.0.2").config.app)
    assert other.get("/about", headers={"host": "127.0.0.2:80"}).status_code == 200
    assert other.get("/about", headers={"host": "evil.example"}).status_code == 400


@contextmanager
def served(
    explorer: Explorer, head_seconds: float | None = None, app: Any = None
) -> Iterator[tuple[str, int]]:
    """Serve from a thread, on any free port, with a limit on the heads of requests."""
    up = threading.Event()
    with listen("127.0.0.1", 0) as held:
        server = server_of(explorer, "127.0.0.1", up.set, head_seconds)
        if head_seconds is not None:
            server.config.timeout_keep_alive = head_seconds  # type: ignore[assignment]
        server.config.app = app or server.config.app
        with waits.served(server, held, up):
            yield held.getsockname()[:2]


def asked(at: tuple[str, int], text: str = "GET /accessibility") -> bytes:
    """Ask with the words of the protocol, and give all that comes."""
    with socket.create_connection(at, LIMIT_S) as one:
        one.sendall(f"{text} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: one.recv(65536), b""))


def test_sockets_that_say_nothing_shut_nobody_out(explorer: Explorer) -> None:
    with ExitStack() as silent, served(explorer) as at:
        for _ in range(250):
            silent.enter_context(socket.create_connection(at))
        assert asked(at).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("first", [b"", b"GET / HTTP/1.1\r\nX-Slow: "])
def test_a_socket_without_a_whole_request_is_closed(explorer: Explorer, first: bytes) -> None:
    with served(explorer, 0.05) as at, socket.create_connection(at, LIMIT_S) as one:
        one.sendall(first)
        assert one.recv(1) == b""  # closed


def test_a_byte_now_and_then_does_not_keep_a_socket(explorer: Explorer) -> None:
    """Before a first answer, and after one."""
    slow = b"GET / HTTP/1.1\r\nX-Slow: "
    whole = b"HEAD /accessibility HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with served(explorer, 1.0) as at:
        for first in (slow, whole + slow):
            with socket.create_connection(at, LIMIT_S) as one:
                one.sendall(first)
                if first != slow:
                    assert one.recv(65536).startswith(b"HTTP/1.1 200")
                one.settimeout(0.01)

                # A limit that started again with each byte would let any number of them in.
                def closed_at_last(one: socket.socket = one) -> bool:
                    with suppress(ConnectionError):
                        one.sendall(b"a")
                    return ended(one)

                waits.until(closed_at_last, "a server that closes")


def ended(one: socket.socket) -> bool:
    """Whether the other side has closed."""
    try:
        return one.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_a_second_request_on_a_connection_has_the_limit_too(explorer: Explorer) -> None:
    with served(explorer, 1.0) as at, socket.create_connection(at, LIMIT_S) as one:
        one.sendall(b"HEAD /accessibility HTTP/1.1\r\nHost: localhost\r\n\r\nGET /")
        told = b"".join(iter(lambda: one.recv(65536), b""))
    assert told.startswith(b"HTTP/1.1 200")
    assert told.endswith(b"\r\n\r\n")


def test_an_answer_that_takes_longer_than_the_limit_is_given(explorer: Explorer) -> None:
    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(1.2)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    with served(explorer, 1.0, slow) as at:
        assert asked(at).endswith(b"4\r\ndone\r\n0\r\n\r\n")
