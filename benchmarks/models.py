"""The leaderboard: each row is a benchmark run from nothing, and what it printed.

    python -m benchmarks.models --task NAME --shared DIR [--device cuda] [--set KEY=VALUE]
    python -m benchmarks.models --table

A row says what was measured against which goal, the command, the seed, a fingerprint of the data files, and the
CPU-minutes of the whole command. `docs/leaderboard.json` holds the rows, `docs/leaderboard.md` is written from it.
"""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from benchmarks import options as common
from benchmarks.__main__ import Outcome
from data.hashing import fingerprint, sha256_file

DOCS = common.ROOT / "docs"
ROWS, TABLE = DOCS / "leaderboard.json", DOCS / "leaderboard.md"


@dataclass(frozen=True)
class Task:
    """A row: what is run, on which files, what others have reached, what is known before a whole run, and of a miss."""

    command: tuple[str, ...]
    files: tuple[str, ...]
    reference: str
    so_far: str = ""
    tried: str = ""


_PTB = ("lm/ptb_train.parquet", "lm/ptb_valid.parquet")
_PAIRS = tuple(f"translation/multi30k_en_de_{split}.parquet" for split in ("train", "val", "test2016"))
_LM = "language_models"
TASKS: dict[str, Task] = {
    "shakespeare": Task(
        (_LM, "--task", "shakespeare"),
        ("lm/tinyshakespeare.txt",),
        "nanoGPT on a CPU 1.88 in 3 minutes; 1.4697 on an A100",
    ),
    "ptb": Task(
        (_LM, "--task", "ptb"),
        _PTB,
        "Zaremba's LSTMs, test: small 115.9, medium 82.1; validation about 5 higher",
        "ended at step 800 of 5,200, 11 CPU-minutes, busy machine: 158 (rate still near its peak)",
    ),
    "de-en": Task(
        ("translation", "--split", "test2016", "--direction", "de-en"),
        _PAIRS,
        "RNN with attention 28.2; a Transformer of 9 M 35.7",
        "7.2 CPU-minutes, busy machine: BLEU 29.8 on 300 pairs of the validation split",
    ),
    "en-de": Task(("translation", "--split", "test2016", "--direction", "en-de"), _PAIRS, "none"),
    "de-en-rnn": Task(
        ("translation", "--split", "test2016", "--direction", "de-en", "--family", "rnn-seq2seq"), _PAIRS, "28.2"
    ),
    "vae": Task(
        ("sentence_vae",),
        _PTB,
        "103.97 with a KL of 7.27",
        "10.7 CPU-minutes, busy machine: bound 138.8 on long sentences (about 118 over all), KL 5.9, 32 units active",
        "Tried: width 384 with 6 free nats, 15,000 steps and rate 4e-3 ended at 113.63 (30 CPU-minutes); Muon is no "
        "better after 1,000 steps (122.0 against 121.1) and takes a third more time",
    ),
    "rezero": Task(
        (_LM, "--task", "rezero"),
        ("lm/tinyshakespeare.txt",),
        "56 % faster to 1.2 bits a byte on enwik8",
        "",
        "The issue asks for the ratio, whatever it is: in 300 steps pre-norm is the faster one; both are best at "
        "8e-3, of rates from 2e-3 to 1.6e-2",
    ),
    "word2vec-speed": Task(
        ("word_vectors", "--task", "speed"),
        (),
        "gensim's own `corpus_file`",
        "quick run, busy machine: skip-gram 1.11, CBOW 0.99 with the writing of the text",
    ),
    "word-vectors": Task(
        ("word_vectors", "--task", "similarity"),
        ("vectors/word_similarity.parquet",),
        "gensim's defaults",
        "gensim 0.455, word2vec 0.609, GloVe of the paper 0.369; holding down absent pairs brought GloVe from 0.63 to "
        "0.92 of word2vec on a fifth of the text and four other sets",
        "GloVe: tuned on a fifth of the text and four other sets, never on WordSim-353. The loss of the paper reaches "
        "0.369, holding down absent pairs 0.443 (0.86 of word2vec in the mean of the other sets)",
    ),
    "throughput": Task(
        (_LM, "--task", "throughput"),
        ("lm/tinyshakespeare.txt",),
        "`transformers` GPT-2 in a plain loop",
        "default sizes: float32 1.10 x, bfloat16 1.24 x",
        "In two threads, which in bfloat16 make both sides slower by the clock at these sizes; with OMP_NUM_THREADS=1 "
        "five rounds gave 1.09 (float32) and 1.48 (bfloat16). Tried: attention by causal blocks, GELU by a sigmoid, "
        "one exponential a logit, freed memory kept; 70 % of a step in float32 are matrix products at 85 % or more of "
        "a core's peak, which both sides share",
    ),
}


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--task", choices=sorted(TASKS), help="the row to run")
    parser.add_argument("--table", action="store_true", help="write the table again and run nothing")
    options, rest = parser.parse_known_args()
    if options.task and not options.table and common.has_shared(options, options.task):
        run(options, rest)
    elif not options.table:
        print(f"name a row with --task: {', '.join(TASKS)}")
    TABLE.write_text(table(known()), "utf-8")


def run(options: Any, rest: list[str]) -> None:
    """Run a row, show what it prints, and keep what it reached."""
    task, heard = TASKS[options.task], Outcome(options.task)
    words = ["-m", f"benchmarks.{task.command[0]}", *task.command[1:], *rest, *(["--quick"] if options.quick else [])]
    before = common.cpu_seconds()
    with subprocess.Popen(
        [sys.executable, "-u", *words, "--shared", str(options.shared)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=common.ROOT,
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            heard.hear(line)
    if process.returncode:
        sys.exit(f"{options.task} ended with status {process.returncode}; the row stays as it was")
    if options.quick:
        return
    row = {
        "reached": [dict(zip(("what", "goal", "measured", "verdict"), goal, strict=True)) for goal in heard.goals],
        "command": " ".join(["python", *words, "--shared DIR"]),
        "data": fingerprint([sha256_file(options.shared / file) for file in task.files]),
        "cpu_minutes": round((common.cpu_seconds() - before) / 60, 1),
        "device": rest[rest.index("--device") + 1] if "--device" in rest else "cpu",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    keep(options.task, row)


def known() -> dict[str, Any]:
    """The rows so far: by task, by device."""
    found: dict[str, Any] = json.loads(ROWS.read_text("utf-8")) if ROWS.exists() else {}
    return found


def keep(name: str, row: dict[str, Any]) -> None:
    """Write a row in the place of the one before on this device."""
    rows = known()
    rows.setdefault(name, {})[row["device"]] = row
    ordered = {task: rows[task] for task in TASKS if task in rows}
    ROWS.write_text(json.dumps(ordered, indent=2, ensure_ascii=False) + "\n", "utf-8")


def table(rows: dict[str, Any]) -> str:
    """The leaderboard as Markdown; rows that were never run say so."""
    head = ["row", "reached", "reference", "CPU-minutes, all", "data", "on", "command"]
    lines = [head, ["---"] * len(head)]
    for name, task in TASKS.items():
        lines += [[name, *_cells(row, task)] for row in (rows.get(name) or {"": None}).values()]
    body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    said = "Written by `python -m benchmarks.models`; seed 0 unless the command says another."
    return f"# Leaderboard\n\n{said}\n\n{body}\n"


def _cells(row: dict[str, Any] | None, task: Task) -> list[str]:
    if row is None:
        return [
            f"not run as a whole yet; {task.so_far}".rstrip("; "),
            task.reference,
            "",
            "",
            "",
            f"`benchmarks.{' '.join(task.command)}`",
        ]
    reached = "; ".join(f"{g['what']} {g['measured']} (goal {g['goal']}, {g['verdict']})" for g in row["reached"])
    if task.tried and any(g["verdict"] == "missed" for g in row["reached"]):
        reached += f". {task.tried}"
    cells = [reached, task.reference, str(row["cpu_minutes"]), row["data"], f"{row['device']}, {row['date']}"]
    return [*cells, f"`{row['command']}`"]


if __name__ == "__main__":
    main()
