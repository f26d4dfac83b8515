"""`{{#expr: …}}`: https://www.mediawiki.org/wiki/Help:Extension:ParserFunctions##expr, without its rarer functions."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable

_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d*)?|\.\d+)(?:[eE]([+\-]?\d+))?|([+\-*/^()]|<=|>=|!=|<>|=|<|>|[a-z]+|−|×|÷))")
_MAX_CHARS, _MAX_POWER = 300, 300


class ExpressionError(ValueError):
    """The text is no expression, or has no finite value."""


def _power(base: float, exponent: float) -> float:
    if abs(exponent) > _MAX_POWER:
        raise ExpressionError("exponent too large")
    value = base**exponent
    if isinstance(value, complex):
        raise ExpressionError("root of a negative number")
    return float(value)


def _rounded(value: float, digits: float) -> float:
    """Half away from zero, as MediaWiki rounds."""
    scale = 10.0 ** max(-_MAX_POWER / 10, min(int(digits), _MAX_POWER / 10))
    return math.copysign(math.floor(abs(value) * scale + 0.5) / scale, value)


_BINARY: dict[str, tuple[int, Callable[[float, float], float]]] = {
    "^": (8, _power),
    "*": (7, operator.mul),
    "/": (7, operator.truediv),
    "div": (7, operator.truediv),
    "mod": (7, math.fmod),
    "+": (6, operator.add),
    "-": (6, operator.sub),
    "round": (5, _rounded),
    "=": (4, lambda a, b: float(a == b)),
    "!=": (4, lambda a, b: float(a != b)),
    "<>": (4, lambda a, b: float(a != b)),
    "<": (4, lambda a, b: float(a < b)),
    ">": (4, lambda a, b: float(a > b)),
    "<=": (4, lambda a, b: float(a <= b)),
    ">=": (4, lambda a, b: float(a >= b)),
    "and": (3, lambda a, b: float(bool(a) and bool(b))),
    "or": (2, lambda a, b: float(bool(a) or bool(b))),
}
_UNARY: dict[str, Callable[[float], float]] = {
    "+": lambda value: value,
    "-": operator.neg,
    "not": lambda value: float(not value),
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "trunc": math.trunc,
}
_ALIASES = {"−": "-", "×": "*", "÷": "/"}


def evaluated(text: str) -> str:
    """The value as MediaWiki writes it; empty for an empty expression. Raises ExpressionError."""
    if not text.strip():
        return ""
    if len(text) > _MAX_CHARS:
        raise ExpressionError("too long")
    try:
        parser = _Expression(_tokens(text))
        value = parser.value(0)
    except (ArithmeticError, ValueError, IndexError, RecursionError) as error:
        raise ExpressionError(str(error)) from error
    if not parser.done() or not math.isfinite(value):
        raise ExpressionError("not an expression")
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else f"{value:.12g}"


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    position = 0
    text = text.lower().rstrip()
    while position < len(text):
        token = _TOKEN.match(text, position)
        if not token:
            raise ExpressionError(f"unexpected {text[position : position + 10]!r}")
        number, exponent, sign = token.groups()
        found.append(_ALIASES.get(sign, sign) if sign else number + (f"e{exponent}" if exponent else ""))
        position = token.end()
    return found


class _Expression:
    """Precedence climbing; the text is short, so recursion is bounded."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._next = 0

    def done(self) -> bool:
        """Whether every token was read."""
        return self._next == len(self._tokens)

    def value(self, least: int) -> float:
        """The value of what follows, up to an operator that binds less than `least`."""
        left = self._operand()
        while not self.done():
            binary = _BINARY.get(self._tokens[self._next])
            if not binary or binary[0] < least:
                break
            self._next += 1
            left = binary[1](left, self.value(binary[0] + 1))
        return left

    def _operand(self) -> float:
        sign = self._tokens[self._next]
        self._next += 1
        if sign == "(":
            value = self.value(0)
            if self._tokens[self._next] != ")":
                raise ExpressionError("bracket left open")
            self._next += 1
            return value
        if sign in _UNARY:
            return _UNARY[sign](self.value(9))
        return {"pi": math.pi, "e": math.e}[sign] if sign in {"pi", "e"} else float(sign)
