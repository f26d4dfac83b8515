"""Fetch a URL to a file over a network that breaks: go on with Range, wait as told, notice a stall."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from typing import Any, TypeVar
from urllib.parse import urlsplit

from data import files
from data.storage import redacted
from pipelines.download.errors import BusyError, DownloadError, GoneError, UnavailableError, cannot_write
from pipelines.download.network import Clock, Network, backoff, retry_after, slots

Told = Callable[[int, int], None]
"""Called with (bytes there, bytes in all or 0)."""
T = TypeVar("T")
_PROGRESS = 1 << 20  # bytes that make an attempt count as one that got on
_LONG_WAIT = 10.0  # seconds that a person wants to know the reason of
_DOCUMENT = 64 << 20  # bytes of a status file or listing at the most
_RETRIED = {408, 425, 429, 500, 502, 503, 504}
_GONE = {404, 410}


@dataclass(frozen=True)
class Fetched:
    """What a server said of a file. `changed` is false where the copy in the lake is still what it gives."""

    etag: str | None = None
    modified: str | None = None
    resumed: bool = False
    changed: bool = True


class _RetryError(Exception):
    """This attempt failed, another may not: after how many seconds at least, and what this one brought."""

    def __init__(self, why: str, *, after: float = 0.0, gained: int = 0) -> None:
        super().__init__(why)
        self.after, self.gained = after, gained


class Client:
    """One user of servers, for the length of a download. Threads may share it; `stop` ends what they do."""

    def __init__(self, network: Network, clock: Clock, note: Callable[[str], None]) -> None:
        self.network, self.clock, self.note = network, clock, note
        self.stop = Event()
        self._lock = Lock()
        self._opened: Any = None

    def _http(self) -> Any:
        import httpx

        with self._lock:
            if self._opened is None:
                headers = {"User-Agent": self.network.user_agent, "Accept-Encoding": "identity"}
                self._opened = httpx.Client(headers=headers, timeout=self.network.timeout_s, follow_redirects=True)
            return self._opened

    def close(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            self._opened.close()

    def text(self, url: str) -> str:
        """A small document. Raises UnavailableError where the server has none or does not answer."""

        def attempt() -> str:
            with self._answer(url, {}) as response:
                body = bytearray()
                for chunk in self._chunks(response.iter_bytes()):
                    body += chunk
                    if len(body) > _DOCUMENT:
                        raise DownloadError(f"{url} is no status file or listing: it is too long")
                return body.decode("utf-8", "replace")

        return self._tries(url, attempt)

    def fetch(self, url: str, staged: Path, told: Told, *, known: Fetched | None = None) -> Fetched:
        """The whole body of `url` in `staged`, gone on with where an earlier attempt or run broke off.

        With `known`, what the server said of the copy in the lake, an unchanged file is not sent again.
        """
        found = self._tries(url, lambda: self._attempt(url, staged, told, known))
        note_file(staged).unlink(missing_ok=True)
        return found

    def _tries(self, url: str, attempt: Callable[[], T]) -> T:
        """Up to `attempts` attempts in a row that bring nothing; one that got on starts the count again."""
        failures = 0
        while True:
            try:
                return attempt()
            except _RetryError as error:
                failures = 1 if error.gained >= _PROGRESS else failures + 1
                if failures >= self.network.attempts:
                    raise BusyError(f"{url} {error} {failures} times; try again later") from error
                self.wait(f"{url} {error}", failures, at_least=error.after)

    def wait(self, why: str, failures: int, *, at_least: float = 0.0) -> None:
        """Wait before the next attempt. Raises BusyError where a server asks for more patience than there is."""
        seconds = max(at_least, backoff(self.network, failures, self.clock.chance()))
        if seconds > self.network.max_wait_s:
            raise BusyError(f"{why} and asks to come back in {seconds:.0f} s; try again then")
        if seconds >= _LONG_WAIT:
            self.note(f"{why}; asking again in {seconds:.0f} s")
        (self.clock.sleep or self.stop.wait)(seconds)
        self._check()

    def _check(self) -> None:
        if self.stop.is_set():
            raise DownloadError("the download was stopped")

    def _attempt(self, url: str, staged: Path, told: Told, known: Fetched | None) -> Fetched:
        validator = _validator(url, staged)
        done = staged.stat().st_size if validator else 0
        headers = {"Range": f"bytes={done}-", "If-Range": validator} if done and validator else _conditions(known)
        with self._answer(url, headers) as response:
            if response.status_code == 304:
                return Fetched(changed=False)
            whole = response.status_code == 416 and response.headers.get("content-range") == f"bytes */{done}"
            if whole and done:
                told(done, done)  # killed between the last byte and the rename
            elif response.status_code == 416 or (response.status_code == 206 and not _starts_at(response, done)):
                staged.unlink(missing_ok=True)
                raise _RetryError("could not go on where it broke off")
            else:
                self._receive(url, response, staged, done if response.status_code == 206 else 0, told)
            said = response.headers
            return Fetched(
                said.get("etag"), said.get("last-modified"), resumed=done > 0 and response.status_code != 200
            )

    def _receive(self, url: str, response: Any, staged: Path, done: int, told: Told) -> None:
        """Append the body as it was sent to what is there."""
        start, length = done, int(response.headers.get("content-length", 0))
        total = start + length if length else 0
        try:
            if not start:
                _remember(url, staged, response.headers)
            with staged.open("ab" if start else "wb") as file:
                # A chunk size would hold bytes back, lost when the transfer breaks off.
                for chunk in self._chunks(response.iter_raw()):
                    file.write(chunk)
                    done += len(chunk)
                    told(done, total)
        except _RetryError as error:
            error.gained = done - start
            raise
        except OSError as error:
            raise cannot_write(staged.parent, error) from error
        if done < total:
            raise _RetryError(f"broke off ({done} of {total} bytes)", gained=done - start)

    def _chunks(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The chunks as they come. Raises _RetryError when the transfer ends early or all but stands still."""
        import httpx

        since, brought = self.clock.monotonic(), 0
        try:
            for chunk in chunks:
                self._check()
                yield chunk
                brought += len(chunk)
                now = self.clock.monotonic()
                if now - since >= self.network.window_s:
                    if brought < self.network.min_rate * (now - since):
                        raise _RetryError(f"stalled ({brought} bytes in {now - since:.0f} s)")
                    since, brought = now, 0
        except httpx.TimeoutException as error:
            raise _RetryError(f"stalled (nothing in {self.network.timeout_s:g} s)") from error
        except httpx.TransportError as error:
            raise _RetryError(f"broke off ({error})") from error

    @contextmanager
    def _answer(self, url: str, headers: dict[str, str]) -> Iterator[Any]:
        """The answer to a GET, or the error it stands for."""
        import httpx

        self._check()
        try:
            free = slots(urlsplit(url).netloc, self.network.connections)
            with free, self._http().stream("GET", url, headers=headers) as response:
                self._refuse(url, response)
                yield response
        except httpx.UnsupportedProtocol as error:
            raise DownloadError(f"{url} cannot be fetched ({error}); check the address") from error
        except httpx.TimeoutException as error:
            raise _RetryError(f"did not answer in {self.network.timeout_s:g} s") from error
        except httpx.TransportError as error:
            raise _RetryError(f"could not be reached ({error or type(error).__name__})") from error
        except (httpx.RequestError, httpx.InvalidURL, ValueError) as error:
            raise DownloadError(f"{url} cannot be fetched ({error}); check the address") from error

    def _refuse(self, url: str, response: Any) -> None:
        code = response.status_code
        if code in _RETRIED:
            raise _RetryError(
                f"answered {code}", after=retry_after(response.headers.get("retry-after"), self.clock.now())
            )
        if code in _GONE:
            raise GoneError(f"{url} answered {code}: it is not there (any more); check the address")
        if code == 403:
            hint = "set TEXTMILL_CONTACT to a page or mail address of yours if the server wants to know who asks"
            raise UnavailableError(f"{url} answered 403: it is refused; {hint}")
        if code >= 400 and code != 416:
            raise UnavailableError(f"{url} answered {code}; check the address")


def _conditions(known: Fetched | None) -> dict[str, str]:
    """Headers that ask for a file only if it changed (RFC 9110, 13.1)."""
    if known is None:
        return {}
    if known.etag:
        return {"If-None-Match": known.etag}
    return {"If-Modified-Since": known.modified} if known.modified else {}


def _starts_at(response: Any, done: int) -> bool:
    """Whether a 206 holds the bytes that were asked for."""
    content_range: str = response.headers.get("content-range", "")
    return done > 0 and content_range.startswith(f"bytes {done}-")


def note_file(staged: Path) -> Path:
    """Where it stands what a partial file is part of."""
    return staged.with_name(staged.name + ".json")


def _remember(url: str, staged: Path, headers: Any) -> None:
    """Note what the partial file is part of, before its first byte. RFC 9110: a weak ETag cannot guard a range."""
    etag = headers.get("etag", "")
    strong = etag if etag and not etag.startswith("W/") else headers.get("last-modified")
    staged.unlink(missing_ok=True)
    files.write_json(note_file(staged), {"url": redacted(url), "validator": strong})


def _validator(url: str, staged: Path) -> str | None:
    """The validator of a partial file of this URL, None where there is nothing to go on with."""
    try:
        note = files.read_json(note_file(staged))
    except files.DamagedFileError:
        return None
    if not isinstance(note, dict) or note.get("url") != redacted(url) or not staged.is_file():
        return None
    found: str | None = note.get("validator")
    return found
