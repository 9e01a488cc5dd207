"""Whatever a server does, a fetch ends, says why, and never spoils what is in the cache."""

from __future__ import annotations

import gzip
import io
import itertools
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from commonweal.errors import CommonwealError, SourceError, UnreachableError, WrongBytesError
from commonweal.sources import Store
from commonweal.sources.fetch import NoAnswerError, Pace, SlowError, TimeLimits, download

from ..sources.conftest import TABLE, published
from .damage import damaged, flipped, halls
from .server import HANG, RESET, answer, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

OLD = b"code,score\nE1,1\n"
PAGE = b"<!DOCTYPE html>\n<html><title>Log in</title><body>a,b\n1,2\n</body></html>\n"
CHUNKED = "Transfer-Encoding: chunked"
GZIP = "Content-Encoding: gzip"


def chunks(body: bytes, size: int = 7000) -> bytes:
    parts = [body[i : i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts)


def to(address: str) -> bytes:
    return answer(b"", "302 Found", f"Location: {address}")


def forever(*pieces: bytes) -> Iterator[bytes]:
    yield from pieces[:-1]
    yield from itertools.repeat(pieces[-1])


HALF = TABLE[: len(TABLE) // 2]
END = b"0\r\n\r\n"

WHOLE: dict[str, bytes] = {
    "plain": answer(TABLE),
    "chunked": answer(chunks(TABLE) + END, "200 OK", CHUNKED, length=None),
    "said to be identity": answer(TABLE, "200 OK", "Content-Encoding: identity"),
    "called a web page": answer(TABLE, "200 OK", "Content-Type: text/html"),
}
"""What gives the right file."""

UNSURE: dict[str, bytes] = {
    "no length": answer(TABLE, length=None),
    "an old protocol": b"HTTP/1.0 200 OK\r\n\r\n" + TABLE,
    "a length below nothing": answer(TABLE, length=-7),
    "a length that is no number": answer(TABLE, "200 OK", "Content-Length: many", length=None),
    "gzip that is not": answer(TABLE, "200 OK", GZIP),
}
"""What is whole, and could not be told from a part."""

PARTS: dict[str, bytes] = {
    "half without length": answer(HALF, length=None),
    "half with length": answer(HALF, length=len(TABLE)),
    "half of the chunks": answer(chunks(HALF), "200 OK", CHUNKED, length=None),
    "a chunk cut short": answer(b"ffff\r\n" + HALF, "200 OK", CHUNKED, length=None),
    "a chunk without size": answer(b"many\r\n" + TABLE, "200 OK", CHUNKED, length=None),
    "206": answer(HALF, "206 Partial Content", f"Content-Range: bytes 0-99/{len(TABLE)}"),
    "empty": answer(b""),
    "empty without length": answer(b"", length=None),
    "empty chunks": answer(END, "200 OK", CHUNKED, length=None),
    "202": answer(b"", "202 Accepted"),
    "204": answer(b"", "204 No Content", length=None),
    "205": answer(b"", "205 Reset Content"),
    "a longer length": answer(TABLE, length=len(TABLE) + 100),
}
OTHERS: dict[str, bytes] = {
    "log-in page": answer(PAGE),
    "log-in page after a redirect": to("/good-as-login"),
    "a page in capitals": answer(b"\n\n <HTML>\n" + PAGE),
    "a page that begins late": answer(b"<?xml version='1.0'?>\n<!-- " + b"-" * 900 + b"-->" + PAGE),
    "a message in JSON": answer(b'{"error": "try again"}'),
    "not a table": answer(bytes(range(256)) * 40),
    "a row too long": answer(TABLE + b"E1,2,3,4\n"),
    "a row too short": answer(TABLE + b"E1\n"),
    "a header alone": answer(b"code,score\n"),
    "gzip": answer(gzip.compress(TABLE), "200 OK", GZIP),
    "deflate": answer(zlib.compress(TABLE), "200 OK", "Content-Encoding: deflate"),
    "gzip unsaid": answer(gzip.compress(TABLE)),
}
NO_ANSWER: dict[str, Iterable[bytes]] = {
    "nothing": [],
    "reset": [RESET],
    "reset in the headers": [b"HTTP/1.1 200 OK\r\nContent-", RESET],
    "reset in the body": [answer(HALF, length=len(TABLE)), RESET],
    "hangs": [HANG],
    "hangs in the headers": [b"HTTP/1.1 200 OK\r\nContent-", HANG],
    "hangs in the body": [answer(HALF, length=len(TABLE)), HANG],
    "no protocol": [b"hello\r\n\r\n"],
    "another protocol": [b"SSH-2.0-OpenSSH_9.2\r\n"],
    "garbage": [bytes(range(256)) * 10],
    "a status that is no number": [answer(TABLE, "many OK")],
    "a long first line": [b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n"],
    "a long header": [answer(TABLE, "200 OK", "X: " + "x" * 70_000)],
    "too many headers": [answer(TABLE, "200 OK", *(f"X-{i}: 1" for i in range(300)))],
    "a length of 5,000 digits": [
        answer(TABLE, "200 OK", "Content-Length: " + "9" * 5000, length=None)
    ],
    "a size of 5,000 digits in chunks": [
        answer(b"f" * 5000 + b"\r\n" + TABLE, "200 OK", CHUNKED, length=None)
    ],
    **{f"{code}": [answer(TABLE, f"{code} Oh")] for code in (304, 400, 401, 403, 404, 410, 451)},
    **{f"{code} ": [answer(TABLE, f"{code} Oh")] for code in (408, 425, 429, 500, 502, 503, 504)},
    "429 for long": [answer(b"", "429 Slow", "Retry-After: " + "9" * 5000)],
    "a redirect to half an address": [to("http://[::1")],
    "a redirect to no port": [to("http://127.0.0.1:port/a")],
    "a redirect with spaces": [to("http://127.0.0.1:9/a b\tc")],
    "a redirect to a long name": [to("http://" + "a" * 300 + "/")],
    "a redirect to a file": [to("file:///etc/hostname")],
    "a redirect to ftp": [to("ftp://127.0.0.1:9/a")],
    "a redirect to nowhere": [answer(b"", "302 Found")],
    "a redirect to itself": [to("/table.csv")],
}
REFUSED: dict[str, Iterable[bytes]] = {
    **{name: [it] for name, it in (UNSURE | PARTS | OTHERS).items()},
    **NO_ANSWER,
}
REFUSED["log-in page after a redirect"] = [answer(PAGE)]


def quick(cache: Path, *, timeout_s: float = 60, **options: Any) -> Store:
    limits = TimeLimits(timeout_s=timeout_s, retries=0, backoff_s=0.001)
    return Store(cache, limits=limits, **options)


def wait_s(reply: Iterable[bytes]) -> float:
    """Do not wait long for what never comes."""
    return 0.3 if HANG in list(reply) else 60


def put(cache: Path, host: str, body: bytes) -> Path:
    path = cache / "files" / host / "table.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def kept(cache: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in (cache / "files").rglob("*") if p.is_file()}


@pytest.mark.parametrize("reply", WHOLE.values(), ids=WHOLE)
def test_a_whole_file_replaces_that_of_a_rolling_source(tmp_path: Path, reply: bytes) -> None:
    with serving([reply]) as server:
        put(tmp_path, server.host, OLD)
        rolling = published(f"{server.url}/table.csv", sha256="rolling", size=None)
        quick(tmp_path).refresh(rolling)
        assert quick(tmp_path).table(rolling).height == 2000
    assert kept(tmp_path) == {"table.csv": TABLE}


@pytest.mark.parametrize("old", [OLD, None], ids=["over a good file", "the first time"])
@pytest.mark.parametrize("reply", REFUSED.values(), ids=REFUSED)
def test_nothing_else_does(tmp_path: Path, reply: Iterable[bytes], old: bytes | None) -> None:
    with serving(reply) as server:
        if old is not None:
            put(tmp_path, server.host, old)
        rolling = published(f"{server.url}/table.csv", sha256="rolling", size=None)
        with pytest.raises(SourceError) as caught:
            quick(tmp_path, timeout_s=wait_s(reply)).refresh(rolling)
        assert f"source 'scores' cannot be had from {server.url}/table.csv (" in str(caught.value)
        assert len(str(caught.value)) < 1000
        assert str(caught.value).replace("\n", "").isprintable()
        assert kept(tmp_path) == ({} if old is None else {"table.csv": old})
        if old is not None:
            assert quick(tmp_path).table(rolling)["score"].to_list() == [1]


def table_as(kind: str, folder: Path) -> bytes:
    frame = pl.DataFrame({"code": [f"E{i}" for i in range(300)], "score": range(300)})
    if kind == "geojson":
        source = halls(folder)
        assert source.path is not None
        return source.path.read_bytes()
    memory = io.BytesIO()
    if kind == "parquet":
        frame.write_parquet(memory)
    elif kind == "excel":
        frame.write_excel(memory)
    else:
        with zipfile.ZipFile(memory, "w") as archive:
            archive.writestr("scores.csv", frame.write_csv())
    return memory.getvalue()


@pytest.mark.parametrize("kind", ["geojson", "parquet", "excel", "zip"])
def test_of_each_format_the_whole_is_taken_and_a_half_is_not(tmp_path: Path, kind: str) -> None:
    """The halves are sent as if they were the whole, so that their content alone tells."""
    body = table_as(kind, tmp_path)
    reader = "csv" if kind == "zip" else kind
    with serving([answer(body)], [answer(body[: len(body) // 2])]) as server:
        address = f"{server.url}/table.{kind}"
        rolling = published(address, sha256="rolling", size=None, reader=reader)
        path = quick(tmp_path).refresh(rolling)
        with pytest.raises(UnreachableError, match="what the server gave is not the"):
            quick(tmp_path).refresh(rolling)
    assert path.read_bytes() == body
    assert quick(tmp_path, offline=True).table(rolling).height in (60, 300)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("204", "the server answered 204 No Content; expected 200 and the whole file"),
        ("206", "the server answered 206 Partial Content; expected 200 and the whole file"),
        ("empty", "the server's answer is empty"),
        ("gzip", "the server's answer is encoded (gzip), which was not asked for"),
        ("half without length", "a part of it could not be told from the whole"),
        ("log-in page", "the server gave a web page, perhaps one to log in; expected a csv file"),
        ("a header alone", "is not the csv table expected, and is not used (it: a header and no"),
        (
            "a length of 5,000 digits",
            "the file is larger than is taken from a server; expected at most",
        ),
        ("a redirect to half an address", "cannot be understood (Invalid IPv6 URL)"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, name: str, words: str) -> None:
    with serving(REFUSED[name]) as server:
        rolling = published(f"{server.url}/table.csv", sha256="rolling", size=None)
        with pytest.raises(CommonwealError) as caught:
            quick(tmp_path).path(rolling)
    assert words in str(caught.value)


@pytest.mark.parametrize("reply", [*({**WHOLE, **UNSURE}).values()])
def test_a_pinned_file_is_known_by_its_checksum(tmp_path: Path, reply: bytes) -> None:
    with serving([reply]) as server:
        assert quick(tmp_path).table(published(f"{server.url}/table.csv")).height == 2000


@pytest.mark.parametrize("old", [OLD, None], ids=["over another file", "the first time"])
@pytest.mark.parametrize("name", [name for name in REFUSED if name not in UNSURE])
def test_a_pinned_file_is_never_replaced_by_another(
    tmp_path: Path, name: str, old: bytes | None
) -> None:
    with serving(REFUSED[name]) as server:
        if old is not None:
            put(tmp_path, server.host, old)
        with pytest.raises(SourceError) as caught:
            quick(tmp_path, timeout_s=wait_s(REFUSED[name])).path(
                published(f"{server.url}/table.csv")
            )
    assert len(str(caught.value)) < 1500
    assert kept(tmp_path) == ({} if old is None else {"table.csv": old})


def ticking(step_s: float) -> Callable[[], float]:
    """A clock that goes on by so much whenever it is looked at."""
    return itertools.count(0.0, step_s).__next__


@pytest.mark.parametrize(
    "reply",
    [
        lambda: forever(b"HTTP/1.1 100 Continue\r\n\r\n"),
        lambda: forever(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        lambda: forever(answer(b"", length=len(TABLE)), b"x"),
        lambda: forever(answer(b"", "200 OK", CHUNKED, length=None), b"1\r\nx\r\n"),
    ],
    ids=["100 Continue", "headers", "body", "chunks"],
)
def test_a_drip_without_end_ends(tmp_path: Path, reply: Callable[[], Iterator[bytes]]) -> None:
    waited: list[float] = []
    patience = TimeLimits(
        timeout_s=60, retries=2, backoff_s=8, clock=ticking(1000.0), sleep=waited.append
    )
    with serving(reply(), reply(), reply()) as server:
        with pytest.raises(
            NoAnswerError, match=r"slower than 1,000 bytes a second for 60 s \(tried 3"
        ):
            download(f"{server.url}/table.csv", tmp_path / "table.csv", patience=patience)
        assert len(server.asked) == 3
    assert [8 <= waited[0] <= 12, 16 <= waited[1] <= 24, len(waited)] == [True, True, 2]
    assert list(tmp_path.iterdir()) == []


def test_a_server_may_say_how_long_to_wait_but_not_for_ever(tmp_path: Path) -> None:
    waited: list[float] = []
    patience = TimeLimits(timeout_s=60, retries=2, backoff_s=0.5, sleep=waited.append)
    busy = (answer(b"", "429 Busy", f"Retry-After: {s}") for s in ("7", "86400"))
    with serving(*([it] for it in busy), [answer(TABLE)]) as server:
        download(f"{server.url}/table.csv", tmp_path / "table.csv", patience=patience)
    assert waited == [7.0, 60.0]


class TestPace:
    """By a clock of its own: what is too slow, and what is not."""

    def pace(self, **limits: float) -> tuple[Pace, list[float]]:
        now = [100.0]
        return Pace(TimeLimits(clock=lambda: now[0], **limits)), now

    def test_a_byte_every_ten_seconds_ends_within_the_window(self) -> None:
        pace, now = self.pace()
        for _ in range(5):
            now[0] += 10
            pace.count(1)
        now[0] += 10
        with pytest.raises(SlowError, match="slower than 1,000 bytes a second for 60 s"):
            pace.count(1)

    def test_a_slow_line_is_good_enough_for_hours(self) -> None:
        pace, now = self.pace()
        for _ in range(3 * 360):
            now[0] += 10
            pace.count(10_000)

    def test_what_was_fast_once_may_not_drip_from_then_on(self) -> None:
        pace, now = self.pace()
        now[0] += 60
        pace.count(10**9)
        now[0] += 61
        with pytest.raises(SlowError):
            pace.count(1)

    def test_a_server_may_think_before_it_answers(self) -> None:
        pace, now = self.pace()
        now[0] += 59
        pace.count(100)

    def test_each_try_has_an_end(self) -> None:
        pace, now = self.pace(deadline_s=100)
        now[0] += 100
        pace.count(10**9)
        now[0] += 1
        with pytest.raises(SlowError, match="not done within 100 s"):
            pace.count(10**9)


class TestWrongBytesInOnePlace:
    """The next place is asked; if none has the right bytes, both checksums are shown."""

    def test_of_a_mirrors_url_the_network_makes_good(self, tmp_path: Path) -> None:
        told: list[str] = []
        with serving([answer(flipped(TABLE, 1))], [answer(TABLE)]) as server:
            it = quick(tmp_path, mirror=f"{server.url}/m", progress=lambda w, *_: told.append(w))
            assert it.table(published(f"{server.url}/table.csv")).height == 2000
            assert server.asked == [f"/m/{server.host.replace(':', '%3A')}/table.csv", "/table.csv"]
        assert it.used[0]["from"] == "network"
        assert any("are not the pinned ones" in line for line in told)

    def test_of_a_mirror_folder_the_cache_or_the_network_makes_good(self, tmp_path: Path) -> None:
        cache, mirror = tmp_path / "cache", tmp_path / "mirror"
        with serving([answer(TABLE)]) as server:
            there = mirror / server.host / "table.csv"
            there.parent.mkdir(parents=True)
            there.write_bytes(flipped(TABLE, 2))
            for expected in ("network", "cache"):
                it = quick(cache, mirror=mirror)
                assert it.table(published(f"{server.url}/table.csv")).height == 2000
                assert it.used[0]["from"] == expected
            assert there.read_bytes() == flipped(TABLE, 2)
            assert len(server.asked) == 1
            found = quick(cache, mirror=mirror).verify(published(f"{server.url}/table.csv"))
            assert (found.status, found.where) == ("good", "cache")
            assert f"{there} is not the pinned file, and is not used" in found.message

    def test_offline_and_without_an_answer_they_are_told(self, tmp_path: Path) -> None:
        with serving([answer(b"", "404 Not Found")]) as server:
            source = published(f"{server.url}/table.csv")
            path = put(tmp_path, server.host, OLD)
            for offline in (True, False):
                with pytest.raises(WrongBytesError) as caught:
                    quick(tmp_path, offline=offline).path(source)
                said = str(caught.value)
                assert f"{path} is not the pinned file, and is not used" in said
                assert str(source.sha256) in said
                assert said.count("sha256") == 2
                assert ("Asked next: " in said) is not offline
                assert ("404 Not Found" in said) is not offline
            assert len(server.asked) == 1
        assert kept(tmp_path) == {"table.csv": OLD}

    @pytest.mark.parametrize("server_says", ["the file", "404", "offline"])
    def test_a_damaged_file_in_the_cache(self, tmp_path: Path, server_says: str) -> None:
        reply = [answer(TABLE)] if server_says == "the file" else [answer(b"", "404 Not Found")]
        with serving(reply) as server:
            source = published(f"{server.url}/table.csv")
            path = put(tmp_path, server.host, TABLE)
            for words, damage in damaged(TABLE, 8, 5):
                damage(path)
                there = path.read_bytes() if path.exists() else None
                it = quick(tmp_path, offline=server_says == "offline")
                if server_says == "the file":
                    assert it.table(source).height == 2000, words
                    assert path.read_bytes() == TABLE, words
                else:
                    kind = UnreachableError if there is None else WrongBytesError
                    with pytest.raises(kind):
                        it.table(source)
                    assert (path.read_bytes() if path.exists() else None) == there, words

    def test_without_any_it_is_unreachable(self, tmp_path: Path) -> None:
        with serving([answer(b"", "404 Not Found")]) as server, pytest.raises(UnreachableError):
            quick(tmp_path).path(published(f"{server.url}/table.csv"))
