"""The command `textmill`: parse, call one use case, return a status. Heavy imports wait until a command needs them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.disk import told
from flows.datasets.cli import datasets_app
from flows.models_cli import models_app
from flows.options import DEFAULT_LAKE, Json, LakeDir, Pipeline
from flows.training_cli import search, train

if TYPE_CHECKING:
    from flows.job import Job

app = typer.Typer(
    name="textmill",
    help="From raw text to trusted Parquet, trained models and nightly predictions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
corpus_app = typer.Typer(help="Build a corpus alone.", no_args_is_help=True)
sources_app = typer.Typer(help="Look at the catalogue of sources, and fetch one.", no_args_is_help=True)
for name, group in (
    ("corpus", corpus_app),
    ("datasets", datasets_app),
    ("models", models_app),
    ("sources", sources_app),
):
    app.add_typer(group, name=name)

app.command()(train)
app.command()(search)

Sources = Annotated[
    list[str] | None,
    typer.Option(
        "--source", help="Name of the catalogue, wikipedia:<lang>[:<date>], path, folder, glob or URL; repeatable."
    ),
]
Config = Annotated[Path | None, typer.Option(help="YAML file with options of the stages.")]
Limit = Annotated[int | None, typer.Option(help="Only the first N pages of each source.")]
Workers = Annotated[
    int | None,
    typer.Option(envvar="TEXTMILL_WORKERS", help="Worker processes; by default one per CPU, 0 for none."),
]
AcceptDrift = Annotated[
    bool,
    typer.Option("--accept-drift", help="Publish although the data moved further than the contracts allow."),
]
_LATER = 2


@app.command()
def run(
    source: Sources = None,
    pipeline: Pipeline = None,
    lake: LakeDir = DEFAULT_LAKE,
    config: Config = None,
    limit: Limit = None,
    workers: Workers = None,
    accept_drift: AcceptDrift = False,
    json: Json = False,
) -> None:
    """The whole job, once, here: corpus, models, evaluation, predictions, report."""
    job = _job(source, pipeline, lake, config, limit, workers, accept_drift=accept_drift)
    _build("nightly", job, config, json=json)


@app.command()
def plan(
    source: Sources = None,
    pipeline: Pipeline = None,
    lake: LakeDir = DEFAULT_LAKE,
    config: Config = None,
    limit: Limit = None,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """What a run would compute, what it would reuse, and why; nothing is computed or written."""
    from flows import show
    from flows.plan import plan as make_plan
    from flows.plan import usage

    job = _job(source, pipeline, lake, config, limit, workers)
    found = make_plan(job)
    if json:
        steps = [{"step": s.name, "version": s.version, "state": s.state, "why": s.why} for s in found.steps]
        show.as_json({"nothing_to_do": found.nothing_to_do, "steps": steps, **usage(job)})
    else:
        show.planned(show.console(), found, usage(job))


@corpus_app.command("build")
def corpus_build(
    source: Sources = None,
    pipeline: Pipeline = None,
    lake: LakeDir = DEFAULT_LAKE,
    config: Config = None,
    limit: Limit = None,
    workers: Workers = None,
    accept_drift: AcceptDrift = False,
    json: Json = False,
) -> None:
    """To a published corpus and its tokens."""
    job = _job(source, pipeline, lake, config, limit, workers, accept_drift=accept_drift)
    _build("corpus_build", job, config, json=json)


@sources_app.command("list")
def sources_list(json: Json = False) -> None:
    """The catalogue."""
    from flows import commands

    commands.list_sources(json=json)


@sources_app.command("get")
def sources_get(
    name: Annotated[str, typer.Argument(help="Name of the catalogue, wikipedia:<lang>[:<date>], path or URL.")],
    path: Annotated[Path | None, typer.Option(help="File or folder that you have of it already.")] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask the origin even if the lake has it.")] = False,
    lake: LakeDir = DEFAULT_LAKE,
    json: Json = False,
) -> None:
    """Fetch a source into the lake without doing more."""
    from flows import commands

    commands.get_source(lake, name, path, refresh=refresh, json=json)


@app.command()
def up(
    lake: LakeDir = DEFAULT_LAKE,
    port: Annotated[int, typer.Option(help="Port of the server.")] = 4200,
) -> None:
    """Start the Prefect server and UI, deploy the flows of prefect.yaml, and run a worker, until Ctrl-C."""
    from flows.up import up as start

    start(lake, port=port)


@app.command()
def report(pipeline: Pipeline = None, lake: LakeDir = DEFAULT_LAKE) -> None:
    """Path of the report of the published release."""
    from flows import commands

    commands.report_path(lake, pipeline)


def _later(group: typer.Typer, name: str, what: str) -> None:
    """A command of the design that a later version fills: it says so and exits with status 2."""

    @group.command(
        name,
        help=f"{what} (not in this version)",
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )
    def command(context: typer.Context) -> None:
        typer.echo(
            f"`{context.command_path}` is not in this version of textmill; see README.md, Command line.", err=True
        )
        raise typer.Exit(_LATER)


for late in (
    (app, "infer", "Predict for files"),
    (app, "evaluate", "Score a model on any data"),
    (app, "doctor", "Check the installation"),
):
    _later(*late)


def _job(
    source: list[str] | None,
    pipeline: str | None,
    lake: Path,
    config: Path | None,
    limit: int | None,
    workers: int | None,
    *,
    accept_drift: bool = False,
) -> Job:
    from flows.job import make_job
    from flows.recipe import read_recipe

    return make_job(
        lake=lake,
        sources=source or ["wikipedia-sample"],
        pipeline=pipeline,
        recipe=read_recipe(config),
        limit=limit,
        workers=workers,
        run_id="plan",
        started="",
        accept_drift=accept_drift,
    )


def _build(flow: str, job: Job, config: Path | None, *, json: bool) -> None:
    """Run a flow unless there is nothing to do, and show what is published."""
    from data.verification import check_release
    from flows import show
    from flows.plan import plan as make_plan

    console = show.console(stderr=json)
    job.lake.check_writable()
    check_release(job.lake, job.pipeline)
    if make_plan(job, whole=flow == "nightly").nothing_to_do:
        job.lake.tidy(job.pipeline)  # a run that was killed right after it published left something
        console.print(f"Nothing to do: everything of '{job.pipeline}' is up to date.")
    else:
        _run_flow(flow, job, config, quiet=json)
    if json:
        show.as_json(show.summary(job.lake, job.pipeline))
    else:
        show.released(console, job.lake, job.pipeline)


def _run_flow(name: str, job: Job, config: Path | None, *, quiet: bool) -> Any:
    """Run a flow in this process, against the server that is up, or one of our own."""
    from flows.addresses import by_reference
    from flows.listen import listening
    from flows.server import connect

    job.lake.check_writable()
    job.lake.check_room()
    if not quiet:
        typer.echo(f"Starting '{job.pipeline}' …", err=True)  # Prefect takes its seconds
    connect(job.lake.root)
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from flows import nightly

    # A heartbeat costs every flow a second, and tells a server nothing about a command that a person watches.
    with listening(quiet=quiet), temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        return getattr(nightly, name)(
            sources=by_reference([source.word() for source in job.sources]),
            pipeline=job.pipeline,
            lake=str(job.lake.root),
            config=str(config) if config else None,
            limit=job.limit,
            workers=job.pool.size if job.pool else 0,
            accept_drift=job.accept_drift,
        )


def main() -> None:
    """Entry point: an error of ours is one line and status 1, a traceback only with --debug."""
    debug = "--debug" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--debug"]
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        app()
    except Exception as error:
        if debug or (known := told(error)) is None:
            raise
        from data.storage import redacted

        typer.echo(f"textmill: {redacted(str(known))}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
