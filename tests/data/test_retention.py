"""What gc keeps and why, how it removes, and how much comes free where files have several names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lakes import PIPELINE, card, chain, put, ref, release

from data import files, retention
from data.contracts import CONTRACTS
from data.lake import MANIFEST, Lake, LakeError
from data.pins import RELEASE, Pin, pin, pins, unpin
from data.retention import Decision, Policy, decide
from data.versions import Build

LATER = datetime.now(UTC) + timedelta(days=365)
NONE = timedelta(0)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path)
    for number, version in enumerate("abcd", 1):
        chain(lake, version, [{"w:1": "one", "w:2": version}])
        release(lake, version, when=f"2026-01-0{number}T00:00:00+00:00")
    return lake


def decided(
    lake: Lake, *, keep: int = 1, grace: timedelta = NONE, now: datetime = LATER, **options: object
) -> list[Decision]:
    return decide(lake, PIPELINE, Policy(keep=keep, grace=grace), now=now, **{"models": {}, **options})  # type: ignore[arg-type]


def kept(found: list[Decision], dataset: str = "corpus") -> str:
    return "".join(sorted(one.version.version for one in found if one.stays and one.version.dataset == dataset))


@pytest.mark.parametrize(("keep", "stay"), [(1, "d"), (2, "cd"), (4, "abcd"), (9, "abcd")])
def test_the_newest_releases_stay_with_all_they_were_made_from(lake: Lake, keep: int, stay: str) -> None:
    found = decided(lake, keep=keep)
    assert {kept(found, name) for name in ("documents", "candidates", "duplicates", "corpus", "entities")} == {stay}


def test_what_is_pinned_stays_with_what_it_came_from(lake: Lake) -> None:
    pin(lake, PIPELINE, "entities", "a", note="paper", when="now")
    found = decided(lake)
    assert kept(found, "candidates") == "ad"
    reasons = next(one.reasons for one in found if one.version.key == (PIPELINE, "entities", "a"))
    assert reasons == ("pinned: paper",)


def test_a_pinned_release_stays(lake: Lake) -> None:
    pin(lake, PIPELINE, RELEASE, "r2", note="", when="now")
    assert kept(decided(lake), "documents") == "bd"


def test_unpinned_goes_again(lake: Lake) -> None:
    pin(lake, PIPELINE, "corpus", "a", note="", when="now")
    unpin(lake, PIPELINE, "corpus", "a")
    assert kept(decided(lake)) == "d"
    with pytest.raises(LakeError, match="corpus a is not pinned; pinned is nothing"):
        unpin(lake, PIPELINE, "corpus", "a")


def test_pinning_again_replaces_the_note(lake: Lake) -> None:
    pin(lake, PIPELINE, "corpus", "a", note="one", when="t1")
    pin(lake, PIPELINE, "corpus", "a", note="two", when="t2")
    assert pins(lake, PIPELINE) == [Pin("corpus", "a", "two", "t2")]


@pytest.mark.parametrize("content", ["{", '{"pins": [], "digest": "other"}', '{"pins": [{"name": 1}]}'])
def test_damaged_pins_stop_everything(lake: Lake, content: str) -> None:
    (lake.pipeline(PIPELINE) / "_pins.json").write_text(content)
    with pytest.raises(LakeError, match="is damaged"):
        decided(lake)


def test_the_grace_begins_when_a_version_was_replaced(lake: Lake) -> None:
    now = datetime(2026, 1, 5, tzinfo=UTC)  # the manifests are younger: they were written now
    old = datetime(2025, 1, 1).timestamp()
    import os

    for path in lake.pipeline(PIPELINE).rglob(MANIFEST):
        os.utime(path, (old, old))
    assert kept(decided(lake, grace=timedelta(days=1, hours=1), now=now)) == "cd"
    assert kept(decided(lake, grace=timedelta(days=2, hours=1), now=now)) == "bcd"
    assert kept(decided(lake, grace=timedelta(hours=1), now=now)) == "d"


def test_what_was_just_made_stays_though_no_release_names_it(lake: Lake) -> None:
    put(lake, "corpus", "e", [{"w:9": "new"}])
    assert kept(decided(lake, grace=timedelta(hours=1), now=datetime.now(UTC)), "corpus") == "abcde"
    assert "e" not in kept(decided(lake))


def test_a_kept_model_keeps_what_it_was_trained_on(lake: Lake) -> None:
    vectors = card(lake, "wiki-word2vec", "v000001", {"corpus": "a"}, key="kv")
    summaries = card(lake, "wiki-summaries", "v000002", {"word2vec": "kv"}, key="ks")
    models = {("wiki-word2vec", "v000001"): vectors, ("wiki-summaries", "v000002"): summaries}
    assert kept(decided(lake, models=models)) == "d"
    assert kept(decided(lake, models=models, wanted=[("wiki-summaries", "v000002")]), "candidates") == "ad"


def test_a_kept_model_that_began_with_another_keeps_the_data_of_both(lake: Lake) -> None:
    tagger = {"files": {"names.csv": "cd" * 32}, "columns": {}, "start": "wiki-bert:v000001"}
    models = {
        ("wiki-bert", "v000001"): card(lake, "wiki-bert", "v000001", {"corpus": "a"}, key="kb"),
        ("names-bert-tagger", "v000001"): card(lake, "names-bert-tagger", "v000001", tagger, key="kt"),
    }
    assert kept(decided(lake, models=models, wanted=[("names-bert-tagger", "v000001")])) == "ad"


def test_a_model_of_a_kept_release_or_dataset_keeps_its_data(lake: Lake) -> None:
    models = {("wiki-entities", "v000001"): card(lake, "wiki-entities", "v000001", {"corpus": "b"})}
    assert kept(decided(lake, models=models)) == "bd"  # the entities of d were made with it
    release(lake, "d", entities=["wiki-gpt", "v000001"])
    models |= {("wiki-gpt", "v000001"): card(lake, "wiki-gpt", "v000001", {"corpus": "c"}, key="kg")}
    assert kept(decided(lake, models=models)) == "bcd"


def test_the_corpus_that_the_tokenizer_learned_from_stays_with_its_tokens(lake: Lake) -> None:
    files.write_json(lake.tokenizers / PIPELINE / "current.json", {"fingerprint": "f00", "corpus": "a"})
    assert kept(decided(lake)) == "d"
    put(lake, "tokens", "t", [{"w:1": "one"}], inputs=[ref("corpus", "d"), {"tokenizer": "f00"}])
    pin(lake, PIPELINE, "tokens", "t", note="", when="now")
    found = decided(lake)
    assert (kept(found), kept(found, "documents")) == ("ad", "ad")
    assert ("tokenizer f00 learned from it",) in [one.reasons for one in found if one.version.version == "a"]


def test_a_removed_version_loses_its_manifest_first(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = lake.version(PIPELINE, "corpus", "a")

    def killed(path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(files, "remove_tree", killed)
        retention.remove(folder)
    assert lake.manifest(PIPELINE, "corpus", "a") is None
    assert list(folder.glob("*.parquet"))
    assert retention.remains(lake, PIPELINE, grace=NONE, now=LATER) == [folder]
    assert retention.remains(lake, PIPELINE, grace=timedelta(days=999), now=LATER) == []
    retention.remove(folder)
    assert not folder.exists()


def test_bytes_with_another_name_do_not_come_free(lake: Lake) -> None:
    put(lake, "corpus", "x", [{"w:5": "five"}, {"w:6": "six"}])
    put(lake, "corpus", "y", [{"w:5": "five"}, {"w:7": "seven"}])
    x, y = (lake.version(PIPELINE, "corpus", one) for one in "xy")
    sizes = {path: path.stat().st_size for folder in (x, y) for path in folder.iterdir()}
    shared = next(path for path in x.glob("part-00000-*"))
    assert shared.stat().st_nlink == 2
    alone = sum(size for path, size in sizes.items() if path.parent == x and path != shared)
    assert retention.freed([x]) == alone
    assert retention.freed([x, y]) == sum(sizes.values()) - sizes[shared]


def test_a_reader_keeps_a_version_that_a_release_replaced(lake: Lake) -> None:
    assert kept(decided(lake, keep=1, grace=timedelta(days=1), now=datetime.now(UTC))) == "abcd"


def test_an_ancestor_of_another_pipeline_is_not_missed(lake: Lake) -> None:
    put(lake, "corpus", "z", [{"w:1": "one"}], inputs=[ref("documents", "nowhere")])
    assert "z" not in kept(decided(lake))
    assert Build(lake, PIPELINE, CONTRACTS["corpus"], "z").published


def test_nobody_sweeps_the_folder_while_a_pin_is_written(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release that is published meanwhile removes temporary files there, but none that is being written."""
    holders: list[Path] = []
    held, publish = files.exclusive, files.publish

    @contextmanager
    def noted(path: Path) -> Iterator[None]:
        with held(path):
            holders.append(path)
            yield
            holders.remove(path)

    def published(staged: Path, path: Path) -> None:
        assert holders == [path.parent]
        publish(staged, path)

    monkeypatch.setattr(files, "exclusive", noted)
    monkeypatch.setattr(files, "publish", published)
    pin(lake, PIPELINE, "corpus", "a", note="", when="now")
    assert [one.version for one in pins(lake, PIPELINE)] == ["a"]
    left = lake.pipeline(PIPELINE) / ".x.tmp"
    left.touch()
    unlink = Path.unlink

    def unlinked(path: Path, missing_ok: bool = False) -> None:
        assert path.parent in holders
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlinked)
    lake.sweep(PIPELINE)
    assert not left.exists()


def test_what_is_gone_is_not_pinned(lake: Lake) -> None:
    with pytest.raises(LakeError, match="has no version nothing"):
        pin(lake, PIPELINE, "corpus", "nothing", note="", when="now")
    with pytest.raises(LakeError, match="has no release r9"):
        pin(lake, PIPELINE, RELEASE, "r9", note="", when="now")
