"""The command, as a user runs it: it serves, says where, stops cleanly, and says what is in the way."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from commonweal.errors import CommonwealError
from commonweal.web.serve import address_of, is_loopback, listen, server_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.web import Explorer
    from conftest import Client, Small


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
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        title, address, advice = (server.stdout.readline().strip() for _ in range(3))
        assert (title, advice) == ("Twenty places", "Stop it with Ctrl-C.")
        assert address.startswith("http://127.0.0.1:")
        assert json.load(urlopen(f"{address}api/study"))["areas"] == 20
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
        assert server.stderr.read() == ""


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
