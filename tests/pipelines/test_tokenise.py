from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from data.conform import conform
from data.contracts import CONTRACTS
from data.errors import ConfigError, TextmillError
from data.splits import split_of
from pipelines.tokenise import (
    DETERMINISTIC,
    END_OF_TEXT,
    KINDS,
    UNKNOWN,
    EmptyCorpusError,
    Sample,
    TokeniserConfig,
    encode,
    fingerprint,
    load,
    measure,
    pattern_of,
    separator_of,
    train_tokenizer,
)
from pipelines.tokenise import encoding as encoding_module

STATUS = Path("/proc/self/status")
TEXTS = [
    "The river carries water past the castle.",
    "The castle stands by the river and the water.",
    "河水流过城堡，城堡在河边。",
] * 3
SIZES = {"bpe": 280, "unigram": 400, "wordpiece": 60, "words": 30, "whitespace": 30, "characters": 40}
TRAINED = {kind: train_tokenizer(TEXTS, config=TokeniserConfig(kind=kind, vocab_size=SIZES[kind])) for kind in KINDS}
LOADED = {kind: load(text) for kind, text in TRAINED.items()}
LOSSLESS = ("bpe", "unigram")
every_kind = pytest.mark.parametrize("kind", KINDS)
any_text = st.text(max_size=40) | st.lists(
    st.sampled_from(["The", " ", "  ", "\n", "river", "'s", "12", "河", "水", "é", "e\u0301", "…", "👍🏽", END_OF_TEXT])
).map("".join)


def ids(text: str, tokenizer: Tokenizer) -> list[int]:
    found: list[int] = encode(pl.DataFrame({"doc_id": ["s:1"], "text": [text]}), tokenizer)["input_ids"][0].to_list()
    return found


@pytest.mark.parametrize("kind", DETERMINISTIC)
def test_training_twice_makes_the_same_tokenizer(kind: str) -> None:
    config = TokeniserConfig(kind=kind, vocab_size=SIZES[kind])
    assert train_tokenizer(iter(TEXTS), config=config) == TRAINED[kind]
    assert fingerprint(TRAINED[kind]) == fingerprint(train_tokenizer(TEXTS, config=config))
    assert len(fingerprint(TRAINED[kind])) == 16


@every_kind
def test_vocabulary_has_the_size_asked_for_at_the_most_and_the_separator_first(kind: str) -> None:
    assert LOADED[kind].get_vocab_size() <= SIZES[kind]
    assert separator_of(LOADED[kind]) == 0
    assert LOADED[kind].token_to_id(UNKNOWN) == (None if kind in LOSSLESS else 1)


@every_kind
def test_frequent_words_become_few_tokens(kind: str) -> None:
    n = len(ids("The river", LOADED[kind]))
    assert n == 9 if kind == "characters" else n < 9


@pytest.mark.parametrize("kind", LOSSLESS)
@settings(deadline=None)
@given(any_text)
def test_byte_level_kinds_give_every_text_back(kind: str, text: str) -> None:
    assert LOADED[kind].decode(ids(text, LOADED[kind]), skip_special_tokens=False) == text


@pytest.mark.parametrize(
    ("kind", "text", "decoded"),
    [
        ("characters", "The  river ", "The  river "),
        ("characters", "The rivér", f"The riv{UNKNOWN}r"),
        ("words", "The  castle stands.", "The castle stands ."),
        ("words", "The dragon stands", f"The {UNKNOWN} stands"),
        ("wordpiece", "The river  carries", "The river carries"),
        ("wordpiece", "The ж", f"The {UNKNOWN}"),
    ],
)
def test_what_the_other_kinds_lose(kind: str, text: str, decoded: str) -> None:
    tokenizer = load(train_tokenizer(TEXTS, config=TokeniserConfig(kind=kind, vocab_size=200)))
    assert tokenizer.decode(ids(text, tokenizer), skip_special_tokens=False) == decoded
    assert measure([text], tokenizer).unknown == decoded.count(UNKNOWN)


@every_kind
@settings(max_examples=50, deadline=None)
@given(any_text)
def test_ids_are_those_of_the_library(kind: str, text: str) -> None:
    assert pattern_of(LOADED[kind]) is not None
    assert ids(text, LOADED[kind]) == LOADED[kind].encode(text).ids


@every_kind
def test_text_cannot_spell_a_special_token(kind: str) -> None:
    found = ids(f"The{END_OF_TEXT} {END_OF_TEXT} {UNKNOWN}", LOADED[kind])
    assert 0 not in found
    if kind in LOSSLESS:
        assert LOADED[kind].decode(found) == f"The{END_OF_TEXT} {END_OF_TEXT} {UNKNOWN}"


@every_kind
def test_a_special_token_in_the_training_text_stays_out_of_reach(kind: str) -> None:
    config = TokeniserConfig(kind=kind, vocab_size=SIZES[kind], min_frequency=1)
    tokenizer = load(train_tokenizer([f"{END_OF_TEXT} the {END_OF_TEXT}"] * 5, config=config))
    assert 0 not in ids(f"the {END_OF_TEXT}{END_OF_TEXT}", tokenizer)


@every_kind
def test_batches_do_not_change_the_ids(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = pl.DataFrame({"doc_id": [f"s:{i}" for i in range(9)], "text": TEXTS}).with_row_index().drop("index")
    whole = encode(corpus, LOADED[kind])
    monkeypatch.setattr(encoding_module, "_BATCH_CHARS", 50)
    assert encode(corpus, LOADED[kind]).equals(whole)
    monkeypatch.setattr(encoding_module, "_MAX_DISTINCT", 0.0)
    assert encode(corpus, LOADED[kind]).equals(whole)


def test_threads_do_not_change_the_ids() -> None:
    code = (
        "import sys, polars as pl; from pipelines import tokenise;"
        "frame = pl.DataFrame({'doc_id': [str(i) for i in range(50)]}).with_columns("
        "text=pl.col('doc_id') + ' The river');"
        "print(tokenise.encode(frame, tokenise.load(sys.stdin.read()))['input_ids'].to_list())"
    )
    single = subprocess.run(
        [sys.executable, "-c", code],
        input=TRAINED["bpe"],
        env={"PYTHONPATH": ".", "RAYON_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    frame = pl.DataFrame({"doc_id": [str(i) for i in range(50)]}).with_columns(text=pl.col("doc_id") + " The river")
    assert single == f"{encode(frame, LOADED['bpe'])['input_ids'].to_list()}\n"


def test_a_tokenizer_of_another_make_is_used_as_it_is() -> None:
    options: dict[str, Any] = json.loads(TRAINED["bpe"])
    options["pre_tokenizer"] = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    tokenizer = load(json.dumps(options))
    assert pattern_of(tokenizer) is None
    assert ids("The river  carries", tokenizer) == tokenizer.encode("The river  carries").ids


def test_a_tokenizer_with_a_normaliser_is_not_cut_into_pieces() -> None:
    options: dict[str, Any] = json.loads(TRAINED["words"])
    options["normalizer"] = {"type": "Lowercase"}
    assert pattern_of(load(json.dumps(options))) is None


def test_tokens_keep_the_contract_and_the_order() -> None:
    corpus = pl.DataFrame({"doc_id": ["s:2", "s:1", "s:3"], "text": [*TEXTS[:2], ""]})
    table = conform(encode(corpus, LOADED["bpe"]), CONTRACTS["tokens"])
    assert table["doc_id"].to_pylist() == ["s:2", "s:1", "s:3"]
    assert table["n_tokens"].to_pylist() == [len(found) for found in table["input_ids"].to_pylist()]


def test_an_empty_corpus_has_no_tokens() -> None:
    corpus = pl.DataFrame(schema={"doc_id": pl.String, "text": pl.String})
    assert encode(corpus, LOADED["bpe"]).height == 0


@pytest.mark.parametrize("texts", [[], ["", ""]])
def test_a_corpus_without_text_is_an_error(texts: list[str]) -> None:
    with pytest.raises(EmptyCorpusError, match="no text"):
        train_tokenizer(texts)


def test_a_tokenizer_without_separator_is_an_error() -> None:
    from tokenizers import models

    with pytest.raises(TextmillError, match="no token"):
        separator_of(Tokenizer(models.BPE()))


def test_progress_counts_texts() -> None:
    seen: list[tuple[int, int]] = []
    config = TokeniserConfig(vocab_size=280)
    train_tokenizer(TEXTS[:2], config=config, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 1), (2, 2)]


def documents(n: int) -> pl.DataFrame:
    return pl.DataFrame({"doc_id": [f"s:{i}" for i in range(n)], "text": [f"{i:03d} text" for i in range(n)]})


def sampled(frames: list[pl.DataFrame], config: TokeniserConfig) -> tuple[list[str], list[str]]:
    sample = Sample(config)
    for frame in frames:
        sample.add(frame)
    return sample.learnt_from, sample.held_out


def test_the_sample_does_not_depend_on_parts_or_their_order() -> None:
    config = TokeniserConfig(sample_chars=100)
    whole = documents(60)
    rows = list(range(60))
    random.Random(3).shuffle(rows)
    parts = [whole[rows[i : i + 7]] for i in range(0, 60, 7)]
    assert sampled(parts, config) == sampled([whole], config)


@pytest.mark.skipif(not STATUS.exists(), reason="the system does not tell the memory of a process")
def test_the_sample_keeps_no_text_that_it_does_not_need() -> None:
    """Rows of a frame keep texts of rows that are gone, too."""
    sample = Sample(TokeniserConfig(sample_chars=20_000_000))
    before = resident_megabytes()
    for part in range(100):
        texts = {f"s:{part}:{row}": f"{row} " * 40_000 for row in range(30)}
        sample.add(pl.DataFrame({"doc_id": list(texts), "text": list(texts.values())}))
    assert resident_megabytes() - before < 60  # 22 of them are wanted, of 340 in all


def resident_megabytes() -> float:
    lines = STATUS.read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("RssAnon"))) / 1024


def test_the_sample_is_bounded_and_spread() -> None:
    learnt, held_out = sampled([documents(200)], TokeniserConfig(sample_chars=100))
    assert sum(map(len, learnt)) == 100
    assert sum(map(len, held_out)) == 10
    assert learnt != sorted(learnt)


def test_documents_of_the_test_split_are_held_out() -> None:
    frame = documents(60)
    learnt, held_out = sampled([frame], TokeniserConfig())
    is_test = [split_of(doc_id) == "test" for doc_id in frame["doc_id"].to_list()]
    assert sorted(held_out) == frame.filter(pl.Series(is_test))["text"].to_list()
    assert sorted([*learnt, *held_out]) == frame["text"].to_list()


def test_a_corpus_of_test_documents_alone_is_learnt_from() -> None:
    doc_id = next(f"s:{i}" for i in range(99) if split_of(f"s:{i}") == "test")
    frame = pl.DataFrame({"doc_id": [doc_id], "text": ["only"]})
    assert sampled([frame], TokeniserConfig()) == (["only"], [])


def test_unigram_learns_from_a_tenth() -> None:
    learnt, _ = sampled([documents(60)], TokeniserConfig(kind="unigram", sample_chars=100))
    assert sum(map(len, learnt)) == 10


def test_statistics() -> None:
    tokenizer = load(train_tokenizer(TEXTS, config=TokeniserConfig(kind="words", vocab_size=100)))
    stats = measure(["The river", "The dragon sleeps", "水"], tokenizer)
    assert (stats.documents, stats.words, stats.tokens) == (3, 6, 6)
    assert (stats.fertility, stats.bytes_per_token) == (1.0, round(29 / 6, 4))
    assert (stats.unknown, stats.unknown_share, stats.round_trip) == (2, round(2 / 6, 6), round(2 / 3, 4))


def test_statistics_of_nothing_are_zero() -> None:
    stats = measure([], LOADED["bpe"])
    assert (stats.documents, stats.tokens, stats.fertility, stats.bytes_per_token) == (0, 0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "syllables"}, r"tokeniser.kind .* 'syllables'"),
        ({"vocab_size": 256}, r"tokeniser.vocab_size must be 257"),
        ({"kind": "words", "vocab_size": 2}, r"tokeniser.vocab_size must be 3"),
        ({"min_frequency": 0}, r"tokeniser.min_frequency"),
        ({"sample_chars": 0}, r"tokeniser.sample_chars"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TokeniserConfig(**options)


@every_kind
def test_hostile_text_takes_linear_time(kind: str) -> None:
    for piece in ("a", " ", "河", "'", "<|"):
        assert ids(f"The{piece * 30_000}", LOADED[kind])


@pytest.mark.parametrize(
    ("smallest", "name"),
    [
        (TokeniserConfig(kind="bpe", vocab_size=257), "vocab_size"),
        (TokeniserConfig(kind="words", vocab_size=3), "vocab_size"),
        (TokeniserConfig(min_frequency=1), "min_frequency"),
        (TokeniserConfig(sample_chars=1), "sample_chars"),
    ],
)
def test_smallest_value_of_an_option_is_taken_and_one_less_is_not(smallest: TokeniserConfig, name: str) -> None:
    with pytest.raises(ConfigError, match=rf"tokeniser\.{name} must be {getattr(smallest, name)} or more"):
        replace(smallest, **{name: getattr(smallest, name) - 1})
