"""Training speed of one GPT-2 beside `transformers` in a plain loop: tokens per CPU-second, in turns.

Ours is what `textmill train gpt` does, from the lake; theirs learns from tensors in memory, with fused AdamW, PyTorch's
fused attention, no cache of keys, and the same precision, batch and clipping. Each setting is a process of its own. The
engine has the C library keep freed memory for the next step; for one setting theirs is also given that. The goal is
held against the default sizes in both precisions; `textmill train gpt` uses bfloat16 on a processor that has it.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from argparse import Namespace
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from benchmarks import options as common
from benchmarks.recipes.language import SHAKESPEARE
from data.lake import Lake
from flows.training.order import Order
from flows.training.running import run
from models.training import Moment, memory

TEXT = "lm/tinyshakespeare.txt"
GOAL, WARM, ROUNDS = 1.3, 2, 3
DEFAULT: dict[str, Any] = {"context": 128, "layers": 4, "heads": 4, "width": 128, "batch_size": 4}
"""The sizes of `textmill train gpt` where nothing is said."""
CHARACTERS = {name: value for name, value in SHAKESPEARE.items() if name in DEFAULT or name.startswith("tokeniser.")}
LARGER = {"context": 256, "layers": 6, "heads": 6, "width": 384, "batch_size": 8, "tokeniser.vocab_size": 4_000}
SETTINGS = {"the default": DEFAULT, "characters": CHARACTERS, "width 384": LARGER}
STEPS = {"the default": 30, "characters": 3, "width 384": 3}
SIDES = ["ours", "theirs", "own", "kept"]
PRECISIONS = ("float32", "bfloat16")


def throughput(options: Namespace) -> None:
    """Print every setting in both precisions, and the goal in both for the default sizes."""
    rows, ratios = [], {}
    the_goal = ("the default", usual(options.device))
    for name, sizes in SETTINGS.items():
        for precision in PRECISIONS:
            sides = SIDES if (name, precision) == the_goal else SIDES[:2]
            job = {"sizes": sizes, "precision": precision, "steps": STEPS[name], "seed": options.seed, "sides": sides}
            job |= {
                "text": str(options.shared / TEXT),
                "device": options.device,
                "rounds": 1 if options.quick else ROUNDS,
            }
            found = common.ask(sys.executable, "benchmarks.gpt_throughput", job)
            ratios[name, precision] = _ratio(found, "ours", "theirs")
            medians = (f"{statistics.median(found[side]):.0f}" for side in SIDES[:2])
            rows.append([f"{name}, {precision}", *medians, f"{ratios[name, precision]:.2f}", _rounds(found)])
            if sides == SIDES:
                own, kept = _ratio(found, "own", "theirs"), _ratio(found, "ours", "kept")
    common.table(("tokens per CPU-second", "ours", "transformers", "ratio", "each round"), rows)
    told = ", ".join(the_goal)
    print(f"{told}: our own architecture beside transformers' GPT-2 {own:.2f} x")
    print(f"{told}: ours beside transformers with freed memory kept {kept:.2f} x")
    for precision in PRECISIONS:
        used = ", what is used here" if precision == the_goal[1] else ""
        what = f"GPT training beside transformers' GPT-2, the default in {precision}{used}"
        common.goal(what, ratios["the default", precision], at_least=GOAL)


def usual(device: str) -> str:
    """The precision of `textmill train gpt` on this machine where nothing is said."""
    import torch

    from models.training.devices import used

    return used(torch.device(device), "auto")


def _rounds(found: dict[str, list[float]]) -> str:
    return " ".join(f"{a / b:.2f}" for a, b in zip(found["ours"], found["theirs"], strict=True))


def _ratio(found: dict[str, list[float]], one: str, other: str) -> float:
    return statistics.median(a / b for a, b in zip(found[one], found[other], strict=True))


def ours(job: dict[str, Any], *, is_gpt2: bool) -> tuple[float, int]:
    """Tokens per CPU-second of the engine, and the number of distinct tokens; `is_gpt2` or the family's own."""
    from models.language.gpt import gpt2

    ticks: list[float] = []

    def watch(_moment: Moment) -> None:
        ticks.append(time.process_time())

    config = gpt2(vocab_size=1)
    parts = {
        name: getattr(config, name) for name in config.__dataclass_fields__ if name not in {"vocab_size", *DEFAULT}
    }
    recipe = {**(parts if is_gpt2 else {}), **job["sizes"], "precision": job["precision"], "costs": False}
    # The validation after the last step comes before its tick: that step is not counted.
    recipe |= {"steps": WARM + job["steps"] + 1, "warmup_steps": 0, "validate_every": 10_000, "validation_batches": 1}
    recipe |= {"checkpoint_every": 10_000}
    recipe |= {"device": job["device"]}
    with tempfile.TemporaryDirectory() as folder:
        order = Order(Lake(Path(folder)), "gpt", data=job["text"], options=recipe, seed=job["seed"])
        result = run(order, created="2026-01-01T00:00:00+00:00", watch=watch)
        words = json.loads((result.path / "config.json").read_text("utf-8"))["vocab_size"]
    spent = ticks[WARM + job["steps"] - 1] - ticks[WARM - 1]
    return _tokens(job) / spent, words


def theirs(job: dict[str, Any]) -> float:
    """Tokens per CPU-second of a plain loop over tensors."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(job["seed"])
    sizes, words = job["sizes"], job["words"]
    config = GPT2Config(
        vocab_size=words, n_positions=sizes["context"], n_layer=sizes["layers"], n_head=sizes["heads"],
        n_embd=sizes["width"], resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, use_cache=False,
        bos_token_id=0, eos_token_id=0, attn_implementation="sdpa",
    )  # fmt: skip
    model = GPT2LMHeadModel(config).train().to(job["device"])
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    shape = (WARM + job["steps"], sizes["batch_size"], sizes["context"])
    batches = torch.randint(0, words, shape, device=job["device"])
    start = 0.0
    for number, batch in enumerate(batches):
        if number == WARM:
            start = time.process_time()
        with torch.autocast(job["device"], dtype=torch.bfloat16, enabled=job["precision"] == "bfloat16"):
            loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    return _tokens(job) / (time.process_time() - start)


def _tokens(job: dict[str, Any]) -> int:
    return int(job["steps"] * job["sizes"]["batch_size"] * job["sizes"]["context"])


def turns(job: dict[str, Any]) -> dict[str, list[float]]:
    """Tokens per CPU-second of each side in each round, in turns; ours says how many distinct tokens there are."""
    found: dict[str, list[float]] = {side: [] for side in job["sides"]}
    for _ in range(job["rounds"]):
        for side in job["sides"]:
            if side in {"ours", "own"}:
                speed, job["words"] = ours(job, is_gpt2=side == "ours")
            else:
                with memory.kept() if side == "kept" else nullcontext():
                    speed = theirs(job)
            found[side].append(speed)
    return found


if __name__ == "__main__":
    common.answer(turns)
