"""What a tokenizer makes of texts: fertility (Rust et al. 2021), compression, and what is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from data.segment import word_count
from pipelines.tokenise.encoding import encode
from pipelines.tokenise.kinds import UNKNOWN

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True, kw_only=True)
class Stats:
    """`fertility` is tokens per word, `bytes_per_token` counts UTF-8; both are 0 without any text.

    `unknown` counts tokens that stand for text that is lost; `round_trip` is the share of documents that come back as
    they were.
    """

    documents: int
    words: int
    tokens: int
    fertility: float
    bytes_per_token: float
    unknown: int
    unknown_share: float
    round_trip: float


def measure(texts: Sequence[str], tokenizer: Tokenizer) -> Stats:
    """Statistics of a tokenizer on texts that it should not have learnt from."""
    column = pl.Series("text", texts, dtype=pl.String)
    ids = encode(pl.DataFrame({"doc_id": column, "text": column}), tokenizer)["input_ids"]
    words = int(pl.DataFrame({"text": column}).select(word_count(pl.col("text")).sum()).item())
    tokens = int(ids.list.len().sum())
    unknown = (
        int((ids.explode(empty_as_null=False) == tokenizer.token_to_id(UNKNOWN)).sum()) if _can_lose(tokenizer) else 0
    )
    decoded = tokenizer.decode_batch(ids.to_list(), skip_special_tokens=False)
    same = sum(text == again for text, again in zip(texts, decoded, strict=True))
    return Stats(
        documents=len(texts),
        words=words,
        tokens=tokens,
        fertility=round(tokens / max(words, 1), 4),
        bytes_per_token=round(int(column.str.len_bytes().sum()) / max(tokens, 1), 4),
        unknown=unknown,
        unknown_share=round(unknown / max(tokens, 1), 6),
        round_trip=round(same / max(len(texts), 1), 4),
    )


def _can_lose(tokenizer: Tokenizer) -> bool:
    return tokenizer.token_to_id(UNKNOWN) is not None
