"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Pipeline = Annotated[str | None, typer.Option(help="Name of the pipeline; by default that of the source.")]
OnlyPipeline = Annotated[str | None, typer.Option("--pipeline", help="Name of the pipeline, where there are several.")]


def _place(word: str | Path) -> Path:
    from data.storage import place

    return place(word)


LakeDir = Annotated[
    Path,
    typer.Option(
        "--lake",
        envvar="TEXTMILL_LAKE",
        parser=_place,
        metavar="DIR",
        help="Folder of the lake, or its address in an object store: s3://BUCKET/PREFIX, gs://…, az://….",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Mlflow = Annotated[
    str | None,
    typer.Option(
        "--mlflow",
        envvar="TEXTMILL_MLFLOW",
        metavar="URI",
        help="Mirror it in this MLflow store as well: http://HOST:5000 or sqlite:///FILE.db.",
    ),
]
DEFAULT_LAKE = Path("lake")
