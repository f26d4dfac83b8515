"""Which store a command mirrors to: what was typed, else the setting TEXTMILL_MLFLOW.

It reaches the flow of the command beside its parameters, which Prefect keeps as plain text: an address may hold a
password.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from flows.settings import Settings

_typed: ContextVar[str | None] = ContextVar("mlflow", default=None)


def chosen() -> str | None:
    """The address of the store, or None where nothing is to be mirrored."""
    return _typed.get() or Settings().mlflow or None


@contextmanager
def choosing(address: str | None) -> Iterator[None]:
    """For the length of a command."""
    token = _typed.set(address)
    try:
        yield
    finally:
        _typed.reset(token)
