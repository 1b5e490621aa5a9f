"""Training seeds as a random effect: what was planted is found, and nothing where nothing is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.influence import Influenced
from srscope.scores.seeds import difference, matched, mean_over_seeds

PHOTOGRAPHS, IMAGES = 20, 2


def drawn(
    random: np.random.Generator, effects_P: np.ndarray, *, mean: float, spread: float
) -> Influenced:
    """Return a network's mean score: its own level, and the photographs' with its reaction."""
    level = mean + spread * random.normal()
    score_P = level + effects_P + 0.3 * random.normal(size=len(effects_P))
    return Influenced(
        value=float(score_P.mean()),
        influence_P=(score_P - score_P.mean()) / np.sqrt(len(score_P) * (len(score_P) - 1)),
    )


def populations(
    random: np.random.Generator, gap: float, *, spread: float, sizes: tuple[int, int] = (5, 5)
) -> tuple[dict[int, Influenced], dict[int, Influenced]]:
    effects_P = random.normal(size=PHOTOGRAPHS)  # common to all networks
    other_P = effects_P + 0.3 * random.normal(size=PHOTOGRAPHS)
    one = {s: drawn(random, effects_P, mean=gap, spread=spread) for s in range(sizes[0])}
    two = {s: drawn(random, other_P, mean=0.0, spread=spread) for s in range(sizes[1])}
    return one, two


@pytest.mark.parametrize(("sizes", "spread"), [((5, 5), 0.0), ((5, 5), 0.3), ((4, 6), 0.3)])
def test_no_difference_is_called_one_in_at_most_5_percent(
    sizes: tuple[int, int], spread: float
) -> None:
    random = np.random.default_rng(7)
    wrong = 0
    for _ in range(300):
        gap = difference(*populations(random, 0.0, spread=spread, sizes=sizes))
        assert gap.paired is (sizes[0] == sizes[1])
        wrong += gap.low > 0 or gap.high < 0
    assert wrong <= 15 + 1.64 * np.sqrt(300 * 0.05 * 0.95)


def test_a_planted_difference_is_found() -> None:
    random = np.random.default_rng(8)
    found = [difference(*populations(random, 1.0, spread=0.2)) for _ in range(100)]
    assert np.mean([each.low > 0 for each in found]) > 0.9
    assert abs(np.mean([each.value for each in found]) - 1.0) < 0.05


def test_photographs_that_two_recipes_share_cancel_out() -> None:
    same_P = np.linspace(-1, 1, PHOTOGRAPHS)
    one = {s: Influenced(value=1.0 + 0.01 * s, influence_P=same_P) for s in range(5)}
    two = {s: Influenced(value=0.01 * s, influence_P=same_P) for s in range(5)}
    gap = difference(one, two)
    assert gap.of_photographs == 0.0
    assert gap.of_seeds < 1e-12
    # Without pairing by seed, their common spread stays.
    shifted = {s + 10: each for s, each in two.items()}
    assert difference(one, shifted).of_seeds > 0.01


def test_unlike_seeds_have_welchs_interval() -> None:
    one_S, two_S, still_P = [1.0, 1.5, 3.0], [0.0, 0.1, 0.2, 0.4], np.zeros(8)
    one = {s: Influenced(value=v, influence_P=still_P) for s, v in enumerate(one_S)}
    two = {s: Influenced(value=v, influence_P=still_P) for s, v in enumerate(two_S)}
    gap = difference(one, two)
    expected = stats.ttest_ind(one_S, two_S, equal_var=False).confidence_interval(0.95)
    np.testing.assert_allclose((gap.low, gap.high), (expected.low, expected.high))


def test_seeds_without_any_spread_have_no_width() -> None:
    still = {s: Influenced(value=1.0, influence_P=np.zeros(8)) for s in (1, 2)}
    other = {s: Influenced(value=0.5, influence_P=np.zeros(8)) for s in (3, 4)}
    assert difference(still, other).low == 0.5


def test_one_seed_has_no_interval() -> None:
    with pytest.raises(DegenerateError, match="there is 1 seed; train with five seeds"):
        mean_over_seeds([1.0])


def test_the_nearest_checkpoint_is_taken_and_the_latest_of_those_within_a_tenth() -> None:
    assert matched([25.0, 26.0, 27.0], 26.4) == 1
    assert matched([25.0, 26.05, 25.95, 26.2], 26.0) == 2
    with pytest.raises(ParameterError, match="one checkpoint or more"):
        matched([], 26.0)
