"""Documents cut into sentences by their tokens alone: after the last of a run of tokens that end one.

A token ends a sentence when its text is, but for blanks, made of full stops, exclamation or question marks, or when it
breaks a line. Abbreviations are cut too; where that matters, give one sentence a row.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from data.hashing import fingerprint
from data.token_store import TokenStore
from models.vocabulary import Vocabulary

ENDS = frozenset(".!?…。！？")


def cut(store: TokenStore, vocabulary: Vocabulary) -> TokenStore:
    """The sentences of a store's documents as a store of the same tokens."""
    ending = enders(vocabulary)[store.ids]
    last = np.flatnonzero(ending[:-1] & ~ending[1:]) + 1 if len(ending) else np.empty(0, np.int64)
    offsets = np.union1d(store.offsets, last).astype(np.int64)
    return TokenStore(store.ids, offsets, fingerprint([store.fingerprint, "sentences", vocabulary.fingerprint]))


@lru_cache(maxsize=4)
def enders(vocabulary: Vocabulary) -> npt.NDArray[np.bool_]:
    """Which tokens end a sentence, bool [size]."""
    texts = [vocabulary.loaded.decode([number]) for number in range(vocabulary.tokens)]
    found = [ends(text) for text in texts]
    return np.array(found + [False] * len(vocabulary.marks))


def ends(text: str) -> bool:
    """Whether a token with this text ends a sentence."""
    bare = text.strip()
    return "\n" in text if not bare else set(bare) <= ENDS
