"""`textmill train`: from the words of a command line to a registered model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from data.errors import ConfigError
from data.lake import Lake
from flows import show
from flows.mirroring.choosing import choosing
from flows.mirroring.store import check as check_store
from flows.training.telling import as_json, lines
from models.options import parsed


def train(
    model: str,
    *,
    lake: Path,
    pipeline: str | None,
    data: str | None,
    validation: Path | None,
    columns: str | None,
    name: str | None,
    config: Path | None,
    pairs: Sequence[str],
    seed: int,
    processes: int,
    start: str | None,
    tensorboard: Path | None,
    mlflow: str | None,
    json: bool,
) -> None:
    """Train in this process, as a flow of the server that is up, or of one of our own."""
    from flows.training.order import Order
    from flows.training.work import work_of
    from models.training.tensorboard import check_installed

    options = {**read_options(config), **parsed(pairs)}
    mapping = column_names(columns)
    order = Order(
        lake=Lake(lake), model=model, pipeline=pipeline, data=data, validation=validation, columns=mapping, name=name,
        options=options, seed=seed, processes=processes, start=start, tensorboard=tensorboard,
    )  # fmt: skip
    if tensorboard is not None:
        check_installed()
    if mlflow is not None:
        check_store(mlflow)
    _ = work_of(order, order.rows()).options  # a wrong option is told before a server is started
    order.lake.check_writable()
    with choosing(mlflow):
        result = _run(order, options, quiet=json)
    if json:
        show.as_json(as_json(result))
    else:
        show.pairs(show.console(), f"{result.model}", lines(result))


def read_options(path: Path | None) -> dict[str, Any]:
    """The options of a YAML file; nested ones are joined by a dot. Raises ConfigError for another content."""
    if path is None:
        return {}
    import yaml

    try:
        content = yaml.safe_load(path.read_text("utf-8")) or {}
    except OSError as error:
        raise ConfigError(f"the config {path} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"the config {path} is no YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"the config {path} holds no options; write lines such as `steps: 400`")
    return {
        name: value
        for key, found in content.items()
        for name, value in (
            {f"{key}.{k}": v for k, v in found.items()} if isinstance(found, dict) else {key: found}
        ).items()
    }


def column_names(words: str | None) -> dict[str, str]:
    """The columns of `text=body,label=stars`. Raises ConfigError for a word without a name."""
    found: dict[str, str] = {}
    for word in filter(None, (words or "").split(",")):
        name, equals, column = word.partition("=")
        if not equals or not column.strip():
            raise ConfigError(f"--columns {words}: write it as text=COLUMN,label=COLUMN")
        found[name.strip()] = column.strip()
    return found


def _run(order: Any, options: dict[str, Any], *, quiet: bool) -> Any:
    from flows.listen import listening
    from flows.server import connect

    if not quiet:
        typer.echo(f"Starting the training of {order.model} …", err=True)
    connect(order.lake.root)
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from flows.training.flow import train_model

    with listening(quiet=quiet), temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        return train_model(
            model=order.model,
            pipeline=order.pipeline,
            lake=str(order.lake.root),
            data=order.data,
            validation=str(order.validation) if order.validation else None,
            columns=dict(order.columns),
            name=order.name,
            options=options,
            seed=order.seed,
            processes=order.processes,
            start=order.start,
            tensorboard=str(order.tensorboard) if order.tensorboard else None,
        )
