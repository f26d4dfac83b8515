"""MinHash by datatrove, datasketch and rensa: CPU seconds for {"texts": [...], "what": name}.

Imports, models and a first document come before the clock starts.
"""

from __future__ import annotations

import logging
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.options import answer, cpu_seconds

BANDS, ROWS, NGRAM = 14, 8, 5
PERMUTATIONS = BANDS * ROWS


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def shingles(text: str) -> list[str]:
    tokens = words(text)
    return [" ".join(tokens[i : i + NGRAM]) for i in range(max(1, len(tokens) - NGRAM + 1))]


def by_datasketch() -> Callable[[list[str]], Any]:
    from datasketch import MinHash

    def work(texts: list[str]) -> None:
        for text in texts:
            made = MinHash(num_perm=PERMUTATIONS)
            made.update_batch([shingle.encode() for shingle in shingles(text)])

    return work


def by_rensa() -> Callable[[list[str]], Any]:
    from rensa import RMinHash

    def work(texts: list[str]) -> None:
        for text in texts:
            made = RMinHash(num_perm=PERMUTATIONS, seed=1)
            made.update(shingles(text))
            made.digest()

    return work


def by_datatrove(tokenizer: str) -> Callable[[list[str]], Any]:
    """Signatures, buckets and clusters, as in datatrove's own example, one worker."""
    from datatrove.data import Document
    from datatrove.pipeline.dedup.minhash import (
        MinhashConfig,
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupSignature,
    )
    from loguru import logger

    logger.remove()  # datatrove adds its own when it is imported
    config = MinhashConfig(n_grams=NGRAM, num_buckets=BANDS, hashes_per_bucket=ROWS)

    class Split:
        def word_tokenize(self, text: str) -> list[str]:
            return text.split()

    def work(texts: list[str]) -> None:
        with tempfile.TemporaryDirectory() as name:
            signatures, buckets, clusters = (str(Path(name) / step) for step in ("s", "b", "c"))
            step = MinhashDedupSignature(signatures, config=config)
            if tokenizer == "split":
                step.word_tokenizer = Split()
            step.run(iter([Document(text=text, id=str(i)) for i, text in enumerate(texts)]))
            for rank in range(BANDS):
                MinhashDedupBuckets(signatures, buckets, config=config).run(rank=rank, world_size=BANDS)
            MinhashDedupCluster(buckets, clusters, config=config).run()

    return work


PEERS = {
    "datasketch": by_datasketch,
    "rensa": by_rensa,
    "datatrove": lambda: by_datatrove("spacy"),
    "datatrove, words by str.split": lambda: by_datatrove("split"),
}


def seconds(job: dict[str, Any]) -> float:
    logging.disable(logging.CRITICAL)
    work = PEERS[job["what"]]()
    work(job["texts"][:2] * 2)
    start = cpu_seconds()
    work(job["texts"])
    return cpu_seconds() - start


if __name__ == "__main__":
    answer(seconds)
