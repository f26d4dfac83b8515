from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from objectstore import Proxy

from data import files, memory
from data.storage import objects, place
from flows.job import Ref
from flows.stages import tokens, versions
from flows.stages.tokens import _kept, tokenizer_stats, tokens_of
from pipelines import tokenise

CONFIG = tokenise.TokeniserConfig(vocab_size=280)
DOCUMENTS = pl.DataFrame({"doc_id": [f"s:{i}" for i in range(40)], "text": ["The river by the castle"] * 40})


def sampled(documents: pl.DataFrame) -> tuple[tokenise.Sample, str]:
    sample = tokenise.Sample(CONFIG)
    sample.add(documents)
    return sample, tokenise.train_tokenizer(sample.learnt_from, config=CONFIG)


def test_statistics_come_from_documents_held_out() -> None:
    sample, text = sampled(DOCUMENTS)
    stats = tokenizer_stats(text, sample, config=CONFIG)
    assert stats["held_out"]
    assert stats["documents"] == len(sample.held_out) == 40 - stats["learnt_from"]["documents"]
    assert (stats["kind"], stats["round_trip"]) == ("bpe", 1.0)
    assert stats["fertility"] == stats["tokens"] / stats["words"]


def test_statistics_say_when_nothing_could_be_held_out() -> None:
    sample, text = sampled(DOCUMENTS[:1])
    stats = tokenizer_stats(text, sample, config=CONFIG)
    assert (stats["held_out"], stats["documents"]) == (False, 1)


def test_a_part_of_tokens_accounts_for_its_documents_and_names_the_tokenizer() -> None:
    _, text = sampled(DOCUMENTS)
    output = tokens_of(DOCUMENTS, tokenise.load(text), "abc")
    assert output.counts == {"in": 40, "kept": 40, "filtered": {}, "failed": {}}
    assert output.metadata == {"tokenizer": "abc"}
    assert output.frame["doc_id"].to_list() == DOCUMENTS["doc_id"].to_list()


@pytest.mark.parametrize(("known", "done"), [(None, ["workers rest", "trained", "released"]), ("kept", [])])
def test_workers_rest_while_a_tokenizer_learns(
    known: str | None, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []

    def trained(job: Any, corpus: Ref) -> str:
        heard.append("trained")
        return "new"

    monkeypatch.setattr(versions, "current_tokenizer", lambda _: known)
    monkeypatch.setattr(tokens, "_trained", trained)
    monkeypatch.setattr(memory, "release", lambda: heard.append("released"))
    job: Any = SimpleNamespace(pool=SimpleNamespace(rest=lambda: heard.append("workers rest")))
    assert tokens.tokenizer(job, Ref("corpus", "v", 1, reused=False)) == (known or "new")
    assert heard == done


@pytest.mark.parametrize("remote", [False, True])
def test_the_first_of_two_tokenizers_of_equal_options_is_kept(cloud: Proxy, tmp_path: Path, remote: bool) -> None:
    path = (place(cloud.lake) if remote else tmp_path) / "wiki" / "current.json"
    corpus = Ref("corpus", "c1", 0, reused=False)
    assert _kept(path, "one", "options", corpus) == "one"
    assert _kept(path, "two", "options", corpus) == "one"
    assert files.read_json(path)["fingerprint"] == "one"
    assert _kept(path, "three", "other options", corpus) == "three"


def test_a_tokenizer_that_came_between_is_kept(cloud: Proxy) -> None:
    path = place(cloud.lake) / "wiki" / "current.json"
    corpus = Ref("corpus", "c1", 0, reused=False)
    files.write_json(path, {"fingerprint": "old", "config": "old options", "corpus": "c0"})
    asked = objects.put_if

    with pytest.MonkeyPatch.context() as patch:

        def late(*words: Any) -> bool:
            patch.setattr(objects, "put_if", asked)
            _kept(path, "theirs", "options", corpus)
            return asked(*words)

        patch.setattr(objects, "put_if", late)
        assert _kept(path, "mine", "options", corpus) == "theirs"
