"""Rules, recipes and readers from a user's own modules, named in the configuration.

A module may hold `RULES` and `RECIPES` (see `pipelines.quality`), and `READERS` and `ENDINGS` (see
`pipelines.sources`). They go into the registries under their names; a name that is taken is refused.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from data.errors import ConfigError
from data.hashing import sha256_file

_OURS = ("data", "pipelines", "models", "flows")


def load(names: Iterable[str]) -> None:
    """Import modules by dotted name or by the path of a `.py` file, and register what they hold; again changes nothing.

    Raises ConfigError for what cannot be imported and for names that are taken.
    """
    from pipelines import quality, sources

    for name in names:
        module = _imported(name)
        for rule in getattr(module, "RULES", ()):
            quality.register_rule(rule)
        for recipe in getattr(module, "RECIPES", ()):
            quality.register_recipe(recipe)
        for reader, read in getattr(module, "READERS", {}).items():
            sources.register_reader(reader, read, getattr(module, "ENDINGS", {}).get(reader, ()))


def found(reference: str) -> Any:
    """What `module:attribute` names. Raises ConfigError where there is no such thing."""
    name, _, attribute = reference.partition(":")
    module = _imported(name)
    if not hasattr(module, attribute):
        names = ", ".join(sorted(each for each in vars(module) if not each.startswith("_")))
        raise ConfigError(f"'{reference}': module {name} has no '{attribute}'; it has {names}")
    return getattr(module, attribute)


def code(name: str) -> str | None:
    """What tells one state of a user's module from another: its VERSION, or else the hash of its file.

    None for a module of textmill itself, whose steps have versions of their own.
    """
    if name.partition(".")[0] in _OURS:
        return None
    module = sys.modules[name]
    declared = getattr(module, "VERSION", None)
    if declared is not None:
        return f"version {declared}"
    return sha256_file(Path(module.__file__)) if module.__file__ else "built in"


def _imported(name: str) -> ModuleType:
    try:
        return _from_file(Path(name)) if name.endswith(".py") else importlib.import_module(name)
    except ConfigError:
        raise
    except Exception as error:
        hint = "give its path, or put its folder on PYTHONPATH" if isinstance(error, ModuleNotFoundError) else "mend it"
        raise ConfigError(f"module '{name}' cannot be imported: {type(error).__name__}: {error}; {hint}") from error


def _from_file(path: Path) -> ModuleType:
    """The module of a file, under the file's name."""
    name, file = path.stem, str(path.resolve())
    known = sys.modules.get(name)
    if known is not None:
        if known.__file__ and str(Path(known.__file__).resolve()) == file:
            return known
        raise ConfigError(f"module '{path}': another module is called '{name}' already; rename the file")
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not path.is_file():
        raise ConfigError(f"module '{path}' cannot be imported: there is no such file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
