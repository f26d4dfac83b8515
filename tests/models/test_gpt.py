from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from models.decoding.sampling import GREEDY, Sampling
from models.language.gpt import GPT, GPTConfig, GPTConfigError

TINY = GPTConfig(vocab_size=20, context=8, layers=2, heads=2, width=16)
TOKENS = torch.arange(16).view(2, 8)


def stirred(seed: int = 0) -> GPT:
    """A model whose layers all take part, as after training."""
    model = GPT(TINY, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator) * 0.3)
    return model.eval()


def test_logits_have_one_value_per_token_of_the_vocabulary() -> None:
    assert GPT(TINY)(TOKENS).shape == (2, 8, 20)


def test_later_tokens_do_not_change_earlier_logits() -> None:
    model, changed = stirred(), TOKENS.clone()
    changed[:, 5:] = 19
    assert torch.allclose(model(TOKENS)[:, :5], model(changed)[:, :5], atol=1e-5)


def test_equal_seeds_give_equal_weights() -> None:
    first, second = GPT(TINY, seed=3).state_dict(), GPT(TINY, seed=3).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_other_seed_gives_other_weights() -> None:
    assert not torch.equal(GPT(TINY, seed=3).embedding.weight, GPT(TINY, seed=4).embedding.weight)


def test_random_state_of_torch_is_not_used_for_weights() -> None:
    torch.manual_seed(1)
    first = GPT(TINY).embedding.weight.clone()
    torch.manual_seed(2)
    assert torch.equal(first, GPT(TINY).embedding.weight)


def test_new_model_is_almost_uniform() -> None:
    assert GPT(TINY).loss(torch.arange(18).view(2, 9)).item() == pytest.approx(np.log(20), abs=0.1)


def test_started_from_counts_it_knows_the_frequencies() -> None:
    model = GPT(TINY)
    model.start_from(np.bincount([5] * 79 + [6], minlength=20))
    probability = model.prior.softmax(dim=-1)
    assert probability[5].item() == pytest.approx(0.8)


def test_loss_predicts_each_token_from_those_before() -> None:
    model, blocks = stirred(), torch.arange(9).view(1, 9)
    nats = -model(blocks[:, :-1]).log_softmax(dim=-1)[0, torch.arange(8), blocks[0, 1:]]
    assert model.loss(blocks).item() == pytest.approx(nats.mean().item(), rel=1e-5)


def test_saved_model_loads_equal(tmp_path: Path) -> None:
    model = stirred()
    model.save(tmp_path)
    assert torch.equal(GPT.load(tmp_path)(TOKENS), model(TOKENS))


def test_saved_files_are_safetensors_and_json(tmp_path: Path) -> None:
    GPT(TINY).save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]


def test_generation_follows_the_seed() -> None:
    model = stirred()
    assert model.generate([1], max_new=12, seed=5) == model.generate([1], max_new=12, seed=5)
    assert model.generate([1], max_new=12, seed=5) != model.generate([1], max_new=12, seed=6)


def test_temperature_zero_takes_the_most_probable() -> None:
    model = stirred()
    assert model.generate([1], max_new=1, sampling=GREEDY) == [int(model(torch.tensor([[1]]))[0, -1].argmax())]


def test_top_one_is_the_most_probable_at_any_temperature() -> None:
    model, sampling = stirred(), Sampling(top_k=1, temperature=2.0)
    assert model.generate([1], max_new=9, sampling=sampling) == model.generate([1], max_new=9, sampling=GREEDY)


def test_generation_goes_on_past_the_context() -> None:
    assert len(stirred().generate([1, 2], max_new=20)) == 20


def test_generation_ends_before_the_stop_token() -> None:
    model = stirred()
    free = model.generate([1], max_new=12, seed=5)
    assert model.generate([1], max_new=12, seed=5, stop=free[3]) == free[: free.index(free[3])]


def test_empty_prompt_is_an_error() -> None:
    with pytest.raises(ValueError, match="endoftext"):
        stirred().generate([], max_new=1)


def test_more_tokens_than_the_context_are_an_error() -> None:
    with pytest.raises(ValueError, match="9 tokens do not fit into a context of 8"):
        GPT(TINY)(torch.zeros(1, 9, dtype=torch.long))


@pytest.mark.parametrize(("options", "name"), [({"layers": 0}, "layers is 0"), ({"width": 30, "heads": 4}, "width")])
def test_bad_option_is_named(options: dict[str, int], name: str) -> None:
    with pytest.raises(GPTConfigError, match=name):
        GPTConfig(vocab_size=10, **options)
