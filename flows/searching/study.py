"""A study of Optuna in the folder of a search: finished trials are not repeated, one that was killed goes on.

What a trial takes depends on those before it, the seed and its number alone, so that an interrupted search finds what
an undisturbed one does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import ConfigError, TextmillError
from models.space import Parameter, suggested
from models.training import Moment, TrainingRecord, Watcher

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.pruners import BasePruner
    from optuna.trial import FrozenTrial

JOURNAL, ERROR = "study.log", "error"
PRUNERS = ("median", "hyperband", "none")

Train = Callable[[int, Mapping[str, Any], Watcher], TrainingRecord]
"""Trains trial `number` with some options, watched."""


def open_study(folder: Path, name: str, *, pruner: str, validate_every: int, steps: int) -> Study:
    """The study of that name in a folder, a new one where there is none.

    Raises ConfigError where Optuna is not installed.
    """
    check_installed()
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(
        study_name=name,
        storage=JournalStorage(JournalFileBackend(str(folder / JOURNAL))),
        direction="minimize",
        pruner=_pruner(pruner, validate_every, steps),
        load_if_exists=True,
    )


def check_pruner(name: str) -> None:
    """Raises ConfigError for an unknown one."""
    if name not in PRUNERS:
        raise ConfigError(f"--pruner {name}: it must be one of {', '.join(PRUNERS)}")


def check_installed() -> None:
    """Raises ConfigError where Optuna is not installed."""
    if find_spec("optuna") is None:
        raise ConfigError("a search needs Optuna; pip install 'textmill[search]'")


def next_trial(study: Study, seed: int) -> Trial:
    """The trial that was interrupted, or a new one."""
    import optuna
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState

    if left := study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        return optuna.trial.Trial(study, left[0]._trial_id)
    # A sampler draws the same numbers for the same seed, so that each trial has a seed of its own.
    study.sampler = TPESampler(seed=seed + len(study.get_trials(deepcopy=False)))
    return study.ask()


def carry_out(study: Study, trial: Trial, parameters: Sequence[Parameter], train: Train) -> FrozenTrial:
    """Train what a trial takes and tell the study how it went: complete, pruned, or failed with its error."""
    import optuna
    from optuna.trial import TrialState

    options = suggested(parameters, trial)
    try:
        record = train(trial.number, options, _watcher(study, trial))
    except optuna.TrialPruned:
        return study.tell(trial, state=TrialState.PRUNED)
    except TextmillError as error:  # options that cannot be, no number, no memory: other options may do
        trial.set_user_attr(ERROR, str(error))
        return study.tell(trial, state=TrialState.FAIL)
    return study.tell(trial, score(record))


def score(record: TrainingRecord) -> float:
    """The validation loss of the weights that were kept. Raises TextmillError where nothing was validated."""
    if not record.validation_steps:
        raise TextmillError("a search needs validation data; give --validation or a column `split`")
    return record.validation_loss[record.validation_steps.index(record.kept_step)]


def best(study: Study) -> FrozenTrial:
    """The best trial that was not pruned. Raises TextmillError where there is none, with the error of the first."""
    from optuna.trial import TrialState

    if study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        return study.best_trial
    errors = [trial.user_attrs[ERROR] for trial in study.get_trials(deepcopy=False) if ERROR in trial.user_attrs]
    raise TextmillError(f"no trial came to an end{f'; the first said: {errors[0]}' if errors else ''}")


def _watcher(study: Study, trial: Trial) -> Watcher:
    """Tells the study each validation, and ends a training that is to be pruned."""
    import optuna

    known = study.get_trials(deepcopy=False)[trial.number].intermediate_values

    def watch(moment: Moment) -> None:
        if not moment.scores:
            return
        if moment.step not in known:  # told before the interruption
            trial.report(moment.scores["loss"], moment.step)
        if moment.step < moment.steps and trial.should_prune():
            raise optuna.TrialPruned

    return watch


def _pruner(name: str, validate_every: int, steps: int) -> BasePruner:
    from optuna import pruners

    if name == "hyperband":
        return pruners.HyperbandPruner(min_resource=min(validate_every, steps), max_resource=steps)
    return pruners.MedianPruner() if name == "median" else pruners.NopPruner()
