"""Trainings as they are ordered: once for each key, from a release or a file, gone on with after a kill."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from training_lake import TITLES, corpus_lake, publish_without
from typer.testing import CliRunner

from data.errors import ConfigError, TextmillError
from data.forgotten import Tombstone, add
from data.lake import Lake
from data.redaction import rewrite_version
from data.retention import remove
from data.splits import split_of
from data.underway import underway
from flows.cli import app
from flows.training import command
from flows.training.order import Order
from flows.training.running import Result, run
from flows.training.telling import lines, watcher
from models import fitting
from models.family import vocabulary_of
from models.registry import Registry
from models.training import Moment, OutOfMemoryError
from models.vocabulary import VocabularyError

OF_SPLIT = {split_of(one): one for one in TITLES}
SMALL = {"steps": 6, "batch_size": 2, "width": 16, "layers": 1, "heads": 2, "context": 8, "validate_every": 3}


def order(lake: Lake, **options: Any) -> Order:
    return Order(lake=lake, **{"model": "gpt", "options": SMALL, **options})


def done(wanted: Order, **options: Any) -> Result:
    return run(wanted, created="2026-01-01T00:00:00+00:00", **options)


def test_a_release_gives_a_registered_candidate(tmp_path: Path) -> None:
    lake = corpus_lake(tmp_path)
    result = done(order(lake))
    registry = Registry(lake.models)
    version = registry.load(result.model, "candidate")
    assert (result.model, version.version, result.reused) == ("wiki-gpt", "v000001", False)
    assert version.card["lineage"]["tokens"] == "v1"
    assert version.card["config"]["training"]["steps"] == 6
    assert re.fullmatch(r"textmill \S+, gpt \d+, training \d+, torch \S+", version.card["code"])
    assert version.card["code"] in (version.path / "card.md").read_text("utf-8")
    assert [metric["metric"] for metric in version.card["metrics"]] == ["perplexity", "loss"]
    assert not list((lake.root / "_training").iterdir())


def test_the_artefact_can_be_loaded_by_its_family(tmp_path: Path) -> None:
    path = done(order(corpus_lake(tmp_path))).path
    tokens = torch.tensor([vocabulary_of(path).encode("It has parts")[:8]])
    assert fitting.load(path)(tokens).shape[:2] == tokens.shape


def test_the_page_is_named_where_there_is_one(tmp_path: Path) -> None:
    result = done(order(corpus_lake(tmp_path)))
    assert lines(result)["report"] == str(result.path / "report.html")
    (result.path / "report.html").unlink()
    assert "report" not in lines(result)


def test_curves_and_traces_are_written_where_asked(tmp_path: Path) -> None:
    result = done(order(corpus_lake(tmp_path), options={**SMALL, "profile": 1}, tensorboard=tmp_path / "board"))
    assert [path.name.startswith("events") for path in (tmp_path / "board").iterdir()] == [True]
    assert (result.path / "trace-0.json").exists()


def test_a_finished_training_is_not_repeated(tmp_path: Path) -> None:
    lake = corpus_lake(tmp_path)
    first = done(order(lake))
    second = done(order(lake), watch=_never)
    assert (second.version, second.reused) == (first.version, True)


@pytest.mark.parametrize("rewrite", [False, True])
def test_after_a_document_was_forgotten_it_is_another_training_without_it(tmp_path: Path, *, rewrite: bool) -> None:
    lake = corpus_lake(tmp_path)
    first = done(order(lake))
    add(lake, Tombstone(ids=("wiki:3",), reason="asked", when="now"))
    for dataset in ("corpus", "tokens") if rewrite else ():
        rewrite_version(lake, lake.manifest("wiki", dataset, "v1") or {}, ["wiki:3"], {"ids": ["wiki:3"]})
    second = done(order(lake))
    lineage = Registry(lake.models).load(second.model, second.version).card["lineage"]
    assert (first.version, second.version, second.reused) == ("v000001", "v000002", False)
    assert lineage["forgotten"] == ["wiki:3"]


@pytest.mark.parametrize(
    ("forgotten", "kept", "then"),
    [(OF_SPLIT["train"], 0, 1), (OF_SPLIT["validation"], 0, 1), (OF_SPLIT["test"], 1, 2), ("wiki:99", 1, 1)],
)
def test_nothing_is_registered_that_read_a_document_forgotten_meanwhile(
    tmp_path: Path, forgotten: str, kept: int, then: int
) -> None:
    lake = corpus_lake(tmp_path)

    def forget(moment: Moment) -> None:
        add(lake, Tombstone(ids=(forgotten,), reason="asked", when="now"))

    with nullcontext() if kept else pytest.raises(TextmillError, match=f"{forgotten}: forgotten while this training"):
        done(order(lake), watch=forget)
    assert len(Registry(lake.models).versions("wiki-gpt")) == kept
    assert not list(lake.trainings.iterdir())
    assert done(order(lake)).version == f"v00000{then}"


@pytest.mark.parametrize("rewrite", [False, True])
def test_nor_where_a_release_without_it_was_published_meanwhile(tmp_path: Path, *, rewrite: bool) -> None:
    lake, gone = corpus_lake(tmp_path), OF_SPLIT["train"]

    def forget(moment: Moment) -> None:
        if moment.step == 1:
            add(lake, Tombstone(ids=(gone,), reason="asked", when="now"))
            for dataset in ("corpus", "tokens") if rewrite else ():
                rewrite_version(lake, lake.manifest("wiki", dataset, "v1") or {}, [gone], {"ids": [gone]})
            publish_without(lake, gone, "v2")

    with pytest.raises(TextmillError, match=f"{gone}: forgotten while this training"):
        done(order(lake), watch=forget)
    assert done(order(lake)).version == "v000001"


@pytest.mark.parametrize(("forgotten", "kept"), [((), 1), ((OF_SPLIT["test"],), 1), (("wiki:98",), 0)])
def test_of_a_version_that_is_gone_all_that_is_forgotten_may_have_been_read(
    tmp_path: Path, forgotten: tuple[str, ...], kept: int
) -> None:
    lake = corpus_lake(tmp_path)

    def lose(moment: Moment) -> None:
        if moment.step == 1:
            publish_without(lake, "wiki:3", "v2")
            remove(lake.version("wiki", "tokens", "v1"))
            if forgotten:
                add(lake, Tombstone(ids=forgotten, reason="asked", when="now"))

    with nullcontext() if kept else pytest.raises(TextmillError, match="wiki:98: forgotten while this training"):
        done(order(lake), watch=lose)
    assert len(Registry(lake.models).versions("wiki-gpt")) == kept


def test_a_training_under_way_tells_what_it_reads(tmp_path: Path) -> None:
    lake = corpus_lake(tmp_path)
    found: list[tuple[str, str, bool]] = []

    def look(moment: Moment) -> None:
        (one,) = underway(lake)
        found.append((one.model, one.lineage["tokens"], one.at_work(lake)))

    done(order(lake), watch=look)
    assert found[0] == ("wiki-gpt", "v1", True)


def _never(moment: Moment) -> None:
    raise AssertionError(moment)


@pytest.mark.parametrize("change", [{"seed": 1}, {"options": {**SMALL, "steps": 7}}])
def test_another_seed_or_option_is_another_version(tmp_path: Path, change: dict[str, Any]) -> None:
    lake = corpus_lake(tmp_path)
    done(order(lake))
    assert done(order(lake, **change)).version == "v000002"


def test_the_time_left_ends_where_the_clock_ends_the_training(tmp_path: Path) -> None:
    assert order(corpus_lake(tmp_path), options={**SMALL, "max_minutes": 0.5}).max_minutes == 0.5
    assert Order(lake=Lake(tmp_path), model="bow").max_minutes == 0
    told: list[str] = []
    watch = watcher(lambda done, total: None, told.append, max_minutes=0.5)
    for step in (1, 2):
        watch(Moment(step, 100, 1.0, 1e-3, 8 * step, 10.0 * step, {}, {}))
    assert told[-1].endswith("0:10 left")


class KilledError(Exception):
    pass


def killed_at(step: int) -> Callable[[Moment], None]:
    def watch(moment: Moment) -> None:
        if moment.step == step:
            raise KilledError

    return watch


def test_a_killed_training_goes_on_and_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    options = {**SMALL, "checkpoint_every": 2}
    lakes = [corpus_lake(tmp_path / name) for name in ("whole", "killed")]
    whole = done(order(lakes[0], options=options))
    with pytest.raises(KilledError):
        done(order(lakes[1], options=options), watch=killed_at(5))
    steps: list[int] = []
    went_on = done(order(lakes[1], options=options), watch=lambda moment: steps.append(moment.step))
    assert steps == [5, 6]
    weights = [(result.path / "model.safetensors").read_bytes() for result in (whole, went_on)]
    assert weights[0] == weights[1]


def test_who_waited_for_the_same_training_takes_what_came_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, lock = corpus_lake(tmp_path), Lake.lock
    steps: list[int] = []

    def overtaken(self: Lake, name: str, **how: Any) -> Any:
        monkeypatch.setattr(Lake, "lock", lock)
        done(order(lake), watch=lambda moment: steps.append(moment.step))  # another process, while this one waits
        return lock(self, name, **how)

    monkeypatch.setattr(Lake, "lock", overtaken)
    result = done(order(lake), watch=lambda moment: steps.append(-moment.step))
    assert (result.version, result.reused) == ("v000001", True)
    assert min(steps) > 0
    assert not list(lake.trainings.iterdir())


def test_a_file_has_a_tokenizer_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "play.txt").write_text("to be or not to be\n" * 40, "utf-8")
    options = {**SMALL, "tokeniser.kind": "characters"}
    result = done(order(Lake(tmp_path / "lake"), data=str(tmp_path / "play.txt"), options=options))
    assert result.model == "play-gpt"
    assert vocabulary_of(result.path).decode(vocabulary_of(result.path).encode("to be")) == "to be"


def test_a_changed_tokenizer_is_refused(tmp_path: Path) -> None:
    path = done(order(corpus_lake(tmp_path))).path
    text = json.loads((path / "tokenizer.json").read_text("utf-8"))
    (path / "tokenizer.json").write_text(json.dumps({**text, "padding": None}), "utf-8")
    for read in (vocabulary_of, fitting.load):
        with pytest.raises(VocabularyError, match="not the tokenizer that the model was trained with"):
            read(path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"widht": 8}, "no option 'widht'; do you mean width"),
        ({"steps": "many"}, "steps is 'many'; it must be a valid integer"),
        ({"steps": 0}, "steps is 0; it must be at least 1"),
        ({"tokeniser.kind": "letters"}, "tokeniser.kind must be one of"),
        ({"too_long": "drop"}, "no option 'too_long'"),
    ],
)
def test_wrong_options_are_named(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        done(order(corpus_lake(tmp_path), options=options))


def test_a_model_too_large_for_the_memory_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutOfMemoryError, match="in making the model; lower the width or the layers"):
        done(order(corpus_lake(tmp_path), options={**SMALL, "width": 1 << 40}))


def test_the_device_is_an_option_among_others(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}
    monkeypatch.setattr(command, "train", lambda model, **given: seen.update(given, model=model))
    CliRunner().invoke(app, ["train", "gpt", "--device", "auto", "--set", "steps=3"])
    assert (seen["model"], seen["pairs"]) == ("gpt", ["steps=3", "device=auto"])


def test_an_unknown_model_is_told_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no model 'gtp'; do you mean gpt"):
        done(order(corpus_lake(tmp_path), model="gtp"))


def test_a_policy_that_there_is_not_is_told_before_anything_is_done(tmp_path: Path) -> None:
    wanted = order(corpus_lake(tmp_path), model="text-vae", options={"too_long": "cut"})
    with pytest.raises(ConfigError, match="too_long is 'cut'; it must be one of truncate, drop, fail"):
        _ = wanted.checked


def test_long_rows_are_told_on_the_card_those_held_out_too(tmp_path: Path) -> None:
    splits = ["train", "train", "train", "validation"]
    rows = {"text": ["short", "much longer than it"] * 2, "label": ["a", "b"] * 2, "split": splits}
    pl.DataFrame(rows).write_parquet(tmp_path / "rows.parquet")
    data, options = str(tmp_path / "rows.parquet"), {**SMALL, "tokeniser.kind": "characters"}
    result = done(order(Lake(tmp_path / "lake"), model="bert-classifier", data=data, options=options))
    told = (result.path / "card.md").read_text("utf-8")
    assert "1 of 3 rows were longer than its context (policy: truncate)." in told
    assert "1 of 1 held-out rows were longer than its context and scored without their ends." in told


def test_rows_without_a_token_are_told_on_the_card(tmp_path: Path) -> None:
    rows = {"text": ["one text", "", "another"], "label": ["a", "a", "b"], "split": ["train", "train", "train"]}
    pl.DataFrame(rows).write_parquet(tmp_path / "rows.parquet")
    data = str(tmp_path / "rows.parquet")
    result = done(order(Lake(tmp_path / "lake"), model="bert-classifier", data=data))
    assert "1 of 3 rows had no token to learn from and were left out." in (result.path / "card.md").read_text("utf-8")


def test_rows_without_text_are_counted_on_the_card_of_a_counted_model(tmp_path: Path) -> None:
    frame = pl.DataFrame({"text": ["one text", None, "another text", None], "split": ["train"] * 4})
    frame.write_parquet(tmp_path / "rows.parquet")
    result = done(order(Lake(tmp_path / "lake"), model="bow", data=str(tmp_path / "rows.parquet"), options={}))
    assert result.record["units"] == 2
    assert "2 rows were left out: 2 as missing_value" in (result.path / "card.md").read_text("utf-8")


def test_energy_and_memory_of_a_counted_model_are_on_its_card(tmp_path: Path) -> None:
    pl.DataFrame({"text": ["one text", "two"], "split": ["train"] * 2}).write_parquet(tmp_path / "rows.parquet")
    result = done(order(Lake(tmp_path / "lake"), model="bow", data=str(tmp_path / "rows.parquet"), options={}))
    assert result.record["timing"]["peak_memory"] > 1 << 20
    assert result.record["timing"]["joules"] > 0
    assert "energy from" in (result.path / "card.md").read_text("utf-8")


def test_one_row_that_is_held_out_leaves_none_to_learn_from(tmp_path: Path) -> None:
    held_out = next(f"row {number}" for number in range(100) if split_of(f"row {number}") != "train")
    pl.DataFrame({"text": [held_out]}).write_parquet(tmp_path / "one.parquet")
    for model in ("gpt", "bow"):
        wanted = order(Lake(tmp_path / "lake"), model=model, data=str(tmp_path / "one.parquet"), options={})
        with pytest.raises(TextmillError, match=r"no row is left to learn from; .* with --validation FILE all rows"):
            done(wanted)


@pytest.mark.parametrize(
    ("texts", "said"),
    [([], "no row is left to learn from; give"), (["x"], "do not fill one block of 9"), ([""], "no row is left")],
)
def test_data_too_small_to_learn_from_is_told(tmp_path: Path, texts: list[str], said: str) -> None:
    frame = pl.DataFrame({"text": texts, "split": ["train"] * len(texts)}, {"text": pl.String, "split": pl.String})
    frame.write_parquet(tmp_path / "few.parquet")
    with pytest.raises(TextmillError, match=said):
        done(order(Lake(tmp_path / "lake"), data=str(tmp_path / "few.parquet")))
