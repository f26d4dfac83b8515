"""The environment of a command: where the lake is, how it meets the network, how many workers there are, what mirrors
its models."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from pipelines.download.network import CONTACT, WIKIMEDIA, Network


class Settings(BaseSettings):
    """Settings from variables `TEXTMILL_…`."""

    model_config = SettingsConfigDict(env_prefix="TEXTMILL_")

    lake: Path = Path("lake")
    workers: int | None = None
    wikimedia: str = WIKIMEDIA
    contact: str = CONTACT
    mlflow: str | None = None

    def network(self) -> Network:
        """How downloads behave: TEXTMILL_WIKIMEDIA names a mirror of the dumps, TEXTMILL_CONTACT who asks."""
        return Network(wikimedia=self.wikimedia, contact=self.contact)
