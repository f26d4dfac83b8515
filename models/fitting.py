"""Train a model of the catalogue on prepared data and leave its artefact in a folder.

In one process by `fit`; in several by `torchrun --nproc-per-node N -m models.fitting ORDER.json`, where the order holds
the arguments of `fit`. Both give what a killed process left off from its checkpoints.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.hashing import DIGITS, fingerprint, sha256_file
from models import adapting, training
from models.adapting import AdaptConfig
from models.catalogue import neural
from models.evaluation import held_out
from models.family import ABOUT, Family, TrainingData, describe, vocabulary_of
from models.options import divided
from models.prepared import open_data
from models.training import memory, tensorboard
from models.training.checkpoints import Checkpoints
from models.training.loop import Moment, Watcher, unwatched
from models.training.record import TrainingRecord
from models.weights import WEIGHTS

REPORTED = "step "
"""How a line begins that tells of a step (`reported`)."""
HISTORY, SHOWN, SCORES = "history.json", "shown.json", "scores.json"


@dataclass(frozen=True)
class Options:
    """The checked options of a training: sizes of the model, how rows become batches, how to learn."""

    model: Mapping[str, Any]
    data: Any
    training: training.TrainingConfig
    adapt: AdaptConfig = field(default_factory=AdaptConfig)

    def as_json(self) -> dict[str, Any]:
        """Plain data, for a card and a training key."""
        return {
            "model": dict(self.model),
            "data": dataclasses.asdict(self.data),
            "training": dataclasses.asdict(self.training),
            **({"adapt": dataclasses.asdict(self.adapt)} if self.adapt != AdaptConfig() else {}),
        }


def checked(family: Family, options: Mapping[str, Any]) -> Options:
    """The options of a family from flat `name: value` pairs on its defaults. Raises ConfigError naming a wrong one."""
    kinds = {
        "model": family.config,
        "data": family.data,
        "training": training.TrainingConfig,
        "adapt": AdaptConfig,
    }
    found = divided(options, kinds)
    learning = dict(found["training"])
    if "steps" in learning:  # a short training warms up for a part of its steps
        default = min(family.training.warmup_steps, learning["steps"] // 10)
        learning.setdefault("warmup_steps", default)
    return Options(
        found["model"],
        family.data(**found["data"]),
        dataclasses.replace(family.training, **learning),
        AdaptConfig(**found["adapt"]),
    )


def fit(
    family: Family,
    options: Options,
    data: TrainingData,
    folder: Path,
    *,
    seed: int,
    checkpoints: Path | None = None,
    watch: Watcher = unwatched,
    traces: Path | None = None,
    start: Path | None = None,
) -> TrainingRecord:
    """Train, going on from `checkpoints`, and write the artefact into an existing folder; returns the record.

    The weights begin as those of the artefact `start`, where there is one (see `models.adapting`).
    Where the option `profile` asks for traces, they are written into `traces`, or beside the weights.
    """
    config = family.configured({**adapting.sizes_of(start, family.config), **options.model}, data)
    with memory.told("in making the model", memory.SMALLER):
        learner = family.learner(config, data, seed)
        adapting.begin(learner.model, start, options.adapt, seed=seed)
    batches = family.batches(config, options.data, data, data.train, seed)
    held = family.batches(config, options.data, data, data.validation, seed) if data.validation else None
    about = {
        "family": family.name,
        "version": [family.version, training.VERSION],
        "model": dataclasses.asdict(config),
        "training": options.training.learned(),
        "adapt": dataclasses.asdict(options.adapt),
        "data": batches.fingerprint,
        "seed": seed,
        "start": sha256_file(start / WEIGHTS)[:DIGITS] if start else None,
    }
    kept = Checkpoints(checkpoints, about) if checkpoints else None
    record = training.train(
        learner,
        batches,
        config=options.training,
        validation=held,
        seed=seed,
        checkpoints=kept,
        watch=watch,
        traces=traces or folder,
    )
    if int(os.environ.get("RANK", "0")) == 0:
        adapting.end(learner.model, options.adapt, folder)
        learner.model.save(folder)  # type: ignore[operator]
        describe(folder, family.name, data)
        found = [dataclasses.asdict(score) for score in held_out.scores(learner, held, seed=seed)] if held else []
        _write(folder, HISTORY, record.as_json())
        rows = {**getattr(batches, "about", {}), **({"rejects": dict(data.rejects)} if data.rejects else {})}
        rows |= {"held_out": told} if (told := getattr(held, "about", {})) else {}
        _write(folder, SCORES, {"scores": found, "rows": rows})
        if family.show:
            _write(folder, SHOWN, family.show(learner.model, data, seed))
    return record


def _write(folder: Path, name: str, value: Any) -> None:
    (folder / name).write_text(json.dumps(value, ensure_ascii=False), "utf-8")


def load(folder: Path) -> Any:
    """The model of an artefact that `fit` wrote, by the family it names; the registry has checked its hashes.

    Raises VocabularyError where its tokenizer is not the one of the training.
    """
    vocabulary_of(folder)
    about = json.loads((folder / ABOUT).read_text("utf-8"))
    return neural(about["family"]).load(folder)


def reported(moment: Moment) -> None:
    """Write a step in a line, for the program that started the processes."""
    sys.stdout.write(f"{REPORTED}{json.dumps(dataclasses.asdict(moment))}\n")
    sys.stdout.flush()


def main() -> None:
    """Run an order in this process, one of several."""
    order = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    family = neural(order["family"])
    with tensorboard.written(Path(order["tensorboard"]) if order.get("tensorboard") else None, reported) as watch:
        fit(
            family,
            checked(family, order["options"]),
            open_data(Path(order["data"]), family.marks),
            Path(order["folder"]),
            seed=order["seed"],
            checkpoints=Path(order["checkpoints"]) if order.get("checkpoints") else None,
            watch=watch,
            start=Path(order["start"]) if order.get("start") else None,
        )


def key_of(family: Family, options: Options, lineage: Mapping[str, Any], seed: int) -> str:
    """The training key: data, config as far as something other is learned by it, seed and version of the code."""
    learned = {**options.as_json(), "training": options.training.learned()}
    ends = options.training.max_minutes
    return fingerprint([family.name, learned, ends, dict(lineage), seed, [family.version, training.VERSION]])


if __name__ == "__main__":
    main()
