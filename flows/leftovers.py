"""Runs of deployments that a power cut or `kill -9` left as Running: they are told Crashed when the server starts.

Without that the server counts them for ever, and with a concurrency limit of 1 every later run is cancelled.
"""

from __future__ import annotations

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Crashed

_ALIVE = FlowRunFilterState(
    type=FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING, StateType.CANCELLING])
)
_PAGE = 200


def mark_crashed() -> int:
    """Mark them, and the subflows within; returns how many. To be called while no worker runs."""
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(flow_run_filter=FlowRunFilter(state=_ALIVE), limit=_PAGE)
        dead = [run for run in runs if run.deployment_id is not None]
        return sum(_mark(client, run) for run in dead)


def _mark(client: SyncPrefectClient, run: FlowRun) -> int:
    within = FlowRunFilterParentFlowRunId(any_=[run.id])
    below = client.read_flow_runs(flow_run_filter=FlowRunFilter(state=_ALIVE, parent_flow_run_id=within), limit=_PAGE)
    marked = sum(_mark(client, child) for child in below)
    message = "The server stopped while this ran. Start it again: what is in the lake already is not made again."
    client.set_flow_run_state(run.id, Crashed(message=message))
    return marked + 1


if __name__ == "__main__":
    mark_crashed()
