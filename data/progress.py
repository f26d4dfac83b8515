"""How a long step tells how far it is, without knowing who listens."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with (units done, units in all)."""

Listener = Callable[..., Progress]
"""Makes what hears a stage from its name, and `unit="B"` where bytes are counted.

No Protocol: Prefect makes a form of whatever a flow takes, and knows a plain callable.
"""


def ignore(done: int, total: int) -> None:
    """Listen to nothing: the default."""


def silent(_stage: str, *, unit: str = "") -> Progress:  # noqa: ARG001 - a Listener
    """A listener for every stage that listens to nothing."""
    return ignore
