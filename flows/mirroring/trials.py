"""The trials of a search in MLflow: a run each, in one experiment for each model that is searched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flows.mirroring import runs
from flows.mirroring.content import KEY, TAG, Point
from flows.mirroring.following import warn
from flows.mirroring.store import Store, opened, spoken

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

STATUS = {"COMPLETE": "FINISHED", "PRUNED": "KILLED", "FAIL": "FAILED"}


class Trials:
    """Tells MLflow of the trials that came to an end; of all that are missing there, so that nothing has to be kept.

    Where the store does not answer, one line says so and the search goes on alone.
    """

    def __init__(self, address: str | None, model: str, study: str) -> None:
        self.address, self.model, self.study = address, model, study

    def tell(self, trials: Sequence[FrozenTrial]) -> None:
        """Tell of trials that are not there yet."""
        if not self.address:
            return
        try:
            store = opened(self.address)
            with spoken(self.address), store.alone():
                self._write(store, trials)
        except Exception as error:  # whatever it is, it must not be what a search ends with
            warn(self.address, error, later=f"the next `textmill search {self.model}` of this study")
            self.address = None

    def _write(self, store: Store, trials: Sequence[FrozenTrial]) -> None:
        experiment = store.experiment(f"search-{self.model}")
        known = runs.by_key(store, experiment)
        for trial in trials:
            key = f"{self.study}-{trial.number}"
            if trial.state.is_finished() and key not in known:
                self._trial(store, experiment, key, trial)

    def _trial(self, store: Store, experiment: str, key: str, trial: FrozenTrial) -> None:
        from mlflow.entities import Param

        times = (trial.datetime_start, trial.datetime_complete)
        began, ended = (round(when.timestamp() * 1000) for when in times if when)
        tags = {
            f"{TAG}search": self.study,
            f"{TAG}kind": self.model,
            f"{TAG}state": trial.state.name.lower(),
            "mlflow.source.name": f"textmill search {self.model}",
            "mlflow.source.type": "JOB",
            **{f"{TAG}{name}": str(value)[:5000] for name, value in trial.user_attrs.items()},
        }
        name = f"trial {trial.number} {self.study.removeprefix('search-')[:6]}"
        run_id = store.client.create_run(experiment, start_time=began, tags=tags, run_name=name).info.run_id
        store.client.log_batch(run_id, params=[Param(name, str(value)) for name, value in trial.params.items()])
        runs.log_points(store.client, run_id, points_of(trial), started=began)
        store.client.set_terminated(run_id, STATUS[trial.state.name], end_time=ended)
        store.client.set_tag(run_id, KEY, key)  # last: a run without it is told again


def points_of(trial: FrozenTrial) -> list[Point]:
    """Validation losses by step, and the score of a trial that came to its end."""
    found = [Point("validation/loss", loss, step) for step, loss in trial.intermediate_values.items()]
    done: Any = trial.value if trial.state.name == "COMPLETE" else None
    return [*found, Point("score/loss", done, 0)] if done is not None else found
