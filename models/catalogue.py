"""The models by name: each entry says where its family is; nothing heavy is imported before it is asked for."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

from data.errors import ConfigError

if TYPE_CHECKING:
    from models.family import Family
    from models.text_family import TextFamily

FAMILIES = {
    "bow": "models.families.bow:FAMILY",
    "word2vec": "models.families.words:WORD2VEC",
    "fasttext": "models.families.words:FASTTEXT",
    "glove": "models.families.words:GLOVE",
    "gpt": "models.families.gpt:FAMILY",
    "bert": "models.families.bert:FAMILY",
    "bert-classifier": "models.families.bert_classifier:FAMILY",
    "bert-tagger": "models.families.bert_tagger:FAMILY",
    "bert-pair": "models.families.bert_pair:FAMILY",
    "rnn-seq2seq": "models.families.rnn_seq2seq:FAMILY",
    "transformer-seq2seq": "models.families.transformer_seq2seq:FAMILY",
    "text-vae": "models.families.text_vae:FAMILY",
    "text-gan": "models.families.text_gan:FAMILY",
}
"""Every architecture: the module of its family, and the name it has there."""


def family(name: str) -> Family | TextFamily:
    """The family of a name. Raises ConfigError for a name that is not there, telling those that are."""
    if name not in FAMILIES:
        near = get_close_matches(name, FAMILIES, n=1)
        meant = f"; do you mean {near[0]}?" if near else ";"
        raise ConfigError(f"there is no model {name!r}{meant} there are {', '.join(FAMILIES)}")
    module, _, attribute = FAMILIES[name].partition(":")
    found: Family | TextFamily = getattr(import_module(module), attribute)
    return found


def neural(name: str) -> Family:
    """The family of a name that the training engine teaches. Raises ConfigError for another."""
    from models.family import Family

    found = family(name)
    if not isinstance(found, Family):
        raise ConfigError(f"{name} is not taught by the training engine, but learns by counting; see `textmill train`")
    return found
