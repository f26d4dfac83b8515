from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
import tiny_text
import torch
from torch import Tensor, nn

from models import training
from models.families import text_vae as family
from models.fitting import checked, fit, load
from models.generative.text_vae import POOLINGS, TextVAE, TextVAEConfig, TextVAEConfigError
from models.generative.vae_measures import (
    active_units,
    importance_weighted,
    joined,
    measures,
    mutual_information,
    predicted,
)
from models.learner import Learner
from models.training.checkpoints import Checkpoints

PAD, BEGIN, END = 10, 11, 0
SIZES: dict[str, Any] = {"vocab_size": 12, "pad": PAD, "begin": BEGIN, "end": END, "context": 9}
CONFIG = TextVAEConfig(
    **SIZES, embedding=6, encoder_width=8, width=8, latent=3, dropout=0.0, word_dropout=0.0, annealing="none"
)
WORDS, LENGTHS = torch.tensor([[2, 4, 6, 3], [3, 5, PAD, PAD], [2, 8, 4, PAD]]), torch.tensor([4, 2, 3])


def stirred(config: TextVAEConfig = CONFIG) -> TextVAE:
    """A model all of whose parts matter, as after training."""
    model = TextVAE(config)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator) * 0.4)
    return model.eval()


def batch(words: Tensor = WORDS, lengths: Tensor = LENGTHS) -> dict[str, Tensor]:
    return {"text": words, "text_lengths": lengths}


def made(options: dict[str, Any] | None = None) -> tuple[Any, Any, Any]:
    """Family, checked options and data for a training of seconds."""
    small = {"embedding": 8, "encoder_width": 8, "width": 16, "latent": 4, "context": 8, "annealing_steps": 6}
    short = {"steps": 12, "batch_size": 6, "validate_every": 6, "validation_batches": 1, "learning_rate": 1e-2}
    given = {**small, **short, "precision": "float32", **(options or {})}
    return family.FAMILY, checked(family.FAMILY, given), tiny_text.data()


def learner_of(config: TextVAEConfig = CONFIG) -> Learner:
    return family.VAELearner(stirred(config))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_reconstruction_is_the_sum_over_words_and_end(cell: str) -> None:
    model = stirred(dataclasses.replace(CONFIG, cell=cell))
    codes = torch.randn(3, 3, generator=torch.Generator().manual_seed(2))
    found = model.reconstruction(WORDS, LENGTHS, codes)
    for row, length in enumerate(LENGTHS.tolist()):
        ids = WORDS[row, :length]
        states, _ = model.decode(torch.cat([torch.tensor([BEGIN]), ids]).unsqueeze(0), codes[row : row + 1])
        nats = -model.logits(states)[0].log_softmax(-1)[torch.arange(length + 1), torch.cat([ids, torch.tensor([END])])]
        assert found[row].item() == pytest.approx(nats.sum().item(), rel=1e-5)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_padding_changes_nothing(pooling: str) -> None:
    model = stirred(dataclasses.replace(CONFIG, pooling=pooling))
    alone, codes = model.encode(WORDS[1:2, :2], LENGTHS[1:2]), torch.ones(1, 3)
    together = model.encode(WORDS, LENGTHS)
    assert torch.allclose(together.mean[1], alone.mean[0], atol=1e-6)
    padded = model.reconstruction(WORDS[1:2], LENGTHS[1:2], codes)
    assert torch.allclose(padded, model.reconstruction(WORDS[1:2, :2], LENGTHS[1:2], codes), atol=1e-5)


def test_decoder_sees_the_code_at_every_word() -> None:
    model, codes = stirred(), torch.zeros(1, 3)
    first = model.decode(WORDS[:1], codes)[0]
    model.start.weight.data.zero_()
    model.start.bias.data.zero_()
    alone = model.decode(WORDS[:1], codes)[0], model.decode(WORDS[:1], codes + 1)[0]
    assert not torch.allclose(first, alone[0])  # through the first state
    assert all(not torch.allclose(alone[0][:, time], alone[1][:, time]) for time in range(4))  # and through the inputs


def test_kl_of_a_posterior_that_is_the_prior_is_zero() -> None:
    model = stirred()
    model.posterior.weight.data.zero_()
    model.posterior.bias.data.zero_()
    assert model(WORDS, LENGTHS).kl.abs().max() == 0


def test_words_are_dropped_of_what_the_decoder_reads_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    model = stirred(dataclasses.replace(CONFIG, word_dropout=0.999)).train()
    read: list[Tensor] = []
    embed = model._embed
    monkeypatch.setattr(model, "_embed", lambda tokens: read.append(tokens) or embed(tokens))
    model(WORDS, LENGTHS)
    encoder, decoder = read
    assert torch.equal(encoder, WORDS)
    assert (decoder[:, 0] == BEGIN).all()
    assert (decoder[:, 1:] == PAD).all()


def test_no_word_is_dropped_while_it_is_measured() -> None:
    model = stirred(dataclasses.replace(CONFIG, word_dropout=0.9))
    assert torch.equal(model.thinned(WORDS), WORDS)


def test_share_of_dropped_words_is_that_of_the_option() -> None:
    model = stirred(dataclasses.replace(CONFIG, word_dropout=0.3)).train()
    torch.manual_seed(0)
    assert (model.thinned(torch.full((100, 100), 5)) == PAD).float().mean().item() == pytest.approx(0.3, abs=0.02)


def test_objective_weighs_the_kl_by_the_step() -> None:
    model = stirred(dataclasses.replace(CONFIG, annealing="linear", annealing_steps=10, free_bits=0.0))
    terms = model(WORDS, LENGTHS)
    kl = terms.kl.sum(1)
    assert torch.allclose(model.objective(terms, 0), terms.reconstruction)
    assert torch.allclose(model.objective(terms, 4), terms.reconstruction + 0.4 * kl)
    assert torch.allclose(model.objective(terms, 10), terms.negative_elbo)


def test_validation_counts_the_whole_kl() -> None:
    learner = learner_of(dataclasses.replace(CONFIG, free_bits=50.0, annealing="linear", annealing_steps=10))
    torch.manual_seed(0)
    terms = learner.model(WORDS, LENGTHS)
    torch.manual_seed(0)
    found = learner.loss(batch(), step=Learner.measured_as).mean
    assert found.item() == pytest.approx(terms.negative_elbo.sum().item() / 12, rel=1e-6)  # 9 words and 3 ends
    torch.manual_seed(0)
    assert learner.measure([batch()])["loss"] == pytest.approx(found.item(), rel=1e-6)


def test_scores_of_single_sentences_are_means_over_words() -> None:
    learner = learner_of()
    found = learner.measure([batch(WORDS[:1], LENGTHS[:1])])
    assert list(found) == ["loss", "reconstruction", "kl"]
    assert found["loss"] == pytest.approx(found["reconstruction"] + found["kl"])
    several = learner.measure([batch()])
    assert several["kl"] == pytest.approx(several["kl_per_sentence"] * 3 / 12)


def test_gradients_reach_every_weight() -> None:
    learner = learner_of(dataclasses.replace(CONFIG, free_bits=0.0))
    learner.model.train()
    torch.manual_seed(0)
    learner.loss(batch(), step=5).mean.backward()
    assert [
        name for name, weight in learner.model.named_parameters() if weight.grad is None or not weight.grad.any()
    ] == []


def test_units_are_words_and_ends() -> None:
    assert learner_of().weights(batch()).tolist() == [5, 3, 4]


def test_bound_of_many_codes_is_below_the_elbo() -> None:
    model = stirred()
    rows = batch(WORDS.repeat(50, 1), LENGTHS.repeat(50))
    torch.manual_seed(0)
    elbo = model(rows["text"], rows["text_lengths"]).negative_elbo.mean()
    bounds = [importance_weighted(model, rows, codes=codes).mean() for codes in (1, 5, 40)]
    assert bounds[0].item() == pytest.approx(elbo.item(), rel=0.05)
    assert bounds[2] < bounds[1] < bounds[0]


def test_bound_of_a_posterior_that_is_the_prior_and_a_decoder_that_does_not_look_is_exact() -> None:
    model = stirred()
    for layer in (model.posterior, model.start):
        layer.weight.data.zero_()
        layer.bias.data.zero_()
    model.decoder.cells[0].input.weight.data[:, 6:] = 0.0
    terms = model(WORDS, LENGTHS)
    assert torch.allclose(importance_weighted(model, batch(), codes=7), terms.negative_elbo, rtol=1e-5)


def test_units_are_active_where_their_means_vary() -> None:
    means = torch.tensor([[0.0, 0.0, 1.0], [0.5, 0.1, 1.0]])  # variances 0.0625, 0.0025, 0
    assert active_units(means) == 1


def test_information_is_nothing_where_all_posteriors_are_the_same() -> None:
    posterior = family_gaussian(torch.zeros(40, 2))
    assert mutual_information(posterior, posterior.sample(torch.Generator().manual_seed(0))) == pytest.approx(
        0, abs=1e-5
    )


def test_information_is_the_log_of_the_sentences_where_no_posteriors_meet() -> None:
    posterior = family_gaussian(torch.arange(40.0).unsqueeze(1) * 100)
    found = mutual_information(posterior, posterior.sample(torch.Generator().manual_seed(0)))
    assert found == pytest.approx(math.log(40), rel=1e-4)


def family_gaussian(means: Tensor) -> Any:
    from models.generative.gaussian import Gaussian

    return Gaussian(means, torch.zeros_like(means))


def test_measures_add_up() -> None:
    torch.manual_seed(0)
    found = measures(stirred(), [batch(), batch(WORDS[:1], LENGTHS[:1])])
    assert (found.sentences, found.words) == (4, 17)
    assert found.nll_bound == pytest.approx(found.reconstruction + found.kl)
    assert found.perplexity_bound == pytest.approx(math.exp(found.nll_bound * 4 / 17))
    assert 0 <= found.active_units <= 3
    assert predicted(batch()).tolist() == [5, 3, 4]


def test_posteriors_are_joined_in_order() -> None:
    first, second = family_gaussian(torch.zeros(2, 1)), family_gaussian(torch.ones(1, 1))
    assert joined([first, second]).mean.tolist() == [[0], [0], [1]]


@pytest.mark.parametrize("temperature", [0.0, 1.0, 5.0])
def test_no_mark_is_ever_written(temperature: float) -> None:
    model = stirred()
    model.prior.data[[PAD, BEGIN]] = 50.0
    codes = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    written = model.generate(codes, temperature=temperature, seed=1)
    assert len(written) == 60
    assert max(map(len, written)) <= 9
    assert not {PAD, BEGIN, END} & {token for ids in written for token in ids}


def test_sentences_end_before_the_end() -> None:
    model = stirred()
    model.prior.data[END] = 100.0
    assert model.generate(torch.zeros(2, 3)) == [[], []]


def test_writing_follows_the_seed() -> None:
    model = stirred()
    assert model.sample(5, seed=1) == model.sample(5, seed=1) != model.sample(5, seed=2)


def test_writing_word_by_word_follows_the_states_of_whole_sentences() -> None:
    model, codes = stirred(), torch.ones(1, 3)
    model.prior.data[END] = -100.0
    ids = model.generate(codes)[0]
    states, _ = model.decode(torch.tensor([[BEGIN, *ids[:-1]]]), codes)
    assert model.logits(states)[0].argmax(-1).tolist() == ids


def test_saved_model_loads_equal(tmp_path: Path) -> None:
    model = stirred()
    model.save(tmp_path)
    again = TextVAE.load(tmp_path)
    assert again.config == model.config
    assert torch.equal(again.encode(WORDS, LENGTHS).mean, model.encode(WORDS, LENGTHS).mean)


def test_equal_seeds_give_equal_weights() -> None:
    first, second, other = TextVAE(CONFIG, seed=1), TextVAE(CONFIG, seed=1), TextVAE(CONFIG, seed=2)
    assert torch.equal(
        nn.utils.parameters_to_vector(first.parameters()), nn.utils.parameters_to_vector(second.parameters())
    )
    assert not torch.equal(first.embedding.weight, other.embedding.weight)


def test_started_from_counts_it_knows_the_frequencies() -> None:
    model = TextVAE(CONFIG)
    model.start_from(torch.bincount(torch.tensor([5] * 79 + [6]), minlength=12))
    assert model.prior.softmax(-1)[5].item() == pytest.approx(80 / 92)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"latent": 0}, "latent is 0"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"cell": "tree"}, "cell is 'tree'"),
        ({"annealing": "hot"}, "annealing is 'hot'"),
        ({"free_per": "page"}, "free_per is 'page'"),
        ({"free_bits": -1.0}, "free_bits is -1.0"),
        ({"cycle_rise": 0.0}, "cycle_rise is 0.0"),
        ({"pad": 12}, "pad is 12"),
        ({"pad": 11}, "another token than begin"),
    ],
)
def test_bad_option_is_named(options: dict[str, Any], name: str) -> None:
    with pytest.raises(TextVAEConfigError, match=name):
        TextVAEConfig(**{**SIZES, **options})


def test_family_trains_and_shows(tmp_path: Path) -> None:
    name, options, data = made()
    record = fit(name, options, data, tmp_path, seed=0)
    learnt = record.train_parts["reconstruction"]
    assert learnt[-1] < learnt[0]
    assert record.train_parts["kl_weight"][:3] == pytest.approx([0, 1 / 6, 2 / 6])
    assert set(record.validation) >= {"loss", "reconstruction", "kl", "nll_bound", "active_units", "mutual_information"}
    shown = family.show(load(tmp_path), data, 0)
    assert len(shown["Interpolation"]["spherical"]) == 6
    assert shown["Reconstructions"][0]["sentence"]
    assert shown["Measures"]["nll_bound"] > 0


def test_training_that_was_stopped_goes_on_exactly(tmp_path: Path) -> None:
    name, options, data = made({"checkpoint_every": 4, "annealing": "cyclical", "cycles": 2})
    undisturbed = run(name, options, data, tmp_path / "whole")

    def stop(moment: training.Moment) -> None:
        if moment.step == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(name, options, data, tmp_path / "cut", watch=stop)
    again = run(name, options, data, tmp_path / "cut")
    assert again[0] == undisturbed[0]
    assert all(torch.equal(again[1][key], tensor) for key, tensor in undisturbed[1].items())


def run(
    name: Any, options: Any, data: Any, folder: Path, *, watch: Any = training.unwatched
) -> tuple[Any, dict[str, Tensor]]:
    config = name.configured(options.model, data)
    learner = name.learner(config, data, 0)
    rows = name.batches(config, options.data, data, data.train, 0)
    record = training.train(
        learner, rows, config=options.training, validation=rows, checkpoints=Checkpoints(folder, {}), watch=watch
    )
    return record, learner.model.state_dict()
