"""The tokens of a model: those of its tokenizer, and after them the marks that its family needs.

Token 0 (`<|endoftext|>`) ends every sequence. A mark such as `pad`, `begin`, `mask` or `class` never comes out of text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from data.errors import TextmillError
from data.hashing import DIGITS

if TYPE_CHECKING:
    from tokenizers import Tokenizer

END_OF_TEXT = "<|endoftext|>"
FILE = "tokenizer.json"
_STARTS = ("Ġ", "▁", "Ċ")


class VocabularyError(TextmillError, ValueError):
    """A tokenizer cannot be used, or is not the one a model was trained with."""


@dataclass(frozen=True)
class Vocabulary:
    """A tokenizer as JSON text, and the names of the marks that follow its tokens."""

    tokenizer: str
    marks: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Tokens and marks."""
        return self.tokens + len(self.marks)

    @cached_property
    def tokens(self) -> int:
        """Tokens of the tokenizer."""
        return int(self.loaded.get_vocab_size())

    @property
    def fingerprint(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of the tokenizer's JSON text."""
        return hashlib.sha256(self.tokenizer.encode("utf-8")).hexdigest()[:DIGITS]

    @cached_property
    def end(self) -> int:
        """Id of `<|endoftext|>`, which also separates documents."""
        found = self.loaded.token_to_id(END_OF_TEXT)
        if found is None:
            raise VocabularyError(f"the tokenizer has no token {END_OF_TEXT}; train one with textmill")
        return int(found)

    def mark(self, name: str) -> int:
        """Id of a mark of the family."""
        return self.tokens + self.marks.index(name)

    def encode(self, text: str) -> list[int]:
        """Token ids of a text."""
        return list(self.loaded.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of token ids; marks and `<|endoftext|>` are left out."""
        return str(self.loaded.decode([i for i in ids if i < self.tokens and i != self.end]))

    def token(self, number: int) -> str:
        """How a token is written where single tokens are shown."""
        return f"<{self.marks[number - self.tokens]}>" if number >= self.tokens else self.decode([number]) or "·"

    @cached_property
    def word_starts(self) -> npt.NDArray[np.bool_]:
        """Whether a token begins a word, bool [size]; where tokens are words or characters every one does."""
        kind = json.loads(self.tokenizer)["model"]["type"]
        found = np.ones(self.size, dtype=bool)
        if kind == "WordLevel":
            return found
        for text, number in self.loaded.get_vocab().items():
            inside = text.startswith("##") if kind == "WordPiece" else text[:1].isalpha() and text[0] not in _STARTS
            found[number] = not inside
        return found

    @cached_property
    def loaded(self) -> Tokenizer:
        """The tokenizer; text that spells a special token is encoded like any other text."""
        from tokenizers import Tokenizer

        loaded = Tokenizer.from_str(self.tokenizer)
        loaded.encode_special_tokens = True
        return loaded
