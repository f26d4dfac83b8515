from __future__ import annotations

import itertools
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from tiny_training import CONTEXT, WIDTH, Tiny, blocks, digest, options
from torch import Tensor, nn

from models.learner import Batch, Learner, Loss
from models.training import energy, flops, train
from models.training.checkpoints import Checkpoints

CPU = torch.device("cpu")


class Attending(Learner):
    """One attention and one LSTM, whose kernels on processors PyTorch does not count."""

    def __init__(self) -> None:
        self.model = nn.ModuleDict({"inner": nn.Linear(8, 8, bias=False), "lstm": nn.LSTM(8, 4, batch_first=True)})

    def weights(self, batch: Batch) -> Tensor:
        return torch.ones(len(batch["x"]))

    def loss(self, batch: Batch, *, step: int, player: str = "model") -> Loss:
        heads = self.model["inner"](batch["x"])[:, None]  # type: ignore[index]
        mixed = nn.functional.scaled_dot_product_attention(heads, heads, heads, is_causal=True)[:, 0]
        return Loss(self.model["lstm"](mixed)[0].sum())  # type: ignore[index]


def test_operations_are_six_for_each_weight_and_token() -> None:
    learner = Tiny()
    counted = flops.flops_of(learner, blocks().batch(0, batch_size=2), 0, device=CPU, precision="float32")
    assert counted == 6 * 2 * CONTEXT * (WIDTH * WIDTH + 12 * WIDTH)


def test_attention_and_lstm_are_counted() -> None:
    batch = {"x": torch.rand(3, 5, 8)}
    counted = flops.flops_of(Attending(), batch, 0, device=CPU, precision="float32")
    linear = 2 * 2 * 3 * 5 * 8 * 8  # the input needs no gradient
    attention = (2 + 5) * 2 * 3 * 5 * 5 * 8
    lstm = 3 * 2 * 3 * 5 * (16 * 8 + 16 * 4)
    assert counted == linear + attention + lstm


def test_counting_leaves_no_trace() -> None:
    learner = Tiny()
    learner.model.register_buffer("seen", torch.zeros(1))
    learner.model.register_forward_hook(lambda model, *_: model.seen.add_(1) and None)
    before, random = digest(learner.model), torch.random.get_rng_state()
    flops.flops_of(learner, blocks().batch(0, batch_size=2), 0, device=CPU, precision="float32")
    assert digest(learner.model) == before
    assert torch.equal(torch.random.get_rng_state(), random)
    assert all(weight.grad is None for weight in learner.model.parameters())


def test_account_is_kept_and_changes_nothing() -> None:
    accounted, plain = Tiny(), Tiny()
    record = train(accounted, blocks(), config=options(costs=True), validation=blocks())
    assert train(plain, blocks(), config=options(), validation=blocks()) == record
    assert digest(accounted.model) == digest(plain.model)
    assert record.costs["flops"] == 6 * record.units * (WIDTH * WIDTH + 12 * WIDTH)
    assert record.costs["peak_memory"] > 1 << 20
    assert "share_of_matrix_peak" not in record.costs  # too short


def test_long_training_is_compared_with_the_matrix_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.training.costs.matrix_peak", lambda *_: 1e9)
    ticks = itertools.count(0.0, 5.0)
    record = train(Tiny(), blocks(), config=options(costs=True), clock=lambda: next(ticks))
    assert record.costs["share_of_matrix_peak"] == pytest.approx(record.costs["flops"] / record.seconds / 1e9)


def test_matrix_peak_is_measured_once_and_without_random_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flops, "PEAK_SECONDS", 0.0)
    monkeypatch.setattr(flops, "_SIDES", {"cpu": 64})
    flops._measured.cache_clear()
    random = torch.random.get_rng_state()
    first = flops.matrix_peak(CPU, "float32")
    assert first > 1e6
    assert flops.matrix_peak(CPU, "float32") == first
    assert torch.equal(torch.random.get_rng_state(), random)
    flops._measured.cache_clear()


def test_account_goes_on_after_an_interruption(tmp_path: Path) -> None:
    class KilledError(Exception):
        pass

    def stop(moment: object) -> None:
        if moment.step == 7:  # type: ignore[attr-defined]
            raise KilledError

    kept, config = Checkpoints(tmp_path, {}), options(costs=True, watts=1000.0)
    with pytest.raises(KilledError):
        train(Tiny(), blocks(), config=config, checkpoints=kept, watch=stop)
    before = kept.peek("last")["state"]["costs"]  # type: ignore[index]
    record = train(Tiny(), blocks(), config=config, checkpoints=kept)
    assert record.costs["counted_units"] > before["counted_units"] > 0
    assert record.costs["joules"] > before["joules"] > 0
    assert record.costs["joules"] == pytest.approx(1000 * record.costs["cpu_seconds"], rel=0.1)


def test_what_cannot_be_counted_does_not_end_a_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> int:
        raise NotImplementedError("no formula")

    monkeypatch.setattr("models.training.costs.flops_of", fail)
    record = train(Tiny(), blocks(), config=options(costs=True))
    assert record.costs["flops_from"] == "not counted (NotImplementedError: no formula)"


def test_estimate_says_that_it_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy, "POWERCAP", Path("/nowhere"))
    found = train(Tiny(), blocks(), config=options(costs=True, watts=3.0, carbon_intensity=100.0)).costs
    assert found["energy_from"] == "an estimate: 3 W for each busy core"
    assert found["joules"] == pytest.approx(3 * found["cpu_seconds"], rel=0.1)
    assert found["co2_grams"] == pytest.approx(found["joules"] / 36_000)
    assert found["carbon_intensity_from"] == "the option carbon_intensity"


def test_source_of_the_usual_carbon_intensity_is_named() -> None:
    found = train(Tiny(), blocks(), config=options(costs=True)).costs
    assert "Ember" in found["carbon_intensity_from"]


def package(folder: Path, name: str, value: int) -> Path:
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / "max_energy_range_uj").write_text("999999\n")
    (folder / name / "energy_uj").write_text(f"{value}\n")
    return folder / name / "energy_uj"


def test_counters_of_all_packages_are_summed_over_their_wraps(tmp_path: Path) -> None:
    one = package(tmp_path, "intel-rapl:0", 900_000)
    package(tmp_path, "intel-rapl:0:0", 5)  # a part of the package
    two = package(tmp_path, "intel-rapl:1", 0)
    joules = energy.rapl(tmp_path)
    assert joules is not None
    one.write_text("100000")  # 200,000 further, over the end
    assert joules() == pytest.approx(0.2)
    two.write_text("300000")
    assert joules() == pytest.approx(0.5)


def test_counters_are_preferred_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = package(tmp_path, "intel-rapl:0", 0)
    monkeypatch.setattr(energy, "POWERCAP", tmp_path)
    meter = energy.Meter(CPU, 12.0, lambda: 1.0, first=True)
    second = energy.Meter(CPU, 12.0, lambda: 1.0, first=False)
    counter.write_text("500000")
    assert (meter.source, meter.joules(), second.joules()) == (energy.RAPL, 0.5, 0.0)


def test_machine_without_readable_counters_has_none(tmp_path: Path) -> None:
    assert energy.rapl(tmp_path) is None
    package(tmp_path, "intel-rapl:0", 0).unlink()
    assert energy.rapl(tmp_path) is None


def test_codecarbon_is_used_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    class OfflineEmissionsTracker:
        def __init__(self, **options: object) -> None:
            assert options["save_to_file"] is options["save_to_api"] is False

        def start(self) -> None:
            pass

        def stop(self) -> None:
            self.final_emissions_data = ModuleType("found")
            self.final_emissions_data.energy_consumed = 0.001  # type: ignore[attr-defined]

    fake = ModuleType("codecarbon")
    fake.__spec__ = object()  # type: ignore[assignment]
    fake.OfflineEmissionsTracker = OfflineEmissionsTracker  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "codecarbon", fake)
    monkeypatch.setattr(energy, "POWERCAP", Path("/nowhere"))
    meter = energy.Meter(CPU, 12.0, lambda: 1.0, first=True)
    meter.close()
    assert (meter.source, meter.joules()) == (energy.CODECARBON, 3600.0)
