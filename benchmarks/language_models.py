"""Language models: characters of Shakespeare, words of the Penn Treebank, ReZero, and speed beside `transformers`.

    OMP_WAIT_POLICY=PASSIVE python -m benchmarks.language_models --task shakespeare|ptb|rezero|throughput --shared DIR

Each training is what `textmill train gpt --data FILE` does, in a lake of its own. CPU-minutes are process time of the
training, all threads, with its validations. Losses are means over every token of the validation split, each seen with
what stands before it in its block.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import options as common
from benchmarks.recipes.language import PTB, SHAKESPEARE
from data.lake import Lake
from flows.training.order import Order
from flows.training.running import Result, run
from models.options import parsed
from models.training import Moment

QUICK: dict[str, Any] = {"steps": 20, "warmup_steps": 2, "validate_every": 20}
RATES = (2e-3, 4e-3, 8e-3, 1.6e-2)
DEPTH: dict[str, Any] = {"layers": 12, "width": 128, "heads": 4, "dropout": 0.0, "optimiser": "adamw", "steps": 300}


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--task", choices=sorted(TASKS), help="all of them where none is named")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the recipe")
    options = parser.parse_args()
    if common.has_shared(options, "language models"):
        for name in [options.task] if options.task else TASKS:
            TASKS[name](options)


def shakespeare(options: Any) -> None:
    result = trained(options, SHAKESPEARE, options.shared / "lm/tinyshakespeare.txt")
    spent = result.record["timing"]["cpu_seconds"] / 60
    loss = next(score["value"] for score in result.scores if score["metric"] == "loss")
    common.goal("char GPT, tinyshakespeare, validation loss", loss, at_most=1.55, form="{:.4f}")
    common.goal("char GPT, tinyshakespeare, CPU-minutes", spent, at_most=20, form="{:.1f}")


def ptb(options: Any) -> None:
    files = [options.shared / f"lm/ptb_{split}.parquet" for split in ("train", "valid")]
    result = trained(options, PTB, *files)
    perplexity = math.exp(result.record["validation_loss"][result.record["validation_steps"].index(_kept(result))])
    common.goal("word LM, PTB, validation perplexity", perplexity, at_most=115, form="{:.1f}")
    spent = result.record["timing"]["cpu_seconds"] / 60
    common.goal("word LM, PTB, CPU-minutes", spent, at_most=90, form="{:.1f}")


def rezero(options: Any) -> None:
    """Steps to the loss that pre-norm ends with, twelve layers, each at the best rate of a small grid."""
    found = {}
    for residual in ("pre", "rezero"):
        runs = []
        for rate in RATES:
            recipe = {**SHAKESPEARE, **DEPTH, "residual": residual, "learning_rate": rate, "validate_every": 25}
            runs.append(trained(options, recipe, options.shared / "lm/tinyshakespeare.txt").record)
            print(f"{residual}, rate {rate}: validation loss {runs[-1]['validation_loss'][-1]:.4f}", flush=True)
        found[residual] = min(runs, key=lambda record: record["validation_loss"][-1])
    loss = max(record["validation_loss"][-1] for record in found.values())
    steps = {name: reached(record, loss) for name, record in found.items()}
    print(f"steps to a validation loss of {loss:.4f}: pre-norm {steps['pre']}, ReZero {steps['rezero']}", flush=True)
    common.goal("ReZero, steps of pre-norm over its own", steps["pre"] / steps["rezero"], at_least=1.0)


def reached(record: dict[str, Any], loss: float) -> int:
    """The first validated step with at most this loss."""
    pairs = zip(record["validation_steps"], record["validation_loss"], strict=True)
    return int(next(step for step, found in pairs if found <= loss))


def throughput(options: Any) -> None:
    """Tokens per CPU-second of one GPT-2, ours from a lake, `transformers` from tensors in memory."""
    from benchmarks import gpt_throughput

    gpt_throughput.throughput(options)


def trained(
    options: Any, recipe: dict[str, Any], data: Path, validation: Path | None = None, *, watch: Any = None
) -> Result:
    """Train `gpt` in a new lake."""
    chosen = {**recipe, **(QUICK if options.quick else {}), "device": options.device, **parsed(options.set)}
    with tempfile.TemporaryDirectory() as folder:
        order = Order(
            Lake(Path(folder)), "gpt", data=str(data), validation=validation, options=chosen, seed=options.seed
        )
        return run(order, created="2026-01-01T00:00:00+00:00", watch=watch or told)


def told(moment: Moment) -> None:
    if moment.scores:
        line = f"step {moment.step}, {time.process_time() / 60:.1f} CPU-minutes of the process: "
        print(f"{line}training loss {moment.loss:.4f}, validation {moment.scores['loss']:.4f}", flush=True)


def _kept(result: Result) -> int:
    return int(result.record["kept_step"])


TASKS: dict[str, Callable[[Any], None]] = {
    "shakespeare": shakespeare,
    "ptb": ptb,
    "rezero": rezero,
    "throughput": throughput,
}

if __name__ == "__main__":
    main()
