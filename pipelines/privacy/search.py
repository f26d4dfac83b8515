"""Find and mask: a cheap hint over the whole column first, full patterns for the few texts that it points to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import polars as pl

from pipelines.privacy.contact import EMAIL_RULE, URL_RULE
from pipelines.privacy.identity import IDENTITY_RULE
from pipelines.privacy.network import IP_RULE
from pipelines.privacy.payment import CARD_RULE, IBAN_RULE
from pipelines.privacy.phone import PHONE_RULE
from pipelines.privacy.rule import Rule

Span = tuple[int, int, str]
StandIn = Callable[[int, int, str], str]
Counts = list[dict[str, str | int]]
Texts = Sequence[str] | pl.Series

# In the order of their claims: a URL may hold an address, an IBAN the digits of a card, a card those of a telephone.
_RULES = (URL_RULE, EMAIL_RULE, IBAN_RULE, IDENTITY_RULE, CARD_RULE, IP_RULE, PHONE_RULE)
_TOKENS = {rule.kind: rule.token for rule in _RULES}
KINDS = tuple(sorted(rule.kind for rule in _RULES))
# A mask can set a number free that its neighbour hid; natural text is clean after one round, the second sees that.
_ROUNDS = 8


def find(text: str, kinds: Sequence[str] = KINDS) -> list[Span]:
    """Start, end (code points, end exclusive) and kind of all personal data, in order, without overlaps."""
    return find_all([text], kinds)[0]


def find_all(texts: Texts, kinds: Sequence[str] = KINDS) -> list[list[Span]]:
    """`find` for many texts, much faster: most texts are passed over by one pattern on the whole column."""
    rules = [rule for rule in _RULES if rule.kind in kinds]
    found: list[list[Span]] = [[] for _ in range(len(texts))]
    for row, suspected in _suspects(texts, rules):
        found[row] = _spans(texts[row], suspected)
    return found


def mask(texts: Texts, kinds: Sequence[str] = KINDS) -> tuple[list[str], list[Counts]]:
    """The texts with personal data as [EMAIL], [PHONE], …, and how often each type was found in each.

    Masking a masked text changes nothing.
    """
    masked: list[str] = texts.to_list() if isinstance(texts, pl.Series) else list(texts)
    counts: list[dict[str, int]] = [{} for _ in masked]
    rows, left = list(range(len(masked))), texts
    for _ in range(_ROUNDS):
        rows, spans = _with_hits(rows, find_all(left, kinds))
        for row, hits in zip(rows, spans, strict=True):
            masked[row] = _replaced(masked[row], hits)
            _add(counts[row], hits)
        left = [masked[row] for row in rows]
    return masked, [as_counts(count) for count in counts]


def as_counts(counts: dict[str, int]) -> Counts:
    """Counts by type as rows of the column `pii`."""
    return [{"type": kind, "count": counts[kind]} for kind in sorted(counts)]


def count_spans(spans: Sequence[Span]) -> Counts:
    """How often each kind stands in the spans."""
    counts: dict[str, int] = {}
    _add(counts, spans)
    return as_counts(counts)


def _suspects(texts: Texts, rules: Sequence[Rule]) -> Iterator[tuple[int, list[Rule]]]:
    """Rows that some hint points to, with the rules whose hint it is."""
    if not len(texts) or not rules:
        return
    column = pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)})
    marks = column.select(
        pl.any_horizontal(pl.col("text").str.contains(hint) for hint in rule.hints).alias(rule.kind) for rule in rules
    )
    for row, *hinted in marks.with_row_index("row").filter(pl.any_horizontal(marks.columns)).iter_rows():
        yield row, [rule for rule, is_hinted in zip(rules, hinted, strict=True) if is_hinted]


def _spans(text: str, rules: Sequence[Rule]) -> list[Span]:
    """Spans of all rules; what one has taken is hidden from those after it, as a mask would hide it."""
    spans: list[Span] = []
    for rule in rules:
        found = [(start, end, rule.kind) for start, end in rule.spans(text)]
        if found:
            text = _hidden(text, found)
            spans += found
    return sorted(spans)


def _hidden(text: str, spans: Sequence[Span]) -> str:
    """The text with brackets instead of the spans, offsets unchanged."""
    return "".join(_pieces(text, spans, lambda start, end, _: f"[{']' * (end - start - 1)}"))


def _replaced(text: str, spans: Sequence[Span]) -> str:
    return "".join(_pieces(text, spans, lambda _start, _end, kind: _TOKENS[kind]))


def _pieces(text: str, spans: Sequence[Span], stand_in: StandIn) -> Iterator[str]:
    """The text in pieces, what stands in for a span between them."""
    last = 0
    for start, end, kind in spans:
        yield text[last:start]
        yield stand_in(start, end, kind)
        last = end
    yield text[last:]


def _with_hits(rows: list[int], spans: list[list[Span]]) -> tuple[list[int], list[list[Span]]]:
    hits = [(row, found) for row, found in zip(rows, spans, strict=True) if found]
    return [row for row, _ in hits], [found for _, found in hits]


def _add(counts: dict[str, int], spans: Sequence[Span]) -> None:
    for _, _, kind in spans:
        counts[kind] = counts.get(kind, 0) + 1
