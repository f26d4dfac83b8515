import numpy as np
import pytest

from data.errors import ConfigError
from models.evaluation import spans
from models.evaluation.gate import Gate, decide

RIGHT, WRONG = np.ones(40), np.zeros(40)
HALF = np.tile([0.0, 1.0], 20)


def test_a_sure_gain_is_promoted() -> None:
    decision = decide(RIGHT, HALF)
    assert decision.promote
    assert decision.gain == 0.5
    assert 0 < decision.ci_low < 0.5 < decision.ci_high
    assert decision.reason.endswith("lower end > 0")


@pytest.mark.parametrize("challenger", [HALF, HALF[::-1], WRONG])
def test_equal_unsure_and_worse_challengers_are_not_promoted(challenger: np.ndarray) -> None:
    decision = decide(challenger, HALF)
    assert not decision.promote
    assert decision.reason.endswith("lower end <= 0")


def test_the_gain_must_exceed_the_gate() -> None:
    assert not decide(RIGHT, HALF, gate=Gate(min_gain=0.4)).promote


def test_a_statistic_of_rows_can_be_compared() -> None:
    gold = np.tile([[1, 1, 1]], (20, 1))
    poor = np.tile([[0, 1, 1], [1, 1, 1]], (10, 1))
    decision = decide(gold, poor, statistic=spans.f1)
    assert decision.promote
    assert decision.gain == pytest.approx(0.5)


def test_the_evidence_is_plain_data() -> None:
    assert decide(RIGHT, WRONG).as_json() == {
        "promote": True,
        "gain": 1.0,
        "ci_low": 1.0,
        "ci_high": 1.0,
        "reason": "gain +1.0000, 95 % interval +1.0000 to +1.0000 on 40 rows: lower end > 0",
    }


def test_other_rows_are_refused() -> None:
    with pytest.raises(ConfigError, match="found 2 challenger and 3 reference rows"):
        decide(np.ones(2), np.ones(3))
