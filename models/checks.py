"""What a config says of a value that it cannot use."""

from __future__ import annotations

from collections.abc import Collection

from data.errors import ConfigError


def demand(condition: bool, name: str, found: object, wanted: str, *, error: type[ConfigError] = ConfigError) -> None:
    """Raise `error` naming the option, what was found and what is wanted, unless the condition holds."""
    if not condition:
        raise error(f"{name} is {found}; it must be {wanted}")


def demand_one_of(name: str, found: object, known: Collection[str], *, error: type[ConfigError] = ConfigError) -> None:
    """Raise `error` unless the value is one of those known."""
    demand(found in known, name, repr(found), f"one of {', '.join(known)}", error=error)
