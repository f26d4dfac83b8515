"""A tagger of words on the encoder of BERT in the engine: names in text, new or from a masked language model.

Devlin et al. 2018 (arXiv 1810.04805, section 5.3): the first piece of a word is labelled, the others are only read.
Mentions are scored whole, as in CoNLL-2003 (Tjong Kim Sang and De Meulder): borders and type must be right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows it by

from models.batching.rows import Rows
from models.families.bert import MARKS
from models.families.bert_classifier import sizes
from models.family import DataConfig, Family, Split, TrainingData
from models.language.bert import VERSION
from models.language.bert_heads import HeadConfig, Tagger
from models.layers.cross_entropy import IGNORED
from models.learner import Batch, Learner, Loss
from models.tasks.entities import runs
from models.training.config import TrainingConfig

Mention = tuple[int, int, str]
_SHOWN = 5


class TaggerLearner(Learner):
    """Learns the tag of each word."""

    unit = "words"
    headline = "f1"

    def __init__(self, model: Tagger, mark: int) -> None:
        self.model: Tagger = model
        self.mark = mark

    def weights(self, batch: Batch) -> Tensor:
        """Words of each row."""
        return (gold(batch) != IGNORED).sum(dim=1).float()

    def loss(self, batch: Batch, *, step: int, player: str = "model") -> Loss:  # noqa: ARG002 - there is one player
        """Mean cross-entropy in nats per word, and the share of words whose tag is right.

        Where the step is `measured_as` also mentions per word: `right`, `predicted` and `gold`.
        """
        logits, tags = self.logits(batch), gold(batch)
        words = tags != IGNORED
        nats = F.cross_entropy(logits[words].float(), tags[words])
        found = logits.argmax(dim=-1)
        parts = {"accuracy": (found[words] == tags[words]).float().mean()}
        if step >= self.measured_as:
            parts |= self.counted(tags, found, words)
        return Loss(nats, parts)

    def logits(self, batch: Batch) -> Tensor:
        """Logits [batch, time, tags] of the pieces of a batch, without the mark that the model reads before them."""
        tokens = torch.cat((torch.full_like(batch["text"][:, :1], self.mark), batch["text"]), dim=1)
        logits: Tensor = self.model(tokens, lengths=batch["text_lengths"] + 1)[:, 1:]
        return logits

    def counted(self, tags: Tensor, found: Tensor, words: Tensor) -> dict[str, Tensor]:
        """Mentions found right, found at all and in the gold, per word of a batch [batch, time]."""
        sums = {"right": 0, "predicted": 0, "gold": 0}
        for true, told, inside in zip(tags, found, words, strict=True):
            right, given = (set(mentions(one[inside].tolist(), self.model.config.labels)) for one in (true, told))
            for name, some in (("right", right & given), ("predicted", given), ("gold", right)):
                sums[name] += len(some)
        return {name: torch.tensor(count / max(1, int(words.sum()))) for name, count in sums.items()}

    def figures(self, means: Mapping[str, float]) -> dict[str, float]:
        """Precision, recall and F1 over all mentions in the place of their counts; F1 is 1 where there are none."""
        found = dict(means)
        right, predicted, true = (found.pop(name) for name in ("right", "predicted", "gold"))
        return {
            **found,
            "f1": 2 * right / (predicted + true) if predicted + true else 1.0,
            "precision": right / predicted if predicted else 0.0,
            "recall": right / true if true else 0.0,
        }


def gold(batch: Batch) -> Tensor:
    """The number of the tag at the first piece of each word, else IGNORED, int64 [batch, time]."""
    tags = batch["tags"]
    inside = torch.arange(tags.shape[1], device=tags.device) < batch["tags_lengths"].unsqueeze(1)
    return torch.where(inside & (tags > 0), tags - 1, IGNORED)


def mentions(tags: Sequence[int], labels: Sequence[str]) -> list[Mention]:
    """First word, one past the last, and type of each mention in the tags of a row; an I after no B opens one, too."""
    return list(runs([labels[tag] for tag in tags], np.zeros(1, dtype=np.int64)))


def learner(config: HeadConfig, data: TrainingData, seed: int) -> Learner:
    """A new model; `load_encoder` gives it the encoder of a masked language model."""
    return TaggerLearner(Tagger(config, seed=seed), data.vocabulary.mark("class"))


def batches(config: HeadConfig, options: DataConfig, data: TrainingData, split: Split, seed: int) -> Rows:
    """Rows of pieces of words and their tags; those longer than the context are treated by the policy, and counted."""
    columns = {name: split.columns[name] for name in ("text", "tags")}
    return Rows(columns, data.vocabulary.mark("pad"), config.context - 1, seed, options.too_long)


def show(model: Tagger, data: TrainingData, seed: int) -> dict[str, Any]:
    """The mentions in some held-out rows, as they were labelled and as they are found."""
    held = batches(model.config, DataConfig(), data, data.validation or data.train, seed)
    batch = held.batch(0, batch_size=min(_SHOWN, len(held)))
    with torch.inference_mode():
        found = TaggerLearner(model, data.vocabulary.mark("class")).logits(batch).argmax(dim=-1)
    rows = []
    for row, (true, told) in enumerate(zip(gold(batch), found, strict=True)):
        pieces, first = batch["text"][row, : batch["text_lengths"][row]].tolist(), true != IGNORED
        starts = [*first.nonzero()[:, 0].tolist(), len(pieces)]
        words = [data.vocabulary.decode(pieces[a:b]) for a, b in pairwise(starts)]
        labels = model.config.labels
        both = {"labelled": true[first].tolist(), "found": told[first].tolist()}
        named = {name: _told(mentions(tags, labels), words) for name, tags in both.items()}
        rows.append({"text": data.vocabulary.decode(pieces), **named})
    return {"Mentions": rows}


def _told(found: Sequence[Mention], words: Sequence[str]) -> str:
    return "; ".join(f"{kind}: {''.join(words[first:last]).strip()}" for first, last, kind in found) or "none"


FAMILY = Family(
    name="bert-tagger",
    about="tags of words (names in text), on the encoder of bert",
    needs=("text", "spans"),
    marks=MARKS,
    config=HeadConfig,
    version=VERSION,
    learner=learner,
    batches=batches,
    load=Tagger.load,
    training=TrainingConfig(learning_rate=5e-4, embedding_rate=1.0, precision="auto"),
    sizes=sizes,
    show=show,
)
