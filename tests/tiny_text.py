"""A vocabulary of ten words and a few sentences, for the families of models that write."""

from __future__ import annotations

import itertools
from functools import cache

from data.token_store import TokenStore
from models.family import Split, TrainingData
from models.vocabulary import END_OF_TEXT, Vocabulary

WORDS = (END_OF_TEXT, "<|unknown|>", "the", "a", "cat", "dog", "sees", "hears", "big", "small")
MARKS = ("pad", "begin")
SUBJECTS, VERBS, ADJECTIVES = ("cat", "dog"), ("sees", "hears"), ("big", "small", "")


@cache
def vocabulary() -> Vocabulary:
    """Words between blanks."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    made = Tokenizer(models.WordLevel(dict(zip(WORDS, range(len(WORDS)), strict=True)), unk_token="<|unknown|>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return Vocabulary(made.to_str(), MARKS)


def sentences() -> list[list[int]]:
    """All sentences such as `the big cat sees a dog`, as token ids."""
    made = [
        f"the {adjective} {subject} {verb} a {thing}".split()
        for adjective, subject, verb, thing in itertools.product(ADJECTIVES, SUBJECTS, VERBS, SUBJECTS)
    ]
    return [[WORDS.index(word) for word in words] for words in made]


def data() -> TrainingData:
    """Every fourth sentence is held out."""
    rows = sentences()
    held = rows[::4]
    train = [row for row in rows if row not in held]
    return TrainingData(vocabulary(), Split({"text": TokenStore.of(train)}), Split({"text": TokenStore.of(held)}))
