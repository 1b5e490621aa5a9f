"""How the second edition decides: lines in d', equivalence by intervals, means over seeds.

**Lines.** The paper's bands are of CHI (20: clusters, 100: strong ones), which grows with the
number of points. Its designs have 100 images a set on a plane. For two or three round normal clouds
there, whose means are equally far apart (d' standard deviations), CHI = 99 / 4 x d'^2. So CHI 20 is
d' 0.90 and CHI 100 is d' 2.01. From d' follow the accuracy of an ideal observer of K sets and the
AUC of two. None of this was taken from a measurement.

**Margins.** "Hardly matters" needs a size. The paper's five runs of one layer differ by a standard
deviation of up to 12.9 % wherever CHI on a plane is 100 or more (its supplementary Tables 1 to 4:
1.9, 5.0, 5.4, 8.6, 9.8, 10.1 and 12.9 %). Two runs of one setting then differ by up to
1.96 x sqrt(2) x 12.9 % = 36 %, so a factor of 1.4 in CHI is what the paper itself passes over as
the same. As CHI goes with the square of d', it is a factor of 1.18 in d'. Where the paper's band
++ begins, at CHI 100, it is a step of 0.06 in the accuracy of three sets (0.75 to 0.81): the margin
of an accuracy is 0.05, the round number below.

Suffixes: S seeds, B draws, R runs.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
from scipy.special import chdtri, ndtr, stdtrit

from srscope.errors import ParameterError
from srscope.reproduction.criteria import Decision, difference, number
from srscope.reproduction.records import Estimate, Verdict

SEPARATES_D = 0.9
"""d' of the paper's CHI 20, from which its bands speak of clusters."""
STRONG_D = 2.0
"""d' of the paper's CHI 100, its band ``++``."""
SAME_CHI = 1.4
"""Factor between two CHI up to which they count as the same."""
SAME_ACCURACY = 0.05
"""Difference of two accuracies up to which they count as the same."""
SAME_D = 1 / math.sqrt(SAME_CHI)
"""Share of a d' that a step between degrees, further apart, may not fall below."""
SMALLEST_CHI = 0.01
"""CHI below this counts as this: the last digit that the paper prints."""
_TAIL = 0.025


@functools.cache
def accuracy_of(d_prime: float, sets: int) -> float:
    """Return the accuracy of an ideal observer of equally distant normal clouds.

    Args:
        d_prime: Distance of their means in standard deviations.
        sets: How many there are.

    Source: Green and Swets 1966 (m-alternative forced choice).

    Example:
        >>> [round(accuracy_of(0.9, sets), 2) for sets in (2, 3, 10)]
        [0.67, 0.52, 0.23]
        >>> round(accuracy_of(2.0, 3), 2)
        0.75
    """
    node_Q, weight_Q = np.polynomial.hermite_e.hermegauss(80)
    right_Q = np.asarray(ndtr(node_Q + d_prime / math.sqrt(2))) ** (sets - 1)
    return float(weight_Q @ right_Q / math.sqrt(2 * math.pi))


def auc_of(d_prime: float) -> float:
    """Return the AUC of two normal clouds.

    Example:
        >>> round(auc_of(0.9), 2), round(auc_of(2.0), 2)
        (0.74, 0.92)
    """
    return float(ndtr(d_prime / math.sqrt(2)))


def estimate_from(value: float, samples_B: np.ndarray, std: float = 0.0) -> Estimate:
    """Return an estimate with the percentile interval of its bootstrap sample."""
    low, high = np.quantile(samples_B, [_TAIL, 1 - _TAIL])
    return Estimate(value=value, std=std, low=float(low), high=float(high), samples=samples_B)


def paired(first: Estimate, second: Estimate) -> Estimate:
    """Return ``first - second``, draw by draw over the same photographs."""
    return estimate_from(first.value - second.value, difference(first, second))


def log_chi(chi: Estimate) -> Estimate:
    """Return the natural logarithm of a CHI: ratios become differences.

    Example:
        >>> chi = Estimate(value=20, std=1, low=10, high=40, samples=np.array([10.0, 20.0, 40.0]))
        >>> round(log_chi(chi).high - log_chi(chi).low, 3) == round(math.log(4), 3)
        True
    """

    def log(value: float) -> float:
        return math.log(max(value, SMALLEST_CHI))

    samples_B = np.log(np.maximum(chi.samples, SMALLEST_CHI))
    return Estimate(
        value=log(chi.value), std=0.0, low=log(chi.low), high=log(chi.high), samples=samples_B
    )


def over_seeds(estimates: Sequence[Estimate]) -> Estimate:
    """Return the mean over training seeds, the seed being a random effect.

    The interval is Student's over the seeds, widened by that over photographs, as both would differ
    next time: its half width is the root of the sum of the two squares. One network is itself.

    Args:
        estimates: One a seed, their samples drawn over the same photographs.

    Raises:
        ParameterError: If there is none.
    """
    if not estimates:
        raise ParameterError("estimates", "one a seed", 0)
    if len(estimates) == 1:
        return estimates[0]
    value_S = np.array([each.value for each in estimates])
    count = min(len(each.samples) for each in estimates)
    samples_B = np.mean([each.samples[:count] for each in estimates], axis=0)
    std = float(value_S.std(ddof=1))
    # stdtrit is the quantile of Student's distribution.
    of_seeds = float(stdtrit(len(value_S) - 1, 1 - _TAIL)) * std / math.sqrt(len(value_S))
    of_photographs = 1.959964 * float(samples_B.std(ddof=1))
    mean, half = float(value_S.mean()), math.hypot(of_seeds, of_photographs)
    return Estimate(value=mean, std=std, low=mean - half, high=mean + half, samples=samples_B)


def run_spread(chi_R: Sequence[float]) -> Estimate:
    """Return the standard deviation of ln CHI over t-SNE runs, with its chi-squared interval.

    Args:
        chi_R: CHI of every run: 20 runs or more, or the interval says nothing.

    Raises:
        ParameterError: If there are fewer than 20.
    """
    runs = len(chi_R)
    if runs < 20:
        raise ParameterError("chi_R", "20 runs or more", runs)
    log_R = np.log(np.maximum(chi_R, SMALLEST_CHI))
    std = float(log_R.std(ddof=1))
    # chdtri is the inverse of the upper tail.
    low, high = (
        std * math.sqrt((runs - 1) / float(chdtri(runs - 1, tail))) for tail in (_TAIL, 1 - _TAIL)
    )
    return Estimate(value=std, std=0.0, low=low, high=high, samples=np.array([low, std, high]))


def positive(what: str, gap: Estimate) -> Decision:
    """Decide whether a difference is above 0."""
    verdict: Verdict = (
        "holds" if gap.low > 0 else "does not hold" if gap.high < 0 else "inconclusive"
    )
    return Decision(
        text=f"{what} {number(gap.value)} is above 0", verdict=verdict, interval=(gap.low, gap.high)
    )


def not_lower(what: str, gap: Estimate, margin: float) -> Decision:
    """Decide whether a difference lies above ``-margin``: no step down worth the name."""
    verdict: Verdict = "inconclusive"
    if gap.low > -margin:
        verdict = "holds"
    elif gap.high < -margin:
        verdict = "does not hold"
    return Decision(
        text=f"{what} {number(gap.value)} is above -{number(margin)}",
        verdict=verdict,
        interval=(gap.low, gap.high),
    )


def equivalent(what: str, gap: Estimate, margin: float) -> Decision:
    """Decide whether a difference lies within ``margin`` of 0 on both sides.

    It does where the whole 95 % interval does (two one-sided tests at 2.5 % each), and does not
    where the whole interval lies outside.

    Source: Schuirmann 1987.
    """
    verdict: Verdict = "inconclusive"
    if -margin < gap.low and gap.high < margin:
        verdict = "holds"
    elif gap.low > margin or gap.high < -margin:
        verdict = "does not hold"
    return Decision(
        text=f"{what} {number(gap.value)} is within ±{number(margin)}",
        verdict=verdict,
        interval=(gap.low, gap.high),
    )
