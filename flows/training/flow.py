"""The flow `train-model`: one training, watched in the Prefect UI."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, runtime
from prefect.artifacts import create_markdown_artifact

from data.lake import Lake
from data.storage import place
from flows.listen import listener, log_listener, said
from flows.mirroring.choosing import chosen
from flows.settings import Settings
from flows.training.order import Order
from flows.training.running import Result, run
from flows.training.telling import page, watcher


def run_name() -> str:
    """Name of a flow run: the model, and what it learns from."""
    given = runtime.flow_run.parameters
    origin = Path(given["data"]).name if given.get("data") else given.get("pipeline")
    return f"{given['model']} of {origin}" if origin else str(given["model"])


@flow(name="train-model", flow_run_name=run_name, persist_result=False)
def train_model(
    model: str = "gpt",
    *,
    pipeline: str | None = None,
    lake: str | None = None,
    data: str | None = None,
    validation: str | None = None,
    columns: dict[str, str] = {},  # noqa: B006 - Prefect draws its form from a literal default
    name: str | None = None,
    options: dict[str, Any] = {},  # noqa: B006
    seed: int = 0,
    processes: int = 1,
    start: str | None = None,
    tensorboard: str | None = None,
) -> Result:
    """Train a model of the catalogue and register it as the candidate of its name."""
    order = Order(
        lake=Lake(place(lake) if lake else Settings().lake),
        model=model,
        pipeline=pipeline,
        data=data,
        validation=Path(validation) if validation else None,
        columns=columns,
        name=name,
        options=options,
        seed=seed,
        processes=processes,
        start=start,
        tensorboard=Path(tensorboard) if tensorboard else None,
        mlflow=chosen(),
    )
    order.lake.check_writable()
    listen = log_listener() if runtime.deployment.id is not None else listener()
    tell = get_run_logger().info if runtime.deployment.id is not None else said()
    created = datetime.now(UTC).isoformat(timespec="seconds")
    heard = listen(f"Train {model}")
    result = run(order, created=created, watch=watcher(heard, tell, max_minutes=order.max_minutes), progress=heard)
    create_markdown_artifact(key=f"training-{result.model}".lower().replace("_", "-"), markdown=page(result))
    return result
