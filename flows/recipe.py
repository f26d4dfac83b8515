"""What a pipeline does with its sources: the options of every stage, from defaults and a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from data.errors import ConfigError
from flows.mistakes import mistake
from pipelines import extensions, quality
from pipelines.clean import CleanConfig
from pipelines.dedup import DedupConfig
from pipelines.extract import ExtractConfig
from pipelines.sources.config import SourceConfig
from pipelines.tokenise import TokeniserConfig

_REPEATED_ON = {"web": 10}  # documents that a line may stand in, by quality recipe: menus and notices of sites
MODELS = ("word2vec", "sentiment", "entities", "gpt", "summaries", "keyphrases")


class Recipe(BaseModel):
    """Options of a pipeline. `models` overrides the options of a model by name, for example gpt: {steps: 100}."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    modules: tuple[str, ...] = Field(
        default=(), description="modules with rules, recipes and readers of your own: dotted names or .py files"
    )
    sources: dict[str, SourceConfig] = Field(default_factory=dict, description="how a source is read, by its name")
    extract: ExtractConfig = Field(default_factory=ExtractConfig)
    clean: CleanConfig = Field(default_factory=CleanConfig)
    dedup: DedupConfig = Field(default_factory=DedupConfig)
    tokeniser: TokeniserConfig = Field(default_factory=TokeniserConfig)
    models: dict[str, dict[str, Any]] = Field(default_factory=dict)
    labelled_text: str = "sentiment-sample"
    labelled_spans: str = "entities-sample"
    seed: int = 0
    page_chars: int = Field(
        default=10_000_000, ge=1, description="characters of a page at the most; longer ones are rejected"
    )
    part_pages: int = Field(default=20_000, ge=1, description="pages of a batch at the most")
    part_chars: int = Field(default=16_000_000, ge=1000, description="characters of a batch at the most")
    part_batches: int | None = Field(
        default=None, ge=1, description="batches of a part of a multistream dump; by default 1 to 32 by its size"
    )
    on_bad_file: Literal["fail", "salvage"] = Field(
        default="fail", description="salvage: keep what can be read of a damaged dump and reject the rest"
    )
    page_seconds: float = Field(
        default=10.0, gt=0, description="CPU seconds that the extraction of a page may take; slower ones are rejected"
    )
    max_failed_share: float = Field(default=0.05, ge=0, le=1, description="share of failed records that ends a run")

    @model_validator(mode="before")
    @classmethod
    def extended(cls, content: Any) -> Any:
        """Load the modules before the options that name what is in them, and hand them to the workers of `clean`."""
        if not isinstance(content, Mapping) or not (modules := content.get("modules")):
            return content
        if not isinstance(modules, list | tuple) or not all(isinstance(name, str) for name in modules):
            raise ValueError(f"modules: it must be a list of names, not {modules!r}")
        extensions.load(modules)
        clean = content.get("clean") or {}
        return {**content, "clean": {**clean, "modules": modules}} if isinstance(clean, Mapping) else content

    @field_validator("models")
    @classmethod
    def known(cls, models: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Refuse options of a model that does not exist."""
        if unknown := next((name for name in models if name not in MODELS), None):
            raise ValueError(f"there is no model '{unknown}'; there are {', '.join(MODELS)}")
        return models

    def of(self, stage: str) -> dict[str, Any]:
        """Options of a stage as plain data."""
        options: dict[str, Any] = asdict(getattr(self, stage))
        return options

    def clean_for(self, readers: Iterable[str]) -> CleanConfig:
        """Options of `clean` with the quality recipe for what these readers read; `plain` where they differ."""
        names = {quality.default_recipe(reader) for reader in readers}
        return self.clean.for_recipe(names.pop() if len(names) == 1 else quality.default_recipe(""))

    def dedup_for(self, readers: Iterable[str]) -> DedupConfig:
        """Options of `dedup`; pages of the web lose the lines that many of them share, where nothing else is said."""
        repeated = self.dedup.repeated
        if repeated.max_documents is not None:
            return self.dedup
        most = _REPEATED_ON.get(self.clean_for(readers).recipe or "", 0)
        return replace(self.dedup, repeated=replace(repeated, max_documents=most))

    def model(self, name: str) -> Mapping[str, Any]:
        """Overrides for a model."""
        return self.models.get(name, {})


def read_recipe(path: Path | None) -> Recipe:
    """The recipe of a YAML or JSON file; the default one for None. Raises ConfigError naming the option."""
    if path is None:
        return Recipe()
    import yaml

    try:
        content = yaml.safe_load(path.read_text("utf-8")) or {}
        return Recipe.model_validate(_beside(path, content))
    except OSError as error:
        raise ConfigError(f"the config {path} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"the config {path} is no YAML: {_yaml(error)}") from error
    except ValidationError as error:
        raise ConfigError(f"the config {path}: {mistake(error.errors()[0], Recipe)}") from error


def _yaml(error: Exception) -> str:
    """What is wrong with a YAML file, and in which line where the parser knows."""
    problem, mark = getattr(error, "problem", None), getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}: {problem}" if problem and mark else str(error).splitlines()[0]


def _beside(path: Path, content: Any) -> Any:
    """The content of a config file with its `.py` modules found from the folder of the file."""
    if not isinstance(content, dict) or not isinstance(modules := content.get("modules"), list):
        return content
    found = [
        str((path.parent / name).resolve()) if isinstance(name, str) and name.endswith(".py") else name
        for name in modules
    ]
    return {**content, "modules": found}
