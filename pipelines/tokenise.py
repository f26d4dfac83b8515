"""Text as token ids: byte-level BPE (Sennrich et al. 2016; Radford et al. 2019), which loses no byte of any script."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from data.errors import ConfigError, TextmillError
from data.progress import Progress, ignore

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VERSION = 1
END_OF_TEXT = "<|endoftext|>"
_BYTES = 256
_BATCH = 1_000
_SCHEMA = pl.Schema({"doc_id": pl.String(), "input_ids": pl.List(pl.UInt32), "n_tokens": pl.Int32()})


class EmptyCorpusError(TextmillError, ValueError):
    """There is no text to learn a tokenizer from."""


@dataclass(frozen=True, kw_only=True)
class TokeniserConfig:
    """Greatest number of tokens, and how often a pair must occur to be merged."""

    vocab_size: int = 8_000
    min_frequency: int = 2

    def __post_init__(self) -> None:
        if self.vocab_size <= _BYTES:
            raise ConfigError(
                f"vocab_size must be {_BYTES + 1} or more, one token for every byte, not {self.vocab_size}"
            )
        if self.min_frequency < 1:
            raise ConfigError(f"min_frequency must be 1 or more, not {self.min_frequency}")


def train_tokenizer(texts: Iterable[str], *, config: TokeniserConfig | None = None, progress: Progress = ignore) -> str:
    """Learn a tokenizer, as the JSON text of the `tokenizers` library; `<|endoftext|>` is token 0.

    The same texts in the same order make the same tokenizer. Progress counts texts, of an unknown number.
    Raises EmptyCorpusError where no text has any character.
    """
    from tokenizers import trainers

    config = config or TokeniserConfig()
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocab_size,
        min_frequency=config.min_frequency,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=sorted(_alphabet()),
        show_progress=False,
    )
    tokenizer = _untrained()
    counter = _Counter(texts, progress)
    tokenizer.train_from_iterator(iter(counter), trainer=trainer)
    if counter.characters == 0:
        raise EmptyCorpusError("the corpus has no text to learn a tokenizer from; look at its rejects for the reasons")
    return str(tokenizer.to_str())


class _Counter:
    """Passes texts on and counts them."""

    def __init__(self, texts: Iterable[str], progress: Progress) -> None:
        self.texts = texts
        self.progress = progress
        self.characters = 0

    def __iter__(self) -> Iterator[str]:
        for done, text in enumerate(self.texts, start=1):
            self.characters += len(text)
            yield text
            self.progress(done, done)


def _alphabet() -> list[str]:
    from tokenizers import pre_tokenizers

    return list(pre_tokenizers.ByteLevel.alphabet())


def _untrained() -> Tokenizer:
    """A tokenizer without a vocabulary, normaliser or post-processor: every byte of the text comes back."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def fingerprint(tokenizer: str) -> str:
    """First 16 hexadecimal digits of the SHA-256 of the tokenizer's JSON text."""
    return hashlib.sha256(tokenizer.encode("utf-8")).hexdigest()[:16]


def load(tokenizer: str) -> Tokenizer:
    """The tokenizer of a JSON text. Text that spells `<|endoftext|>` is encoded like any other text."""
    from tokenizers import Tokenizer

    loaded = Tokenizer.from_str(tokenizer)
    # A document must not be able to write a special token by spelling it.
    loaded.encode_special_tokens = True
    return loaded


def separator_of(tokenizer: Tokenizer) -> int:
    """Id of `<|endoftext|>`. Raises TextmillError for a tokenizer that has none."""
    if (found := tokenizer.token_to_id(END_OF_TEXT)) is None:
        raise TextmillError(f"the tokenizer has no token {END_OF_TEXT}; train one with textmill")
    return int(found)


def encode(corpus: pl.DataFrame, tokenizer: Tokenizer) -> pl.DataFrame:
    """`doc_id`, `input_ids` and `n_tokens` of every document of the corpus, in its order."""
    ids: list[list[int]] = []
    for batch in corpus.select("text").iter_slices(_BATCH):
        ids += [encoding.ids for encoding in tokenizer.encode_batch_fast(batch["text"].to_list())]
    tokens = pl.Series("input_ids", ids, dtype=pl.List(pl.UInt32))
    return corpus.select("doc_id", tokens, n_tokens=tokens.list.len()).cast(_SCHEMA)
