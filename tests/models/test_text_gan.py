from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import tiny_text
import torch
from torch import Tensor, nn

from models.families import text_gan as family
from models.fitting import checked
from models.generative.adversarial import (
    inverse_temperature,
    is_word,
    judge_loss,
    policy_loss,
    relativistic_loss,
    relaxed,
    rewards,
)
from models.generative.text_gan import TextGAN, TextGANConfig, TextGANConfigError

PAD, BEGIN, END = 10, 11, 0
SIZES: dict[str, Any] = {"vocab_size": 12, "pad": PAD, "begin": BEGIN, "end": END, "context": 6}
CONFIG = TextGANConfig(
    **SIZES,
    embedding=6,
    width=8,
    dropout=0.0,
    judge_embedding=5,
    filters=3,
    judge_dropout=0.0,
    likelihood_steps=3,
    judge_steps=2,
    rollouts=2,
)
WORDS, LENGTHS = torch.tensor([[2, 4, 6, 3], [3, 5, PAD, PAD], [2, 8, 4, PAD]]), torch.tensor([4, 2, 3])
BATCH = {"text": WORDS, "text_lengths": LENGTHS}
TARGETS = torch.tensor([[2, 4, 6, 3, END], [3, 5, END, PAD, PAD], [2, 8, 4, END, PAD]])
SMALL: dict[str, Any] = {"embedding": 8, "width": 16, "judge_embedding": 8, "filters": 4, "context": 6, "rollouts": 2}
SHORT: dict[str, Any] = {
    "steps": 8,
    "batch_size": 6,
    "validate_every": 8,
    "validation_batches": 1,
    "learning_rate": 0.01,
}


def stirred(config: TextGANConfig = CONFIG) -> TextGAN:
    """A model all of whose parts matter, as after training."""
    model = TextGAN(config)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator) * 0.4)
    return model


def learner(**options: Any) -> family.GANLearner:
    return family.GANLearner(stirred(dataclasses.replace(CONFIG, **options)))


def made(**options: Any) -> tuple[Any, Any, Any]:
    """Family, checked options and data for a training of seconds."""
    turns = {"likelihood_steps": 3, "judge_steps": 2, "cooling_steps": 3}
    return family.FAMILY, checked(family.FAMILY, {**SMALL, **SHORT, **turns, **options}), tiny_text.data()


def vector(module: nn.Module) -> Tensor:
    return nn.utils.parameters_to_vector(module.parameters()).detach().clone()


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_nats_are_those_of_each_word(cell: str) -> None:
    generator = stirred(dataclasses.replace(CONFIG, cell=cell)).generator
    states, _ = generator(torch.tensor([[BEGIN, 3, 5]]))
    expected = -generator.logits(states)[0].log_softmax(-1)[torch.arange(3), torch.tensor([3, 5, END])]
    found = generator.nats(TARGETS)
    assert torch.allclose(found[1, :3], expected, atol=1e-5)
    assert found[1, 3:].tolist() == [0, 0]
    assert generator.likelihood_loss(TARGETS).item() == pytest.approx(found.sum().item() / 12)


def test_drawn_sentences_end_and_are_padded() -> None:
    torch.manual_seed(0)
    drawn = stirred().generator.draw(200)
    for row in drawn.tolist():
        end = row.index(END)
        assert end <= 6
        assert not {PAD, BEGIN} & set(row[:end])
        assert set(row[end + 1 :]) <= {PAD}


def test_no_mark_is_ever_written() -> None:
    model = stirred()
    model.generator.prior.data[[PAD, BEGIN]] = 50.0
    written = model.sample(50, temperature=3.0)
    assert not {PAD, BEGIN, END} & {token for ids in written for token in ids}


def test_drawing_goes_on_from_a_word() -> None:
    generator = stirred().generator
    first = generator.draw(3, temperature=0.0)
    _, state = generator(torch.full((3, 1), BEGIN))
    assert torch.equal(generator.go_on(first[:, 0], state, 5, temperature=0.0), first[:, 1:])


def test_padding_changes_nothing_for_the_discriminator() -> None:
    judge = stirred().discriminator.eval()
    for filters in judge.filters:
        filters.bias.data.fill_(2.0)  # what a filter answers where there is nothing
    assert torch.allclose(judge(TARGETS)[1], judge(TARGETS[1:2, :3])[0], atol=1e-6)


def test_discriminator_takes_shares_as_it_takes_words() -> None:
    judge = stirred().discriminator.eval()
    assert torch.allclose(judge(nn.functional.one_hot(TARGETS, 12).float()), judge(TARGETS), atol=1e-5)


def test_rewards_of_finished_sentences_are_what_the_discriminator_says() -> None:
    model = stirred().eval()
    found = rewards(model.generator, model.discriminator, TARGETS, rollouts=3)
    said = model.discriminator(TARGETS).sigmoid()
    assert found.shape == (3, 5)
    assert torch.allclose(found[:, -1], said, atol=1e-6)
    assert torch.allclose(found[1, 2:], said[1], atol=1e-6)


def test_rewards_of_beginnings_are_the_mean_over_their_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    model = stirred().eval()
    seen: list[Tensor] = []
    judge = model.discriminator.forward
    monkeypatch.setattr(model.discriminator, "forward", lambda tokens: seen.append(tokens) or judge(tokens))
    torch.manual_seed(0)
    found = rewards(model.generator, model.discriminator, TARGETS, rollouts=5)
    assert [tokens.shape[0] for tokens in seen] == [15] * 5
    assert all(
        torch.equal(tokens[:5, : place + 1], TARGETS[:1, : place + 1].expand(5, -1))
        for place, tokens in enumerate(seen)
    )
    assert found[0, 0].item() == pytest.approx(judge(seen[0][:5]).sigmoid().mean().item())


def test_sentences_are_ended_as_the_generator_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    model = stirred().eval()
    model.generator.output.weight.data.mul_(1e6)  # so sure of itself that drawing is no chance
    model.generator.prior.data[END] = -1e9
    drawn = model.generator.draw(4, temperature=0.0)
    assert drawn.shape == (4, 7)  # as many words as the context has, and the end
    seen: list[Tensor] = []
    judge = model.discriminator.forward
    monkeypatch.setattr(model.discriminator, "forward", lambda tokens: seen.append(tokens) or judge(tokens))
    rewards(model.generator, model.discriminator, drawn, rollouts=2)
    assert all(torch.equal(tokens, drawn.repeat_interleave(2, dim=0)) for tokens in seen)


def test_words_between_two_rollouts_share_their_reward() -> None:
    model = stirred().eval()
    found = rewards(model.generator, model.discriminator, TARGETS, rollouts=2, every=2)
    assert found.shape == (3, 5)
    assert torch.equal(found[:, 0], found[:, 1])
    assert torch.equal(found[:, 2], found[:, 3])
    assert not torch.equal(found[:, 1], found[:, 2])
    assert torch.allclose(found[:, 4], model.discriminator(TARGETS).sigmoid(), atol=1e-6)


def test_policy_makes_what_earned_more_than_the_mean_more_probable() -> None:
    logits = torch.zeros(3, requires_grad=True)
    drawn, reward = torch.tensor([[0], [1], [2]]), torch.tensor([[1.0], [0.5], [0.0]])
    nats = -logits.log_softmax(0)[drawn]
    policy_loss(nats, reward, torch.ones(3, 1)).backward()
    assert logits.grad is not None
    assert logits.grad[0] < 0 < logits.grad[2]  # descent raises the first and lowers the last
    assert logits.grad[1].item() == pytest.approx(0, abs=1e-6)


def test_policy_learns_a_toy_reward() -> None:
    logits = torch.zeros(4, requires_grad=True)
    generator = torch.Generator().manual_seed(0)
    for _ in range(60):
        drawn = torch.multinomial(logits.softmax(0), 64, replacement=True, generator=generator).unsqueeze(1)
        loss = policy_loss(-logits.log_softmax(0)[drawn], (drawn == 2).float(), torch.ones(64, 1))
        (gradient,) = torch.autograd.grad(loss, logits)
        logits.data -= 3.0 * gradient
    assert logits.softmax(0)[2] > 0.9


def test_padding_earns_nothing() -> None:
    nats = torch.ones(2, 2, requires_grad=True)
    policy_loss(nats, torch.tensor([[1.0, 0.7], [0.0, 9.0]]), torch.tensor([[1.0, 1.0], [1.0, 0.0]])).backward()
    assert nats.grad is not None
    assert nats.grad.tolist() == [[pytest.approx(1 / 6), 0], [pytest.approx(-1 / 6), 0]]


def test_relaxed_sentences_are_shares_that_end() -> None:
    torch.manual_seed(0)
    found = relaxed(stirred().generator, 40, inverse_temperature=2.0)
    assert torch.allclose(found.sum(-1), torch.ones(found.shape[:2]), atol=1e-5)
    assert found[..., BEGIN].max() == 0
    assert set(found[..., PAD].unique().tolist()) <= {0.0, 1.0}
    assert found.shape[1] <= 7


def test_cold_shares_are_almost_words() -> None:
    generator = stirred().generator
    torch.manual_seed(0)
    warm = relaxed(generator, 40, inverse_temperature=1.0)
    torch.manual_seed(0)
    cold = relaxed(generator, 40, inverse_temperature=100.0)
    assert torch.equal(warm.argmax(-1)[:, 0], cold.argmax(-1)[:, 0])
    assert cold.amax(-1).mean() > 0.97 > warm.amax(-1).mean()


def test_temperature_falls_as_a_power_of_the_steps() -> None:
    found = [inverse_temperature(step, coldest=100.0, steps=10) for step in (0, 5, 10, 99)]
    assert found == pytest.approx([1, 10, 100, 100])


def test_losses_of_the_players_by_hand() -> None:
    real, fake = torch.tensor([2.0]), torch.tensor([-1.0])
    sigmoid = torch.sigmoid
    plain = -0.5 * (sigmoid(real).log() + (1 - sigmoid(fake)).log())
    assert judge_loss(real, fake, relativistic=False).item() == pytest.approx(plain.item(), rel=1e-5)
    assert judge_loss(real, fake, relativistic=True).item() == pytest.approx(-sigmoid(torch.tensor(3.0)).log().item())
    assert relativistic_loss(real, fake).item() == pytest.approx(-sigmoid(torch.tensor(-3.0)).log().item())


def test_words_are_what_is_no_padding() -> None:
    assert is_word(TARGETS, CONFIG.marks).sum(1).tolist() == [5, 3, 4]


def test_saved_model_loads_equal(tmp_path: Path) -> None:
    model = stirred()
    model.keep_likelihood()
    model.save(tmp_path)
    again = TextGAN.load(tmp_path)
    assert all(torch.equal(again.state_dict()[name], tensor) for name, tensor in model.state_dict().items())
    assert again.sample(4, seed=1) == model.sample(4, seed=1) == again.sample(4, seed=1, likelihood=True)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"width": 0}, "width is 0"),
        ({"judge_dropout": 1.0}, "judge_dropout is 1.0"),
        ({"method": "magic"}, "method is 'magic'"),
        ({"cell": "tree"}, "cell is 'tree'"),
        ({"coldest": 0.5}, "coldest is 0.5"),
        ({"adversarial_rate": 0.0}, "adversarial_rate is 0.0"),
        ({"likelihood_steps": -1}, "likelihood_steps is -1"),
        ({"begin": -1}, "begin is -1"),
    ],
)
def test_bad_option_is_named(options: dict[str, Any], name: str) -> None:
    with pytest.raises(TextGANConfigError, match=name):
        TextGANConfig(**{**SIZES, **options})
