"""Training data in a folder, as several processes can open it without copying.

<folder>/tokenizer.json
<folder>/data.json                     columns, names of the classes, rows left out by reason
<folder>/<split>/<column>/…            a store of tokens (`data.token_store`)
<folder>/<split>/<column>.npy          numbers, int64
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from data import files
from data.errors import LakeError
from data.token_store import open_store
from models.family import Split, TrainingData
from models.vocabulary import FILE, Vocabulary

ABOUT = "data.json"
SPLITS = ("train", "validation")


def describe(
    folder: Path,
    tokenizer: str,
    *,
    columns: Sequence[str],
    labels: Sequence[str] = (),
    rejects: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Write what belongs to all splits, last of all: a folder with `data.json` is whole."""
    files.write_bytes(folder / FILE, tokenizer.encode("utf-8"))
    files.write_json(folder / ABOUT, {"columns": list(columns), "labels": list(labels), "rejects": dict(rejects)})


def write_numbers(folder: Path, split: str, numbers: Mapping[str, npt.NDArray[np.int64]]) -> None:
    """Write the numbers of a split."""
    (folder / split).mkdir(parents=True, exist_ok=True)
    for name, values in numbers.items():
        np.save(folder / split / f"{name}.npy", values.astype(np.int64), allow_pickle=False)


def open_data(folder: Path, marks: Sequence[str]) -> TrainingData:
    """Open prepared data for a family with some marks. Raises LakeError where the folder is not whole."""
    about = files.read_json(folder / ABOUT)
    if about is None:
        raise LakeError(f"{folder} holds no prepared data; run `textmill train` again")
    train, validation = (_split(folder / name, about["columns"]) for name in SPLITS)
    if train is None:
        raise LakeError(f"{folder} has no training split; run `textmill train` again")
    vocabulary = Vocabulary((folder / FILE).read_text("utf-8"), tuple(marks))
    return TrainingData(vocabulary, train, validation, tuple(about["labels"]), about.get("rejects", {}))


def _split(folder: Path, columns: Sequence[str]) -> Split | None:
    if not folder.is_dir():
        return None
    numbers = {path.stem: np.load(path, allow_pickle=False) for path in sorted(folder.glob("*.npy"))}
    return Split({name: open_store(folder / name) for name in columns if (folder / name).is_dir()}, numbers)
