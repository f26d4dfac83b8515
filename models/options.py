"""Options of a model as a user gives them, checked: every error names the option and what would be right."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import TypeAdapter, ValidationError

from data.errors import ConfigError


def parsed(pairs: Sequence[str]) -> dict[str, Any]:
    """The options of `key=value` words, each value read as YAML. Raises ConfigError for a word without a key."""
    import yaml

    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"--set {pair}: write it as key=value, as in --set steps=200")
        try:
            found[key.strip()] = _number(yaml.safe_load(value))
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {pair}: the value is no YAML") from error
    return found


def divided(options: Mapping[str, Any], kinds: Mapping[str, type]) -> dict[str, dict[str, Any]]:
    """The options that belong to each of some dataclasses, by the names of their fields, with their types checked.

    A field that two of them have, or one that is to be found faster, may be written `<kind>.<field>`. Raises
    ConfigError for an option that none of them has, and for a value of the wrong type.
    """
    found: dict[str, dict[str, Any]] = {kind: {} for kind in kinds}
    for key, value in options.items():
        kind, _, name = key.rpartition(".")
        owners = [kind] if kind in kinds and name in _fields(kinds[kind]) else _owners(key, kinds)
        if not owners:
            raise ConfigError(_unknown(key, kinds))
        found[owners[0]][name] = _checked(kinds[owners[0]], name, value)
    return found


def _owners(name: str, kinds: Mapping[str, type]) -> list[str]:
    return [kind for kind, config in kinds.items() if name in _fields(config)]


def _checked(kind: type, name: str, value: Any) -> Any:
    """The value as its field wants it; whole numbers pass for fractions, nothing else is converted."""
    wanted = _fields(kind)[name]
    try:
        return TypeAdapter(wanted).validate_python(value, strict=not isinstance(value, list))
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Input should be ")
        raise ConfigError(f"{name} is {value!r}; it must be {said}") from error


def _fields(kind: type) -> dict[str, Any]:
    from typing import get_type_hints

    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _unknown(key: str, kinds: Mapping[str, type]) -> str:
    known = sorted({name for kind in kinds.values() for name in _fields(kind)})
    near = get_close_matches(key, known, n=1)
    meant = f"; do you mean {near[0]}?" if near else ""
    return f"there is no option {key!r}{meant}{'' if meant else ';'} options are {', '.join(known)}"


def _number(value: Any) -> Any:
    """YAML reads 3e-4 as text; it is a number to everybody else."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value
