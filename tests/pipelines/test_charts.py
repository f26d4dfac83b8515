"""Charts and the lineage graph: what is drawn, and that nothing is drawn of nothing."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import charts, graph
from pipelines.graph import Node, depths

CURVE = [("gpt", "train", [(0, 2.0), (1, 1.0)]), ("gpt", "validation", [(1, 1.5)])]
SCORE = {"task": "t", "metric": "f1", "model": "m", "value": 0.5, "ci_low": 0.4, "ci_high": 0.6, "baseline": False}


@pytest.mark.parametrize(
    "drawn",
    [
        charts.funnel([]),
        charts.funnel([("clean", 0, 0, 0)]),
        charts.reasons({}),
        charts.languages({}),
        charts.lengths([]),
        charts.lengths([0]),
        charts.quality({}),
        charts.quality({"symbol_ratio": [float("nan")]}),
        charts.curves([]),
        charts.scores([{**SCORE, "value": float("nan")}]),
        graph.draw([], []),
    ],
)
def test_nothing_is_drawn_of_nothing(drawn: str) -> None:
    assert drawn == ""


@pytest.mark.parametrize(
    ("drawn", "words"),
    [
        (charts.funnel([("clean", 5, 2, 1)]), ["clean", "kept", "filtered", "failed"]),
        (charts.reasons({("clean", "too_short", "filtered"): 7}), ["too_short · clean", ">7<"]),
        (charts.languages({"en": 1234, "fr": 2}), ["en", "fr", "1,234"]),
        (charts.lengths([10, 100, 1000]), ["median 100", "documents"]),
        (charts.quality({"symbol_ratio": [0.1, 0.2]}), ["symbol ratio"]),
        (charts.quality({"constant": [0.0, 0.0]}), ["constant"]),
        (charts.curves(CURVE), ["gpt", "train", "validation"]),
        (charts.scores([SCORE, {**SCORE, "model": "majority", "baseline": True}]), ["t: f1", ">m<", "majority"]),
    ],
)
def test_a_chart_names_what_it_shows(drawn: str, words: list[str]) -> None:
    assert drawn.startswith("<svg")
    assert [word for word in words if word not in drawn] == []


def test_a_chart_follows_the_colours_of_the_page_and_refers_to_nothing_outside() -> None:
    drawn = charts.funnel([("clean", 5, 2, 1)])
    assert "var(--chart-1)" in drawn
    assert "http" not in drawn
    assert "1f6f8c" not in drawn


def test_ids_are_the_charts_own() -> None:
    drawn = charts.curves(CURVE)
    assert all(name.startswith("curves-") for name in re.findall(r'\bid="([^"]+)"', drawn))


def test_labels_are_escaped() -> None:
    assert "<script>" not in charts.languages({"<script>": 1})


def test_the_long_tail_of_languages_becomes_one_bar() -> None:
    drawn = charts.languages({f"l{i}": 20 - i for i in range(15)})
    assert "3 others" in drawn
    assert "l14" not in drawn


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_bins_hold_every_value_once(values: list[float]) -> None:
    bins = charts._bins(values)
    assert sum(count for *_, count in bins) == len(values)
    assert all(a[0] < b[0] for a, b in pairwise(bins))


def test_ticks_of_a_logarithmic_axis_are_round() -> None:
    assert charts._round_numbers(3, 60) == [5, 10, 20, 50]


def test_a_columns_depth_is_its_longest_way() -> None:
    assert depths(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")]) == {"a": 0, "b": 1, "c": 2}


def test_a_root_stands_next_to_what_is_made_from_it() -> None:
    assert depths(["a", "b", "c", "d"], [("a", "b"), ("b", "c"), ("d", "c")])["d"] == 1


def test_a_cycle_is_drawn_all_the_same() -> None:
    assert graph.draw([Node("a", "a"), Node("b", "b")], [("a", "b"), ("b", "a")]).count("<rect") == 2


def test_the_graph_has_a_box_per_node_and_leaves_out_edges_to_strangers() -> None:
    drawn = graph.draw([Node("a", "<a>", "source", "1 MB"), Node("b", "b")], [("a", "b"), ("a", "nobody"), ("a", "a")])
    assert (drawn.count("<rect"), drawn.count("<path")) == (2, 1)
    assert "&lt;a&gt;" in drawn


NAMES = "abcdef"
DAGS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda e: e[0] < e[1]), max_size=12)


@given(DAGS)
def test_every_edge_of_a_graph_without_cycles_leads_to_the_right(edges: list[tuple[str, str]]) -> None:
    depth = depths(NAMES, edges)
    assert all(depth[a] < depth[b] for a, b in edges)


@given(DAGS)
def test_no_two_boxes_overlap(edges: list[tuple[str, str]]) -> None:
    drawn = graph.draw([Node(name, name) for name in NAMES], edges)
    places = [(float(x), float(y)) for x, y in re.findall(r"translate\((\S+) (\S+)\)", drawn)]
    pairs = [(p, q) for i, p in enumerate(places) for q in places[:i] if p[0] == q[0]]
    assert all(abs(p[1] - q[1]) >= graph.BOX_HEIGHT for p, q in pairs)
