"""A search as it is ordered: trials of one training with other options, on tokens that are prepared once."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from data import files, underway
from data.abandoned import SEARCH
from data.errors import ConfigError
from data.hashing import fingerprint
from flows.searching import study as studies
from flows.training.order import TOKENISER, Order
from flows.training.preparing import Prepared
from models import fitting
from models.prepared import open_data
from models.space import Parameter
from models.training import TrainingRecord, Watcher, unwatched
from models.training.watching import all_of

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

BEST = "best.yaml"


@dataclass(frozen=True)
class Search:
    """What `textmill search` was asked for: a training, which of its options are searched and where, and for how
    many trials."""

    order: Order
    parameters: tuple[Parameter, ...]
    trials: int
    pruner: str = "median"

    def check(self) -> None:
        """Refuse, before anything is done, what no trial could use: ConfigError that names the option."""
        if self.trials < 1:
            raise ConfigError(f"--trials is {self.trials}; it must be at least 1")
        studies.check_pruner(self.pruner)
        if self.order.processes != 1:
            raise ConfigError(f"processes is {self.order.processes}; a search trains in one process")
        if self.order.start:
            raise ConfigError("a search begins with new weights; leave start out")
        for parameter in self.parameters:
            if parameter.name.startswith(TOKENISER):
                raise ConfigError(f"{parameter.name}: the tokenizer is not searched; losses of others do not compare")
        _ = self.with_options({parameter.name: parameter.first for parameter in self.parameters}).checked
        studies.check_installed()

    def with_options(self, options: Mapping[str, Any]) -> Order:
        """The training with other options."""
        return dataclasses.replace(self.order, options={**self.order.options, **options})

    def name(self, lineage: Mapping[str, Any]) -> str:
        """Of the study: other data, fixed options, seed, space or pruner are another one; more trials are not."""
        asked = {name: value for name, value in self.order.options.items() if name not in self._names}
        options = dataclasses.replace(self.order, options=asked).checked
        key = fitting.key_of(self.order.neural, options, lineage, self.order.seed)
        where = [[p.name, p.kind, list(p.values)] for p in sorted(self.parameters, key=lambda p: p.name)]
        return f"{SEARCH}{fingerprint([key, where, self.pruner])}"

    @property
    def _names(self) -> set[str]:
        return {parameter.name for parameter in self.parameters}


@dataclass(frozen=True)
class Found:
    """What a search found. `trials` are all of the study, `done` those that this run added; `config` is a YAML file."""

    options: Mapping[str, Any]
    loss: float
    config: Path
    done: int
    trials: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Running:
    """A search under way in its folder; see `begun`."""

    search: Search
    folder: Path
    study: Study
    watch: Watcher = unwatched

    @property
    def finished(self) -> int:
        """Trials that came to an end, whichever."""
        return sum(trial.state.is_finished() for trial in self.study.get_trials(deepcopy=False))

    def trial(self) -> FrozenTrial:
        """Carry out the next trial, or the rest of the one that was interrupted."""
        trial = studies.next_trial(self.study, self.search.order.seed)
        found = studies.carry_out(self.study, trial, self.search.parameters, self._train)
        shutil.rmtree(self._checkpoints(trial.number), ignore_errors=True)
        return found

    def result(self, done: int) -> Found:
        """The best trial, with its options as a file for `textmill train --config`."""
        best = studies.best(self.study)
        options = {**self.search.order.options, **best.params}
        files.write_bytes(self.folder / BEST, yaml.safe_dump(options, sort_keys=True).encode("utf-8"))
        trials = [as_plain(trial) for trial in self.study.get_trials(deepcopy=False)]
        return Found(options, float(best.value or 0.0), self.folder / BEST, done, trials)

    def _train(self, number: int, options: Mapping[str, Any], watch: Watcher) -> TrainingRecord:
        order = self.search.with_options(options)
        chosen, family = order.checked, order.neural
        data = open_data(self.folder / "data", family.marks)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="artefact-") as scratch:
            return fitting.fit(
                family,
                chosen,
                data,
                Path(scratch),
                seed=order.seed,
                checkpoints=self._checkpoints(number),
                watch=all_of([self.watch, watch]),
            )

    def _checkpoints(self, number: int) -> Path:
        return self.folder / f"trial-{number}"


@contextmanager
def begun(search: Search, watch: Watcher = unwatched) -> Iterator[Running]:
    """Prepare the tokens and open the study, alone among the processes of this machine."""
    order = search.order
    options = order.checked
    rows = order.rows()
    prepared = Prepared.of(rows, order.neural, order.tokeniser)
    name = search.name(prepared.lineage)
    with order.lake.lock(name):
        folder = order.lake.training(name)
        underway.tell(folder, order.registered_as(rows), prepared.lineage)
        prepared.write(folder / "data")
        every, steps = options.training.validate_every, options.training.steps
        study = studies.open_study(folder, name, pruner=search.pruner, validate_every=every, steps=steps)
        yield Running(search, folder, study, watch)


def as_plain(trial: FrozenTrial) -> dict[str, Any]:
    """A trial for machines and tables."""
    return {
        "trial": trial.number,
        "state": trial.state.name.lower(),
        "loss": trial.value if trial.state.name == "COMPLETE" else None,
        "options": dict(trial.params),
        **({"error": trial.user_attrs[studies.ERROR]} if studies.ERROR in trial.user_attrs else {}),
    }
