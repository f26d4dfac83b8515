"""Addresses of sources that hold credentials: told to a flow by the name of a variable, never as they are.

Prefect keeps the parameters of every run as plain text in its database, and shows them to all who see its pages.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from data.errors import TextmillError
from data.storage import redacted

_VARIABLE = re.compile(r"\$\{(\w+)\}")


def expanded(word: str) -> str:
    """A source with `${NAME}` replaced from the environment. Raises TextmillError for a name that is not set there."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in os.environ:
            raise TextmillError(f"the environment has no {found[1]}, which the source {redacted(word)} names; set it")
        return os.environ[found[1]]

    return _VARIABLE.sub(value, word)


def _holds_credentials(word: str) -> bool:
    """Whether there are credentials in a word itself; what variables stand for is not in it."""
    left = _VARIABLE.sub("", word).replace("://:@", "://").replace("://@", "://")
    return redacted(left) != left


def by_reference(words: Sequence[str]) -> list[str]:
    """The sources as parameters of a flow in this process: those with credentials wait in its environment."""
    told = []
    for number, word in enumerate(words, 1):
        if not _holds_credentials(word):
            told.append(word)
            continue
        os.environ[f"TEXTMILL_SOURCE_{number}"] = word
        told.append(f"${{TEXTMILL_SOURCE_{number}}}")
    return told


def refuse_credentials(words: Sequence[str]) -> None:
    """Raise TextmillError for a parameter of a flow that holds credentials: it is in the database already."""
    for word in words:
        if _holds_credentials(word):
            raise TextmillError(
                f"the source {redacted(word)} holds credentials, which Prefect keeps as plain text; delete this run, "
                "put the address into a variable of the environment of `textmill up`, and name it as ${NAME}"
            )
