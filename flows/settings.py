"""The environment of a command: where the lake is, and how many workers there are."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings from variables `TEXTMILL_…`."""

    model_config = SettingsConfigDict(env_prefix="TEXTMILL_")

    lake: Path = Path("lake")
    workers: int | None = None
