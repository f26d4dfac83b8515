"""Who writes better: a text GAN, by policy gradient or by Gumbel-softmax, or its own maximum-likelihood model?

    OMP_WAIT_POLICY=PASSIVE python -m benchmarks.text_gan --shared DIR

Sentences of at most 20 words of the Penn Treebank, the 2,000 most frequent words. For each method the curve of BLEU-4
against the validation split over self-BLEU-4, at several temperatures, of the generator as likelihood left it and after
the game, each from several draws of samples. There is no goal: Caccia et al. 2020 (arXiv 1811.02549) found that
likelihood wins, and this says whether it does.
"""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.options import has_shared, parser, timed
from benchmarks.sentence_vae import penn_treebank
from models.catalogue import family
from models.families.text_gan import curves, verdict
from models.family import TrainingData
from models.fitting import checked, fit, load
from models.generative.text_gan import METHODS, TextGAN

WORDS, LONGEST = 2_000, 20
LIKELIHOOD, JUDGE, GAME = 900, 60, 120
RECIPE: dict[str, Any] = {
    "context": LONGEST,
    "embedding": 96,
    "width": 192,
    "likelihood_steps": LIKELIHOOD,
    "judge_steps": JUDGE,
    "cooling_steps": GAME,
    "adversarial_rate": 0.03,
    "coldest": 20.0,
    "steps": LIKELIHOOD + JUDGE + GAME,
    "learning_rate": 4e-3,
    "validate_every": GAME,
    "precision": "auto",
}
TEMPERATURES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1)
SAMPLES, DRAWS = 500, 3


def trained(data: TrainingData, folder: Path, options: dict[str, Any], seed: int) -> TextGAN:
    """A GAN by the recipe and some more options."""
    made = dataclasses.replace(family("text-gan"), show=None)
    record = fit(made, checked(made, {**RECIPE, **options}), data, folder, seed=seed)
    losses = zip(record.validation_steps, record.validation_loss, strict=True)
    print(", ".join(f"step {step}: {loss:.3f} nats per word" for step, loss in losses), flush=True)
    found: TextGAN = load(folder)
    return found


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--seed", type=int, default=0)
    options = made.parse_args()
    if not has_shared(options, "text GAN"):
        return
    data = penn_treebank(options.shared, most_words=WORDS, longest=LONGEST)
    quick = {"likelihood_steps": 40, "judge_steps": 5, "steps": 50} if options.quick else {}
    for method in METHODS:
        with tempfile.TemporaryDirectory() as scratch:
            seconds, model = timed(
                lambda method=method: trained(data, Path(scratch), {"method": method, **quick}, options.seed)
            )
        print(f"{method}: {seconds / 60:.1f} CPU-minutes", flush=True)
        for draw in range(1 if options.quick else DRAWS):
            tell(method, model, data, draw, samples=50 if options.quick else SAMPLES)


def tell(method: str, model: TextGAN, data: TrainingData, draw: int, *, samples: int) -> None:
    """The curves of one draw of samples, and who wins."""
    found = curves(model, data, draw, samples=samples, temperatures=TEMPERATURES)
    for name, points in found.items():
        for point in points:
            place = f"temperature {point.temperature}, BLEU-4 {point.bleu:.3f}, self-BLEU-4 {point.self_bleu:.3f}"
            print(f"  draw {draw}, {name}: {place}, words {point.words:.1f}", flush=True)
    print(f"{method}, draw {draw}: {verdict(found)}", flush=True)


if __name__ == "__main__":
    main()
