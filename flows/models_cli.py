"""The commands `textmill models …`: parse, call one use case."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.options import DEFAULT_LAKE, Json, LakeDir, Mlflow

models_app = typer.Typer(help="Look at registered models and move their champion.", no_args_is_help=True)


@models_app.command("list")
def models_list(lake: LakeDir = DEFAULT_LAKE, json: Json = False) -> None:
    """Registered models, their champions, candidates and versions."""
    from flows import commands

    commands.list_models(lake, json=json)


@models_app.command("show")
def models_show(name: str, which: str = "latest", lake: LakeDir = DEFAULT_LAKE) -> None:
    """Card of a model version: files, lineage, config."""
    from flows import commands

    commands.show_model(lake, name, which)


@models_app.command("families")
def models_families(json: Json = False) -> None:
    """Every model that `textmill train` can train, and the columns it reads."""
    from flows import family_commands

    family_commands.families(json=json)


@models_app.command("options")
def models_options(name: str, json: Json = False) -> None:
    """Every option of a model with its default, for --set and --config."""
    from flows import family_commands

    family_commands.options(name, json=json)


@models_app.command("promote")
def models_promote(
    name: str,
    which: Annotated[str, typer.Argument(help="A version, an alias or latest.")] = "candidate",
    alias: Annotated[str, typer.Option(help="The alias to move.")] = "champion",
    because: Annotated[str | None, typer.Option(help="Your reason, where no score decides; it is logged.")] = None,
    lake: LakeDir = DEFAULT_LAKE,
) -> None:
    """Point an alias to a version that is better on the same held-out rows, or for a reason that you give."""
    from flows import registry_commands

    registry_commands.promote(lake, name, which, alias=alias, because=because)


@models_app.command("export")
def models_export(name: str, target: Path, which: str = "champion", lake: LakeDir = DEFAULT_LAKE) -> None:
    """Copy the files of a version, checked against their hashes, into a new folder."""
    from flows import registry_commands

    registry_commands.export(lake, name, which, target)


@models_app.command("mirror")
def models_mirror(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Models; by default all.")] = None,
    mlflow: Mlflow = None,
    prefix: Annotated[str, typer.Option(help="Before the names in MLflow, where several lakes share a store.")] = "",
    weights: Annotated[bool, typer.Option("--weights", help="Copy all files, not only those to read.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Delete in MLflow what left the registry.")] = False,
    lake: LakeDir = DEFAULT_LAKE,
    json: Json = False,
) -> None:
    """Bring all versions, aliases, scores and curves into an MLflow store; a second call adds nothing."""
    from flows.mirroring import command
    from flows.mirroring.mirror import Wanted

    wanted = Wanted(tuple(names or ()), prefix=prefix, weights=weights, prune=prune)
    command.bring(lake, wanted, mlflow, json=json)


@models_app.command("rollback")
def models_rollback(name: str, lake: LakeDir = DEFAULT_LAKE) -> None:
    """Point the champion alias back to the version before."""
    from flows import commands

    commands.rollback(lake, name)
