"""`torch.compile` for a training: of the methods of a model that its loss runs, and only as long as it learns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from models.learner import Learner
from models.training.config import TrainingConfigError


@contextmanager
def compiled(learner: Learner, wanted: bool) -> Iterator[None]:
    """Within it the methods that the learner names are compiled, if that is wanted.

    Raises TrainingConfigError for a model of which nothing can be compiled.
    """
    if wanted and not learner.compiled:
        raise TrainingConfigError(
            f"compile is True, but a {type(learner.model).__name__} cannot be compiled, as its steps "
            "follow from its data; leave compile out"
        )
    methods = [name.rpartition(".") for name in learner.compiled] if wanted else []
    for owner, _, method in methods:
        module = learner.model.get_submodule(owner)
        setattr(module, method, torch.compile(getattr(module, method)))
    try:
        yield
    finally:
        for owner, _, method in methods:
            delattr(learner.model.get_submodule(owner), method)
