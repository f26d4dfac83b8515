"""What a step makes of a document does not depend on what stands beside it, nor on how a corpus is cut into parts."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from data.contracts import CONTRACTS
from pipelines import tokenise
from pipelines.clean import CleanConfig, clean
from pipelines.dedup import DedupConfig, RepeatedConfig, find_duplicates
from pipelines.extract import extract
from pipelines.minhash import fingerprints
from pipelines.sources.records import Record

SCHEMA = pl.Schema(pl.DataFrame(pl.from_arrow(CONTRACTS["documents"].schema.empty_table())).schema)
LINES = (
    "The river runs through the valley, and the people of the town are proud of it.",
    "Das ist ein kurzer Satz über den Fluss, der durch die Stadt läuft.",
    "河流穿过山谷，镇上的人们为此感到自豪。",
    "Τι κάνεις; Ο ποταμός ρέει ανάμεσα στα βουνά.",
    "call me at (212) 555-0134 or write to a.b@example.org",
    "- item one",
    "a  b\u00a0c\td",
    "cafe\u0301 noir, \ufb01ne \u00bd",
    "one two three one two three one two three one two three",
    "{{convert|5|km}} of [[road|the road]] <ref>x</ref>",
    "== Heading ==",
    "",
)
texts = st.lists(st.lists(st.sampled_from(LINES), min_size=1, max_size=12).map("\n".join), min_size=2, max_size=8)
few = settings(max_examples=3, deadline=None)


def documents(texts: list[str]) -> pl.DataFrame:
    """Documents of one section."""
    rows = [
        {
            "doc_id": f"s:{i}",
            "source": "s",
            "text": text or "x",
            "sections": [{"level": 0, "title": "", "start": 0, "end": len(text or "x")}],
        }
        for i, text in enumerate(texts)
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def assert_apart(step: Callable[[pl.DataFrame], list[pl.DataFrame]], frame: pl.DataFrame) -> None:
    """The frames that a step makes of the whole are those that it makes of the rows, one after the other."""
    whole, *rows = (step(part) for part in (frame, *(frame[i : i + 1] for i in range(frame.height))))
    for found, pieces in zip(whole, zip(*rows, strict=True), strict=True):
        assert found.equals(pl.concat(pieces))


@few
@given(texts=texts, recipe=st.sampled_from(("web", "wikipedia", "plain")))
def test_cleaning(texts: list[str], recipe: str) -> None:
    assert_apart(lambda part: list(clean(part, config=CleanConfig(recipe=recipe))), documents(texts))


@few
@given(texts=texts)
def test_extraction(texts: list[str]) -> None:
    records = pl.DataFrame({"number": range(len(texts))})

    def made(part: pl.DataFrame) -> list[pl.DataFrame]:
        return list(extract([_record(i, texts[i]) for i in part["number"]]))

    assert_apart(made, records)


def _record(number: int, text: str) -> Record:
    return Record(doc_id=f"w:{number}", source="w", origin=f"d#{number}", title="T", text=text, markup="wikitext")


@few
@given(texts=texts, kind=st.sampled_from(tokenise.DETERMINISTIC))
def test_encoding(texts: list[str], kind: str) -> None:
    config = tokenise.TokeniserConfig(kind=kind, vocab_size=300)
    encoder = tokenise.load(tokenise.train_tokenizer(LINES, config=config))
    assert_apart(lambda part: [tokenise.encode(part, encoder)], documents(texts))


@few
@given(texts=texts, cut=st.integers(0, 8), repeated=st.sampled_from((0, 2)), chains=st.booleans())
def test_duplicates(texts: list[str], cut: int, repeated: int, chains: bool) -> None:
    frame = documents(texts)
    frame = frame.with_columns(fingerprints(frame["text"].to_list()))
    config = DedupConfig(threshold=0.5, chains=chains, repeated=RepeatedConfig(max_documents=repeated, min_chars=20))
    layouts = ([frame], [frame[:cut], frame[cut:]], [frame[cut:].reverse(), frame[:cut]])
    parts = [[lambda columns, part=part: part.select(columns) for part in layout] for layout in layouts]
    one, *others = (find_duplicates(each, sources=["s"], config=config) for each in parts)
    assert all(one.equals(other) for other in others)
