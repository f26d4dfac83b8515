"""`datasets forget`: a tombstone, and on request the text taken out of all that the lake keeps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data import forgotten, history
from data.errors import TextmillError
from data.forgotten import ASKED, DONE, Tombstone
from data.lake import Lake
from data.lineage import Graph, Node, graph, model_id
from data.retention import Model
from data.rows import holding_named
from data.splits import split_of
from data.storage import cache
from data.underway import registering
from flows import show
from flows.datasets import erasing, unfinished
from flows.datasets.terminal import cards, champions, table
from flows.recipe import read_recipe
from flows.training.published import OUT

_SEARCHED = ("documents", "labelled_text", "labelled_spans")
_LEARNT = ("corpus", "tokens", "labelled_text", "labelled_spans")
_READ = ("train", "validation")
"""Splits that a training reads; it learns from the first."""
_PROMOTE = "`textmill models promote NAME latest --because WHY`"
Row = dict[str, Any]


def forget(
    root: Path, pipeline: str | None, ids: list[str], *, reason: str, rewrite: bool, config: Path | None, json: bool
) -> None:
    """Keep documents out of what is made from now on. Raises TextmillError for ids that the lake does not know."""
    lake = Lake(root)
    wanted = tuple(sorted(set(ids)))
    scope = [history.only_pipeline(lake, pipeline)] if pipeline else history.folders(lake)
    recipe = read_recipe(config)
    if not reason.strip():
        raise TextmillError("--reason is empty; say in a few words why, it is kept in the record")
    if not scope:  # nor is a folder made for a mistyped --lake
        raise TextmillError(f"{lake.root} has no datasets; give the lake with --lake DIR. Nothing was forgotten.")
    lake.check_writable()
    with ExitStack() as stack:
        for name in scope:  # a run at work has chosen its documents already
            stack.enter_context(lake.lock(name, wait=False))
        _check_known(lake, scope, wanted)
        when = datetime.now(UTC).isoformat(timespec="seconds")
        stone = Tombstone(
            ids=wanted, reason=reason.strip(), when=when, pipeline=pipeline, rewriting=ASKED if rewrite else None
        )
        texts = set().union(*(erasing.shown_texts(lake, name, wanted) for name in scope))
        pages = erasing.reports_showing(lake, texts) if texts else []
        with registering(lake):
            learnt = trained_on(lake, scope, wanted)
            found = {**learnt, "reports": [str(path.relative_to(lake.root)) for path in pages]}
            stone = forgotten.add(lake, replace(stone, found=found))
        if rewrite:
            erasing.erase_reports(pages, when)
            done = _erase(lake, scope, stone, recipe)
            stone = forgotten.add(lake, replace(stone, rewriting=DONE, found={**stone.found, **done}))
    if json:
        show.as_json({**asdict(stone), "file": str(lake.root / forgotten.FORGOTTEN)})
    else:
        _print(lake, stone)


def _erase(lake: Lake, scope: list[str], stone: Tombstone, recipe: Any) -> dict[str, list[Row]]:
    """Take the text out of raw files, and last out of the versions, which tell what is to be taken out."""
    entry = {"ids": list(stone.ids), "reason": stone.reason, "when": stone.when}
    raw: list[Row] = []
    inputs = _raw(lake, scope)
    for key, names in inputs.items():
        raw += erasing.erase_raw(lake, key[0], names, stone.ids, labelled=key[1], recipe=recipe, when=stone.when)
    versions = [row for name in scope for row in erasing.erase_versions(lake, name, stone.ids, entry)]
    if lake.is_remote:
        cache.clear()  # all of it: copies of versions that are gone from the store may hold the text, too
    return {
        "raw": raw,
        "versions": versions,
        "untouched": untouched(inputs, [*stone.found.get("raw", ()), *raw], stone.ids),
        **unfinished.erase(lake, stone.found.get("trainings", [])),
    }


def untouched(inputs: Mapping[tuple[str, bool], list[str]], done: list[Row], ids: Collection[str]) -> list[Row]:
    """Raw files of the sources that ids name of which none was rewritten: a person has to look into them.

    Of labelled sets only JSON Lines are rewritten, and readers of one's own may not tell the place of a record.
    """
    named, rewritten = {one.partition(":")[0] for one in ids}, {row["source"] for row in done}
    left = {source: names for (source, _), names in inputs.items() if source in named - rewritten}
    return [{"source": source, "files": names} for source, names in left.items()]


def _raw(lake: Lake, scope: list[str]) -> dict[tuple[str, bool], list[str]]:
    found: dict[tuple[str, bool], list[str]] = {}
    for name in scope:
        for key, names in erasing.raw_inputs(lake, name).items():
            found[key] = list(dict.fromkeys([*found.get(key, []), *names]))
    return found


def _check_known(lake: Lake, scope: list[str], ids: Collection[str]) -> None:
    """Raise TextmillError for ids that no version holds or rejected, and that were not forgotten before."""
    left = set(ids) - {one for name in scope for one in forgotten.forgotten(lake, name)}
    for name in scope:
        for dataset in _SEARCHED:
            for manifest in lake.manifests(name, dataset) if left else ():
                for refused in (False, True):
                    left -= {one for _, mine in holding_named(lake, manifest, left, rejects=refused) for one in mine}
    if left:
        listed = ", ".join(sorted(left)[:5]) + (f" and {len(left) - 5} more" if len(left) > 5 else "")
        raise TextmillError(
            f"{listed}: no such document in {', '.join(scope)}; ids are <source>:<id>, as in the column doc_id "
            "(of a labelled row <source>:<row_id>). Nothing was forgotten."
        )


def trained_on(lake: Lake, scope: Collection[str], ids: Collection[str]) -> dict[str, list[Row]]:
    """Models, tokenizers and trainings under way that read versions that hold the documents, and what they had of them.

    A model is trained on the documents of the split `train`; a version that is gone from the lake cannot tell. What a
    training begins with (`--start`) has learnt them before: that alone does not keep it from being registered.
    """
    known, pending = cards(lake), unfinished.as_models(lake)
    whole = graph(lake, {**known, **pending})
    manifests = {
        (dataset, manifest["version"]): manifest
        for name in scope
        for dataset in _LEARNT
        for manifest in lake.manifests(name, dataset)
    }
    holders = {
        key: sorted({one for _, mine in holding_named(lake, manifest, ids, rejects=False) for one in mine})
        for key, manifest in manifests.items()
    }
    reads = {model: _reads(whole, model_id(model), begun=model in known) for model in (*known, *pending)}
    models = [row for model in known if (row := _model_row(model, known[model], reads[model], holders))]
    trainings = [row for model in pending if (row := _model_row(model, pending[model], reads[model], holders, _READ))]
    return {
        "models": models,
        "tokenizers": _tokenizers(whole, holders, scope),
        "trainings": [unfinished.row(row) for row in trainings],
    }


def _model_row(
    model: Model,
    card: Mapping[str, Any],
    reads: Iterable[Node],
    holders: Mapping[tuple[str, str], list[str]],
    splits: Collection[str] = ("train",),
) -> Row | None:
    through: dict[str, list[str]] = {}
    left_out = card["lineage"].get(OUT, ())
    for node in reads:
        mine = holders.get((node.name, node.version), [])
        seen = [one for one in mine if node.name.startswith("labelled") or split_of(one) in splits]
        if seen := [one for one in seen if one not in left_out]:
            through[f"{node.name} {node.version}"] = seen
    if not through:
        return None
    trained = sorted({one for mine in through.values() for one in mine})
    return {"model": model[0], "version": model[1], "kind": card["kind"], "ids": trained, "through": list(through)}


def _reads(whole: Graph, model: str, *, begun: bool) -> list[Node]:
    """Dataset versions that a model was trained on; with `begun` those of the models that it was made from, too."""
    found: dict[str, None] = {}
    waiting = [model]
    while waiting:
        one = waiting.pop()
        for a, b in whole.edges:
            if b == one and whole.nodes[a].kind == "dataset":
                found[a] = None
            elif begun and b == one and whole.nodes[a].kind == "model":
                waiting.append(a)
    return [whole.nodes[name] for name in found]


def _tokenizers(whole: Graph, holders: Mapping[tuple[str, str], list[str]], scope: Collection[str]) -> list[Row]:
    found = []
    for a, b in whole.edges:
        node, made = whole.nodes[a], whole.nodes[b]
        mine = holders.get((node.name, node.version), [])
        if made.kind == "tokenizer" and made.pipeline in scope and mine:
            found.append(
                {
                    "pipeline": made.pipeline,
                    "tokenizer": made.version,
                    "ids": mine,
                    "through": [f"{node.name} {node.version}"],
                }
            )
    return found


def _print(lake: Lake, stone: Tombstone) -> None:
    console = show.console()
    for line in _about(lake, stone):
        show.plain(console, line)
    if models := stone.found.get("models"):
        best = champions(lake, {row["model"] for row in models})
        rows = [_learned(row, best) for row in models]
        columns = {"trained on it": "left", "version": "left", "documents": "right", "through": "fold"}
        console.print(table(columns, rows))
        show.plain(console, "A later training is without it; these weights stay as they are until you remove them.")
        if any((row["model"], row["version"]) in best for row in models):
            show.plain(console, f"A champion predicts until another is promoted, by the gate or {_PROMOTE}.")
        console.print()
    for line in (*_done(lake, stone), _next(stone)):
        show.plain(console, line)


def _learned(row: Row, best: Collection[Model]) -> tuple[str, str, int, str]:
    """A line of the table of models; `best` are the champions."""
    version = f"{row['version']}, champion" if (row["model"], row["version"]) in best else row["version"]
    return row["model"], version, len(row["ids"]), ", ".join(row["through"])


def _about(lake: Lake, stone: Tombstone) -> Iterator[str]:
    number, more = len(stone.ids), " …" if len(stone.ids) > 5 else ""
    stay = "document stays" if number == 1 else "documents stay"
    yield f"{number:,} {stay} out of every later version and model: {', '.join(stone.ids[:5])}{more}"
    yield f"Record: {lake.root / forgotten.FORGOTTEN} (ids, reason and time, no text)\n"


def _done(lake: Lake, stone: Tombstone) -> Iterator[str]:
    """What was found and, if so, rewritten."""
    done = stone.rewriting == DONE
    for row in stone.found.get("tokenizers", ()):
        yield f"The tokenizer {row['tokenizer']} of {row['pipeline']} counted its words, too."
    for row in stone.found.get("versions", ()) if done else ():
        yield f"rewritten  {row['pipeline']}/{row['dataset']} {row['version']}: {_counted(row['parts'], 'part')}"
    for row in stone.found.get("raw", ()) if done else ():
        yield f"rewritten  raw/{row['source']}/{row['file']}: {_counted(row['records'], 'record')}"
    for row in stone.found.get("untouched", ()) if done else ():
        yield f"look there yourself: in raw/{row['source']} no record of it was found ({', '.join(row['files'][:3])})"
    yield from unfinished.lines(lake, stone)
    for path in stone.found.get("reports", ()):
        yield f"{'removed' if done else 'shows it'}  {path}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _next(stone: Tombstone) -> str:
    left = " Kept versions and raw files still hold it: --rewrite takes it out of them."
    return f"The next `textmill run` publishes a release without it.{'' if stone.rewriting == DONE else left}"
