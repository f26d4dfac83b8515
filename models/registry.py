"""Where trained models live: immutable versions, aliases that are moved by evidence, a log of every move.

    <root>/<name>/v000001/…files, model.json     a version; it appears whole, by one rename
    <root>/<name>/log.jsonl                      every move of an alias, appended; the last one tells where it points
    <root>/.staging/<name>/  <root>/.locks/      work in progress, which no reader looks at

A version is checked against its SHA-256 sums whenever it is loaded. Locks are `flock`s: the kernel
releases them when their holder is killed.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data import files
from data.errors import TextmillError
from data.hashing import sha256_file
from data.sealing import seal

CARD = "model.json"
LOG = "log.jsonl"
CHAMPION = "champion"
LATEST = "latest"
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
        found = self.root.iterdir() if self.root.is_dir() else ()
        return sorted(path.name for path in found if _NAME.fullmatch(path.name) and self.versions(path.name))

    def versions(self, name: str) -> list[str]:
        """Versions of a model, oldest first; empty where there is none of that name."""
        home = self._home(name)
        found = home.iterdir() if home.is_dir() else ()
        return sorted(path.name for path in found if _VERSION.fullmatch(path.name) and (path / CARD).is_file())

    def find(self, name: str, training_key: str) -> ModelVersion | None:
        """The newest version with this training key, or None: a finished training is not repeated."""
        for version in reversed(self.versions(name)):
            model = self._read(name, version)
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
            version = self._next_version(name)
            staged = self._stage(name, source_dir)
            card = {
                "name": name,
                "version": version,
                "kind": kind,
                "created": created,
                "files": _inventory(staged),
                "lineage": dict(lineage),
                "metrics": [dict(metric) for metric in metrics],
                "config": dict(config),
                "training_key": training_key,
                "code": code,
            }
            files.write_json(staged / CARD, seal(card))
            self._publish(staged, self._home(name) / version)
            return self._read(name, version)

    def load(self, name: str, which: str = CHAMPION) -> ModelVersion:
        """The version that an alias, `latest` or a version number names, after checking every byte of it.

        Raises RegistryError for an unknown name, version or alias, and for a damaged file.
        """
        model = self._read(name, self.resolve(name, which))
        _verify(model)
        return model

    def resolve(self, name: str, which: str) -> str:
        """The version number that an alias, `latest` or a version number stands for."""
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
        stack = self.stack(name, alias)
        return stack[-1] if stack else None

    def log(self, name: str) -> list[dict[str, Any]]:
        """Every move of an alias of the model, oldest first."""
        path = self._home(name) / LOG
        if not path.is_file():
            return []
        # What follows the last line end was cut off by a kill and never happened.
        whole = path.read_text("utf-8").rpartition("\n")[0]
        return [json.loads(line) for line in whole.split("\n") if line]

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
            current = self.alias(name, alias)
            if current != expected:
                raise RegistryError(
                    f"{name}@{alias} is {current}, not {expected}: it was moved meanwhile; evaluate again"
                )
            if current != version:
                self._append(name, _move("promote", alias, before=current, after=version, when=when, evidence=evidence))

    def rollback(self, name: str, alias: str, when: str) -> str:
        """Point an alias to the version it had before, and tell which; raises RegistryError where there is none."""
        with self._locked(name):
            stack = self.stack(name, alias)
            if len(stack) < 2:
                raise RegistryError(f"{name}@{alias} is {_listed(stack)}: there is no version before it to go back to")
            self._append(name, _move("rollback", alias, before=stack[-1], after=stack[-2], when=when, evidence={}))
            return stack[-2]

    def stack(self, name: str, alias: str) -> list[str]:
        """Versions the alias would go back through, the current one last."""
        stack: list[str] = []
        for move in self.log(name):
            if move["alias"] == alias and move["action"] == "promote":
                stack.append(move["to"])
            elif move["alias"] == alias:
                stack.pop()
        return stack

    def _append(self, name: str, move: Mapping[str, Any]) -> None:
        path = self._home(name) / LOG
        with path.open("a+b") as log:
            log.seek(0)
            log.truncate(log.read().rfind(b"\n") + 1)
            log.write((json.dumps(move, sort_keys=True, ensure_ascii=False) + "\n").encode("utf-8"))
            log.flush()
            os.fsync(log.fileno())
        files.sync(path.parent)

    def _stage(self, name: str, source: Path) -> Path:
        """Copy the files of `source` into a directory that no reader sees; leftovers of killed runs go."""
        if (source / CARD).exists():
            raise RegistryError(f"{source} holds a {CARD}, which the registry writes; register the trained files alone")
        shutil.rmtree(self.root / ".staging" / name, ignore_errors=True)
        staged = self.root / ".staging" / name / uuid.uuid4().hex
        try:
            shutil.copytree(source, staged)
        except OSError as error:
            raise RegistryError(f"cannot copy the model files in {source}: {error}") from error
        if not any(path.is_file() for path in staged.rglob("*")):
            raise RegistryError(f"{source} holds no files; save the model there before it is registered")
        return staged

    def _publish(self, staged: Path, target: Path) -> None:
        """Flush everything, then let the version appear by one rename."""
        for path in staged.rglob("*"):
            files.sync(path)
        files.sync(staged)
        target.parent.mkdir(parents=True, exist_ok=True)
        staged.rename(target)
        files.sync(target.parent)
        files.sync(self.root)

    def _next_version(self, name: str) -> str:
        versions = self.versions(name)
        return f"v{int(versions[-1][1:]) + 1 if versions else 1:06d}"

    def _read(self, name: str, version: str) -> ModelVersion:
        path = self._home(name) / version
        return ModelVersion(name, version, path, files.read_json(path / CARD))

    def _home(self, name: str) -> Path:
        _demand_name(name, "model name")
        return self.root / name

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """One writer of a model at a time, over all processes and threads."""
        path = self.root / ".locks" / f"{self._home(name).name}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _inventory(directory: Path) -> dict[str, dict[str, Any]]:
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    return {
        path.relative_to(directory).as_posix(): {"sha256": sha256_file(path), "bytes": path.stat().st_size}
        for path in paths
    }


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
