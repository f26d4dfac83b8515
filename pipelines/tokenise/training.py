"""Learn a tokenizer from a bounded sample that depends on the documents alone, not on their order or parts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import accumulate
from operator import itemgetter
from typing import TYPE_CHECKING

from data.errors import TextmillError
from data.progress import Progress, ignore
from data.splits import split_of
from pipelines.tokenise.kinds import END_OF_TEXT, TokeniserConfig, trainer, untrained

if TYPE_CHECKING:
    import polars as pl
    from tokenizers import Tokenizer

_HELD_OUT_SHARE = 0.1
_LEARNT_FROM = ("train", "validation")


class EmptyCorpusError(TextmillError, ValueError):
    """There is no text to learn a tokenizer from."""


def train_tokenizer(texts: Iterable[str], *, config: TokeniserConfig | None = None, progress: Progress = ignore) -> str:
    """Learn a tokenizer, as the JSON text of the `tokenizers` library; `<|endoftext|>` is token 0.

    The same texts in the same order make the same tokenizer, except for the kinds unigram and wordpiece, whose trainers
    are not deterministic. Progress counts texts, of an unknown number. Raises EmptyCorpusError where no text has any
    character.
    """
    config = config or TokeniserConfig()
    tokenizer = untrained(config.kind)
    counter = _Counter(texts, progress)
    tokenizer.train_from_iterator(iter(counter), trainer=trainer(config))
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


class Sample:
    """The documents to learn from and those to measure on, out of any number of parts in any order.

    Both are those of the smallest hash of their doc_id, up to `learnt_chars` characters and a tenth of that. Documents
    of the test split (a fifth, by hash too) are held out; a corpus that has only such documents is learnt from whole.
    """

    def __init__(self, config: TokeniserConfig) -> None:
        self._limits = {True: max(1, int(config.learnt_chars * _HELD_OUT_SHARE)), False: config.learnt_chars}
        self._kept: dict[bool, list[tuple[bytes, str]]] = {True: [], False: []}

    def add(self, documents: pl.DataFrame) -> None:
        """Take what is wanted from `doc_id` and `text`.

        Texts are kept as such: rows of a frame keep texts of rows that are gone, too, several times as much.
        """
        found: dict[bool, list[tuple[bytes, str]]] = {True: [], False: []}
        for doc_id, text in documents.select("doc_id", "text").iter_rows():
            key = hashlib.sha256(doc_id.encode("utf-8")).digest()[8:]
            found[split_of(doc_id) not in _LEARNT_FROM].append((key, text))
        for side, limit in self._limits.items():
            self._kept[side] = _first([*self._kept[side], *found[side]], limit)

    @property
    def learnt_from(self) -> list[str]:
        """Texts to learn from, in the order of their hashes, the last one cut to the limit."""
        side = not self._kept[False]
        return _cut([text for _, text in self._kept[side]], self._limits[side])

    @property
    def held_out(self) -> list[str]:
        """Texts to measure on; empty for a corpus too small to hold any out."""
        return _cut([text for _, text in self._kept[True]], self._limits[True]) if self._kept[False] else []


def _first(rows: list[tuple[bytes, str]], limit: int) -> list[tuple[bytes, str]]:
    """Rows by key until their texts reach the limit. More rows only push out the last, so parts may come one by one."""
    rows.sort(key=itemgetter(0))
    before = accumulate((len(text) for _, text in rows), initial=0)
    return [row for row, taken in zip(rows, before, strict=False) if taken < limit]


def _cut(texts: list[str], limit: int) -> list[str]:
    cut = []
    for text in texts:
        cut.append(text[:limit])
        limit -= len(cut[-1])
    return cut


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
