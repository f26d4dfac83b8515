"""How a long step tells how far it is, without knowing who listens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Progress = Callable[[int, int], None]
"""Called with (units done, units in all)."""


class Listener(Protocol):
    """Makes what hears a stage from its name; `unit` is `B` where bytes are counted, empty for things."""

    def __call__(self, stage: str, /, *, unit: str = "") -> Progress:
        """The listener of a stage."""


def ignore(done: int, total: int) -> None:
    """Listen to nothing: the default."""


def silent(_stage: str, *, unit: str = "") -> Progress:  # noqa: ARG001 - a Listener
    """A listener for every stage that listens to nothing."""
    return ignore
