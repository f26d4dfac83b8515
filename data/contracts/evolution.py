"""What a change of a contract means to its readers, and which version it therefore needs.

Contracts are compared as `Contract.describe` gives them: the form in which manifests keep those of earlier versions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from data.errors import ContractError

Described = Mapping[str, Any]
_RANGES = ("expect_column_values_to_be_between", "expect_table_row_count_to_be_between")
_SET = "expect_column_values_to_be_in_set"
_NESTED = "list", "struct"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference, in words; `breaking` where it asks for a new major version."""

    text: str
    breaking: bool


def refuse_breaking(old: Described, new: Described) -> None:
    """Raise ContractError if readers of `old` may not cope with `new` and its major version is not higher."""
    (major, minor), raised = version_of(old), version_of(new)
    breaking = [change.text for change in changes(old, new) if change.breaking]
    if breaking and raised[0] <= major:
        more = f" (and {len(breaking) - 1} more)" if len(breaking) > 1 else ""
        raise ContractError(
            f"contract {new['name']} {new['version']}: {breaking[0]}{more}, against the published {major}.{minor}; "
            f"raise its version to ({major + 1}, 0) in data/contracts, or take the change back"
        )


def version_of(described: Described) -> tuple[int, int]:
    """Major and minor version of a described contract."""
    major, minor = str(described["version"]).split(".")
    return int(major), int(minor)


def changes(old: Described, new: Described) -> list[Change]:
    """Every difference between two contracts that readers can notice."""
    return [*_key(old, new), *_columns(old, new), *_conditions(old, new), *_checks(old, new)]


def _key(old: Described, new: Described) -> Iterator[Change]:
    before, after = old.get("key"), new.get("key")
    if before is not None and before != after:
        yield Change(f"the key is {', '.join(after or ()) or 'none'} and was {', '.join(before) or 'none'}", True)


def _columns(old: Described, new: Described) -> Iterator[Change]:
    before, after = leaves(old["columns"]), leaves(new["columns"])
    yield from (Change(f"column {name} is gone", True) for name in _outermost(before.keys() - after.keys()))
    yield from (_added(name, *after[name]) for name in _outermost(after.keys() - before.keys()))
    for name in sorted(before.keys() & after.keys()):
        yield from _changed(name, *before[name], *after[name])


def _outermost(names: Set[str]) -> list[str]:
    """Names without the fields that come or go with the column or struct around them."""
    return [name for name in sorted(names) if not name.endswith("[]") and _around(name) not in names]


def _around(name: str) -> str:
    return name.rpartition(".")[0].removesuffix("[]")


def _added(name: str, kind: str, nullable: bool) -> Change:
    if nullable:
        return Change(f"column {name} ({kind}) is new", False)
    return Change(f"column {name} is new and not nullable, so that earlier versions have no value for it", True)


def _changed(name: str, kind: str, nullable: bool, kind_now: str, nullable_now: bool) -> Iterator[Change]:
    if kind != kind_now:
        yield Change(f"column {name} is {kind_now} and was {kind}", True)
    if nullable and not nullable_now:
        yield Change(f"column {name} may no longer be null", True)
    if nullable_now and not nullable:
        yield Change(f"column {name} may now be null", True)


def leaves(columns: list[list[Any]]) -> dict[str, tuple[str, bool]]:
    """Type and nullability of every column and nested field: `sections`, `sections[]`, `sections[].level`."""
    found: dict[str, tuple[str, bool]] = {}
    for name, kind, nullable in columns:
        found |= _leaves(name, kind, nullable)
    return found


def _leaves(name: str, kind: str, nullable: bool) -> dict[str, tuple[str, bool]]:
    outer = kind.partition("<")[0]
    if outer not in _NESTED or "<" not in kind:
        return {name: (kind, nullable)}
    found = {name: (outer, nullable)}
    for field, inner, may_be_null in fields(kind):
        found |= _leaves(f"{name}[]" if outer == "list" else f"{name}.{field}", inner, may_be_null)
    return found


def fields(kind: str) -> list[tuple[str, str, bool]]:
    """Name, type and nullability of the fields of a nested type as Arrow writes it: `list<item: int32 not null>`."""
    parts, depth = [""], 0
    for sign in kind[kind.index("<") + 1 : -1]:
        depth += (sign in "<[") - (sign in ">]")
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    split = (part.strip().partition(": ") for part in parts)
    return [(name, inner.removesuffix(" not null"), not inner.endswith(" not null")) for name, _, inner in split]


def _conditions(old: Described, new: Described) -> Iterator[Change]:
    """A value that was allowed and is no longer is a narrowing; one that is newly allowed is none."""
    before, after = _expectations(old), _expectations(new)
    fresh = _new_columns(old, new)
    for (kind, column), arguments in after.items():
        name = f"{kind} of {column}" if column else kind
        if (kind, column) in before:
            yield from _compared(name, kind, before[kind, column], arguments)
        elif column not in fresh:
            yield Change(f"{name} is new", kind != "expect_table_row_count_to_be_between")
    yield from (Change(f"{kind} of {column} is gone", False) for kind, column in sorted(before.keys() - after.keys()))


def _expectations(described: Described) -> dict[tuple[str, str], dict[str, Any]]:
    return {(kind, str(given.get("column", ""))): dict(given) for kind, given, _ in described["expectations"]}


def _new_columns(old: Described, new: Described) -> set[str]:
    return {name for name, *_ in new["columns"]} - {name for name, *_ in old["columns"]}


def _compared(name: str, kind: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    if before == after:
        return
    if kind == _SET:
        gone = [value for value in before["value_set"] if value not in after["value_set"]]
        yield Change(
            f"{name} no longer allows {', '.join(map(str, gone))}" if gone else f"{name} allows more", bool(gone)
        )
    elif kind in _RANGES:
        narrower = _is_narrower(before, after)
        words = f"{_ends(after)} and was {_ends(before)}"
        yield Change(f"{name} is {words}", narrower and kind == _RANGES[0])
    else:
        yield Change(f"{name} is changed", True)


def _is_narrower(before: dict[str, Any], after: dict[str, Any]) -> bool:
    low, low_now, high, high_now = (one.get(end) for end in ("min_value", "max_value") for one in (before, after))
    rises = low_now is not None and (low is None or low_now > low)
    falls = high_now is not None and (high is None or high_now < high)
    return bool(rises or falls)


def _ends(given: dict[str, Any]) -> str:
    low, high = given.get("min_value"), given.get("max_value")
    return f"[{'' if low is None else low}, {'' if high is None else high}]"


def _checks(old: Described, new: Described) -> Iterator[Change]:
    before, after = (dict(one["checks"]) for one in (old, new))
    fresh = _new_columns(old, new)
    for name, expression in after.items():
        if before.get(name) != expression and not fresh & set(re.findall(r"\w+", expression)):
            yield Change(f"check {name} is {'changed' if name in before else 'new'}", True)
    yield from (Change(f"check {name} is gone", False) for name in sorted(before.keys() - after.keys()))
