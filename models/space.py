"""Where a search looks for options: ranges of numbers and choices, as a YAML file tells them.

learning_rate: {log: [1e-4, 1e-2]}     between both, evenly by magnitude
dropout: {range: [0.0, 0.3]}           between both, evenly
layers: {ints: [2, 6]}                 whole numbers, both ends included
width: [64, 128, 256]                  one of these, and so is {choices: [64, 128, 256]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from data.errors import ConfigError

_KINDS = ("log", "range", "ints", "choices")
_SHAPES = "write it as {log: [LOW, HIGH]}, {range: [LOW, HIGH]}, {ints: [LOW, HIGH]} or as a list of choices"


class Suggests(Protocol):
    """What draws values: a trial of Optuna."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """A number between both."""

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """A whole number between both, which are included."""

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of the choices."""


@dataclass(frozen=True)
class Parameter:
    """An option that is searched: `values` are both ends of a range, or the choices."""

    name: str
    kind: str
    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        """Refuse what no value can be drawn from."""
        if not self.values:
            raise ConfigError(f"{self.name}: there is nothing to choose from; {_SHAPES}")
        if self.kind == "choices":
            return
        numbers = all(isinstance(value, int if self.kind == "ints" else int | float) for value in self.values)
        if len(self.values) != 2 or not numbers or any(isinstance(value, bool) for value in self.values):
            wanted = "two whole numbers" if self.kind == "ints" else "two numbers"
            raise ConfigError(f"{self.name}: {self.kind} is {list(self.values)}; it must be {wanted}, low and high")
        low, high = self.values
        if not low < high or (self.kind == "log" and low <= 0):
            above = " and above 0" if self.kind == "log" else ""
            raise ConfigError(f"{self.name}: {self.kind} is [{low}, {high}]; the first must be below the second{above}")

    @property
    def first(self) -> Any:
        """A value of it."""
        return self.values[0]

    def suggested(self, trial: Suggests) -> Any:
        """The value that a trial takes."""
        if self.kind == "choices":
            return trial.suggest_categorical(self.name, self.values)
        low, high = self.values
        if self.kind == "ints":
            return trial.suggest_int(self.name, low, high)
        return trial.suggest_float(self.name, low, high, log=self.kind == "log")


def space(content: Any) -> tuple[Parameter, ...]:
    """The parameters of a YAML file that is loaded. Raises ConfigError that names the parameter and what is wrong."""
    if not isinstance(content, Mapping) or not content:
        raise ConfigError("the search space is empty; write lines such as `learning_rate: {log: [1e-4, 1e-2]}`")
    return tuple(_parameter(str(name), found) for name, found in content.items())


def suggested(parameters: Sequence[Parameter], trial: Suggests) -> dict[str, Any]:
    """The options that a trial takes."""
    return {parameter.name: parameter.suggested(trial) for parameter in parameters}


def _parameter(name: str, found: Any) -> Parameter:
    if isinstance(found, list):
        found = {"choices": found}
    if not isinstance(found, Mapping) or len(found) != 1:
        raise ConfigError(f"{name} is {found!r}; {_SHAPES}")
    kind, values = next(iter(found.items()))
    if kind not in _KINDS or not isinstance(values, list):
        raise ConfigError(f"{name}: {kind} is {values!r}; {_SHAPES}")
    return Parameter(name, kind, tuple(_number(value) for value in values))


def _number(value: Any) -> Any:
    """YAML reads 1e-4 as text."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value
