"""Fetching: a URL becomes a verified local file, at a least speed and within a time limit."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import http.client
import io
import random
import socket
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from functools import partial
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from commonweal.errors import DataError, SourceError, WrongBytesError
from commonweal.files.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Progress = Callable[[str, int, int], None]


class SlowError(Exception):
    """A server that sends too little in the time it is given."""


@dataclass(frozen=True)
class TimeLimits:
    """How long to wait for a server, and how often to ask again."""

    timeout_s: float = 30.0  # seconds to wait for a connection, and for each next piece
    retries: int = 4  # how often to ask again after a fault that may pass
    # seconds before the first repeat; doubled each time, with up to half as much again by chance so that many machines
    # do not knock together
    backoff_s: float = 1.0
    # bytes that have to come each second, on average over any `window_s` seconds. curl calls these ``--speed-limit``
    # and ``--speed-time``.
    least_speed: float = 1000.0
    window_s: float = 60.0  # seconds over which the speed is taken
    deadline_s: float = 4 * 3600.0  # seconds that one try may take in all
    # clock, sleep: tells seconds, and waits for some
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep


@dataclass
class Pace:
    """How fast one try has been so far: headers, redirects and all."""

    patience: TimeLimits
    begun: float = field(init=False)
    mark: float = field(init=False)
    came: int = 0

    def __post_init__(self) -> None:
        self.begun = self.mark = self.patience.clock()

    def count(self, size: int) -> None:
        """Count bytes that came."""
        now, limits = self.patience.clock(), self.patience
        self.came += size
        if now - self.begun > limits.deadline_s:
            raise SlowError(f"not done within {limits.deadline_s:,.0f} s")
        if now - self.mark >= limits.window_s:
            if self.came < limits.least_speed * (now - self.mark):
                raise SlowError(
                    f"slower than {limits.least_speed:,.0f} bytes a second for "
                    f"{limits.window_s:,.0f} s"
                )
            self.mark, self.came = now, 0


class _Counted(io.RawIOBase):
    """What comes over a connection, counted."""

    def __init__(self, raw: io.RawIOBase, pace: Pace) -> None:
        self._raw, self._pace = raw, pace

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        size = self._raw.readinto(buffer)
        self._pace.count(size or 0)
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer whose first line and headers are counted too: they may never end."""

    def __init__(self, pace: Pace, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_Counted(self.fp.detach(), pace))


def paced_handlers(pace: Pace) -> list[urllib.request.BaseHandler]:
    """Give what opens http and https for `urllib`, counting what comes."""

    def connection(kind: type[http.client.HTTPConnection], host: str, **given: Any) -> Any:
        made = kind(host, **given)
        made.response_class = partial(_Answer, pace)  # type: ignore[assignment]
        return made

    class Plain(urllib.request.HTTPHandler):
        def http_open(self, req: urllib.request.Request) -> Any:
            return self.do_open(partial(connection, http.client.HTTPConnection), req)

    class Secure(urllib.request.HTTPSHandler):
        def https_open(self, req: urllib.request.Request) -> Any:
            return self.do_open(partial(connection, http.client.HTTPSConnection), req)

    return [Plain(), Secure()]


_BLOCK = 1 << 18
#: The most that is taken from a server for a file whose size is not pinned.
MAX_BYTES = 8 << 30


class AbsentError(SourceError):
    """The server answered that it does not have the file, or does not give it."""


class NoAnswerError(SourceError):
    """The server gave no whole answer, however often it was asked."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects, but never from https to anything less."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        scheme = urlsplit(newurl).scheme
        if scheme not in {"http", "https"} or (
            scheme == "http" and urlsplit(req.full_url).scheme == "https"
        ):
            raise AbsentError(
                f"{req.full_url} redirects to {_short(newurl)}, which is refused: not https"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _PassingError(Exception):
    """A fault that may pass if one asks again."""

    def __init__(self, what: str, wait_s: float = 0.0) -> None:
        super().__init__(what)
        self.wait_s = wait_s


def place_of(url: str) -> str:
    """Say where a mirror and the cache keep the file of a URL: host/path, percent-decoded."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise DataError(f"{url}: not an address ({error})") from None
    place = parts.netloc + unquote(parts.path)
    if parts.query:
        place += "?" + unquote(parts.query)
    if ".." in place.split("/") or "\0" in place or place.endswith("/"):
        raise DataError(f"{url}: not the address of a file")
    return place


def download(
    url: str,
    target: Path,
    *,
    sha256: str | None = None,
    size: int | None = None,
    patience: TimeLimits | None = None,
    progress: Progress | None = None,
    check: Callable[[Path], None] | None = None,
) -> str:
    """Download a file, check it, and only then put it in place."""
    patience = patience or TimeLimits()
    for attempt in range(patience.retries + 1):
        try:
            with atomic_write(target) as part:
                found = _take(url, part, sha256, size, patience, progress)
                if check is not None:
                    check(part)
                return found
        except _PassingError as fault:
            last = fault
        if attempt < patience.retries:
            wait_s = patience.backoff_s * 2**attempt * (1 + random.random() / 2)
            wait_s = max(wait_s, min(last.wait_s, 60.0))
            if progress is not None:
                progress(f"{last}; asking again in {wait_s:.0f} s", 0, size or 0)
            patience.sleep(wait_s)
    tries = patience.retries + 1
    raise NoAnswerError(f"{url}: {last} (tried {tries} {'time' if tries == 1 else 'times'})")


def _take(
    url: str,
    part: Path,
    sha256: str | None,
    size: int | None,
    patience: TimeLimits,
    progress: Progress | None,
) -> str:
    """Take one whole answer into a file; raise `_PassingError` if asking again may help."""
    opener = urllib.request.build_opener(_Redirects(), *paced_handlers(Pace(patience)))
    request = urllib.request.Request(url, headers={"User-Agent": "commonweal"})
    most = size if size is not None else MAX_BYTES
    digest, done = hashlib.sha256(), 0
    with contextlib.ExitStack() as stack:
        with _asking(url, patience):
            answer = stack.enter_context(opener.open(request, timeout=patience.timeout_s))
        total = _length(answer)
        if total is not None and total > most:
            raise _too_large(url, size, f"{total:,} bytes")
        _refuse(url, answer, pinned=sha256 is not None)
        file = stack.enter_context(part.open("wb"))
        for block in _blocks(answer, url, patience):
            done += len(block)
            if done > most:
                raise _too_large(url, size, f"more than {most:,} bytes")
            digest.update(block)
            file.write(block)
            if progress is not None:
                progress(f"fetching {part.name[1:].rsplit('.', 2)[0]}", done, size or total or 0)
    whole = total if total is not None else size
    if whole is not None and done < whole:
        raise _PassingError(f"the answer was cut short: {done:,} of {whole:,} bytes")
    if done == 0 and not size:
        raise AbsentError(f"{url}: the server's answer is empty")
    found = digest.hexdigest()
    if sha256 is not None and found != sha256:
        raise WrongBytesError(
            f"{url}: the bytes are not the pinned ones, and are not used\n"
            f"expected sha256 {sha256}"
            + (f" ({size:,} bytes)\n" if size else "\n")
            + f"found    sha256 {found} ({done:,} bytes)"
        )
    return found


def _length(answer: http.client.HTTPResponse) -> int | None:
    """Give the length that a server states; what has more digits than any file is as large."""
    said = answer.headers.get("Content-Length", "").strip()
    return int(said[:20]) if said.isdecimal() else None


def _refuse(url: str, answer: http.client.HTTPResponse, *, pinned: bool) -> None:
    """Refuse an answer that is not a whole file, or could not be told from a part of one."""
    if answer.status != 200:
        raise AbsentError(
            f"{url}: the server answered {answer.status} {_short(answer.reason)}; expected 200 "
            "and the whole file"
        )
    if pinned:  # its checksum says all
        return
    coded = answer.headers.get("Content-Encoding", "identity")
    if coded.strip().lower() not in {"", "identity"}:
        raise AbsentError(
            f"{url}: the server's answer is encoded ({_short(coded)}), which was not asked for"
        )
    if _length(answer) is None and not answer.chunked:
        raise AbsentError(
            f"{url}: the server does not state how long the file is, and it has no pinned size; a "
            "part of it could not be told from the whole"
        )


def _short(text: str) -> str:
    """Show a little of what a server said, and nothing that a terminal would obey."""
    plain = "".join(c if c.isprintable() else "?" for c in text[:200])
    return plain + ("…" if len(text) > 200 else "")


def _blocks(answer: http.client.HTTPResponse, url: str, patience: TimeLimits) -> Iterator[bytes]:
    """Read an answer piece by piece."""
    while True:
        with _asking(url, patience):
            block = answer.read1(_BLOCK)
        if not block:
            return
        yield block


@contextlib.contextmanager
def _asking(url: str, patience: TimeLimits) -> Iterator[None]:
    """Say what a fault of the network means. Only the network: an error of the disk is another's."""
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        if error.code >= 500 or error.code in {408, 425, 429}:
            after = error.headers.get("Retry-After", "")
            wait_s = float(after) if after.isdecimal() else 0.0
            raise _PassingError(
                f"the server answered {error.code} {_short(error.reason)}", wait_s
            ) from None
        raise AbsentError(
            f"{url}: the server answered {error.code} {_short(error.reason)}"
        ) from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise _PassingError(f"no answer within {patience.timeout_s:g} s") from None
        if _is_hopeless(error.reason):
            raise NoAnswerError(f"{url}: no connection ({_short(str(error.reason))})") from None
        raise _PassingError(f"no connection ({_short(str(error.reason))})") from None
    except SlowError as error:
        raise _PassingError(str(error)) from None
    except (ValueError, http.client.InvalidURL) as error:
        raise AbsentError(
            f"{url}: the server's answer cannot be understood ({_short(str(error))})"
        ) from None
    except TimeoutError:
        raise _PassingError(f"no answer within {patience.timeout_s:g} s") from None
    except (http.client.HTTPException, OSError) as error:  # a TLS error is an OSError
        raise _PassingError(
            f"the connection broke ({_short(str(error)) or type(error).__name__})"
        ) from None


def _is_hopeless(reason: object) -> bool:
    """Whether asking again within seconds cannot help: no network, no such host, no trust."""
    if isinstance(reason, socket.gaierror | ssl.SSLCertVerificationError):
        return True
    return isinstance(reason, OSError) and reason.errno in {errno.ENETUNREACH, errno.EHOSTUNREACH}


def _too_large(url: str, size: int | None, found: str) -> SourceError:
    if size is None:
        return AbsentError(
            f"{url}: the file is larger than is taken from a server; expected at most "
            f"{MAX_BYTES:,} bytes, found {found}"
        )
    return WrongBytesError(
        f"{url}: the file is larger than the pinned one, and is not used; "
        f"expected {size:,} bytes, found {found}"
    )
