"""A training in MLflow while it learns: its curves, told by a thread that nothing waits for.

A store that does not answer costs the training nothing but a line that says so: what is missing is told by
`textmill models mirror` when the model is registered.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from data.lake import Lake
from flows.mirroring import runs
from flows.mirroring.content import Point, is_drawn, own_tags
from flows.mirroring.following import follow, warn
from flows.mirroring.store import Store, check, loaded, opened, spoken
from models.training.loop import Moment, Watcher
from models.training.watching import all_of

SECONDS, PATIENCE = 5.0, 15.0
"""How often curves are sent; how long the end of a training waits for what is still to be sent."""


@dataclass(frozen=True)
class Training:
    """What is watched: name in the registry, family and training key."""

    name: str
    kind: str
    key: str


@contextmanager
def shown(lake: Lake, address: str | None, training: Training, watch: Watcher) -> Iterator[Watcher]:
    """A watcher that tells `watch`, and MLflow where there is an address; what was registered meanwhile is mirrored.

    The run fails where the training does.
    """
    if not address:
        yield watch
        return
    live = Live(address, training)
    live.prepare()
    try:
        yield all_of([watch, live])
    except BaseException as error:
        live.close("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
        raise
    live.close()
    if not live.broken:
        follow(lake, [training.name], address)


@dataclass
class Live:
    """A watcher whose thread opens the store at the first step, and sends what it heard every few seconds."""

    address: str
    training: Training
    broken: bool = False
    _heard: queue.SimpleQueue[Moment | None] = field(default_factory=queue.SimpleQueue)
    _thread: threading.Thread | None = None
    _ending: str = ""

    def prepare(self) -> None:
        """Import MLflow before the training, whose steps would share a processor with it."""
        try:
            check(self.address)
            loaded()
        except Exception as error:  # as below
            self._fail(error)

    def __call__(self, moment: Moment) -> None:
        """Note a step, if it is a point of a curve."""
        if self.broken or not (moment.scores or is_drawn(moment.step, moment.steps)):
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._tell, name="mlflow", daemon=True)
            self._thread.start()
        self._heard.put(moment)

    def close(self, ending: str = "") -> None:
        """Send what is left, and how the training ended if not well; wait for it only a little."""
        self._ending = ending
        if self._thread is None:
            return
        self._heard.put(None)
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            self._fail(TimeoutError(f"it did not answer in {PATIENCE:g} seconds"))

    def _tell(self) -> None:
        """All of it, in the thread."""
        try:
            store = opened(self.address)
            with spoken(self.address):
                run, told = self._run(store)
                over = False
                while not over:
                    moments, over = self._some()
                    points = [point for moment in moments if moment.step > told for point in points_of(moment)]
                    runs.log_points(store.client, run.info.run_id, points, started=run.info.start_time)
                if self._ending:
                    store.client.set_terminated(run.info.run_id, self._ending)
        except Exception as error:  # whatever it is, it must not be what a training ends with
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if not self.broken:
            self.broken = True
            warn(self.address, error)

    def _run(self, store: Store) -> tuple[Any, int]:
        """The run of the training, and the last step that it has: one that was interrupted goes on."""
        about, client = self.training, store.client
        experiment = store.experiment(about.name)
        if (run := runs.by_key(store, experiment).get(about.key)) is not None:
            client.update_run(run.info.run_id, status="RUNNING")
            told = client.get_metric_history(run.info.run_id, "train/loss")
            return run, max((metric.step for metric in told), default=0)
        tags, now = own_tags(about.name, about.kind, about.key), round(time.time() * 1000)
        return client.create_run(experiment, start_time=now, tags=tags, run_name=f"training {about.name}"), 0

    def _some(self) -> tuple[list[Moment], bool]:
        """What is heard in some seconds, and whether that was the last."""
        until, found = time.monotonic() + SECONDS, list[Moment]()
        while (left := until - time.monotonic()) > 0:
            try:
                moment = self._heard.get(timeout=left)
            except queue.Empty:
                break
            if moment is None:
                return found, True
            found.append(moment)
        return found, False


def points_of(moment: Moment) -> Iterator[Point]:
    """A step as points of curves, named as those of a finished training."""
    train = {"loss": moment.loss, **moment.parts} if is_drawn(moment.step, moment.steps) else {}
    for name, value in train.items():
        yield Point(f"train/{name}", value, moment.step, moment.seconds)
    for name, value in moment.scores.items():
        yield Point(f"validation/{name}", value, moment.step, moment.seconds)
