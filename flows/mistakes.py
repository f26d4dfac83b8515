"""A mistake in a config file in words: which option, what stands there, what would have been right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel

_UNKNOWN = {"extra_forbidden", "unexpected_keyword_argument"}
_NOUNS = {
    "a valid tuple": "a list",
    "a valid integer": "a whole number",
    "a valid number": "a number",
    "a valid string": "text",
    "a valid boolean": "true or false",
    "a valid dictionary": "options as `name: value`",
    "a dictionary": "options as `name: value`",
}
_BRANCHES = {"float", "bool", "int"}
"""What pydantic adds to the place of a value that may be of several types."""


def mistake(error: Mapping[str, Any], model: type[BaseModel]) -> str:
    """The first of the errors of pydantic in one line: `dedup.threshold: it must …`."""
    place = [str(part) for part in error["loc"]]
    if place and place[-1] in _BRANCHES:
        place.pop()
    if error["type"] in _UNKNOWN:
        return f"{'.'.join(place)}: {_unknown(place[-1], options(model, place[:-1]))}"
    if error["type"] == "value_error":
        message = str(error["ctx"]["error"])
        if place and message.startswith(f"{place[-1]}."):
            return ".".join([*place[:-1], message])
    else:
        message = _wrong(error["msg"], error["input"])
    return f"{'.'.join(place)}: {message}" if place else message


def options(model: type[Any], place: list[str]) -> list[str]:
    """Names of the options at a place of a config; none where it takes any name."""
    node: Any = model
    for part in place:
        if _is_table(node):
            node = get_args(node)[1]
        elif part in (hints := get_type_hints(node)):
            node = hints[part]
        else:
            return []
    if is_dataclass(node):
        return sorted(field.name for field in fields(node))
    return sorted(node.model_fields) if isinstance(node, type) and issubclass(node, BaseModel) else []


def _is_table(node: Any) -> bool:
    return len(get_args(node)) == 2 and get_args(node)[0] is str


def _unknown(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return (
        f"there is no such option; did you mean {near[0]}?"
        if near
        else f"there is no such option; there are {', '.join(known)}"
    )


def _wrong(message: str, found: Any) -> str:
    wanted = message.removeprefix("Input should be ").split(" or instance of")[0].split(", unable")[0]
    for noun, plain in _NOUNS.items():
        wanted = wanted.replace(noun, plain)
    return (
        f"it must be {wanted}, not {str(found)[:60]!r}"
        if isinstance(found, str)
        else f"it must be {wanted}, not {str(found)[:60]}"
    )
