"""One reader per way in which a labelled set is published: files in the order of their names, examples in theirs."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from data.errors import TextmillError
from pipelines.labelled.archives import DAMAGE, MAX_BYTES, bounded, members
from pipelines.labelled.records import Example
from pipelines.sources.records import failed, filtered

_REVIEW = re.compile(r"aclImdb/(train|test)/(pos|neg)/(\d+_\d+)\.txt")
_PHRASES = re.compile(r"SST-2/(train|dev)\.tsv")
_STORY = re.compile(r"[\w-]+/stories/([0-9a-f]{40})\.story")
_BREAK = re.compile(r"(?:<br\s*/?>\s*)+", re.IGNORECASE)
_HIGHLIGHT = "@highlight"
_TONE = {"pos": "positive", "neg": "negative", "1": "positive", "0": "negative"}
_TYPES = {
    "person": "PER",
    "location": "LOC",
    "corporation": "ORG",
    "group": "ORG",
    "creative-work": "MISC",
    "product": "MISC",
}
"""Types of WNUT17 as ours; those of CoNLL are ours already."""


def examples(reader: str, paths: Sequence[Path]) -> Iterator[Example]:
    """The examples of a set by the named reader. Raises TextmillError for a damaged file and an unknown reader."""
    if reader not in READERS:
        raise TextmillError(f"there is no reader '{reader}' of labelled sets; there are {', '.join(READERS)}")
    together = [paths] if reader == "parallel" else [[path] for path in paths]
    return chain.from_iterable(_told(READERS[reader], group) for group in together)


def _told(read: Callable[[Sequence[Path]], Iterator[Example]], paths: Sequence[Path]) -> Iterator[Example]:
    """The examples of some files; what a damaged one raises, in words."""
    try:
        yield from read(paths)
    except DAMAGE as error:
        raise TextmillError(
            f"{' or '.join(path.name for path in paths)} is damaged or no archive ({error or type(error).__name__}); "
            "fetch it again with `textmill sources get NAME --refresh`"
        ) from error


def imdb(paths: Sequence[Path]) -> Iterator[Example]:
    """Reviews of `aclImdb_v1.tar.gz`, labelled `positive` or `negative`; those without a label are passed over."""
    for path in paths:
        for name, file in members(path, _REVIEW):
            text, reject = _text(bounded(file))
            yield Example(f"{path.name}/{name[0]}", _BREAK.sub("\n", text).strip(), _TONE[name[2]], reject)


def sst2(paths: Sequence[Path]) -> Iterator[Example]:
    """Sentences and phrases of `SST-2.zip`, labelled `positive` or `negative`; its test set has no labels."""
    for path in paths:
        for name, file in members(path, _PHRASES):
            for number, line in enumerate(_lines(file), start=1):
                origin = f"{path.name}/{name[0]}#line={number}"
                text, tab, label = line.rpartition("\t")
                if number == 1 and label == "label":
                    continue
                reject = None if tab and label in _TONE else failed("invalid_row", "no text, tab and 0 or 1")
                yield Example(origin, text.strip(), _TONE.get(label), reject)


def conll(paths: Sequence[Path]) -> Iterator[Example]:
    """Sentences of files with a token and its BIO tag in each line, as spans of their tokens joined by blanks."""
    for path in paths:
        for number, tokens in _sentences(_opened_lines(path)):
            yield Example(f"{path.name}#line={number}", *_spans(tokens))


def conll_sentences(path: Path) -> Iterator[list[tuple[str, str]]]:
    """The sentences of a file with a token and, last in its line, its tag: the pairs of each."""
    return (tokens for _, tokens in _sentences(_opened_lines(path)))


def stories(paths: Sequence[Path]) -> Iterator[Example]:
    """News stories of `cnn_stories.tgz` and the like, each with its highlights, one a line, as its summary."""
    for path in paths:
        if not path.name.endswith((".tgz", ".tar.gz")):
            continue  # the lists of splits
        for name, file in members(path, _STORY):
            text, reject = _text(bounded(file))
            body, *highlights = (part.strip() for part in text.split(_HIGHLIGHT))
            yield Example(f"{path.name}/{name[0]}", body, "\n".join(highlights), reject)


def parallel(paths: Sequence[Path]) -> Iterator[Example]:
    """Lines of files such as `train.en.gz` with the same lines of `train.de.gz` as translations."""
    pairs: dict[str, list[Path]] = {}
    for path in sorted(paths, key=lambda path: (path.name.split(".")[0], ".en." not in f".{path.name}.", path.name)):
        pairs.setdefault(path.name.split(".")[0], []).append(path)
    for name, pair in pairs.items():
        if len(pair) != 2:
            raise TextmillError(f"{pair[0].name} has no partner; a parallel set has {name} in two languages")
        yield from _pairs(*pair)


def jsonl(paths: Sequence[Path], column: str = "label") -> Iterator[Example]:
    """Objects with `text` and `label` (or `spans`), one a line. Raises TextmillError for a line that is none."""
    for path in paths:
        for number, line in enumerate(path.read_text("utf-8").split("\n"), start=1):  # no other sign ends a line
            if line.strip():
                yield Example(f"{path.name}#line={number}", *_object(line, number, column, path.name))


def _object(line: str, number: int, column: str, name: str) -> tuple[str, Any]:
    try:
        row = json.loads(line)
        text, value = row["text"], row[column]
        text.encode("utf-8")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TextmillError(f"{name}, line {number}: wants an object with text and {column} ({error})") from error
    return text, value


def _text(data: bytes | None) -> tuple[str, Any]:
    if data is None:
        return "", failed("page_too_large", f"more than {MAX_BYTES} bytes")
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError as error:
        return "", failed("invalid_utf8", f"byte {error.start}: {error.reason}")


def _lines(file: Iterable[bytes]) -> Iterator[str]:
    """The lines of a file as they come, in UTF-8; what is no UTF-8 becomes U+FFFD."""
    for line in file:
        yield line.decode("utf-8", "replace").rstrip("\r\n")


def _opened_lines(path: Path) -> Iterator[str]:
    opened: Callable[..., Any] = gzip.open if path.name.endswith(".gz") else Path.open
    with opened(path, "rb") as file:
        yield from _lines(file)


def _sentences(lines: Iterable[str]) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """Tokens and tags of each sentence, and the number of its first line; a blank line ends a sentence."""
    tokens: list[tuple[str, str]] = []
    first = number = 0
    for number, line in enumerate(lines, start=1):
        cells = line.split()
        if cells and cells[0] != "-DOCSTART-":
            first = first if tokens else number
            tokens.append((cells[0], cells[-1] if len(cells) > 1 else ""))
        elif tokens:
            yield first, tokens
            tokens = []
    if tokens:
        yield first, tokens


def _spans(tokens: Sequence[tuple[str, str]]) -> tuple[str, Any, Any]:
    """Text, spans with offsets in code points, and a reject where a tag is none."""
    spans: list[dict[str, Any]] = []
    at, before = 0, ""
    for word, tag in tokens:
        mark, _, kind = tag.partition("-")
        if mark not in {"B", "I", "O"} or (mark != "O") != bool(kind):
            return "", None, failed("invalid_row", f"the tag of {word!r} is {tag!r}, none of B-…, I-… and O")
        if kind and mark == "I" and before == kind:
            spans[-1]["end"] = at + len(word)
        elif kind:
            spans.append({"start": at, "end": at + len(word), "type": _TYPES.get(kind, kind)})
        at, before = at + len(word) + 1, kind
    return " ".join(word for word, _ in tokens), spans, None


def _pairs(first: Path, second: Path) -> Iterator[Example]:
    others = _opened_lines(second)
    count = 0
    for count, text in enumerate(_opened_lines(first), start=1):
        other = next(others, None)
        if other is None:
            break
        reject = None if other.strip() else filtered("empty_text", second.name)
        yield Example(f"{first.name}#line={count}", text.strip(), other.strip(), reject)
    else:
        other = next(others, "")
        if not other:
            return
    raise TextmillError(f"{first.name} and {second.name} have not as many lines, so that they cannot be paired")


READERS: dict[str, Callable[[Sequence[Path]], Iterator[Example]]] = {
    "jsonl": jsonl,
    "imdb": imdb,
    "sst2": sst2,
    "conll": conll,
    "stories": stories,
    "parallel": parallel,
}
GIVES = {"imdb": "label", "sst2": "label", "conll": "spans", "stories": "summary", "parallel": "translation"}
"""What the examples of a reader are labelled with; those of `jsonl` have whatever column is asked for."""
