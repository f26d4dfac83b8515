"""The flow `search-model`: each trial of a search is a task, watched in the Prefect UI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, runtime, task
from prefect.artifacts import create_markdown_artifact

from data.lake import Lake
from data.storage import place
from flows.listen import listener, log_listener, said
from flows.mirroring.choosing import chosen
from flows.mirroring.trials import Trials
from flows.searching.running import Found, Running, Search, as_plain, begun
from flows.settings import Settings
from flows.training.order import Order
from flows.training.telling import watcher
from models.space import space as parameters


@task(name="trial", task_run_name="trial {number}", persist_result=False)
def carry_out(running: Running, number: int) -> dict[str, Any]:  # noqa: ARG001 - named in the UI
    """One trial to its end."""
    return as_plain(running.trial())


def run_name() -> str:
    """Name of a flow run: the model, and for how many trials."""
    given = runtime.flow_run.parameters
    return f"{given['model']}, {given['trials']} trials"


@flow(name="search-model", flow_run_name=run_name, persist_result=False)
def search_model(
    model: str = "gpt",
    *,
    space: dict[str, Any],
    trials: int = 20,
    pruner: str = "median",
    pipeline: str | None = None,
    lake: str | None = None,
    data: str | None = None,
    validation: str | None = None,
    columns: dict[str, str] = {},  # noqa: B006 - Prefect draws its form from a literal default
    options: dict[str, Any] = {},  # noqa: B006
    seed: int = 0,
) -> Found:
    """Carry out the trials that are missing, and write the best options as a config for `train-model`."""
    order = Order(
        lake=Lake(place(lake) if lake else Settings().lake),
        model=model,
        pipeline=pipeline,
        data=data,
        validation=Path(validation) if validation else None,
        columns=columns,
        options=options,
        seed=seed,
    )
    search = Search(order, parameters(space), trials, pruner)
    search.check()
    order.lake.check_writable()
    listen = log_listener() if runtime.deployment.id is not None else listener()
    tell = get_run_logger().info if runtime.deployment.id is not None else said()
    with begun(search, watcher(listen(f"Search {model}"))) as running:
        before, mirrored = running.finished, Trials(chosen(), model, running.study.study_name)
        while running.finished < trials:
            told = line(carry_out(running, running.finished))
            mirrored.tell(running.study.get_trials(deepcopy=False))
            if tell:
                tell(told)
        found = running.result(running.finished - before)
    create_markdown_artifact(key=f"search-{model}".lower().replace("_", "-"), markdown=page(found))
    return found


def line(trial: dict[str, Any]) -> str:
    """A trial in words."""
    how = f"loss {trial['loss']:.4f}" if trial["loss"] is not None else trial["state"]
    options = ", ".join(f"{name}={_short(value)}" for name, value in trial["options"].items())
    return f"trial {trial['trial']}: {how}  {options}{f'  ({error})' if (error := trial.get('error')) else ''}"


def page(found: Found) -> str:
    """A search as Markdown: the best options, and every trial."""
    rows = [f"- {line(trial)}" for trial in found.trials]
    best = [f"- {name}: {_short(value)}" for name, value in found.options.items()]
    return "\n".join([f"# Loss {found.loss:.4f}", "", *best, "", "## Trials", "", *rows])


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
