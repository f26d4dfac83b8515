from __future__ import annotations

import hashlib
import itertools
import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.conform import conform
from data.contracts import CONTRACTS
from data.errors import AccountingError, ConfigError
from pipelines.dedup import DedupConfig, Part, apply, find_duplicates, near
from pipelines.dedup.near import Sizes, band_keys
from pipelines.dedup.ranks import Clusters, by_id, ranked
from pipelines.minhash import fingerprints, jaccard, shingle_sets

WORDS = [f"word{i}" for i in range(200)]
BASE = " ".join(WORDS)
NEAR = " ".join([*WORDS, "more"])
OTHER = " ".join(f"other{i}" for i in range(200))
SECTIONS = pl.List(pl.Struct({"level": pl.Int8, "title": pl.String, "start": pl.Int32, "end": pl.Int32}))


def frame(texts: dict[str, str]) -> pl.DataFrame:
    """The columns of `candidates` that deduplication reads."""
    made = pl.DataFrame(
        {
            "doc_id": pl.Series(list(texts), dtype=pl.String),
            "source": pl.Series([doc_id.split(":")[0] for doc_id in texts], dtype=pl.String),
            "text": pl.Series(list(texts.values()), dtype=pl.String),
            "sections": pl.Series([None] * len(texts), dtype=SECTIONS),
            "text_sha256": [hashlib.sha256(text.encode()).hexdigest() for text in texts.values()],
            "n_chars": pl.Series([len(text) for text in texts.values()], dtype=pl.Int32),
        }
    )
    return made.with_columns(fingerprints(list(texts.values())))


def parts(table: pl.DataFrame, size: int = 3) -> list[Part]:
    return [table[i : i + size].select for i in range(0, table.height, size)]


def rows(texts: dict[str, str], **options: object) -> list[tuple[str, str, str, float]]:
    found = find_duplicates(parts(frame(texts)), config=DedupConfig(**options))  # type: ignore[arg-type]
    return [(doc_id, kept, cluster, round(value, 3)) for doc_id, kept, cluster, value in found.iter_rows()]


def altered(change: int, step: int = 20) -> str:
    """BASE with every `step`-th word replaced, `change` of them: each takes five shingles of 196 with it."""
    words = list(WORDS)
    for i in range(change):
        words[10 + i * step] = f"new{i}"
    return " ".join(words)


def chain(steps: int, change: int) -> dict[str, str]:
    """Texts that each differ a little from the one before and much from the first."""
    words, texts = list(WORDS), {}
    for step in range(steps):
        texts[f"s:{step}"] = " ".join(words)
        for i in range(step * change, (step + 1) * change):
            words[i] = f"new{i}"
    return texts


def test_exact_copies_keep_the_smallest_number() -> None:
    assert rows({"s:10": BASE, "s:9": BASE, "s:3": OTHER}) == [("s:10", "s:9", "s:9", 1.0)]


def test_copies_that_differ_in_case_and_signs_are_exact() -> None:
    assert rows({"s:1": BASE, "s:2": BASE.upper() + "!"}) == [("s:2", "s:1", "s:1", 1.0)]


def test_near_copies_keep_the_smallest_id_whatever_the_length() -> None:
    found = rows({"s:3": NEAR, "s:2": BASE, "s:1": BASE, "s:4": OTHER})
    assert [row[:3] for row in found] == [("s:2", "s:1", "s:1"), ("s:3", "s:1", "s:1")]
    assert (found[0][3], 0.9 < found[1][3] < 1) == (1.0, True)


def test_copy_of_a_near_copy_goes_with_it() -> None:
    found = rows({"s:1": BASE, "s:2": NEAR, "s:3": NEAR})
    assert [row[:3] for row in found] == [("s:2", "s:1", "s:1"), ("s:3", "s:1", "s:1")]
    assert max(row[3] for row in found) < 1


def test_first_source_stays_before_smaller_ids() -> None:
    table = frame({"b:1": BASE, "a:5": BASE, "a:4": OTHER, "b:7": OTHER, "c:0": OTHER})
    found = find_duplicates(parts(table), sources=["b", "a"])
    assert found.select("doc_id", "kept_doc_id", "cluster_id").rows() == [
        ("a:4", "b:7", "a:4"),
        ("a:5", "b:1", "a:5"),
        ("c:0", "b:7", "a:4"),
    ]


def test_sources_come_as_in_the_parts_where_none_is_named() -> None:
    found = find_duplicates(parts(frame({"z:2": BASE, "a:1": BASE})))
    assert found["kept_doc_id"].to_list() == ["z:2"]


def test_numbers_come_before_words_and_by_value() -> None:
    table = pl.DataFrame({"doc_id": ["s:b", "s:10", "s:a", "s:9", "r:7"], "source": ["s"] * 4 + ["r"]})
    assert [table["doc_id"][int(i)] for i in ranked(table, ["s"])] == ["s:9", "s:10", "s:a", "s:b", "r:7"]
    assert table["doc_id"][int(by_id(table)[0])] == "r:7"


@pytest.mark.parametrize(("change", "is_near"), [(4, True), (5, False), (6, False), (8, False)])
def test_pairs_near_the_threshold_are_settled_by_their_texts(change: int, is_near: bool) -> None:
    texts = {"s:1": BASE, "s:2": altered(change)}
    exact = jaccard(*shingle_sets(list(texts.values())))
    assert (exact >= 0.8) is is_near
    found = rows(texts)
    assert [row[3] for row in found] == ([pytest.approx(exact, abs=0.001)] if is_near else [])


def test_decision_at_the_threshold_is_that_of_the_exact_similarity() -> None:
    texts = {f"{group}:{i}": altered(i).replace("w", group) for group in "abcdefgh" for i in (0, 4, 5)}
    found = {row[0]: row for row in rows(texts, chains=False)}
    for group in "abcdefgh":
        one, four, five = shingle_sets([texts[f"{group}:{i}"] for i in (0, 4, 5)])
        assert (f"{group}:4" in found) == (jaccard(one, four) >= 0.8)
        assert (f"{group}:5" in found) == (max(jaccard(one, five), 0) >= 0.8)


@pytest.mark.parametrize("chains", [True, False])
def test_a_pair_exactly_at_the_threshold_is_near(*, chains: bool) -> None:
    words = [f"word{i}" for i in range(204)]  # 200 shingles; of the first 164 words 160
    texts = {"s:1": " ".join(words), "s:2": " ".join(words[:164])}
    assert [row[3] for row in rows(texts, chains=chains, threshold=0.8)] == [0.8]


def test_the_second_likeliest_is_looked_at_where_the_first_goes() -> None:
    found = rows({"s:1": BASE, "s:2": altered(2), "s:3": altered(3)}, chains=False)
    assert [row[:2] for row in found] == [("s:2", "s:1"), ("s:3", "s:1")]


def test_chain_is_one_cluster() -> None:
    found = rows(chain(8, 12))
    assert [(row[1], row[2]) for row in found] == [("s:0", "s:0")] * 7
    assert found[-1][3] == pytest.approx(
        jaccard(*shingle_sets([chain(8, 12)[key] for key in ("s:0", "s:7")])), abs=1e-3
    )


def test_without_chains_nothing_goes_that_is_unlike_what_is_kept() -> None:
    found = rows(chain(12, 8), chains=False)
    assert 0 < len(found) < 11
    assert all(row[3] >= 0.8 for row in found)
    assert not {row[0] for row in found} & {row[1] for row in found}


def test_texts_of_signs_alone_are_no_near_duplicates() -> None:
    assert rows({"s:1": "!!!", "s:2": "???", "s:3": "!!!"}) == [("s:3", "s:1", "s:1", 1.0)]


def test_short_texts_are_compared_whole() -> None:
    assert rows({"s:1": "one two three", "s:2": "one two four", "s:3": "One, two, three."}) == [
        ("s:3", "s:1", "s:1", 1.0)
    ]


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 20), st.booleans())
def test_order_of_rows_and_parts_does_not_matter(rng: random.Random, size: int, chains: bool) -> None:
    texts = {**chain(6, 6), "t:1": OTHER, "t:2": OTHER, "t:3": OTHER + " end", "t:10": altered(3)}
    shuffled = list(texts.items())
    rng.shuffle(shuffled)
    config = DedupConfig(chains=chains)
    straight = find_duplicates(parts(frame(texts)), sources=["s", "t"], config=config)
    assert find_duplicates(parts(frame(dict(shuffled)), size), sources=["s", "t"], config=config).equals(straight)


WORD = st.sampled_from(["the", "of", "a", "river", "runs", "to", "sea", "and", "town", "hill"])
TEXTS = st.lists(st.lists(WORD, min_size=1, max_size=9).map(" ".join), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(TEXTS, st.booleans(), st.sampled_from([0.3, 0.5, 0.8]))
def test_what_is_kept_for_a_duplicate_is_kept(texts: list[str], chains: bool, threshold: float) -> None:
    table = frame({f"s:{i}": text for i, text in enumerate(texts)})
    found = find_duplicates(parts(table), config=DedupConfig(chains=chains, threshold=threshold))
    made = [apply(part(table.columns), found) for part in parts(table)]
    kept = [doc_id for each in made for doc_id in each.corpus["doc_id"]]
    gone = [doc_id for each in made for doc_id in each.rejects["doc_id"]]
    assert sorted(kept + gone) == sorted(table["doc_id"])
    assert set(found["kept_doc_id"]) <= set(kept)
    assert set(found["doc_id"]) == set(gone)


@settings(max_examples=25, deadline=None)
@given(TEXTS, st.booleans())
def test_unrelated_document_changes_nothing_for_the_others(texts: list[str], chains: bool) -> None:
    table = {f"s:{i}": text for i, text in enumerate(texts, 1)}
    assert rows(table, chains=chains) == rows({**table, "s:0": OTHER, "s:99": NEAR}, chains=chains)


@settings(max_examples=25, deadline=None)
@given(TEXTS)
def test_clusters_are_the_components_of_the_similar_pairs(texts: list[str]) -> None:
    """With one row a band, pairs that share a shingle are all compared."""
    table = {f"s:{i:02}": text for i, text in enumerate(texts)}
    sets = dict(zip(table, shingle_sets(list(table.values())), strict=True))
    clusters = {doc_id: doc_id for doc_id in table}
    for _ in table:
        for one, other in itertools.combinations(table, 2):
            if jaccard(sets[one], sets[other]) >= 0.5:
                clusters[one] = clusters[other] = min(clusters[one], clusters[other])
    wanted = {doc_id: kept for doc_id, kept in clusters.items() if doc_id != kept}
    assert {row[0]: row[1] for row in rows(table, threshold=0.5, bands=112, rows=1)} == wanted


def test_small_partitions_and_many_give_the_same(tmp_path: Path) -> None:
    texts = {**chain(6, 6), **{f"t:{i}": altered(i) for i in range(6)}, "u:1": OTHER, "u:2": OTHER + " end"}
    table = frame(texts)
    small = find_duplicates(parts(table, 2), scratch=tmp_path, sizes=Sizes(records=4))
    assert small.height > 5
    assert small.equals(find_duplicates(parts(table)))
    assert list(tmp_path.iterdir()) == []


def test_at_most_a_partition_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The size of what is in memory follows `Sizes`, not the number of documents."""
    seen: list[int] = []
    agreeing = near._agreeing
    monkeypatch.setattr(near, "_agreeing", lambda records: seen.append(len(records)) or agreeing(records))  # type: ignore[func-returns-value]
    rng = np.random.default_rng(0)
    made = rng.integers(0, 1 << 32, (3000, 112), dtype=np.uint64).astype(np.uint32)
    table = pl.DataFrame({"doc_id": [f"s:{i}" for i in range(3000)], "source": "s", "normalised_hash": range(3000)})
    table = table.cast({"normalised_hash": pl.UInt64}).with_columns(
        minhash=pl.Series(made, dtype=pl.Array(pl.UInt32, 112)).cast(pl.List(pl.UInt32))
    )
    assert find_duplicates(parts(table, 500), sizes=Sizes(records=2000)).height == 0
    assert sum(seen) == 3000 * 18
    assert max(seen) < 2500


def test_many_documents_in_one_band_cost_linear_work() -> None:
    records = np.zeros(5000, dtype=near._KEYED)
    records["rank"] = np.arange(5000)
    pairs = sum(len(one) for one, _ in near._agreeing(records))
    assert 5000 < pairs <= 5000 * (near.WINDOW + 1)


def test_bands_are_those_that_agree() -> None:
    left = np.arange(112, dtype=np.uint32)[None, :]
    right = left.copy()
    right[0, 20] += 1
    same = band_keys(left, 18, 6) == band_keys(right, 18, 6)
    assert same.tolist() == [[i != 3 for i in range(18)]]
    assert len(np.unique(band_keys(np.zeros((1, 112), dtype=np.uint32), 18, 6))) == 18


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=30), st.randoms(use_true_random=False))
def test_root_is_the_smallest_whatever_the_order(pairs: list[tuple[int, int]], rng: random.Random) -> None:
    first, second = Clusters(20), Clusters(20)
    first.join(pairs)
    second.join(rng.sample(pairs, len(pairs)))
    assert first.roots().tolist() == second.roots().tolist()
    assert all(root <= rank for rank, root in enumerate(first.roots().tolist()))
    assert not any(first.roots()[one] != first.roots()[other] for one, other in pairs)


def test_bands_and_rows_follow_from_the_threshold() -> None:
    assert DedupConfig().banding(112) == (18, 6)
    assert DedupConfig(threshold=0.5).banding(112)[1] < 6 < DedupConfig(threshold=0.95).banding(112)[1]
    assert DedupConfig(bands=14, rows=8).banding(112) == (14, 8)
    bands, size = DedupConfig(threshold=0.7, recall=0.95).banding(128)
    assert 1 - (1 - 0.7**size) ** bands >= 0.95 > 1 - (1 - 0.7 ** (size + 1)) ** (128 // (size + 1))


def test_result_keeps_the_contract() -> None:
    conform(find_duplicates(parts(frame({"s:1": BASE, "s:2": NEAR}))), CONTRACTS["duplicates"])
    conform(find_duplicates(parts(frame({}))), CONTRACTS["duplicates"])
    conform(find_duplicates([]), CONTRACTS["duplicates"])
    conform(find_duplicates([frame({}).select, frame({"s:1": BASE}).select]), CONTRACTS["duplicates"])


def test_rejects_say_what_was_kept() -> None:
    table = frame({"s:1": BASE, "s:2": BASE, "t:1": OTHER, "t:2": OTHER + " end"})
    made = apply(table, find_duplicates(parts(table)))
    assert made.corpus["doc_id"].to_list() == ["s:1", "t:1"]
    assert not {"minhash", "normalised_hash", "line_hashes"} & set(made.corpus.columns)
    assert made.rejects.select("doc_id", "reason", "detail").rows() == [
        ("s:2", "exact_duplicate", "s:1 is kept"),
        ("t:2", "near_duplicate", "similarity 0.9911 to t:1, which is kept"),
    ]
    conform(made.rejects, CONTRACTS["rejects"])


def test_duplicates_of_other_parts_are_passed_over() -> None:
    table = frame({"s:1": BASE, "s:2": BASE})
    made = apply(table.filter(pl.col("doc_id") == "s:1"), find_duplicates(parts(table)))
    assert (made.corpus.height, made.rejects.height) == (1, 0)


def test_document_named_twice_is_an_error() -> None:
    table = frame({"s:1": BASE, "s:2": BASE})
    found = find_duplicates(parts(table))
    with pytest.raises(AccountingError, match="named twice"):
        apply(table, pl.concat([found, found]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 0}, "threshold"),
        ({"threshold": 1.1}, "threshold"),
        ({"recall": 1}, "recall"),
        ({"bands": 3}, "bands and rows"),
        ({"bands": -1, "rows": -1}, "bands and rows"),
    ],
)
def test_options_out_of_range_are_an_error(options: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        DedupConfig(**options)  # type: ignore[arg-type]


def test_bands_beyond_the_signature_are_an_error() -> None:
    with pytest.raises(ConfigError, match="120"):
        find_duplicates(parts(frame({"s:1": BASE})), config=DedupConfig(bands=15, rows=8))
    with pytest.raises(ConfigError, match="too low"):
        DedupConfig(threshold=0.001).banding(112)


def test_signatures_of_two_lengths_are_an_error() -> None:
    table = frame({"s:1": BASE, "s:2": OTHER})
    shorter = table.with_columns(pl.col("minhash").list.head(56))
    with pytest.raises(ConfigError, match="56, 112"):
        find_duplicates([table[:1].select, shorter[1:].select])
