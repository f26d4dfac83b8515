"""How to behave towards servers, and the clock by which to wait."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from threading import BoundedSemaphore, Lock

from data.errors import ConfigError

WIKIMEDIA = "https://dumps.wikimedia.org"
CONTACT = "https://example.org/textmill"
"""A placeholder: Wikimedia's User-Agent policy wants a page or an address of whoever runs the program."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """How often, how fast and under which name servers are asked.

    `wikimedia` is the address of dumps.wikimedia.org or of a mirror that has its dump status files. A transfer that
    brings less than `min_rate` bytes a second over `window_s` seconds counts as broken off. A server that asks
    for a longer wait than `max_wait_s` ends the download.
    """

    wikimedia: str = WIKIMEDIA
    contact: str = CONTACT
    attempts: int = 5
    connections: int = 2
    timeout_s: float = 60.0
    min_rate: float = 1024.0
    window_s: float = 60.0
    backoff_s: float = 1.0
    max_backoff_s: float = 60.0
    max_wait_s: float = 900.0

    def __post_init__(self) -> None:
        for name in ("attempts", "connections", "timeout_s", "window_s"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must be above 0")
        for name in ("min_rate", "backoff_s", "max_backoff_s", "max_wait_s"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must not be negative")
        if not self.wikimedia.startswith(("http://", "https://")):
            raise ConfigError(f"wikimedia is '{self.wikimedia}'; it must be the http(s) address of a mirror")
        if not (self.contact.isascii() and self.contact.isprintable()):
            raise ConfigError(f"contact is {self.contact!r}; it must be printable ASCII: a page or a mail address")

    @property
    def user_agent(self) -> str:
        """Name, version and contact, as https://foundation.wikimedia.org/wiki/Policy:User-Agent_policy asks."""
        return f"textmill/{_version('textmill')} ({self.contact}) httpx/{_version('httpx')}"


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Where time and chance come from. `sleep` of None waits, but no longer than the download is wanted."""

    sleep: Callable[[float], None] | None = None
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    chance: Callable[[], float] = random.random


def backoff(network: Network, failures: int, chance: float) -> float:
    """Seconds before the next attempt: doubled each time, and between half and all of that by chance, so that
    clients which were refused together do not come back together."""
    wait = min(network.max_backoff_s, network.backoff_s * 2.0 ** (failures - 1))
    return wait * (0.5 + 0.5 * chance)


def retry_after(value: str | None, now: datetime) -> float:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3: seconds, or an HTTP date); 0 for none."""
    if not value:
        return 0.0
    if value.strip().isdecimal():
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds())


_SLOTS: dict[tuple[str, int], BoundedSemaphore] = {}
_SLOTS_LOCK = Lock()


def slots(host: str, connections: int) -> BoundedSemaphore:
    """What bounds the connections of this process to a host."""
    with _SLOTS_LOCK:
        return _SLOTS.setdefault((host, connections), BoundedSemaphore(connections))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "0"
