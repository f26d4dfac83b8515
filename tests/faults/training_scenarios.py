"""A training that is disturbed: the smallest learner with dropout, validation, checkpoints; by Muon also averaged."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path


def warm_up() -> None:
    """Import torch, and compute nothing: a forked process has none of the threads of its parent."""
    import tiny_training  # noqa: F401
    import torch._dynamo  # noqa: F401 - optimisers load it at their first step

    import models.training.checkpoints  # noqa: F401


def remember_judgements(folder: Path) -> None:
    """Great Expectations is not asked here."""


def training(*, lake: str, optimiser: str, kill_at: int = 0) -> None:
    """Train, going on from the checkpoints in the folder; leaves weights and record, and no checkpoint.

    kill -9 comes after step `kill_at`. Says after which step it began.
    """
    from safetensors.torch import save
    from tiny_training import Tiny, blocks, options

    from models.training import Moment, train
    from models.training.checkpoints import Checkpoints

    def watch(moment: Moment) -> None:
        if moment.step == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    learner, kept = Tiny(), Checkpoints(Path(lake) / "checkpoints", {"optimiser": optimiser})
    found = kept.peek("last")
    print("began after", len(found["state"]["train_loss"]) if found else 0, flush=True)
    config = options(optimiser=optimiser, keep_best=True, ema=0.9 if optimiser == "muon" else 0.0)
    record = train(learner, blocks(), config=config, validation=blocks(), checkpoints=kept, watch=watch)
    (Path(lake) / "weights.safetensors").write_bytes(save(learner.model.state_dict()))
    (Path(lake) / "record.json").write_text(json.dumps({**record.as_json(), "timing": None}))
    kept.clear()
