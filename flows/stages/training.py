"""Train the models of a pipeline and register them: one function per model, one key per training."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from data.errors import ConfigError, TextmillError
from data.hashing import fingerprint
from data.progress import Progress
from data.splits import split_of
from flows.job import Job, Ref, code_of
from flows.stages.corpus import read, read_batches
from flows.stages.forgotten import check_meanwhile
from flows.stages.tokens import tokenizer_text
from models.registry import ModelVersion, Registry

HISTORY = "history.json"


@dataclass(frozen=True)
class Inputs:
    """The dataset versions, and the tokenizer, that trainings read."""

    corpus: Ref
    tokens: Ref
    tokenizer: str
    labelled_text: Ref
    labelled_spans: Ref


@dataclass(frozen=True)
class Trained:
    """A registered training."""

    task: str
    model: str
    version: str
    reused: bool


@dataclass(frozen=True)
class Recipe:
    """What a training is made of: `key` decides it, `code` is what trains, `fit` writes its artefact into a folder."""

    key: str
    config: Mapping[str, Any]
    lineage: Mapping[str, Any]
    code: str
    fit: Callable[[Path], None]


def train(job: Job, task: str, inputs: Inputs) -> Trained:
    """Train a model unless this very training is registered; tasks are those of `TASKS`."""
    registry = Registry(job.lake.models)
    name = job.model_name(task)
    recipe = TASKS[task](job, inputs)
    if (found := registry.find(name, recipe.key)) is not None:
        return Trained(task, name, found.version, reused=True)
    # Where it is swept, should this process be killed.
    with tempfile.TemporaryDirectory(prefix="train-", dir=job.lake.scratch(job.pipeline)) as scratch:
        recipe.fit(Path(scratch))
        check_meanwhile(job, [inputs.corpus, inputs.labelled_text, inputs.labelled_spans])
        registered = registry.register(
            name,
            Path(scratch),
            kind=task,
            lineage=recipe.lineage,
            config=recipe.config,
            training_key=recipe.key,
            created=job.started,
            code=recipe.code,
        )
    return Trained(task, name, registered.version, reused=False)


def key_of(job: Job, task: str, inputs: Inputs) -> str:
    """Key of a training, without doing it."""
    return TASKS[task](job, inputs).key


def registered(job: Job, trained: Trained) -> ModelVersion:
    """The registered artefact, its files checked against their hashes."""
    return Registry(job.lake.models).load(trained.model, trained.version)


def in_split(job: Job, ref: Ref, columns: list[str], split: str) -> pl.DataFrame:
    """Documents of a split, which the hash of the doc_id decides; of the others one part at a time is in memory.

    Raises TextmillError for an empty training split.
    """
    parts = list(frames_in_split(job, ref, columns, split))
    found = pl.concat(parts) if parts else read(job, ref, ["doc_id", *columns])
    if split == "train" and found.is_empty():
        raise _nothing_to_train_on(ref.rows)
    return found


def frames_in_split(job: Job, ref: Ref, columns: list[str], split: str) -> Iterator[pl.DataFrame]:
    """The documents of a split, a batch of a part at a time."""
    names = ["doc_id", *columns]
    for part in job.manifest(ref)["parts"]:
        for frame in read_batches(job, ref, part, names):
            yield _of_split(split, frame)


def _nothing_to_train_on(rows: int) -> TextmillError:
    return TextmillError(
        f"{rows} documents leave none to train on; read more pages (raise --limit or add a --source), "
        "or stop at the corpus with `textmill corpus build`"
    )


def _of_split(split: str, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.Series([split_of(doc_id) == split for doc_id in frame["doc_id"]], dtype=pl.Boolean))


def _recipe(
    job: Job, task: str, config: Any, lineage: dict[str, Any], *, version: int, fit: Callable[[Path], None]
) -> Recipe:
    plain = config if isinstance(config, dict) else asdict(config)
    key = fingerprint([task, plain, lineage, job.recipe.seed, [version]])
    return Recipe(key, plain, lineage, code_of(**{task: version}), fit)


def configured(job: Job, task: str, kind: Any, **defaults: Any) -> Any:
    """The options of a model: the recipe's overrides on its defaults. Raises ConfigError naming a wrong one."""
    try:
        return kind(**{**defaults, **job.recipe.model(task)})
    except TypeError as error:
        known = ", ".join(kind.__dataclass_fields__)
        raise ConfigError(f"models.{task}: {str(error).rsplit(') ', maxsplit=1)[-1]}; options are {known}") from error


def _word2vec(job: Job, inputs: Inputs) -> Recipe:
    from models.embeddings import word2vec

    config = configured(job, "word2vec", word2vec.Word2VecConfig)

    def fit(folder: Path) -> None:
        texts = in_split(job, inputs.corpus, ["text"], "train")["text"]
        vectors = word2vec.train(texts, config, seed=job.recipe.seed, progress=job.listen("Train word2vec"))
        vectors.save(folder)

    return _recipe(job, "word2vec", config, {"corpus": inputs.corpus.version}, version=word2vec.VERSION, fit=fit)


def _vectors(job: Job, inputs: Inputs) -> ModelVersion:
    registry = Registry(job.lake.models)
    key = key_of(job, "word2vec", inputs)
    found = registry.find(job.model_name("word2vec"), key)
    if found is None:
        train(job, "word2vec", inputs)
        return _vectors(job, inputs)
    return registry.load(found.name, found.version)


def _summaries(job: Job, inputs: Inputs) -> Recipe:
    from models.tasks import summaries

    config = configured(job, "summaries", summaries.SummaryConfig)

    def fit(folder: Path) -> None:
        from models.embeddings.vectors import WordVectors

        summaries.Summariser(config, WordVectors.load(_vectors(job, inputs).path)).save(folder)

    lineage = {"word2vec": key_of(job, "word2vec", inputs)}
    return _recipe(job, "summaries", config, lineage, version=summaries.VERSION, fit=fit)


def _keyphrases(job: Job, inputs: Inputs) -> Recipe:
    from models.tasks import keyphrases

    config = configured(job, "keyphrases", keyphrases.KeyphraseConfig)

    def fit(folder: Path) -> None:
        from models.embeddings.vectors import WordVectors

        texts = in_split(job, inputs.corpus, ["text"], "train")["text"].to_list()
        listen = job.listen("Train keyphrases")
        vectors = WordVectors.load(_vectors(job, inputs).path)
        model = keyphrases.KeyphraseModel.fit(
            texts, vectors, config, progress=lambda done, _total: listen(done, len(texts))
        )
        model.save(folder)

    lineage = {"corpus": inputs.corpus.version, "word2vec": key_of(job, "word2vec", inputs)}
    return _recipe(job, "keyphrases", config, lineage, version=keyphrases.VERSION, fit=fit)


def _gpt(job: Job, inputs: Inputs) -> Recipe:
    from models import fitting, training
    from models.catalogue import neural

    gpt = neural("gpt")
    try:
        options = fitting.checked(gpt, job.recipe.model("gpt"))
    except ConfigError as error:
        raise ConfigError(f"models.gpt: {error}") from error

    def fit(folder: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="gpt-", dir=job.lake.scratch(job.pipeline)) as scratch:
            data = _token_data(job, inputs, Path(scratch), gpt.marks)
            watch = watching(job.listen("Train gpt"))
            fitting.fit(gpt, options, data, folder, seed=job.recipe.seed, watch=watch)

    lineage = {"tokens": inputs.tokens.version, "tokenizer": inputs.tokenizer}
    key = fitting.key_of(gpt, options, lineage, job.recipe.seed)
    code = code_of(gpt=gpt.version, training=training.VERSION)
    return Recipe(key, options.as_json(), lineage, code, fit)


def watching(progress: Progress) -> Callable[[Any], None]:
    """What hears of each step of a training and tells how many are done."""
    return lambda moment: progress(moment.step, moment.steps)


def _token_data(job: Job, inputs: Inputs, folder: Path, marks: tuple[str, ...]) -> Any:
    """The tokens of the training and the validation split as stores.

    A corpus too small for a validation split gives its training documents.
    """
    from data import token_store
    from models import prepared
    from pipelines import tokenise

    tokenizer = tokenizer_text(job, inputs.tokenizer)
    size = tokenise.load(tokenizer).get_vocab_size()
    for split in prepared.SPLITS:
        rows = (frame["input_ids"] for frame in frames_in_split(job, inputs.tokens, ["input_ids"], split))
        store = token_store.write(folder / split / "text", rows, vocab_size=size)
        if not len(store) and split == "train":
            raise _nothing_to_train_on(inputs.tokens.rows)
        if not len(store):
            shutil.rmtree(folder / split)
            shutil.copytree(folder / "train", folder / split)
    prepared.describe(folder, tokenizer, columns=["text"])
    return prepared.open_data(folder, marks)


def _sentiment(job: Job, inputs: Inputs) -> Recipe:
    from models.tasks import sentiment

    config = configured(job, "sentiment", sentiment.SentimentConfig)

    def fit(folder: Path) -> None:
        rows = read(job, inputs.labelled_text)
        training, validation = (rows.filter(pl.col("split") == split) for split in ("train", "validation"))
        held = (validation["text"].to_list(), validation["label"].to_list()) if validation.height else None
        model = sentiment.train(
            training["text"].to_list(),
            training["label"].to_list(),
            config=config,
            validation=held,
            progress=job.listen("Train sentiment"),
        )
        model.save(folder)

    return _recipe(
        job, "sentiment", config, {"labelled_text": inputs.labelled_text.version}, version=sentiment.VERSION, fit=fit
    )


def _entities(job: Job, inputs: Inputs) -> Recipe:
    from models.tasks import entities

    config = configured(job, "entities", entities.EntityConfig)

    def fit(folder: Path) -> None:
        # The sample is small: the model learns from all of it, and is scored by cross-validation.
        rows = read(job, inputs.labelled_spans)
        model = entities.train(
            rows["text"].to_list(), rows["spans"].to_list(), config=config, progress=job.listen("Train entities")
        )
        model.save(folder)

    return _recipe(
        job, "entities", config, {"labelled_spans": inputs.labelled_spans.version}, version=entities.VERSION, fit=fit
    )


TASKS: dict[str, Callable[[Job, Inputs], Recipe]] = {
    "word2vec": _word2vec,
    "sentiment": _sentiment,
    "entities": _entities,
    "gpt": _gpt,
    "summaries": _summaries,
    "keyphrases": _keyphrases,
}
