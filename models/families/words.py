"""Vectors of words in the catalogue: word2vec, fastText, GloVe."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.embeddings import fasttext, glove, word2vec
from models.embeddings.fasttext import FastTextVectors
from models.embeddings.vectors import WordVectors
from models.evaluation import bootstrap
from models.evaluation import vectors as similarity
from models.evaluation.score import Score
from models.text_family import TextFamily

_WORDS, _NEIGHBOURS, _FEWEST = 8, 5, 10


def scores(model: WordVectors | FastTextVectors) -> list[Score]:
    """Rank correlation with human similarity (WordSim-353, inside gensim) over the pairs whose words are known.

    None where there are too few of those to say anything, as in a language that is not English.
    """
    known = model if isinstance(model, WordVectors) else model.words
    found = similarity.similarities(known, similarity.wordsim353())
    if len(found.human) < _FEWEST:
        return []

    def spearman(drawn: Any) -> float:
        return similarity.spearman(found.human[drawn], found.model[drawn])

    return [bootstrap.score("wordsim353_spearman", spearman, len(found.human))]


def show(model: WordVectors | FastTextVectors) -> dict[str, Any]:
    """The nearest neighbours of some frequent words."""
    known = model if isinstance(model, WordVectors) else model.words
    order = np.argsort(-known.counts, kind="stable")
    words = [known.words[i] for i in order[len(order) // 50 :][:_WORDS]]
    neighbours = {word: [near for near, _ in model.most_similar(word, k=_NEIGHBOURS)] for word in words}
    return {"Nearest words": neighbours}


WORD2VEC = TextFamily(
    name="word2vec",
    about="word vectors by skip-gram or CBOW (Mikolov et al. 2013)",
    config=word2vec.Word2VecConfig,
    version=word2vec.VERSION,
    fit=word2vec.fit,
    load=WordVectors.load,
    scores=scores,
    show=show,
)
FASTTEXT = TextFamily(
    name="fasttext",
    about="word vectors from character n-grams (Bojanowski et al. 2017)",
    config=fasttext.FastTextConfig,
    version=fasttext.VERSION,
    fit=fasttext.fit,
    load=FastTextVectors.load,
    scores=scores,
    show=show,
)
GLOVE = TextFamily(
    name="glove",
    about="word vectors from sums of co-occurrence (Pennington et al. 2014)",
    config=glove.GloveConfig,
    version=glove.VERSION,
    fit=glove.fit,
    load=WordVectors.load,
    scores=scores,
    show=show,
)
