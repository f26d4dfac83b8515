"""Gather what the report shows from manifests, models and datasets, and write its pages."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl

from data import files
from data.catalogue import Source
from data.hashing import fingerprint
from data.storage import redacted
from flows.job import Job, Ref
from flows.stages.corpus import read
from flows.stages.promotion import Verdict
from flows.stages.training import HISTORY
from models.registry import Registry
from pipelines import report, validate
from pipelines.download import RawFile
from pipelines.download.shelf import Shelf
from pipelines.graph import Node
from pipelines.validation_page import render_page

_STAGES = ("documents", "candidates", "corpus", "tokens")
_NAMES = {"documents": "extract", "candidates": "clean", "corpus": "deduplicate", "tokens": "tokenise"}
_SAMPLES = 6
_ENTITIES = 12
_BINNED = 20_000
_FILES = 20  # of a source, each in a line of its own


def write(job: Job, datasets: list[Ref], verdicts: list[Verdict]) -> Path:
    """Write the report and the validation pages of a run; returns the path of the report."""
    refs = {ref.dataset: ref for ref in datasets}
    manifests = {name: job.manifest(ref) for name, ref in refs.items()}
    candidates = next(ref for ref in manifests["corpus"]["inputs"] if ref["dataset"] == "candidates")
    stages = {**manifests, "candidates": job.manifest(Ref(**{**candidates, "reused": True}))}
    path = job.report_folder / "index.html"
    content = report.ReportData(
        pipeline=job.pipeline,
        run_id=job.run_id,
        started=_clock(datetime.fromisoformat(job.started)),
        finished=_clock(datetime.now(UTC)) + " UTC",
        sources=sources_of(job, manifests["documents"]["inputs"]),
        funnel=[_stage(name, stages[name]["counts"]) for name in _STAGES],
        datasets=[_dataset(job, ref, manifests[ref.dataset]) for ref in datasets],
        **_distributions(job, refs["corpus"]),
        curves=_curves(job, verdicts),
        metrics=[_metric(row) for row in read(job, refs["metrics"]).to_dicts()],
        decisions=[_decision(verdict) for verdict in verdicts],
        samples=_samples(job, refs),
        nodes=_nodes(manifests, stages["candidates"], verdicts),
        edges=_edges(job, manifests, stages["candidates"], verdicts),
        validation=[_validation(job, manifest) for manifest in manifests.values() if manifest["validation"]],
        notes=_notes(job, refs),
    )
    files.write_bytes(path, report.render(content).encode("utf-8"))
    return path


def sources_of(job: Job, inputs: list[dict[str, Any]]) -> list[report.SourceFact]:
    """The files that documents were made of; those of a source of many files in one line."""
    facts = []
    for name, group in groupby(inputs, key=lambda raw: str(raw["raw"])):
        source = next(source for source in job.sources if source.name == name)
        shelf = Shelf(source, job.lake.raw / name)
        listing = {entry["path"]: entry for entry in (shelf.listing() or {"files": []})["files"]}
        found = [_source(source, shelf.facts(raw["file"], listing), raw) for raw in group]
        facts += found if len(found) <= _FILES else [_together(source, found)]
    return facts


def _source(source: Source, file: RawFile | None, raw: dict[str, Any]) -> report.SourceFact:
    origin = file.origin if file else ""
    return report.SourceFact(
        file=raw["file"],
        sha256=raw["sha256"],
        licence=file.licence if file else source.licence,
        bytes=file.bytes if file else 0,
        url=origin if origin.startswith("http") else "",
    )


def _together(source: Source, found: list[report.SourceFact]) -> report.SourceFact:
    return report.SourceFact(
        file=f"{source.name}: {len(found):,} files",
        sha256=fingerprint([fact.sha256 for fact in found]),
        licence=found[0].licence,
        bytes=sum(fact.bytes for fact in found),
        url=redacted(source.location) if source.location.startswith("http") else "",
    )


def _stage(name: str, counts: dict[str, Any]) -> report.FunnelStage:
    return report.FunnelStage(
        stage=_NAMES[name],
        n_in=counts["in"],
        n_kept=counts["kept"],
        filtered=counts["filtered"],
        failed=counts["failed"],
    )


def _dataset(job: Job, ref: Ref, manifest: dict[str, Any]) -> report.DatasetRow:
    path = str(job.path(ref).relative_to(job.lake.root))
    return report.DatasetRow(
        name=ref.dataset, version=ref.version, rows=ref.rows, bytes=manifest["bytes"], path=path, reused=ref.reused
    )


def _distributions(job: Job, corpus: Ref) -> dict[str, Any]:
    frame = read(job, corpus, ["n_words", "lang", "quality"])
    quality = frame.sample(min(frame.height, _BINNED), seed=0)["quality"].struct.unnest()
    return {
        "n_words": frame["n_words"].to_list(),
        "languages": dict(frame["lang"].value_counts(sort=True).iter_rows()),
        "quality": signals(quality),
    }


def signals(quality: pl.DataFrame) -> dict[str, list[float]]:
    """The quality signals that tell documents apart: one that is the same in all, most often 0, shows nothing."""
    found = [column.drop_nulls() for column in quality.get_columns()]
    return {one.name: one.to_list() for one in found if one.n_unique() > 1}


def _curves(job: Job, verdicts: list[Verdict]) -> list[report.Curve]:
    registry = Registry(job.lake.models)
    curves = []
    for verdict in verdicts:
        history = registry.root / verdict.model / verdict.version / HISTORY
        if history.is_file():
            found = json.loads(history.read_text("utf-8"))
            train = list(enumerate(found["train_loss"], start=1))
            validation = list(zip(found["validation_steps"], found["validation_loss"], strict=True))
            curves.append(report.Curve(model=verdict.task, split="train", points=train))
            curves.append(report.Curve(model=verdict.task, split="validation", points=validation))
    return curves


def _metric(row: dict[str, Any]) -> report.Metric:
    figures = {name: row[name] for name in ("task", "metric", "value", "ci_low", "ci_high", "n")}
    baseline = row["model_version"] is None
    name = row["model"] if baseline else row["task"]
    return report.Metric(model=name, version=row["model_version"], baseline=baseline, **figures)


def _decision(verdict: Verdict) -> report.Decision:
    decision = verdict.decision
    evidence = {"gain": decision.gain, "ci_low": decision.ci_low, "ci_high": decision.ci_high} if decision else {}
    return report.Decision(
        task=verdict.task,
        model=verdict.model,
        version=verdict.version,
        promoted=verdict.champion == verdict.version,
        reason=verdict.reason,
        **evidence,
    )


def _samples(job: Job, refs: dict[str, Ref]) -> list[report.Sample]:
    """A few documents with what the champions say of them, the same from run to run."""
    corpus = read(job, refs["corpus"], ["doc_id", "title", "url", "n_words"])
    order = corpus.with_columns(
        pl.col("doc_id").map_elements(lambda doc_id: fingerprint([doc_id]), return_dtype=pl.String).alias("order")
    )
    chosen = order.filter(pl.col("n_words") > 300).sort("order").head(_SAMPLES)
    chosen = chosen if chosen.height else order.sort("order").head(_SAMPLES)
    ids = chosen["doc_id"].to_list()
    said = {
        name: read(job, refs[name]).filter(pl.col("doc_id").is_in(ids)).partition_by("doc_id", as_dict=True)
        for name in ("summaries", "sentiment", "entities", "keyphrases")
        if name in refs
    }
    return [
        _sample(row, {name: frames.get((row["doc_id"],)) for name, frames in said.items()}) for row in chosen.to_dicts()
    ]


def _sample(document: dict[str, Any], said: dict[str, pl.DataFrame | None]) -> report.Sample:
    summary, tone, entities, phrases = (said.get(n) for n in ("summaries", "sentiment", "entities", "keyphrases"))
    sentiment = {} if tone is None else tone.row(0, named=True)
    return report.Sample(
        title=document["title"] or document["doc_id"],
        url=document["url"] or "",
        summary="" if summary is None else summary["summary"][0],
        sentiment_label=sentiment.get("label", ""),
        sentiment_score=sentiment.get("score"),
        probabilities={one["label"]: one["p"] for one in sentiment.get("probabilities", [])},
        entities=[] if entities is None else _frequent(entities),
        keyphrases=[] if phrases is None else phrases.sort("rank")["phrase"].to_list(),
    )


def _frequent(entities: pl.DataFrame) -> list[tuple[str, str]]:
    """The mentions that a document names most."""
    counts = entities.group_by("surface", "type").agg(pl.len(), pl.col("start").min())
    top = counts.sort(["len", "start"], descending=[True, False]).head(_ENTITIES)
    return [(surface, kind) for surface, kind in top.select("surface", "type").iter_rows()]


def _nodes(manifests: dict[str, Any], candidates: dict[str, Any], verdicts: list[Verdict]) -> list[Node]:
    raws = {raw["raw"]: raw for name in manifests for raw in manifests[name]["inputs"] if "raw" in raw}
    nodes = [Node(f"raw:{name}", name, "source", raw["sha256"][:12]) for name, raw in raws.items()]
    every = [*manifests.values(), candidates]
    nodes += [Node(one["dataset"], one["dataset"], "dataset", one["version"][:12]) for one in every]
    nodes += [Node(f"model:{v.task}", v.task, "model", v.champion or v.version) for v in verdicts]
    return nodes


def _edges(
    job: Job, manifests: dict[str, Any], candidates: dict[str, Any], verdicts: list[Verdict]
) -> list[tuple[str, str]]:
    edges = []
    for one in [*manifests.values(), candidates]:
        if one["dataset"] in {"metrics", "rejects"}:
            continue
        for source in one["inputs"]:
            if "raw" in source:
                edges.append((f"raw:{source['raw']}", one["dataset"]))
            elif "dataset" in source:
                edges.append((source["dataset"], one["dataset"]))
            elif "model" in source:
                edges.append((f"model:{source['model'].removeprefix(job.pipeline + '-')}", one["dataset"]))
    registry = Registry(job.lake.models)
    for verdict in verdicts:
        lineage = registry.load(verdict.model, verdict.version).card["lineage"]
        parents = [("model:word2vec" if name == "word2vec" else name) for name in lineage if name != "tokenizer"]
        edges += [(parent, f"model:{verdict.task}") for parent in parents]
        edges.append((f"model:{verdict.task}", "metrics"))
    return [*edges, ("corpus", "rejects")]


def _validation(job: Job, manifest: dict[str, Any]) -> report.ValidationRow:
    verdicts = [validate.Verdict.from_json(one) for one in manifest["validation"]]
    page = f"validation-{manifest['dataset']}.html"
    found = manifest.get("drift")
    comparison = validate.Comparison.from_json(found, manifest["profile"]) if found else None
    content = render_page(manifest["dataset"], verdicts, comparison)
    files.write_bytes(job.report_folder / page, content.encode("utf-8"))
    failed = [verdict for verdict in verdicts if not verdict.success]
    return report.ValidationRow(
        dataset=manifest["dataset"],
        n_expectations=len(verdicts),
        n_failures=len(failed),
        n_failed_rows=sum(verdict.unexpected_count for verdict in failed),
        page=page,
        drift=_drift(comparison),
    )


def _drift(comparison: validate.Comparison | None) -> str:
    """What the comparison with the published version said, in two words."""
    if comparison is None or comparison.compared_with is None:
        return "not compared"
    return "accepted" if comparison.accepted else "within limits"


def _notes(job: Job, refs: dict[str, Ref]) -> list[str]:
    notes = [
        "Scores are on rows that training never saw, with 95 % bootstrap intervals; entities are cross-validated, "
        "because the labelled sample is small.",
        "The labelled samples show the machinery; for real work train on real sets (see the README).",
    ]
    if job.limit:
        notes.append(f"Only the first {job.limit} pages of each source were read (--limit).")
    if any(source.licence == "unknown" for source in job.sources):
        notes.append("The licence of a source given as a path or URL is not known to textmill.")
    languages = read(job, refs["corpus"], ["lang"])["lang"].value_counts(sort=True)
    if (main := languages["lang"][0]) != "en":
        notes.append(f"Most documents are in '{main}', but tone and entities were learned from English samples.")
    missing = [name for name in ("summaries", "sentiment", "entities", "keyphrases") if name not in refs]
    if missing:
        notes.append(f"Without a champion, no predictions: {', '.join(missing)}.")
    return notes


def _clock(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S}"
