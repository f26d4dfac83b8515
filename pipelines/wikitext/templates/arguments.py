"""Arguments of a template."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pipelines.wikitext.page import Page

Arguments = Mapping[str, str]
Renderer = Callable[[Arguments, Page], str]
_NAMED = re.compile(r"\s*([\w \-]{1,40}?)\s*=")
YES = frozenset({"y", "yes", "on", "true", "1"})


def parsed(rest: str) -> dict[str, str]:
    """Arguments by name, positional ones by their number as a string."""
    found: dict[str, str] = {}
    position = 0
    for part in rest.split("|"):
        named = _NAMED.match(part) if "=" in part else None
        if named:
            found[named[1]] = part[named.end() :].strip()
        else:
            position += 1
            found[str(position)] = part.strip()
    return found


def positional(arguments: Arguments) -> list[str]:
    """Values of the numbered arguments, up to the first that is missing."""
    return [arguments[key] for key in map(str, range(1, len(arguments) + 1)) if key in arguments]


def words(arguments: Arguments) -> list[str]:
    """The numbered arguments that are not empty."""
    return [word for word in positional(arguments) if word]


def named(arguments: Arguments, *names: str) -> str:
    """The first of these arguments that is given."""
    return next((arguments[name] for name in names if arguments.get(name)), "")


def argument(*names: str) -> Renderer:
    """Shows the first of these arguments that is given."""
    return lambda arguments, _: named(arguments, *names)


def joined(separator: str) -> Renderer:
    """Shows the numbered arguments with `separator` between."""
    return lambda arguments, _: separator.join(words(arguments))


def around(before: str, after: str = "") -> Renderer:
    """Shows the first argument between two words."""
    return lambda arguments, _: f"{before}{arguments.get('1', '')}{after}"


def last(arguments: Arguments, _: Page) -> str:
    """Shows the last numbered argument."""
    return (words(arguments) or [arguments.get("text", "")])[-1]


def constant(text: str) -> Renderer:
    """Shows the same whatever its arguments."""
    return lambda *_: text
