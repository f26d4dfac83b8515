"""What the tests of downloads share: a clock that nobody waits for, and a file of the server on the loopback."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from webserver import BODY, Script, Step

from data.catalogue import Source
from pipelines.download import Clock, Network, RawFile, download

HASH = hashlib.sha256(BODY).hexdigest()
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class Time:
    """A clock that moves when somebody sleeps, or `tick` seconds each time it is looked at."""

    seconds: float = 0.0
    tick: float = 0.0
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds

    def look(self) -> float:
        self.seconds += self.tick
        return self.seconds

    @property
    def clock(self) -> Clock:
        return Clock(sleep=self.sleep, monotonic=self.look, now=lambda: NOON, chance=lambda: 1.0)


def fetch(
    script: Script, folder: Path, *, time: Time | None = None, network: Network | None = None, **facts: Any
) -> RawFile:
    source = Source(name="dump", location=script.address, licence="CC0", **facts)
    [raw] = download(source, folder, clock=(time or Time()).clock, network=network or Network())
    return raw


def visible(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def cut(*sent: int) -> list[Step]:
    return [Step(sends=number) for number in sent]
