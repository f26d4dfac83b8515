"""Parts of a version: what one holds, and that what it tells of itself adds up, over batches and over parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from data.contracts.base import Contract
from data.errors import AccountingError

NUMBER = "doc_id_number"
"""The bound of a part that holds the range of its ids as numbers: as text, `w:10` comes before `w:9`."""
DIGITS = 18  # of an id that counts as a number: an int64 holds it
_NUMBERED = f"^[^:]+:(0|[1-9][0-9]{{0,{DIGITS - 1}}})$"


@dataclass(frozen=True)
class Part:
    """What a part holds. `counts` has in, kept, and filtered and failed by reason."""

    index: int
    key: str
    file: str
    rows: int
    bytes: int
    sha256: str
    counts: dict[str, Any]
    rejects_file: str | None = None
    rejects_sha256: str | None = None
    bounds: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


def check_counts(stage: str, counts: Mapping[str, Any], rows: int | None = None) -> None:
    """Raise AccountingError unless in = kept + filtered + failed (and kept = rows, where the step keeps rows)."""
    lost = counts["in"] - counts["kept"] - sum(counts["filtered"].values()) - sum(counts["failed"].values())
    if lost or (rows is not None and counts.get("rows", counts["kept"]) != rows):
        raise AccountingError(f"{stage}: {counts['in']} records came in, {counts} went out; this is a bug of the stage")


def check_rejects(stage: str, counts: Mapping[str, Any], found: int) -> None:
    """Raise AccountingError unless every record that was not kept has one of the `found` rows of rejects."""
    wanted = sum(counts["filtered"].values()) + sum(counts["failed"].values())
    if found != wanted:
        raise AccountingError(f"{stage}: {wanted} records were rejected, {found} are in the rejects; {counts}")


def add_counts(counts: list[dict[str, Any]]) -> dict[str, Any]:
    """Sum of several counts."""
    total: dict[str, Any] = {"in": 0, "kept": 0, "filtered": {}, "failed": {}}
    for one in counts:
        total["in"] += one["in"]
        total["kept"] += one["kept"]
        for kind in ("filtered", "failed"):
            for reason, n in one[kind].items():
                total[kind][reason] = total[kind].get(reason, 0) + n
    return total


def bounds_of(table: pa.Table, contract: Contract) -> dict[str, Any]:
    """Smallest and largest value of the first key column, as text; of doc_ids that are numbers also as numbers."""
    if not contract.key or not table.num_rows or contract.key[0] not in table.column_names:
        return {}
    import pyarrow.compute as pc

    column = table[contract.key[0]]
    bounds = {contract.key[0]: [pc.min(column).as_py(), pc.max(column).as_py()]}
    return bounds | ({NUMBER: found} if contract.key[0] == "doc_id" and (found := _numbers(column)) else {})


def may_hold(part: Mapping[str, Any], column: str, key: str) -> bool:
    """Whether the ranges of a part hold a key: as text, and as number where all ids of the part are numbers."""
    bounds = part.get("bounds", {})
    low, high = bounds.get(column, [key, key])
    if not part["rows"] or not low <= key <= high:
        return False
    if column != "doc_id" or (numbers := bounds.get(NUMBER)) is None:
        return True
    native = key.partition(":")[2]
    is_number = native.isascii() and native.isdigit() and len(native) <= DIGITS
    return is_number and numbers[0] <= int(native) <= numbers[1]


def add_bounds(bounds: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The bounds of several batches as those of their rows together."""
    found = [one for one in bounds if one]
    if len(found) < 2:
        return found[0] if found else {}
    total = {name: _span([one[name] for one in found]) for name in found[0] if all(name in one for one in found)}
    sources = {end.partition(":")[0] for one in found for end in one.get("doc_id", ())}
    return {name: span for name, span in total.items() if name != NUMBER or len(sources) == 1}


def apart(parts: Sequence[Part], column: str) -> list[bool]:
    """Of each part whether no other can hold one of its keys, as far as their bounds of that column tell."""
    found = [part.rows == 0 for part in parts]
    filled = [i for i, part in enumerate(parts) if part.rows]
    if not all(column in parts[i].bounds for i in filled):
        return found
    numbered = all(NUMBER in parts[i].bounds for i in filled) and column == "doc_id"
    ranges = sorted((*_range(parts[i], column, numbered=numbered), i) for i in filled)
    chain: list[int] = []
    highest: Any = None
    for low, high, i in ranges:
        if chain and low > highest:
            found[chain[0]] |= len(chain) == 1
            chain, highest = [], None
        chain.append(i)
        highest = high if highest is None else max(high, highest)
    if len(chain) == 1:
        found[chain[0]] = True
    return found


def _range(part: Part, column: str, *, numbered: bool) -> tuple[Any, Any]:
    """The least and the greatest key of a part, as text, or as source and number: as text, 10 comes before 9."""
    low, high = part.bounds[column]
    if not numbered:
        return low, high
    source, numbers = low.partition(":")[0], part.bounds[NUMBER]
    return (source, numbers[0]), (source, numbers[1])


def _span(spans: list[list[Any]]) -> list[Any]:
    return [min(low for low, _ in spans), max(high for _, high in spans)]


def _numbers(column: pa.ChunkedArray) -> list[int]:
    """Smallest and largest number after the colon; none where an id is no number, or there are several sources."""
    import pyarrow.compute as pc

    sources = pc.unique(pc.replace_substring_regex(column, ":.*$", ""))
    if len(sources) > 1 or not pc.all(pc.match_substring_regex(column, _NUMBERED)).as_py():
        return []
    numbers = pc.replace_substring_regex(column, "^[^:]*:", "").cast(pa.int64())
    return [pc.min(numbers).as_py(), pc.max(numbers).as_py()]
