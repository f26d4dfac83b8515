"""The game of generator and discriminator in the engine: turns, rates, exact resume, and who wins."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import tiny_text
import torch
from test_text_gan import BATCH, TARGETS, learner, made, stirred, vector
from torch import Tensor

from models import training
from models.families import text_gan as family
from models.fitting import fit, load
from models.generative.text_gan import METHODS
from models.training.checkpoints import Checkpoints


def test_turns_follow_from_the_step() -> None:
    turns = learner(generator_turns=1, judge_turns=2).turns
    assert [turns(step) for step in (0, 2, 3, 4)] == [("generator",)] * 2 + [("discriminator",)] * 2
    assert turns(5) == turns(500) == ("generator", "discriminator", "discriminator")


def test_rate_is_lower_in_the_game_and_for_the_generator_alone() -> None:
    rate = learner(adversarial_rate=0.2).rate
    assert [rate(4, "generator"), rate(5, "generator"), rate(5, "discriminator")] == [1.0, 0.2, 1.0]


def test_rate_of_a_player_is_what_the_loop_learns_with() -> None:
    left = {}
    for rate in (1e-9, 1.0):
        name, options, data = made(adversarial_rate=rate)
        config = name.configured(options.model, data)
        players = name.learner(config, data, 0)
        training.train(players, name.batches(config, options.data, data, data.train, 0), config=options.training)
        left[rate] = (vector(players.model.generator) - vector(players.model.likelihood)).abs().max()
    assert left[1e-9] < 1e-6 < 1e-3 < left[1.0]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("step", "player"), [(0, "generator"), (3, "discriminator"), (9, "generator")])
def test_gradients_reach_every_weight_of_a_player(method: str, step: int, player: str) -> None:
    torch.manual_seed(3)
    players = learner(method=method)
    players.loss(BATCH, step=step, player=player).mean.backward()
    weights = players.players()[player].named_parameters()
    without = [name for name, weight in weights if weight.grad is None or not weight.grad.any()]
    cancels = method == "gumbel" and player == "discriminator"  # of a difference
    assert without == (["output.bias"] if cancels else [])
    assert all(weight.grad is None for weight in players.model.likelihood.parameters())


@pytest.mark.parametrize("method", METHODS)
def test_discriminator_gives_no_gradient_to_the_generator_in_its_own_turn(method: str) -> None:
    players = learner(method=method)
    players.loss(BATCH, step=3, player="discriminator").mean.backward()
    assert all(weight.grad is None for weight in players.model.generator.parameters())


@pytest.mark.parametrize("method", METHODS)
def test_players_change_in_their_turns_alone(method: str) -> None:
    name, options, data = made(method=method)
    config = name.configured(options.model, data)
    players = name.learner(config, data, 0)
    seen = {who: [vector(module)] for who, module in players.players().items()}

    def watch(moment: training.Moment) -> None:
        for who, module in players.players().items():
            seen[who].append(vector(module))

    rows = name.batches(config, options.data, data, data.train, 0)
    training.train(players, rows, config=options.training, watch=watch)
    changed = {
        who: [not torch.equal(before, after) for before, after in pairwise(found)] for who, found in seen.items()
    }
    assert changed == {
        "generator": [True] * 3 + [False] * 2 + [True] * 3,
        "discriminator": [False] * 3 + [True] * 5,
    }
    assert torch.equal(vector(players.model.likelihood), seen["generator"][3])


def test_state_after_likelihood_is_kept_where_nothing_comes_between() -> None:
    name, options, data = made(judge_steps=0)
    config = name.configured(options.model, data)
    players = name.learner(config, data, 0)
    rows = name.batches(config, options.data, data, data.train, 0)
    shorter = dataclasses.replace(options.training, steps=3, warmup_steps=0)
    training.train(players, rows, config=shorter)
    left = vector(players.model.generator)
    assert not players.model.taught
    again = name.learner(config, data, 0)
    training.train(again, rows, config=dataclasses.replace(options.training, warmup_steps=0, schedule="constant"))
    assert again.model.taught
    assert torch.equal(vector(again.model.likelihood), left)


def test_measured_is_the_likelihood_of_held_out_text() -> None:
    players = learner()
    expected = players.model.generator.likelihood_loss(TARGETS).item()
    with torch.no_grad():
        assert players.measure([BATCH])["loss"] == pytest.approx(expected)


def run(folder: Path, given: tuple[Any, Any, Any], *, watch: Any = training.unwatched) -> tuple[Any, dict[str, Tensor]]:
    name, options, data = given
    config = name.configured(options.model, data)
    players = name.learner(config, data, 0)
    rows = name.batches(config, options.data, data, data.train, 0)
    record = training.train(
        players, rows, config=options.training, validation=rows, checkpoints=Checkpoints(folder, {}), watch=watch
    )
    return record, players.model.state_dict()


@pytest.mark.parametrize("method", METHODS)
def test_training_stopped_in_the_game_goes_on_exactly(method: str, tmp_path: Path) -> None:
    given = made(method=method, checkpoint_every=3)
    whole = run(tmp_path / "whole", given)

    def stop(moment: training.Moment) -> None:
        if moment.step == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", given, watch=stop)
    again = run(tmp_path / "cut", given)
    assert again[0] == whole[0]
    assert all(torch.equal(again[1][name], tensor) for name, tensor in whole[1].items())


def test_family_trains_and_shows_who_wins(tmp_path: Path) -> None:
    name, options, data = made()
    fit(name, options, data, tmp_path, seed=0)
    model = load(tmp_path)
    assert model.taught
    found = family.curves(model, data, 0, samples=20, temperatures=(0.5, 1.0))
    assert {who: [point.temperature for point in points] for who, points in found.items()} == {
        "gan": [0.5, 1.0],
        "likelihood": [0.5, 1.0],
    }
    shown = family.show(model, data, 0)
    assert len(shown["Samples"]["gan"]) == 6
    assert "self-BLEU" in shown["Who wins"]


def test_before_the_game_there_is_one_curve() -> None:
    model = stirred()
    found = family.curves(model, tiny_text.data(), 0, samples=20, temperatures=(1.0,))
    assert list(found) == ["likelihood"]
    assert "has not begun" in family.verdict(found)


@pytest.mark.parametrize(
    ("gan", "winner"), [(0.5, "the GAN has 0.100"), (0.3, "the maximum-likelihood model has 0.100")]
)
def test_verdict_names_who_has_more_bleu(gan: float, winner: str) -> None:
    from models.evaluation.diversity import Point

    found = {"gan": [Point(1.0, gan, 0.5)], "likelihood": [Point(1.0, 0.4, 0.5)]}
    assert family.verdict(found).startswith(winner)


def test_verdict_counts_that_samples_are_short() -> None:
    from models.evaluation.diversity import Point

    found = {"gan": [Point(1.0, 0.5, 0.5, 5.0, 0.2)], "likelihood": [Point(1.0, 0.4, 0.5, 12.0, 1.0)]}
    said = family.verdict(found)
    assert "the GAN has 0.100 more BLEU-4 at" in said
    assert "lose by it, the maximum-likelihood model has 0.300" in said


def test_curves_that_do_not_meet_have_no_winner() -> None:
    from models.evaluation.diversity import Point

    assert "no self-BLEU in common" in family.verdict({"gan": [Point(1, 0.4, 0.9)], "likelihood": [Point(1, 0.4, 0.5)]})
