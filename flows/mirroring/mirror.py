"""Bring models of the registry into MLflow: versions, aliases, and what is known of their trainings.

A second call adds nothing. Aliases are put where the registry has them, forth and back; versions that left the
registry lose theirs and are marked, or deleted where that is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from data.errors import ConfigError
from data.lake import Lake
from flows.mirroring import runs
from flows.mirroring.content import KEY, LABEL, MODEL, STATE, Content, history
from flows.mirroring.store import MirrorError, Store, opened, spoken
from models.registry import LATEST, Registry

_PREFIX = re.compile(r"[A-Za-z0-9_.\-]*")
GONE = "no longer in the registry"


@dataclass(frozen=True)
class Wanted:
    """What is to be mirrored: `prefix` stands before the names in MLflow; `weights` go with the files that people
    read; `prune` deletes there what left the registry."""

    names: tuple[str, ...] = ()
    prefix: str = ""
    weights: bool = False
    prune: bool = False

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix):
            raise ConfigError(f"--prefix {self.prefix}: use letters, digits, '.', '_' and '-'")


@dataclass
class Told:
    """What a mirror did for one model."""

    model: str
    versions: int = 0
    added: list[str] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)


def mirror(lake: Lake, address: str, wanted: Wanted) -> list[Told]:
    """Mirror the models that are named, or all. Raises MirrorError, RegistryError and ConfigError."""
    registry = Registry(lake.models)
    names = wanted.names or tuple(registry.names())
    for name in names:
        if not registry.versions(name) and not wanted.prune:
            registry.resolve(name, LATEST)  # says which there are
    store = opened(address)
    with spoken(address), lake.lock("mlflow"), store.alone():
        return [Mirror(store, registry, name, wanted).bring() for name in names]


class Mirror:
    """One model on its way into a store."""

    def __init__(self, store: Store, registry: Registry, name: str, wanted: Wanted) -> None:
        self.store, self.client, self.registry = store, store.client, registry
        self.name, self.there, self.wanted = name, f"{wanted.prefix}{name}", wanted
        self.moves = registry.log(name)
        self.told = Told(name)

    def bring(self) -> Told:
        """Everything, and what was done for it."""
        found = self._registered()
        versions = self.registry.versions(self.name)
        self.told.versions = len(versions)
        there = self._versions()
        experiment = self.store.experiment(self.there)
        known = runs.by_key(self.store, experiment)
        for version in versions:
            model = self.registry.read(self.name, version)
            content = Content(model, tuple(self.moves))
            run = self._run(content, experiment, known.get(content.key))
            there[version] = self._version(there.get(version), content, run)
        self._gone({label: one for label, one in there.items() if label not in versions})
        self._aliases(
            {alias: str(number) for alias, number in found.aliases.items()},
            {label: str(one.version) for label, one in there.items()},
        )
        return self.told

    def _registered(self) -> Any:
        """The model in MLflow, made if need be. Raises MirrorError for one that somebody else put there."""
        found = next(iter(self.client.search_registered_models(f"name = '{self.there}'")), None)
        told = history(self.name, self.moves)
        if found is None:
            return self.client.create_registered_model(self.there, {MODEL: self.name}, told)
        if MODEL not in found.tags:
            raise MirrorError(f"MLflow has a model {self.there} that is none of textmill's; choose a --prefix")
        if found.description != told:
            self.client.update_registered_model(self.there, told)
        return found

    def _versions(self) -> dict[str, Any]:
        """The versions in MLflow by their label here, whatever number they have there."""
        found = runs.paged(self.client.search_model_versions, f"name = '{self.there}'")
        return {one.tags[LABEL]: one for one in sorted(found, key=lambda v: -int(v.version)) if LABEL in one.tags}

    def _run(self, content: Content, experiment: str, run: Any) -> Any:
        weights = self.wanted.weights
        if runs.is_whole(run, content, weights=weights):
            return run
        folder = self.registry.load(self.name, content.model.version).path if weights else None
        return runs.written(self.store, experiment, run, content, weights=folder)

    def _version(self, found: Any, content: Content, run: Any) -> Any:
        """The version in MLflow. Raises MirrorError for one of another registry."""
        label = content.model.version
        if found is None:
            self.told.added.append(label)
            return self.client.create_model_version(
                self.there,
                run.info.artifact_uri,
                run.info.run_id,
                tags={LABEL: label, KEY: content.key},
                description=content.summary,
                await_creation_for=None,
            )
        if found.tags[KEY] != content.key:
            raise MirrorError(
                f"MLflow has another {self.there} {label}, of another lake or of one that is no more; "
                "choose a --prefix, or delete it there"
            )
        return found

    def _gone(self, versions: Mapping[str, Any]) -> None:
        """What left the registry: marked, or deleted with its run."""
        for label, one in versions.items():
            if self.wanted.prune:
                self.client.delete_model_version(self.there, one.version)
                self.client.delete_run(one.run_id)
            elif STATE not in one.tags:
                self.client.set_model_version_tag(self.there, one.version, STATE, GONE)
            else:
                continue
            self.told.gone.append(label)

    def _aliases(self, there: Mapping[str, str], numbers: Mapping[str, str]) -> None:
        """Point every alias that the registry knows to where it has it."""
        for alias in dict.fromkeys(move["alias"] for move in self.moves):
            label = self.registry.alias(self.name, alias)
            number = numbers.get(label or "") if label in self.registry.versions(self.name) else None
            if number and there.get(alias) != number:
                self.client.set_registered_model_alias(self.there, alias, number)
                self.told.moved[alias] = str(label)
            elif number is None and alias in there:
                self.client.delete_registered_model_alias(self.there, alias)
                self.told.moved[alias] = "none"
