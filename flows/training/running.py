"""One training as it is ordered. It is done once, and one that was killed goes on from its checkpoint."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.errors import ConfigError, TextmillError
from data.lake import Lake
from flows.training.preparing import Prepared
from flows.training.rows import File, Published
from models import card, fitting
from models.catalogue import family as of_catalogue
from models.family import Family
from models.fitting import Options
from models.prepared import open_data
from models.registry import Registry
from models.training import Watcher, unwatched

TOKENISER = "tokeniser."
CANDIDATE = "candidate"


@dataclass(frozen=True)
class Order:
    """What `textmill train` was asked for. `options` are flat names and values; those of the tokenizer begin with
    `tokeniser.`."""

    lake: Lake
    model: str
    pipeline: str | None = None
    data: str | None = None
    validation: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    processes: int = 1

    @property
    def family(self) -> Family:
        """The family of the model."""
        return of_catalogue(self.model)

    def divided(self) -> tuple[Options, dict[str, Any]]:
        """The checked options of the training, and those of the tokenizer."""
        tokeniser = {k.removeprefix(TOKENISER): v for k, v in self.options.items() if k.startswith(TOKENISER)}
        rest = {name: value for name, value in self.options.items() if not name.startswith(TOKENISER)}
        return fitting.checked(self.family, rest), tokeniser

    def rows(self) -> Published | File:
        """Where the rows come from."""
        if self.data is not None and (path := Path(self.data)).suffix:
            return File(path, self.family.needs, self.columns, self.validation)
        if self.data is not None:
            raise ConfigError(
                f"--data {self.data}: give a .parquet, .csv, .jsonl or .txt file; without it, "
                "the training reads the release of --pipeline"
            )
        return Published.of(self.lake, self.pipeline, self.family.needs)

    def registered_as(self, rows: Published | File) -> str:
        """The name of the model in the registry."""
        origin = rows.pipeline if isinstance(rows, Published) else rows.path.stem
        return self.name or f"{origin}-{self.model}"


@dataclass(frozen=True)
class Result:
    """A registered training. `scores` are those of the last validation, or of the best where its weights were kept."""

    model: str
    version: str
    reused: bool
    path: Path
    record: Mapping[str, Any]


def run(
    order: Order, *, created: str, watch: Watcher = unwatched, tell: Callable[[str], None] = lambda _: None
) -> Result:
    """Train and register a model, unless this very training is registered already.

    `created` is the time, ISO 8601. Raises TextmillError, ConfigError and what the engine raises; after an error or a
    kill the same order goes on from the last checkpoint.
    """
    options, tokeniser = order.divided()
    rows = order.rows()
    prepared = Prepared.of(rows, order.family, tokeniser)
    key = fitting.key_of(order.family, options, prepared.lineage, order.seed)
    registry, name = Registry(order.lake.models), order.registered_as(rows)
    if (found := registry.find(name, key)) is not None:
        return Result(name, found.version, True, found.path, _record(found.path))
    folder = order.lake.training(key)
    tell("Preparing the tokens …")
    prepared.write(folder / "data")
    with order.lake.lock(f"training-{key}"), tempfile.TemporaryDirectory(dir=folder, prefix="artefact-") as scratch:
        _fit(order, options, folder, Path(scratch), watch)
        scores = _scores(Path(scratch))
        _write_card(Path(scratch), name, order, options=options, lineage=prepared.lineage, created=created)
        registered = registry.register(
            name,
            Path(scratch),
            kind=order.model,
            lineage=prepared.lineage,
            config=options.as_json(),
            training_key=key,
            created=created,
            metrics=[{**score, "split": "validation"} for score in scores["scores"]],
        )
        evidence = {"training": key}
        registry.promote(
            name,
            CANDIDATE,
            registered.version,
            expected=registry.alias(name, CANDIDATE),
            evidence=evidence,
            when=created,
        )
    shutil.rmtree(folder, ignore_errors=True)
    return Result(name, registered.version, False, registered.path, _record(registered.path))


def _fit(order: Order, options: Options, folder: Path, artefact: Path, watch: Watcher) -> None:
    checkpoints = folder / "checkpoints"
    if order.processes == 1:
        data = open_data(folder / "data", order.family.marks)
        fitting.fit(order.family, options, data, artefact, seed=order.seed, checkpoints=checkpoints, watch=watch)
        return
    flat = {name: value for name, value in order.options.items() if not name.startswith(TOKENISER)}
    wanted = {
        "family": order.model,
        "options": flat,
        "data": str(folder / "data"),
        "folder": str(artefact),
        "seed": order.seed,
        "checkpoints": str(checkpoints),
    }
    _in_processes(wanted, folder / "order.json", order.processes)


def _in_processes(wanted: Mapping[str, Any], path: Path, processes: int) -> None:
    """Let `torchrun` start the processes. Raises TextmillError with the end of what they said where one fails."""
    path.write_text(json.dumps(wanted), "utf-8")
    command = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m", "models.fitting"]
    environment = {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // processes))}
    done = subprocess.run(
        [sys.executable, *command, str(path)],
        env={**environment, **os.environ},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise TextmillError(f"a process of the training failed: {_said(done.stderr)}")


def _said(text: str) -> str:
    """What the first error says that ended a process, without its traceback."""
    found = re.search(r"^(?:\[rank\d+\]: )?[\w.]*(?:Error|Exception): (.+)$", text, flags=re.MULTILINE)
    return found[1] if found else text.strip()[-300:]


def _record(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / fitting.HISTORY).read_text("utf-8"))
    return found


def _scores(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / fitting.SCORES).read_text("utf-8"))
    return found


def _write_card(
    folder: Path, name: str, order: Order, *, options: Options, lineage: Mapping[str, Any], created: str
) -> None:
    found, record = _scores(folder), _record(folder)
    text = card.page(
        name=name,
        about=order.family.about,
        created=created,
        lineage=lineage,
        config={**options.as_json(), "seed": order.seed},
        scores=found["scores"],
        record=record,
        limits=card.limits_of(record, found["rows"], found["scores"]),
    )
    (folder / card.FILE).write_text(text, "utf-8")
