"""The commands `textmill datasets …`: parse, call one function, return a status."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.options import DEFAULT_LAKE, Json, LakeDir, OnlyPipeline

datasets_app = typer.Typer(help="Look at published datasets, compare, trace, keep and forget.", no_args_is_help=True)

Dataset = Annotated[str, typer.Argument(help="Dataset, for example corpus.")]
Note = Annotated[str, typer.Option(help="Why it stays.")]


@datasets_app.command("list")
def datasets_list(
    lake: LakeDir = DEFAULT_LAKE,
    pipeline: OnlyPipeline = None,
    every: Annotated[bool, typer.Option("--all", help="Also versions that no release names any more.")] = False,
    json: Json = False,
) -> None:
    """Datasets of every pipeline: versions, rows, sizes, releases, pins and age."""
    from flows.datasets import looking

    looking.list_datasets(lake, pipeline, every=every, json=json)


@datasets_app.command("show")
def datasets_show(
    name: Dataset,
    version: Annotated[str | None, typer.Argument(help="Begin of a version, or a release as r3.")] = None,
    pipeline: OnlyPipeline = None,
    lake: LakeDir = DEFAULT_LAKE,
    json: Json = False,
) -> None:
    """The versions of a dataset, what one of them was made of, and its first rows."""
    from flows.datasets import looking

    looking.show_dataset(lake, pipeline, name, version, json=json)


@datasets_app.command("get")
def datasets_get(
    doc_id: Annotated[str, typer.Argument(help="Id of a document, for example enwiki:12.")],
    dataset: Annotated[str, typer.Option(help="Dataset to look in, for example summaries.")] = "corpus",
    pipeline: OnlyPipeline = None,
    lake: LakeDir = DEFAULT_LAKE,
) -> None:
    """Rows of one document as JSON, a line each; only the files that may hold it are read."""
    from flows.datasets import looking

    looking.get_rows(lake, pipeline, dataset, doc_id)


@datasets_app.command("export")
def datasets_export(
    folder: Annotated[Path, typer.Argument(help="Where to, a folder or s3://bucket/prefix.")],
    dataset: Annotated[list[str] | None, typer.Option(help="Dataset; repeatable; by default every one.")] = None,
    megabytes: Annotated[int, typer.Option(min=1, help="Size of a file, about.")] = 128,
    pipeline: OnlyPipeline = None,
    lake: LakeDir = DEFAULT_LAKE,
    json: Json = False,
) -> None:
    """The published release as few large files; a later export to the same folder writes what changed alone."""
    from flows.datasets import exporting

    exporting.export_release(lake, pipeline, folder, dataset, megabytes=megabytes, json=json)


@datasets_app.command("verify")
def datasets_verify(pipeline: OnlyPipeline = None, lake: LakeDir = DEFAULT_LAKE, json: Json = False) -> None:
    """Hash every file of the lake again: parts, rejects, manifests, releases, tokenizers, models, raw files."""
    from flows.datasets import looking

    looking.verify(lake, pipeline, json=json)


@datasets_app.command("diff")
def datasets_diff(
    before: Annotated[str | None, typer.Argument(help="Begin of a version, or a release as r3.")] = None,
    after: Annotated[str | None, typer.Argument(help="The same; by default what is released now.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Dataset; by default that of the versions, or corpus.")] = None,
    limit: Annotated[int, typer.Option(help="Documents listed of each kind; 0 for all.")] = 20,
    pipeline: OnlyPipeline = None,
    lake: LakeDir = DEFAULT_LAKE,
    json: Json = False,
) -> None:
    """Which documents came, went and changed, and why those that went are gone.

    Without versions: what the last release changed.
    """
    from flows.datasets import comparing

    comparing.diff(lake, pipeline, (before, after), dataset=dataset, limit=limit, json=json)


@datasets_app.command("lineage")
def datasets_lineage(
    what: Annotated[str, typer.Argument(help="A doc_id, a dataset (corpus), a version of one, or a model.")],
    every: Annotated[bool, typer.Option("--all", help="All versions, not only those released now.")] = False,
    svg: Annotated[Path | None, typer.Option(help="Write the picture to this file.")] = None,
    pipeline: OnlyPipeline = None,
    lake: LakeDir = DEFAULT_LAKE,
    json: Json = False,
) -> None:
    """From an output row back to its source file, and on to every dataset and model made from it."""
    from flows.datasets import tracing

    tracing.lineage(lake, pipeline, what, every=every, svg=svg, json=json)


@datasets_app.command("pin")
def datasets_pin(
    name: Annotated[str | None, typer.Argument(help="Dataset, or `release`; without one the pins are listed.")] = None,
    version: Annotated[str | None, typer.Argument(help="Begin of a version, or r3; by default the current.")] = None,
    note: Note = "",
    pipeline: OnlyPipeline = None,
    lake: LakeDir = DEFAULT_LAKE,
    json: Json = False,
) -> None:
    """Keep a version, or all of a release, from gc; without a name, list what is pinned."""
    from flows.datasets import keeping

    keeping.pin(lake, pipeline, name, version, note=note, json=json)


@datasets_app.command("unpin")
def datasets_unpin(
    name: Annotated[str, typer.Argument(help="Dataset, or `release`.")],
    version: Annotated[str | None, typer.Argument(help="Begin of a version, or r3; by default the current.")] = None,
    pipeline: OnlyPipeline = None,
    lake: LakeDir = DEFAULT_LAKE,
    json: Json = False,
) -> None:
    """Let gc have a version again."""
    from flows.datasets import keeping

    keeping.unpin(lake, pipeline, name, version, json=json)


@datasets_app.command("gc")
def datasets_gc(
    keep: Annotated[int, typer.Option(min=1, help="Newest releases whose versions stay.")] = 3,
    grace: Annotated[
        str, typer.Option(help="How long a version stays after it was made or replaced: 90m, 24h, 7d.")
    ] = "24h",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
    pipeline: OnlyPipeline = None,
    lake: LakeDir = DEFAULT_LAKE,
    json: Json = False,
) -> None:
    """Remove versions that nothing needs, and what trainings left that were killed and not gone on with.

    The newest releases, what is pinned, young, or what a kept dataset or model was made from stays.
    """
    from flows.datasets import keeping

    keeping.gc(lake, pipeline, keep=keep, grace=grace, dry_run=dry_run, json=json)


@datasets_app.command("forget")
def datasets_forget(
    ids: Annotated[list[str], typer.Argument(metavar="DOC_ID...", help="Ids, as in the column doc_id.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept in the record.")],
    rewrite: Annotated[
        bool, typer.Option("--rewrite", help="Also take the text out of all kept versions, raw files and reports.")
    ] = False,
    config: Annotated[
        Path | None, typer.Option(help="Config of the run: how --rewrite finds rows in raw files.")
    ] = None,
    pipeline: OnlyPipeline = None,
    lake: LakeDir = DEFAULT_LAKE,
    json: Json = False,
) -> None:
    """Keep documents out of every later version and model, and say which models were trained on them."""
    from flows.datasets import forgetting

    forgetting.forget(lake, pipeline, ids, reason=reason, rewrite=rewrite, config=config, json=json)
