"""The models by name: each entry says where its family is; nothing heavy is imported before it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from data.errors import ConfigError

if TYPE_CHECKING:
    from models.family import Family

FAMILIES = {
    "gpt": "models.families.gpt",
    "text-gan": "models.families.text_gan",
    "text-vae": "models.families.text_vae",
}
"""Neural architectures, which the training engine teaches: a module that defines `FAMILY`."""


def family(name: str) -> Family:
    """The family of a name. Raises ConfigError for a name that is not there, telling those that are."""
    if name not in FAMILIES:
        raise ConfigError(f"there is no model {name!r}; there are {', '.join(sorted(FAMILIES))}")
    found: Family = import_module(FAMILIES[name]).FAMILY
    return found
