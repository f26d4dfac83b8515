"""How a long step tells how far it is, without knowing who listens."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with (units done, units in all)."""


def ignore(done: int, total: int) -> None:
    """Listen to nothing: the default."""
