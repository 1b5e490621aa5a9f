from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.effects import (
    UseEvidence,
    beyond_controls,
    interval,
    judge_use,
    resampled,
)

PHOTOGRAPHS = 10


def around(mean: float, *, spread: float = 0.05, draws: int | None = None, seed: int = 0):
    rng = np.random.default_rng(seed)
    shape = PHOTOGRAPHS if draws is None else (draws, PHOTOGRAPHS)
    values = rng.standard_normal(shape)
    values -= values.mean(axis=-1, keepdims=True)
    return mean + spread * values


def used(**changes) -> UseEvidence:
    evidence = UseEvidence(
        towards_P=around(1.5, seed=1),
        back_P=around(-1.5, seed=2),
        controls_RP=around(0.0, draws=20, seed=3),
        shrinkage_P=around(0.5, seed=4),
        ceiling_P=around(6.0, seed=5),
        on_clean_P=around(-2.0, seed=6),
    )
    return dataclasses.replace(evidence, **changes)


def test_a_code_that_meets_every_condition_is_used():
    assert judge_use(used()) == judge_use(used(), seed=5)
    assert judge_use(used()).word == "uses it"
    assert judge_use(used()).failed == ()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"controls_RP": around(0.0, draws=18)}, "fewer than 19 controls were drawn"),
        (
            {"controls_RP": np.vstack([around(0.0, draws=19), around(1.6)[None]])},
            "random directions gain as much",
        ),
        ({"towards_P": around(0.12), "shrinkage_P": around(-1)}, "moving to clean does not gain"),
        ({"shrinkage_P": around(1.6)}, "making the layer's values smaller gains as much"),
        ({"on_clean_P": around(1.6)}, "the same move gains as much on clean inputs"),
        ({"back_P": around(0.5)}, "moving back harms no more than random directions do"),
        (
            {"controls_RP": np.vstack([around(0.0, draws=19), around(-1.6)[None]])},
            "moving back harms no more than random directions do",
        ),
        ({"ceiling_P": around(0.0, spread=1)}, "the clean versions' own features gain nothing"),
    ],
)
def test_each_condition_alone_forbids_the_word(changes, why):
    use = judge_use(used(**changes), margin=0.1)
    assert use.word == "not decided"
    assert [reason.startswith(why) for reason in use.failed] == [True]


def test_photographs_that_do_not_agree_decide_nothing():
    use = judge_use(used(towards_P=np.array([15.0] + 9 * [0.0])))
    assert use.word == "not decided"


def test_too_few_photographs_decide_nothing():
    few = {f.name: getattr(used(), f.name)[..., :7] for f in dataclasses.fields(UseEvidence)}
    use = judge_use(UseEvidence(**few))
    assert (use.word, use.failed) == ("not decided", ("there are fewer than 8 photographs",))
    few["towards_P"] = np.zeros(7)
    assert judge_use(UseEvidence(**few)).word == "not decided"


def test_an_effect_within_the_margin_is_none():
    still = used(towards_P=around(0.0, spread=0.02), back_P=around(0.0, spread=0.02))
    assert judge_use(still, margin=0.1).word == "no effect"
    assert judge_use(still, margin=0.001).word == "not decided"
    assert judge_use(used(towards_P=around(-1.0)), margin=0.1).word == "not decided"


def test_shrinkage_alone_is_never_use():
    """A skip carries the noise: whatever weakens the body gains, and so does the move."""
    for gain in (0.5, 3.8, 6.6):
        moved = around(gain, seed=1)
        assert judge_use(used(towards_P=moved, shrinkage_P=moved)).word == "not decided"


def test_a_direction_like_the_controls_is_called_used_in_at_most_one_trial_of_twenty():
    """With all else in favour: only the controls stand against it."""
    rng, called, trials = np.random.default_rng(0), 0, 1000
    for _ in range(trials):
        effect_R = rng.standard_normal(21)
        effects_RP = effect_R[:, None] + 0.3 * rng.standard_normal((21, PHOTOGRAPHS))
        samples_BP = resampled(PHOTOGRAPHS, resamples=100, seed=0)
        called += beyond_controls(effects_RP[0], effects_RP[1:], samples_BP).low > 0
    assert 0 < called <= 0.05 * trials


def test_an_interval_holds_the_mean_of_new_photographs_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    samples_BP = resampled(20, resamples=500, seed=0)
    found = [interval(rng.standard_normal(20), samples_BP) for _ in range(500)]
    share = np.mean([one.low < 0 < one.high for one in found])
    assert 0.88 < share < 0.98  # percentile intervals of 20 are a little narrow


def test_the_choice_of_the_strongest_control_is_made_anew_in_each_resample():
    """Of two controls that win on different photographs, the stronger one beats each."""
    controls_RP = np.array([[1.0, 0.0] * 5, [0.0, 1.0] * 5])
    found = beyond_controls(np.zeros(10), controls_RP, resampled(10, seed=0))
    assert found.mean == -0.5
    assert found.high <= -0.5
    assert found.low < -0.6
    other = beyond_controls(np.zeros(10), controls_RP, resampled(10, seed=0), below=True)
    assert other.mean == -0.5
    assert other.low >= -0.5 - 1e-12


def test_the_seed_reaches_the_resamples():
    assert not np.array_equal(resampled(9, seed=0), resampled(9, seed=1))


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(ParameterError, match="margin must be a number of dB above 0"):
        judge_use(used(), margin=0.0)
    with pytest.raises(ParameterError, match="back_P must be one value for each of 10 photographs"):
        judge_use(used(back_P=np.zeros(9)))
    with pytest.raises(DegenerateError, match="an effect in ceiling_P is not finite"):
        judge_use(used(ceiling_P=np.full(10, np.inf)))
    with pytest.raises(DegenerateError, match="there is one photograph"):
        resampled(1, seed=0)
