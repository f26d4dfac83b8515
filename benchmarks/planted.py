"""Planted duplicates for `benchmarks.dedup`: copies with edits whose true similarity is known, and how many are found.

Similarity is the Jaccard index of word 5-grams as tuples, by another way than the one that is measured.
"""

from __future__ import annotations

import random
import re

import polars as pl

from benchmarks import options as common
from pipelines.dedup import DedupConfig, Part, find_duplicates
from pipelines.minhash import fingerprints

BINS = (0.0, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
RATES = (0.0, 0.002, 0.004, 0.007, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.06, 0.1)
KINDS = ("exact", "respelled", "edited", "edited", "edited", "edited", "edited")
SIMILAR, GOAL = 0.8, 0.98
Shingles = frozenset[tuple[str, ...]]


def shingles(text: str) -> Shingles:
    tokens = re.findall(r"[^\W_]+", text.lower())
    return frozenset(tuple(tokens[i : i + 5]) for i in range(max(1, len(tokens) - 4)))


def jaccard(left: Shingles, right: Shingles) -> float:
    return len(left & right) / len(left | right)


def edited(text: str, rate: float, rng: random.Random) -> str:
    """Words of the text deleted, inserted or replaced, each with a third of this probability."""
    made: list[str] = []
    for token in re.split(r"(\s+)", text):
        if token.strip() and rng.random() < rate:
            made += rng.choice(([], [token, f" inserted{rng.randrange(9999)}"], [f"replaced{rng.randrange(9999)}"]))
        else:
            made.append(token)
    return "".join(made)


def respelled(text: str, rng: random.Random) -> str:
    """Another case, other white space, other punctuation; the words stay."""
    made = rng.choice((str.upper, str.lower, str.title))(re.sub(r" ", lambda _: rng.choice((" ", "  ", "\n")), text))
    return re.sub(r"[.,;]", lambda match: rng.choice((match[0], "", " –")), made) + rng.choice(("", "!", " …"))


def copied(text: str, number: int, rng: random.Random) -> tuple[str, str]:
    """Kind of the copy with this number, and its text."""
    kind = KINDS[number % len(KINDS)]
    if kind == "respelled":
        return kind, respelled(text, rng)
    return kind, edited(text, RATES[number % len(RATES)], rng) if kind == "edited" else text


def planted(texts: list[str], count: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The texts with copies of some of them, shuffled, and the pairs (doc_id, copy, kind, true similarity)."""
    rng = random.Random(7)
    long = [i for i, text in enumerate(texts) if 60 <= len(text.split()) <= 3000]
    rows = [(f"a:{i}", text) for i, text in enumerate(texts)]
    pairs = []
    for number, i in enumerate(rng.sample(long, min(count, len(long)))):
        kind, text = copied(texts[i], number, rng)
        rows.append((f"b:{number}", text))
        pairs.append((f"a:{i}", f"b:{number}", kind, jaccard(shingles(texts[i]), shingles(text))))
    rng.shuffle(rows)
    schema = ["doc_id", "copy", "kind", "truth"]
    return pl.DataFrame(rows, schema=["doc_id", "text"], orient="row"), pl.DataFrame(pairs, schema=schema, orient="row")


def with_fingerprints(frame: pl.DataFrame) -> pl.DataFrame:
    source = pl.col("doc_id").str.split(":").list.first()
    return frame.with_columns(fingerprints(frame["text"].to_list())).with_columns(source=source)


def parts(frame: pl.DataFrame, size: int = 2000) -> list[Part]:
    return [frame[i : i + size].select for i in range(0, frame.height, size)]


def show(texts: list[str], count: int) -> None:
    """Recall by true similarity and precision, with clusters as connected components and without."""
    frame, pairs = planted(texts, count)
    frame = with_fingerprints(frame)
    for chains in (False, True):
        config = DedupConfig(chains=chains)
        found = find_duplicates(parts(frame), sources=["a", "b"], config=config)
        print(f"\nplanted duplicates, bands and rows {config.banding(112)}, chains={chains}")
        recall = show_recall(found, pairs)
        precision = show_precision(found, frame)
    # Those of the default, which is the last.
    common.goal(f"recall of planted duplicates, Jaccard >= {SIMILAR}", recall, at_least=GOAL, form="{:.4f}")
    common.goal("precision of duplicates", precision, at_least=GOAL, form="{:.4f}")


def show_recall(found: pl.DataFrame, pairs: pl.DataFrame) -> float:
    kept = dict(found.select("doc_id", "kept_doc_id").iter_rows())
    together = [kept.get(a, a) == kept.get(b, b) for a, b in pairs.select("doc_id", "copy").iter_rows()]
    table = pairs.with_columns(found=pl.Series(together, dtype=pl.Boolean))
    rows = []
    for low, high in zip(BINS, (*BINS[1:], 1.01), strict=True):
        some = table.filter((pl.col("truth") >= low) & (pl.col("truth") < high))
        if some.height:
            rows.append((f"{low:.2f} to {min(high, 1):.2f}", some.height, f"{some['found'].mean():.3f}"))
    similar = table.filter(pl.col("truth") >= SIMILAR)
    for kind, some in sorted(similar.group_by("kind")):
        rows.append((f"{kind[0]}, {SIMILAR} and more", some.height, f"{some['found'].mean():.4f}"))
    common.table(("true Jaccard", "pairs", "found"), rows)
    return float(similar["found"].mean())  # type: ignore[arg-type]


def show_precision(found: pl.DataFrame, frame: pl.DataFrame) -> float:
    """Of the documents that went: the share that is truly similar to another document of its cluster."""
    texts = dict(frame.select("doc_id", "text").iter_rows())
    made = {doc_id: shingles(texts[doc_id]) for doc_id in {*found["doc_id"], *found["kept_doc_id"]}}
    members: dict[str, list[str]] = {}
    for doc_id, kept in found.select("doc_id", "kept_doc_id").iter_rows():
        members.setdefault(kept, [kept]).append(doc_id)
    to_kept = linked = 0
    for kept, cluster in members.items():
        for doc_id in cluster[1:]:
            to_kept += jaccard(made[doc_id], made[kept]) >= SIMILAR
            linked += any(jaccard(made[doc_id], made[x]) >= SIMILAR for x in cluster if x != doc_id)
    print(f"{found.height} documents go, natural duplicates among them; truly similar to another one of the cluster")
    print(f"{linked / found.height:.4f}, to the document kept {to_kept / found.height:.4f}")
    return linked / found.height
