"""The contracts for readers: `docs/datasets.md`, and `docs/contracts.json`, against which a change is checked.

`python -m pipelines.dictionary` writes both, or says which version a contract needs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from data.contracts import CONTRACTS, Column, Contract, Expectation
from data.contracts.evolution import changes, refuse_breaking, version_of
from data.errors import ContractError, TextmillError
from pipelines.checks import condition, formula

DOCS = Path(__file__).parent.parent / "docs"
PAGE, SNAPSHOT = "datasets.md", "contracts.json"
_HEAD = Path(__file__).parent / "templates" / "datasets.md"
_WIDE = 80  # signs of a type that fit into a table
DERIVED_MEANING = {
    "text_chars": "length of `text` in code points",
    "surface_chars": "length of `surface` in code points",
    "sections_end": "largest `end` of the sections, 0 where there is none",
    "spans_end": "largest `end` of the spans, 0 where there is none",
    "ids_length": "number of items of `input_ids`",
}
"""Columns that conditions name although no file holds them."""


def page(contracts: Iterable[Contract]) -> str:
    """The page for consumers, in Markdown."""
    listed = list(contracts)
    index = [f"| [{c.name}](#{c.name}) | {c.row} | {_version(c)} |" for c in listed]
    table = "\n".join(["| dataset | one row per | contract |", "|---|---|---|", *index])
    return "\n".join([_HEAD.read_text("utf-8"), table, "", *map(_section, listed)])


def _section(contract: Contract) -> str:
    about = contract.about + (" Internal: no release names it." if contract.internal else "")
    key = ", ".join(f"`{name}`" for name in contract.key)
    lines = [
        f"## {contract.name}",
        "",
        about,
        "",
        f"One row per {contract.row}. " + (f"Key: {key}. " if key else "No key. ") + f"Contract {_version(contract)}.",
        "",
        "| column | type | null | meaning | unit |",
        "|---|---|---|---|---|",
        *map(_column, contract.columns),
        "",
        *_nested(contract),
        *_expected(contract),
        *_drift(contract),
        "```sql",
        contract.example,
        "```",
        "",
    ]
    return "\n".join(lines)


def _version(contract: Contract) -> str:
    return ".".join(map(str, contract.version))


def _column(column: Column) -> str:
    kind = str(column.type)
    shown = f"`{kind}`" if len(kind) <= _WIDE else f"`{kind.partition('<')[0]}`, see below"
    return f"| `{column.name}` | {shown} | {'yes' if column.nullable else 'no'} | {column.meaning} | {column.unit} |"


def _nested(contract: Contract) -> list[str]:
    """The fields of columns that are too wide for a table."""
    wide = [column for column in contract.columns if len(str(column.type)) > _WIDE]
    found = []
    for column in wide:
        fields = list(column.type if hasattr(column.type, "fields") else column.type.value_type)
        told = [_field(field, column.fields) for field in fields]
        found += [
            f"Fields of `{column.name}`:",
            "",
            "| field | type | null | meaning |",
            "|---|---|---|---|",
            *told,
            "",
        ]
    return found


def _field(field: Any, meanings: Mapping[str, str]) -> str:
    null = "yes" if field.nullable else "no"
    return f"| `{field.name}` | `{field.type}` | {null} | {meanings.get(field.name, '')} |"


def _expected(contract: Contract) -> list[str]:
    rows = [f"- {_words(e)}" for e in contract.expectations]
    rows += [f"- `{check.expression}` ({check.name.replace('_', ' ')})" for check in contract.checks]
    rows.append("- every column that may not be null has a value")
    text = " ".join(f"{e.kwargs.get('column', '')}" for e in contract.expectations)
    text += " ".join(check.expression for check in contract.checks)
    derived = [f"`{name}` is the {meaning}" for name, meaning in DERIVED_MEANING.items() if name in text]
    return ["Expectations:", "", *rows, "", *([f"Here {'; '.join(derived)}.", ""] if derived else [])]


def _words(expectation: Expectation) -> str:
    whole = " (whole dataset)" if expectation.scope == "dataset" else ""
    return f"`{formula(expectation)}`{whole}, `{condition(expectation).name}`"


def _drift(contract: Contract) -> list[str]:
    drift = contract.drift
    if drift is None:
        return []
    low, high = drift.rows
    limits = [f"- {low:g} to {high:g} times its rows"]
    if nullable := [f"`{column.name}`" for column in contract.columns if column.nullable]:
        limits.append(f"- share of nulls of {', '.join(nullable)}: moved by {drift.null_share:g} at most")
    limits += [f"- lengths, `{name}`: distance {drift.distance:g} at most" for name in drift.lengths]
    limits += [f"- values of `{name}`: distance {drift.distance:g} at most" for name in drift.categories]
    return [f"Against the published version, from {drift.least_rows} rows on:", "", *limits, ""]


def snapshot(contracts: Iterable[Contract]) -> str:
    """Every contract as plain JSON."""
    content = {contract.name: _described(contract) for contract in contracts}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _described(contract: Contract) -> dict[str, Any]:
    words = {column.name: {"meaning": column.meaning, "unit": column.unit} for column in contract.columns}
    return {**contract.describe(), "about": contract.about, "row": contract.row, "words": words}


def refuse_unversioned(old: Mapping[str, Any], contracts: Iterable[Contract]) -> None:
    """Raise ContractError for a contract that changed against the snapshot `old` and keeps its version."""
    now = {contract.name: contract.describe() for contract in contracts}
    if gone := sorted(old.keys() - now.keys()):
        raise ContractError(f"contract {gone[0]} is gone; its readers have nowhere to go, so keep it")
    for name in old:
        refuse_breaking(old[name], now[name])
        found = changes(old[name], now[name])
        if found and version_of(now[name]) <= version_of(old[name]):
            major, minor = version_of(old[name])
            raise ContractError(f"contract {name}: {found[0].text}; raise its version to ({major}, {minor + 1})")


def write(docs: Path, contracts: Iterable[Contract]) -> None:
    """Write page and snapshot. Raises ContractError, and writes nothing, for a contract that lacks a new version."""
    listed = list(contracts)
    before = docs / SNAPSHOT
    if before.exists():
        refuse_unversioned(json.loads(before.read_text("utf-8")), listed)
    (docs / PAGE).write_text(page(listed), "utf-8")
    before.write_text(snapshot(listed), "utf-8")


def main() -> None:
    """Write both files of the docs folder."""
    try:
        write(DOCS, CONTRACTS.values())
    except TextmillError as error:
        raise SystemExit(f"textmill: {error}") from error


if __name__ == "__main__":
    main()
