"""A small lake as a run leaves it, made without Prefect and without models: two releases of a pipeline `simplewiki`."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from data import files
from data.conform import conform
from data.contracts import CONTRACTS
from data.hashing import fingerprint
from data.lake import Lake
from data.versions import Build

PIPELINE = "simplewiki"
TOKENIZER = "0123456789abcdef"
WORDS = ("[UNK]", "Document", "tells", "of", "a", "town", "river")
_EMPTY: dict[str, Any] = {"dropped_lines": [], "pii": []}
_MODEL = {"model": "simplewiki-entities", "model_version": "v000001"}
# The parts of the two releases, by their numbers of documents; 13 reads otherwise in the second one.
FIRST = (range(1, 13), range(13, 21))
SECOND = (range(1, 13), range(13, 20), range(21, 26))


def text_of(number: int, *, again: bool = False) -> str:
    """A text with characters of one to four bytes before the entity."""
    place = "Київ" if number % 2 else "Rīga"
    return f"🜁 Document {number} tells of {place}{' once more' if again and number == 13 else ''}."


def make(root: Path | str) -> Lake:
    """The lake after its first release."""
    lake = Lake(Path(root))
    _tokenizer(lake)
    publish(lake, FIRST, again=False)
    return lake


def publish(lake: Lake, parts: tuple[range, ...], *, again: bool) -> None:
    """Build and release one version of each dataset."""
    versions = {name: _build(lake, name, parts, again) for name in ROWS}
    lake.publish(PIPELINE, {"pipeline": PIPELINE, "run": "r", "published": "2026-01-01", "datasets": versions})


def _build(lake: Lake, name: str, parts: tuple[range, ...], again: bool) -> str:
    frames = [_frame(name, numbers, again) for numbers in parts]
    version = fingerprint([name, [frame.to_dicts() for frame in frames]] if name != "corpus" else [name, again])
    target = Build(lake, PIPELINE, CONTRACTS[name], version)
    metadata = {"tokenizer": TOKENIZER} if name == "tokens" else None
    made = []
    for index, frame in enumerate(frames):
        key = fingerprint([name, frame.height, frame.hash_rows().to_list()])
        counts = {
            "in": len(parts[index]),
            "kept": len(parts[index]),
            "rows": frame.height,
            "filtered": {},
            "failed": {},
        }
        table = conform(frame, CONTRACTS[name])
        made.append(target.find(index, key) or target.write(index, key, table, counts=counts, metadata=metadata))
    target.commit(made, {"inputs": [], "config": {}, "run": "r", "validation": []})
    return version


def _frame(name: str, numbers: range, again: bool) -> pl.DataFrame:
    contract = CONTRACTS[name]
    rows = [row for number in numbers for row in ROWS[name](number, text_of(number, again=again))]
    schema = pl.DataFrame(contract.schema.empty_table()).schema
    return pl.DataFrame(rows, schema=schema)


def _corpus(number: int, text: str) -> list[dict[str, Any]]:
    row = {
        "doc_id": f"{PIPELINE}:{number}", "source": PIPELINE, "title": f"Title {number}", "url": None,
        "published_at": datetime(2026, 1, 1, tzinfo=UTC), "lang": "en" if number % 3 else "lv", "lang_score": 1.0,
        "text": text, "n_chars": len(text), "n_words": len(text.split()), "n_sentences": 1, **_EMPTY,
        "sections": [{"level": 0, "title": "", "start": 0, "end": len(text)}],
        "quality": dict.fromkeys(field.name for field in CONTRACTS["corpus"].schema.field("quality").type),
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
    }  # fmt: skip
    return [row]


def _sentiment(number: int, _text: str) -> list[dict[str, Any]]:
    label, other = ("positive", "negative") if number % 2 else ("negative", "positive")
    shares = [{"label": label, "p": 0.75}, {"label": other, "p": 0.25}]
    return [{"doc_id": f"{PIPELINE}:{number}", "label": label, "score": 0.75, "probabilities": shares, **_MODEL}]


def _summaries(number: int, text: str) -> list[dict[str, Any]]:
    row = {"doc_id": f"{PIPELINE}:{number}", "summary": text, "n_sentences": 1, "compression": 1.0, "score": 0.5}
    return [row | _MODEL]


def _entities(number: int, text: str) -> list[dict[str, Any]]:
    surface = "Київ" if number % 2 else "Rīga"
    start = text.index(surface)
    row = {"doc_id": f"{PIPELINE}:{number}", "start": start, "end": start + len(surface), "surface": surface}
    return [row | {"type": "LOC", "score": 0.5, **_MODEL}]


def _tokens(number: int, _text: str) -> list[dict[str, Any]]:
    ids = [1, 2, 3, 4, 5 + number % 2]
    return [{"doc_id": f"{PIPELINE}:{number}", "input_ids": ids, "n_tokens": len(ids)}]


def _rejects(number: int, text: str) -> list[dict[str, Any]]:
    reason = "redirect" if number % 2 else "too_few_words"
    row = {"doc_id": f"{PIPELINE}:{number + 1000}", "source": PIPELINE, "origin": f"dump#page={number + 1000}"}
    return [row | {"stage": "clean", "kind": "filtered", "reason": reason, "detail": None, "n_chars": len(text)}]


ROWS = {
    "corpus": _corpus,
    "sentiment": _sentiment,
    "summaries": _summaries,
    "entities": _entities,
    "tokens": _tokens,
    "rejects": _rejects,
}


def _tokenizer(lake: Lake) -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    made = Tokenizer(WordLevel(dict(zip(WORDS, range(len(WORDS)), strict=True)), unk_token=WORDS[0]))
    files.write_bytes(lake.tokenizers / PIPELINE / TOKENIZER / "tokenizer.json", made.to_str().encode("utf-8"))
