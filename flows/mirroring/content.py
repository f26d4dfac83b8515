"""What MLflow is told of a registered version: options, tags, curves, scores, a note. Plain data, no MLflow."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from data import files
from data.hashing import fingerprint
from models import card
from models.registry import CARD, ModelVersion

VERSION = 1
HISTORY = "history.json"
POINTS = 1000
"""Points of a curve, at most about twice as many; the pages of MLflow draw fewer."""
SHOWN = (card.FILE, "report.html", "config.json")
"""Files that people look at; weights are wanted by few, and large."""
TAG = "textmill."
KEY, LABEL, DONE, WEIGHTS, STATE = (TAG + name for name in ("training_key", "version", "mirrored", "weights", "state"))
MODEL = f"{TAG}model"
NOTE = "mlflow.note.content"
_VALUE, _NOTE = 6000, 5000
_NO_DATA, _NO_COST = ("tokenizer", "start", "forgotten"), ("carbon_intensity", "matrix_peak", "counted_")


@dataclass(frozen=True)
class Point:
    """A value of a curve, `seconds` after the training began."""

    name: str
    value: float
    step: int
    seconds: float = 0.0


@dataclass(frozen=True)
class Content:
    """One version as MLflow shows it; `moves` are those of all aliases of its model."""

    model: ModelVersion
    moves: tuple[Mapping[str, Any], ...] = ()

    @property
    def key(self) -> str:
        """The training key, by which its run is found again."""
        return str(self.model.card["training_key"])

    @cached_property
    def digest(self) -> str:
        """Changes when there is something new to tell."""
        return fingerprint([VERSION, self.model.card, self._evidence])

    @cached_property
    def record(self) -> dict[str, Any]:
        """The record of the training, empty where it has none."""
        return dict(self._json(HISTORY))

    @property
    def started(self) -> int:
        """When it was made, in milliseconds of the epoch."""
        return milliseconds(str(self.model.card["created"]))

    @property
    def seconds(self) -> float:
        """How long it took."""
        return float(self.record.get("timing", {}).get("seconds", 0.0))

    @property
    def params(self) -> dict[str, str]:
        """Every option; sizes that the data decided too."""
        config = dict(self.model.card["config"])
        sizes, asked = self._json("config.json"), config.get("model")
        if isinstance(asked, Mapping):
            config["model"] = {**sizes, **asked}
        return dict(_flat(config))

    @property
    def tags(self) -> dict[str, str]:
        """Where it comes from: name, version, key, code, kind, and what it learnt from."""
        about = self.model.card
        origin = {f"{TAG}lineage.{name}": value for name, value in _flat(about["lineage"])}
        return {
            **own_tags(self.model.name, about["kind"], self.key),
            LABEL: self.model.version,
            **({f"{TAG}code": str(about["code"])} if about["code"] else {}),
            **origin,
            NOTE: self.note,
        }

    @property
    def note(self) -> str:
        """The model card without its options, which MLflow lists; or what is known without one. Markdown."""
        if card.FILE in self.model.card["files"]:
            text = (self.model.path / card.FILE).read_text("utf-8")
            return _cut(text.partition("\n## Options")[0], _NOTE)
        about = self.model.card
        facts = {"kind": about["kind"], "made": about["created"], **dict(_flat(about["lineage"]))}
        rows = "\n".join(f"| {name} | {value} |" for name, value in facts.items())
        return f"# {self.model.name} {self.model.version}\n\n| | |\n|---|---|\n{rows}\n"

    @property
    def summary(self) -> str:
        """Its scores in a line, or what the gate said, or its kind; the card below it."""
        scores = [_score(score) for score in self.model.card["metrics"]]
        gate = [str(self._evidence["reason"])] if "reason" in self._evidence else []
        first = "; ".join(scores or gate) or f"{self.model.card['kind']}, not scored"
        return _cut(f"{self.model.version}: {first}\n\n{self.note}", _NOTE)

    @property
    def data(self) -> list[tuple[str, str]]:
        """The data it learnt from as (name, version or hash)."""
        lineage = self.model.card["lineage"]
        return [(name, value) for name, value in _flat(lineage) if value and name not in _NO_DATA]

    def curves(self) -> Iterator[Point]:
        """Losses and their parts by step, thinned; validation scores, all of them."""
        losses, record = self.record.get("train_loss", []), self.record
        pace = self.seconds / len(losses) if losses else 0.0
        planned = self.model.card["config"].get("training", {}).get("steps", len(losses))
        for name, values in {"loss": losses, **record.get("train_parts", {})}.items():
            for step, value in enumerate(values, start=1):
                if is_drawn(step, planned) or step == len(losses):
                    yield Point(f"train/{name}", value, step, pace * step)
        held = record.get("validation") or {"loss": record.get("validation_loss", [])}
        for name, values in held.items():
            for step, value in zip(record.get("validation_steps", []), values, strict=False):
                yield Point(f"validation/{name}", value, step, pace * step)

    def figures(self) -> Iterator[Point]:
        """Scores with their intervals, costs, and what the gate measured where it made a champion of this version.

        They are of step 0: MLflow draws bars of those, one for each version.
        """
        for score in self.model.card["metrics"]:
            ends = {f"_{end}": score[end] for end in ("ci_low", "ci_high") if end in score}
            for ending, value in {"": score["value"], **ends}.items():
                yield self._figure(f"score/{score['metric']}{ending}", value)
        timing = {**self.record.get("timing", {}), "units": self.record.get("units", 0)}
        for prefix, found in (("training_cost/", timing), ("score/gate_", self._evidence)):
            for name, value in found.items():
                if _is_number(value) and not name.startswith(_NO_COST):
                    yield self._figure(prefix + name, value)

    def _figure(self, name: str, value: float) -> Point:
        return Point(name, float(value), 0, self.seconds)

    @property
    def _evidence(self) -> dict[str, Any]:
        """Of the last move that made this version a champion."""
        mine = [move for move in self.moves if (move["action"], move["to"]) == ("promote", self.model.version)]
        return dict(next((move["evidence"] for move in reversed(mine) if move["alias"] == "champion"), {}))

    def _json(self, name: str) -> Mapping[str, Any]:
        found = files.read_json(self.model.path / name) if name in self.model.card["files"] else {}
        return found if isinstance(found, Mapping) else {}

    @property
    def shown(self) -> list[str]:
        """Names of the files that people look at."""
        return [*(name for name in SHOWN if name in self.model.card["files"]), CARD]


def own_tags(name: str, kind: str, key: str) -> dict[str, str]:
    """The tags of a training, also while it is under way."""
    source = {"mlflow.source.name": f"textmill train {kind}", "mlflow.source.type": "JOB"}
    return {MODEL: name, f"{TAG}kind": kind, KEY: key, **source}


def is_drawn(step: int, steps: int) -> bool:
    """Whether a step of so many is a point of a curve."""
    return step == 1 or step % math.ceil(max(1, steps) / POINTS) == 0


def milliseconds(when: str) -> int:
    """A time in ISO 8601 as milliseconds of the epoch, 0 for anything else."""
    try:
        return round(datetime.fromisoformat(when).timestamp() * 1000)
    except ValueError:
        return 0


def history(name: str, moves: Sequence[Mapping[str, Any]], *, last: int = 20) -> str:
    """The moves of the aliases of a model as Markdown, the newest first."""
    head = (
        f"`{name}` of a registry of textmill, mirrored. Aliases are moved there, by `textmill models promote` and "
        "`rollback`; what is changed here is put back by the next mirror."
    )
    lines = [
        f"- {str(move['when'])[:16].replace('T', ' ')} {move['action']} {move['alias']}: "
        f"{move['from'] or 'none'} → {move['to']} {_why(move['evidence'])}"
        for move in reversed(moves[-last:])
    ]
    return _cut("\n".join([head, "", *lines]), _NOTE)


def _why(evidence: Mapping[str, Any]) -> str:
    told = evidence.get("reason") or evidence.get("by_hand") or ", ".join(f"{k} {v}" for k, v in _flat(evidence))
    return f"({told})" if told else ""


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", _cut(value if isinstance(value, str) else json.dumps(value), _VALUE)


def _score(score: Mapping[str, Any]) -> str:
    ends = f" ({score['ci_low']:.4g} to {score['ci_high']:.4g})" if "ci_low" in score else ""
    return f"{score['metric']} {score['value']:.4g}{ends}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
