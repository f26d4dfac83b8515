"""Where trained models live: immutable versions, aliases that are moved by evidence, a log of every move.

    <root>/<name>/v000001/…files, model.json     a version; it appears whole, by one rename
    <root>/<name>/log.jsonl                      every move of an alias, appended; the last one tells where it points
    <root>/.staging/<name>/  <root>/.locks/      work in progress, which no reader looks at

A version is checked against its SHA-256 sums whenever it is loaded. Locks are `flock`s: the kernel
releases them when their holder is killed. In an object store a version appears with its card, put last; a number is
claimed, the log replaced and a training key taken (`.keys/`) by whoever is first; files are loaded from local copies.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from data import files
from data.errors import TextmillError
from data.hashing import fingerprint, sha256_file
from data.sealing import seal
from data.storage import ObjectPath, cache, objects

CARD = "model.json"
LOG = "log.jsonl"
CHAMPION = "champion"
CANDIDATE = "candidate"
LATEST = "latest"
_CLAIM = ".claim"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*")
_VERSION = re.compile(r"v\d{6}")


class RegistryError(TextmillError):
    """A model, version or alias is not there, is damaged, or was moved by somebody else."""


@dataclass(frozen=True)
class ModelVersion:
    """One registered version: its directory, and its card (`model.json`) as plain data."""

    name: str
    version: str
    path: Path
    card: Mapping[str, Any]


@dataclass(frozen=True)
class Registry:
    """The models below one directory, which is made when the first of them is registered."""

    root: Path

    def names(self) -> list[str]:
        """Names of the models that have a version, sorted."""
        found = _entries(self.root)
        return sorted(path.name for path in found if _NAME.fullmatch(path.name) and self.versions(path.name))

    def versions(self, name: str) -> list[str]:
        """Versions of a model, oldest first; empty where there is none of that name."""
        return [version for version in self._numbers(name) if (self._home(name) / version / CARD).is_file()]

    def _numbers(self, name: str) -> list[str]:
        """Versions that are there or being made."""
        return sorted(path.name for path in _entries(self._home(name)) if _VERSION.fullmatch(path.name))

    def find(self, name: str, training_key: str) -> ModelVersion | None:
        """The newest version with this training key, or None: a finished training is not repeated."""
        taken = files.read_json(self._key_file(name, training_key))
        for version in [taken["version"]] if taken else reversed(self.versions(name)):
            model = self.read(name, version)
            if model.card["training_key"] == training_key:
                return model
        return None

    def register(
        self,
        name: str,
        source_dir: Path,
        *,
        kind: str,
        lineage: Mapping[str, Any],
        config: Mapping[str, Any],
        training_key: str,
        created: str,
        metrics: Sequence[Mapping[str, Any]] = (),
        code: str = "",
    ) -> ModelVersion:
        """Copy the files of `source_dir` into a new version; a finished training key gives the version it has.

        `created` is the time as the caller knows it, ISO 8601. Raises RegistryError for a directory without files.
        """
        with self._locked(name):
            if (existing := self.find(name, training_key)) is not None:
                return existing
            _check_files(source_dir)
            card = {
                "name": name,
                "kind": kind,
                "created": created,
                "files": _inventory(source_dir),
                "lineage": dict(lineage),
                "metrics": [dict(metric) for metric in metrics],
                "config": dict(config),
                "training_key": training_key,
                "code": code,
            }
            add = self._put if isinstance(self.root, ObjectPath) else self._rename
            return self.read(name, add(name, source_dir, card))

    def load(self, name: str, which: str = CHAMPION) -> ModelVersion:
        """The version that an alias, `latest` or a version number names, after checking every byte of it.

        Raises RegistryError for an unknown name, version or alias, and for a damaged file.
        """
        model = self.read(name, self.resolve(name, which))
        if isinstance(model.path, ObjectPath):
            return replace(model, path=_verified_copy(model, model.path))
        _verify(model)
        return model

    def read(self, name: str, version: str) -> ModelVersion:
        """A version with its card, its files as they are; `load` checks them."""
        path = self._home(name) / version
        return ModelVersion(name, version, path, files.read_json(path / CARD))

    def resolve(self, name: str, which: str) -> str:
        """The version number that an alias, `latest` or a version number stands for."""
        named = which if _VERSION.fullmatch(which) else None if which == LATEST else self.alias(name, which)
        if named and (self._home(name) / named / CARD).is_file():
            return named  # without a list of all
        versions = self.versions(name)
        if not versions:
            raise RegistryError(f"no model {name!r} in {self.root}; there are: {_listed(self.names())}")
        version = versions[-1] if which == LATEST else which if _VERSION.fullmatch(which) else self.alias(name, which)
        if version is None:
            known = {move["alias"] for move in self.log(name)}
            raise RegistryError(
                f"model {name!r} has no alias {which!r}; there are: {_listed([LATEST, *sorted(known)])}"
            )
        if version not in versions:
            raise RegistryError(f"model {name!r} has no version {version}; there are: {_listed(versions)}")
        return version

    def alias(self, name: str, alias: str = CHAMPION) -> str | None:
        """The version an alias points to, or None where it was never set."""
        return next(reversed(_stack(self.log(name), alias)), None)

    def log(self, name: str) -> list[dict[str, Any]]:
        """Every move of an alias of the model, oldest first."""
        try:
            return _moves((self._home(name) / LOG).read_bytes())
        except FileNotFoundError:
            return []

    def promote(
        self, name: str, alias: str, version: str, *, expected: str | None, evidence: Mapping[str, Any], when: str
    ) -> None:
        """Point an alias to a version, provided it still points to `expected` (None: to nothing).

        Raises RegistryError where somebody moved it meanwhile, and where there is no such version.
        """
        _demand_name(alias, "alias")
        if alias == LATEST or _VERSION.fullmatch(alias):
            raise RegistryError(
                f"{alias!r} cannot be an alias: it has a meaning of its own; use another, as {CHAMPION!r}"
            )
        if not _VERSION.fullmatch(version):
            raise RegistryError(f"{version!r} is not a version number; there are: {_listed(self.versions(name))}")
        with self._locked(name):
            self.resolve(name, version)

            def promoted(moves: list[dict[str, Any]]) -> dict[str, Any] | None:
                current = next(reversed(_stack(moves, alias)), None)
                if current != expected:
                    raise RegistryError(
                        f"{name}@{alias} is {current}, not {expected}: it was moved meanwhile; evaluate again"
                    )
                if current == version:
                    return None
                return _move("promote", alias, before=current, after=version, when=when, evidence=evidence)

            self._move_by(name, promoted)

    def rollback(self, name: str, alias: str, when: str) -> str:
        """Point an alias to the version it had before, and tell which; raises RegistryError where there is none."""

        def rolled_back(moves: list[dict[str, Any]]) -> dict[str, Any]:
            stack = _stack(moves, alias)
            if not stack:
                raise RegistryError(f"{name} has no {alias}; see `textmill models list`")
            if len(stack) < 2:
                raise RegistryError(f"{name}@{alias} is {_listed(stack)}: there is no version before it to go back to")
            return _move("rollback", alias, before=stack[-1], after=stack[-2], when=when, evidence={})

        with self._locked(name):
            return str(self._move_by(name, rolled_back)[-1]["to"])

    def stack(self, name: str, alias: str) -> list[str]:
        """Versions the alias would go back through, the current one last."""
        return _stack(self.log(name), alias)

    def _move_by(
        self, name: str, decide: Callable[[list[dict[str, Any]]], dict[str, Any] | None]
    ) -> list[dict[str, Any]]:
        """Add the move to the log that `decide` makes of all moves, unless it makes none; returns all moves."""

        def added(before: bytes | None) -> bytes | None:
            move = decide(_moves(before or b""))
            if move is None:
                return None
            whole = (before or b"")[: (before or b"").rfind(b"\n") + 1]
            return whole + (json.dumps(move, sort_keys=True, ensure_ascii=False) + "\n").encode("utf-8")

        return _moves(files.change(self._home(name) / LOG, added) or b"")

    def _rename(self, name: str, source: Path, card: Mapping[str, Any]) -> str:
        """Copy the files to where no reader looks, flush everything, then let the version appear by one rename."""
        files.remove_tree(self.root / ".staging" / name)  # leftovers of killed runs
        staged = self.root / ".staging" / name / uuid.uuid4().hex
        version = self._next_version(name)
        with files.writable(staged):
            _copy_tree(source, staged)
            files.write_json(staged / CARD, seal({**card, "version": version}))
            for path in staged.rglob("*"):
                files.sync(path)
            files.sync(staged)
            target = self._home(name) / version
            target.parent.mkdir(parents=True, exist_ok=True)
            staged.rename(target)
            files.sync(target.parent)
            files.sync(self.root)
        return version

    def _put(self, name: str, source: Path, card: Mapping[str, Any]) -> str:
        """Put the files under a number that nobody else has, then the card; the first of equal trainings stays."""
        mine = uuid.uuid4().hex
        while not files.create(self._home(name) / (version := self._next_version(name)) / _CLAIM, mine.encode()):
            continue
        folder = self._home(name) / version
        for file in card["files"]:
            files.link(source / file, folder / file)
        files.write_json(folder / CARD, seal({**card, "version": version}))
        key_file = self._key_file(name, card["training_key"])
        if files.create(key_file, files.json_bytes({"version": version})):
            return version
        (folder / CARD).unlink(missing_ok=True)
        files.remove_tree(folder)
        return str(files.read_json(key_file)["version"])

    def _next_version(self, name: str) -> str:
        remote = isinstance(self.root, ObjectPath)
        numbers = self._numbers(name) if remote else self.versions(name)
        return f"v{int(numbers[-1][1:]) + 1 if numbers else 1:06d}"

    def _key_file(self, name: str, training_key: str) -> Path:
        """Where an object store says which version a training made."""
        return self._home(name) / ".keys" / f"{fingerprint([training_key])}.json"

    def _home(self, name: str) -> Path:
        _demand_name(name, "model name")
        return self.root / name

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """One writer of a model at a time, over all processes and threads."""
        path = self.root / ".locks" / f"{self._home(name).name}.lock"
        with files.writable(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        with files.exclusive(path):
            yield


def _entries(folder: Path) -> Iterator[Path]:
    """What is in a folder, nothing where there is none."""
    try:
        yield from folder.iterdir()
    except (FileNotFoundError, NotADirectoryError):
        return


def _check_files(source: Path) -> None:
    if (source / CARD).exists():
        raise RegistryError(f"{source} holds a {CARD}, which the registry writes; register the trained files alone")
    if source.is_dir() and not any(path.is_file() for path in source.rglob("*")):
        raise RegistryError(f"{source} holds no files; save the model there before it is registered")


def _copy_tree(source: Path, staged: Path) -> None:
    """Copy the files of a folder. Not `shutil.copytree`, whose error does not tell a full disk from another."""
    if not source.is_dir():
        raise RegistryError(f"cannot copy the model files in {source}: there is no such folder")
    staged.mkdir(parents=True)
    for path in sorted(source.rglob("*")):
        target = staged / path.relative_to(source)
        if path.is_dir():
            target.mkdir()
        else:
            shutil.copyfile(path, target)


def _moves(log: bytes) -> list[dict[str, Any]]:
    """The moves of a log. What follows the last line end was cut off by a kill and never happened."""
    return [json.loads(line) for line in log[: log.rfind(b"\n") + 1].decode("utf-8").split("\n") if line]


def _stack(moves: list[dict[str, Any]], alias: str) -> list[str]:
    """Versions the alias would go back through, the current one last."""
    stack: list[str] = []
    for move in moves:
        if move["alias"] == alias and move["action"] == "promote":
            stack.append(move["to"])
        elif move["alias"] == alias:
            stack.pop()
    return stack


def _inventory(directory: Path) -> dict[str, dict[str, Any]]:
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    return {
        path.relative_to(directory).as_posix(): {"sha256": sha256_file(path), "bytes": path.stat().st_size}
        for path in paths
    }


def _verified_copy(model: ModelVersion, address: ObjectPath) -> Path:
    """A local folder with the files of a version, of which those are fetched that are not there or not whole."""
    folder = cache.folder_of(address, "models")
    for file, promised in model.card["files"].items():
        path = folder / file
        if not path.is_file() or sha256_file(path) != promised["sha256"]:
            with contextlib.suppress(FileNotFoundError), files.staging(path) as staged:
                objects.fetch(address / file, staged)
    _verify(replace(model, path=folder))
    return folder


def _verify(model: ModelVersion) -> None:
    for file, promised in model.card["files"].items():
        path = model.path / file
        if not path.is_file() or sha256_file(path) != promised["sha256"]:
            state = "damaged" if path.is_file() else "missing"
            raise RegistryError(
                f"{model.name} {model.version}: {file} is {state}; restore it from a copy or train again"
            )


def _move(
    action: str, alias: str, *, before: str | None, after: str, when: str, evidence: Mapping[str, Any]
) -> dict[str, Any]:
    return {"action": action, "alias": alias, "from": before, "to": after, "when": when, "evidence": dict(evidence)}


def _demand_name(name: str, what: str) -> None:
    if not _NAME.fullmatch(name):
        raise RegistryError(f"{name!r} cannot be a {what}: use letters, digits, '.', '_' and '-'")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "none"
