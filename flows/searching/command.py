"""`textmill search`: from the words of a command line to the best options."""

from __future__ import annotations

import dataclasses
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from data.errors import ConfigError
from data.lake import Lake
from flows import show
from flows.mirroring.choosing import choosing
from flows.mirroring.store import check as check_store
from flows.training.command import column_names, read_options
from models.options import parsed
from models.space import space as parameters


def search(
    model: str,
    *,
    space: Path,
    trials: int,
    pruner: str,
    lake: Path,
    pipeline: str | None,
    data: str | None,
    validation: Path | None,
    columns: str | None,
    config: Path | None,
    pairs: Sequence[str],
    seed: int,
    out: Path | None,
    mlflow: str | None,
    json: bool,
) -> None:
    """Search in this process, as a flow of the server that is up, or of one of our own."""
    from flows.searching.running import Search
    from flows.training.order import Order

    options = {**read_options(config), **parsed(pairs)}
    order = Order(
        lake=Lake(lake), model=model, pipeline=pipeline, data=data, validation=validation,
        columns=column_names(columns), options=options, seed=seed,
    )  # fmt: skip
    content = read_yaml(space)
    Search(order, parameters(content), trials, pruner).check()  # a wrong option is told before a server is started
    order.rows()
    order.lake.check_writable()
    if mlflow is not None:
        check_store(mlflow)
    with choosing(mlflow):
        found = _run(order, options, content, trials=trials, pruner=pruner, quiet=json)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found.config, out)
    told = dataclasses.replace(found, config=out or found.config)
    if json:
        show.as_json({**dataclasses.asdict(told), "config": str(told.config)})
    else:
        show.pairs(show.console(), f"search for {model}", lines(order, told))


def read_yaml(path: Path) -> Any:
    """The content of a file with a search space. Raises ConfigError where it is no YAML."""
    import yaml

    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"the search space {path} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"the search space {path} is no YAML: {str(error).splitlines()[0]}") from error


def lines(order: Any, found: Any) -> dict[str, str]:
    """What is worth knowing of a search, by name."""
    states = [trial["state"] for trial in found.trials]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    return {
        "trials": f"{counts} ({found.done} in this run)",
        "validation loss": f"{found.loss:.4f}",
        **{name: str(value) for name, value in found.options.items()},
        "to train it": shlex.join(["textmill", "train", order.model, *_same(order), "--config", str(found.config)]),
    }


def _same(order: Any) -> list[str]:
    """The words by which `textmill train` reads the same rows with the same seed."""
    columns = ",".join(f"{name}={column}" for name, column in order.columns.items())
    given = {
        "--lake": order.lake.root,
        "--pipeline": order.pipeline,
        "--data": order.data,
        "--validation": order.validation,
        "--columns": columns,
        "--seed": order.seed,
    }
    return [word for name, value in given.items() if value for word in (name, str(value))]


def _run(order: Any, options: dict[str, Any], content: Any, *, trials: int, pruner: str, quiet: bool) -> Any:
    from flows.listen import listening
    from flows.server import connect

    if not quiet:
        typer.echo(f"Starting the search for {order.model} …", err=True)
    connect(order.lake.root)
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from flows.searching.flow import search_model

    with listening(quiet=quiet), temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        return search_model(
            model=order.model,
            space=content,
            trials=trials,
            pruner=pruner,
            pipeline=order.pipeline,
            lake=str(order.lake.root),
            data=order.data,
            validation=str(order.validation) if order.validation else None,
            columns=dict(order.columns),
            options=options,
            seed=order.seed,
        )
