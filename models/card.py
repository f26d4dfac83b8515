"""The card of a trained model: what it is, what it learnt from, how good it is and how sure, its limits and its cost.

Model cards: Mitchell et al. 2019 (arXiv 1810.03993). Everything in it is written by the machine that trained.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

FILE = "card.md"


def page(
    *,
    name: str,
    about: str,
    created: str,
    lineage: Mapping[str, Any],
    config: Mapping[str, Any],
    scores: Sequence[Mapping[str, Any]],
    record: Mapping[str, Any],
    limits: Sequence[str],
) -> str:
    """The card as Markdown."""
    parts = [
        f"# {name}\n\n{about[:1].upper()}{about[1:]}. Trained by textmill, {created}.",
        "## Data\n\n" + _table(("what", "version or hash"), _flat(lineage)),
        "## Scores on held-out rows\n\n" + _scores(scores),
        "## Limits\n\n" + "\n".join(f"- {limit}" for limit in limits),
        "## Training\n\n" + _table(("", ""), _training(record)),
        "## Options\n\n```json\n" + json.dumps(config, indent=2, ensure_ascii=False) + "\n```",
    ]
    return "\n\n".join(parts) + "\n"


def limits_of(record: Mapping[str, Any], rows: Mapping[str, Any], scores: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a reader should know before using a model, as far as the machine can tell."""
    found = ["It knows the texts it was trained on, their languages, their gaps and their biases, and nothing else."]
    if not scores:
        found.append("There was no row to validate on: nothing is known of how good it is on other texts.")
    if longer := rows.get("longer_than_context"):
        found.append(f"{longer:,} of {rows['rows']:,} rows were longer than its context (policy: {rows['policy']}).")
    held = rows.get("held_out", {})
    if longer := held.get("longer_than_context"):
        what = {"truncate": "scored without their ends", "drop": "not scored"}.get(held["policy"], held["policy"])
        found.append(f"{longer:,} of {held['rows']:,} held-out rows were longer than its context and {what}.")
    if empty := rows.get("without_tokens"):
        found.append(f"{empty:,} of {rows['rows']:,} rows had no token to learn from and were left out.")
    if rejects := rows.get("rejects"):
        told = ", ".join(f"{count:,} as {reason}" for reason, count in sorted(rejects.items()))
        found.append(f"{sum(rejects.values()):,} rows were left out: {told}.")
    if record["ended"] != "steps":
        found.append(f"Its training ended before its last step, by {record['ended']}.")
    return found


def _scores(scores: Sequence[Mapping[str, Any]]) -> str:
    if not scores:
        return "None: no row was held out."
    rows = [
        (s["metric"], _number(s["value"]), f"{_number(s['ci_low'])} to {_number(s['ci_high'])}", s["n"]) for s in scores
    ]
    return _table(("metric", "value", "95 % interval", "rows"), rows)


def _training(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    timing = dict(record["timing"])
    found = [
        ("steps", f"{len(record['train_loss']):,}, ended by {record['ended']}"),
        (str(record["unit"]), f"{record['units']:,}"),
        ("seconds", f"{timing.pop('seconds'):.1f}"),
    ]
    rest = {name: value for name, value in timing.items() if not name.startswith("counted_")}
    return found + [(_UNITS.get(name, name.replace("_", " ")), _plain(value)) for name, value in rest.items()]


_UNITS = {
    "flops": "floating-point operations",
    "flops_per_second": "floating-point operations per second",
    "matrix_peak": "matrix peak in operations per second",
    "peak_memory": "peak memory in bytes",
    "peak_device_memory": "peak memory of the device in bytes",
    "carbon_intensity": "grams of CO2 per kWh",
}
"""What figures are called whose names do not tell their unit."""


def _flat(lineage: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, _plain(value)) for name, value in lineage.items()]


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_plain(found)}" for name, found in value.items())
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return _number(value) if isinstance(value, float) else str(value)


def _number(value: float) -> str:
    return f"{value:,.4g}"


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
