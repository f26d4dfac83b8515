"""The commands `textmill train` and `textmill search`: parse, call one use case."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.options import DEFAULT_LAKE, Json, LakeDir, Mlflow, OnlyPipeline

Device = Annotated[
    str | None, typer.Option(help="cpu, cuda, mps, or auto: a GPU where there is one; short for --set device=….")
]


def train(
    model: Annotated[str, typer.Argument(help="Name of the catalogue: gpt, bert, word2vec, text-vae, …")],
    lake: LakeDir = DEFAULT_LAKE,
    pipeline: OnlyPipeline = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="A .parquet, .csv, .jsonl, .conll or .txt file, or a labelled set that `sources get` fetched; "
            "by default the release of --pipeline."
        ),
    ] = None,
    validation: Annotated[Path | None, typer.Option(help="Another file, with the rows to validate on.")] = None,
    columns: Annotated[
        str | None, typer.Option(help="Columns of the file: text=…,label=… or source=…,target=….")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name in the registry; by default <pipeline>-MODEL.")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file with options.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="An option as key=value; repeatable.")] = None,
    device: Device = None,
    seed: Annotated[int, typer.Option(help="Seed of weights, order and noise.")] = 0,
    processes: Annotated[int, typer.Option(min=1, help="Processes that learn together.")] = 1,
    start: Annotated[
        str | None,
        typer.Option(help="Begin with the weights of NAME, NAME@alias or NAME:version."),
    ] = None,
    tensorboard: Annotated[Path | None, typer.Option(help="Folder for curves of every step, for TensorBoard.")] = None,
    mlflow: Mlflow = None,
    json: Json = False,
) -> None:
    """Train a model of the catalogue on a release or a file, and register it; a finished training is not repeated."""
    from flows.training import command

    command.train(
        model,
        lake=lake,
        pipeline=pipeline,
        data=data,
        validation=validation,
        columns=columns,
        name=name,
        config=config,
        pairs=_pairs(set_, device),
        seed=seed,
        processes=processes,
        start=start,
        tensorboard=tensorboard,
        mlflow=mlflow,
        json=json,
    )


def search(
    model: Annotated[str, typer.Argument(help="Name of the catalogue, as for `train`.")],
    space: Annotated[Path, typer.Option(help="YAML file with what is searched: `learning_rate: {log: [1e-4, 1e-2]}`.")],
    trials: Annotated[int, typer.Option(help="Trials in all; those that are done are not repeated.")] = 20,
    pruner: Annotated[str, typer.Option(help="What ends hopeless trials early: median, hyperband or none.")] = "median",
    lake: LakeDir = DEFAULT_LAKE,
    pipeline: OnlyPipeline = None,
    data: Annotated[
        str | None, typer.Option(help="A file or a labelled set instead of the release of --pipeline.")
    ] = None,
    validation: Annotated[Path | None, typer.Option(help="Another file, with the rows to validate on.")] = None,
    columns: Annotated[str | None, typer.Option(help="Columns of the file, as for `train`.")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file with options that all trials have.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Such an option as key=value; repeatable.")] = None,
    device: Device = None,
    seed: Annotated[int, typer.Option(help="Seed of every training and of the search.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Where the best options go, for `train --config`.")] = None,
    mlflow: Mlflow = None,
    json: Json = False,
) -> None:
    """Search the best options of a model by Optuna; an interrupted search goes on."""
    from flows.searching import command

    command.search(
        model,
        space=space,
        trials=trials,
        pruner=pruner,
        lake=lake,
        pipeline=pipeline,
        data=data,
        validation=validation,
        columns=columns,
        config=config,
        pairs=_pairs(set_, device),
        seed=seed,
        out=out,
        mlflow=mlflow,
        json=json,
    )


def _pairs(given: list[str] | None, device: str | None) -> list[str]:
    """The options that are set one by one, as key=value."""
    return [*(given or []), *([f"device={device}"] if device else [])]
