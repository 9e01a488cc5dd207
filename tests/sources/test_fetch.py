"""Fetching through every fault that a network, a server and a disk can show."""

from __future__ import annotations

import errno
import hashlib
import http.client
import io
import os
import socket
import ssl
import subprocess
import sys
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from commonweal.errors import DataError, SourceError, UnreachableError, WrongBytesError
from commonweal.files.atomic import atomic_write, sha256_of
from commonweal.sources import Store
from commonweal.sources.fetch import (
    AbsentError,
    NoAnswerError,
    TimeLimits,
    _Redirects,
    download,
    place_of,
)

from .conftest import TABLE, Server, published

QUICK = TimeLimits(timeout_s=60, retries=2, backoff_s=0.001)
SHA = hashlib.sha256(TABLE).hexdigest()


def fetch(url: str, target: Path, **options: Any) -> str:
    return download(url, target, **{"sha256": SHA, "size": len(TABLE), "patience": QUICK} | options)


def quick_store(cache: Path, **options: Any) -> Store:
    return Store(cache, limits=QUICK, **options)


def files_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if p.is_file())


def test_a_download_is_checked_and_reported(server: Server, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    target = tmp_path / "table.csv"
    found = fetch(f"{server.url}/slow/table.csv", target, progress=lambda *a: told.append(a))
    assert found == SHA
    assert target.read_bytes() == TABLE
    assert told[-1] == ("fetching table.csv", len(TABLE), len(TABLE))
    assert len(told) > 1
    assert files_in(tmp_path) == ["table.csv"]


@pytest.mark.parametrize("path", ["500-then-fine", "truncated-then-fine"])
def test_a_passing_fault_is_asked_again(server: Server, tmp_path: Path, path: str) -> None:
    fetch(f"{server.url}/{path}/table.csv", tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_bytes() == TABLE
    assert server.hits[f"/{path}/table.csv"] == (3 if path == "500-then-fine" else 2)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("silent", "no answer within 0.3 s"),
        ("503", "503"),
        ("truncated", "5,000 of"),
        ("unsized-truncated", "5,000 of"),
    ],
)
def test_a_lasting_fault_ends_after_all_tries(
    server: Server, tmp_path: Path, path: str, words: str
) -> None:
    patience = replace(QUICK, timeout_s=0.3 if path == "silent" else QUICK.timeout_s)
    with pytest.raises(NoAnswerError, match=r"tried 3 times") as caught:
        fetch(f"{server.url}/{path}/table.csv", tmp_path / "table.csv", patience=patience)
    assert words in str(caught.value)
    assert server.hits[f"/{path}/table.csv"] == 3
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(
    "fault",
    [
        OSError(errno.ENETDOWN, "Network is down"),
        ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
        ssl.SSLError(1, "decryption failed or bad record mac"),
        http.client.IncompleteRead(b"", 5),
    ],
    ids=lambda fault: type(fault).__name__,
)
@pytest.mark.parametrize("step", ["read1", "begin"])  # the answer's body, and its first line
class TestAConnectionThatBreaks:
    def breaking(
        self, monkeypatch: pytest.MonkeyPatch, step: str, fault: Exception, often: int
    ) -> list[int]:
        whole, asked = getattr(http.client.HTTPResponse, step), [0]

        def broken(answer: http.client.HTTPResponse, *given: int) -> Any:
            asked[0] += 1
            if asked[0] <= often:
                raise fault
            return whole(answer, *given)

        monkeypatch.setattr(http.client.HTTPResponse, step, broken)
        return asked

    def test_is_asked_again(
        self,
        server: Server,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        step: str,
        fault: Exception,
    ) -> None:
        self.breaking(monkeypatch, step, fault, often=2)
        assert fetch(f"{server.url}/good.csv", tmp_path / "table.csv") == SHA

    def test_for_good_is_said_plainly(
        self,
        server: Server,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        step: str,
        fault: Exception,
    ) -> None:
        asked = self.breaking(monkeypatch, step, fault, often=99)
        with pytest.raises(UnreachableError, match=r"tried 3 times") as caught:
            quick_store(tmp_path).path(published(f"{server.url}/good.csv"))
        assert asked == [3]
        for words in (f"{server.url}/good.csv", "COMMONWEAL_MIRROR", "commonweal demo"):
            assert words in str(caught.value)
        assert files_in(tmp_path) == []


def test_an_error_of_the_disk_is_not_one_of_the_network(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_path: Path, mode: str) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Path, "open", broken)
    with pytest.raises(SourceError, match=r"cannot write in .*Input/output error") as caught:
        fetch(f"{server.url}/good.csv", tmp_path / "table.csv")
    assert not isinstance(caught.value, NoAnswerError)
    assert server.hits["/good.csv"] == 1


def test_not_found_is_not_asked_again(server: Server, tmp_path: Path) -> None:
    with pytest.raises(AbsentError, match="404"):
        fetch(f"{server.url}/absent/table.csv", tmp_path / "table.csv")
    assert server.hits["/absent/table.csv"] == 1


@pytest.mark.parametrize("path", ["wrong", "shorter"])
def test_wrong_bytes_show_both_hashes_and_change_nothing(
    server: Server, tmp_path: Path, path: str
) -> None:
    target = tmp_path / "table.csv"
    target.write_bytes(b"good")
    with pytest.raises(WrongBytesError) as caught:
        fetch(f"{server.url}/{path}/table.csv", target)
    wrong = TABLE.replace(b"7", b"8") if path == "wrong" else TABLE[:5000]
    assert SHA in str(caught.value)
    assert hashlib.sha256(wrong).hexdigest() in str(caught.value)
    assert target.read_bytes() == b"good"
    assert files_in(tmp_path) == ["table.csv"]
    assert server.hits[f"/{path}/table.csv"] == 1


@pytest.mark.parametrize("path", ["too-large", "endless"])
def test_more_bytes_than_pinned_are_not_taken(server: Server, tmp_path: Path, path: str) -> None:
    done: list[int] = []
    with pytest.raises(WrongBytesError, match=f"expected {len(TABLE):,} bytes"):
        fetch(
            f"{server.url}/{path}/table.csv",
            tmp_path / "t.csv",
            progress=lambda *a: done.append(a[1]),
        )
    assert all(n <= len(TABLE) for n in done)
    assert files_in(tmp_path) == []


def test_a_redirect_is_followed(server: Server, tmp_path: Path) -> None:
    assert fetch(f"{server.url}/moved/table.csv", tmp_path / "table.csv") == SHA


def test_a_redirect_to_a_local_file_is_refused(server: Server, tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        fetch(f"{server.url}/moved-to-file/table.csv", tmp_path / "t", sha256=None, size=None)
    assert files_in(tmp_path) == []


def test_a_redirect_from_https_to_http_is_refused() -> None:
    request = urllib.request.Request("https://example.org/table.csv")
    with pytest.raises(AbsentError, match="not https"):
        _Redirects().redirect_request(
            request,
            io.BytesIO(),
            302,
            "",
            None,
            "http://example.org/table.csv",  # type: ignore[arg-type]
        )


def test_no_network_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def no_such_host(host: str, *_: object, **__: object) -> None:
        asked.append(host)
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_host)
    with pytest.raises(UnreachableError) as caught:
        quick_store(tmp_path).path(published("https://data.example.org/a%20b/table.csv"))
    assert asked == ["data.example.org"]
    said = str(caught.value)
    assert "https://data.example.org/a%20b/table.csv" in said
    assert "COMMONWEAL_MIRROR" in said
    assert "host and path" in said
    assert "commonweal demo" in said


def test_a_refused_connection_is_unreachable(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UnreachableError, match="tried 3 times"):
        quick_store(tmp_path).path(published(f"http://127.0.0.1:{port}/table.csv"))


def test_a_full_disk_is_said_plainly(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SourceError, match=r"no room left.*COMMONWEAL_CACHE"):
        quick_store(tmp_path).path(published(f"{server.url}/good.csv"))
    assert files_in(tmp_path) == []


def test_a_conversion_that_does_not_fit_is_said_plainly(tmp_path: Path) -> None:
    """A real limit on the size of a file (of bytecode too, so none is written): libraries' own writers meet it."""
    program = """
import resource, signal, sys
from pathlib import Path
from commonweal.errors import SourceError
from commonweal.sources import Store
from commonweal.sources.catalogue import local_source
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
try:
    Store(sys.argv[1]).table(local_source(sys.argv[2]))
except SourceError as error:
    print(error)
"""
    points = ",".join(
        f'{{"type":"Feature","properties":{{"n":{i}}},"geometry":'
        f'{{"type":"Point","coordinates":[{i / 7},{i / 9}]}}}}'
        for i in range(200)
    )
    (tmp_path / "a.geojson").write_text(f'{{"type":"FeatureCollection","features":[{points}]}}')
    cache = tmp_path / "cache"
    run = subprocess.run(
        [sys.executable, "-B", "-c", program, str(cache), str(tmp_path / "a.geojson")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "no room left" in run.stdout
    assert files_in(cache) == []


def test_ctrl_c_leaves_no_part_and_keeps_the_old_file(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "table.csv"
    target.write_bytes(b"good")

    def interrupt(_what: str, done: int, _total: int) -> None:
        if done > 5000:
            assert any(name.endswith(".part") for name in files_in(tmp_path))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(f"{server.url}/slow/table.csv", target, progress=interrupt)
    assert target.read_bytes() == b"good"
    assert files_in(tmp_path) == ["table.csv"]


def test_an_unwritable_cache_names_the_variable(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"a file where a folder should be")
    with pytest.raises(SourceError, match="COMMONWEAL_CACHE"):
        quick_store(tmp_path / "cache").path(published(f"{server.url}/good.csv"))


def test_other_faults_in_writing_are_not_hidden(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), atomic_write(tmp_path / "a"):
        raise ZeroDivisionError
    assert files_in(tmp_path) == []


def test_two_processes_at_once_share_a_cache(server: Server, tmp_path: Path) -> None:
    program = """
import sys
from commonweal.sources import Source, Store
from commonweal.sources.fetch import TimeLimits
source = Source.model_validate_json(sys.argv[2])
print(Store(sys.argv[1], limits=TimeLimits(backoff_s=0.01)).table(source).height)
"""
    source = published(f"{server.url}/slow/table.csv").model_dump_json()
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path), source],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for run in runs:
        out, err = run.communicate()
        assert (out.strip(), err) == ("2000", "")
    assert files_in(tmp_path) == ["table.csv"]
    assert server.hits["/slow/table.csv"] in {1, 2}  # 1 if one was done before the other began


def test_the_place_in_a_mirror_is_percent_decoded() -> None:
    assert place_of("https://a.org/x/charity%20density.csv") == "a.org/x/charity density.csv"
    for url in ("https://a.org/x/%2e%2e/%2e%2e/y.csv", "https://a.org/x/"):
        with pytest.raises(DataError, match="not the address"):
            place_of(url)


def test_checking_a_large_file_tells_of_it(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(20_000_000)
    told: list[int] = []
    assert (
        sha256_of(path, lambda _w, done, _t: told.append(done))
        == hashlib.sha256(bytes(20_000_000)).hexdigest()
    )
    assert told[-1] == 20_000_000
