"""How a claim is decided from estimates: by intervals, never by a single number.

Every rule says ``holds`` only where the whole 95 % interval is on the right side, ``does not hold``
where the whole of it is on the wrong one, and ``inconclusive`` otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from srscope.reproduction.records import Estimate, Verdict

SEPARATES = 20.0
"""CHI from which the paper's bands speak of clusters."""
STRONG = 100.0
"""CHI of the paper's band ``++``."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One condition of a claim.

    Args:
        text: The condition with its numbers.
        verdict: What they say.
        interval: 95 % interval of the number that decided.
    """

    text: str
    verdict: Verdict
    interval: tuple[float, float]


def _of(low: float, high: float, threshold: float) -> Verdict:
    if low >= threshold:
        return "holds"
    return "does not hold" if high < threshold else "inconclusive"


def number(value: float) -> str:
    """Return a number with about three digits that mean something."""
    size = abs(value)
    return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def at_least(what: str, estimate: Estimate, threshold: float) -> Decision:
    """Decide whether a number is ``threshold`` or more."""
    return Decision(
        text=f"{what} {number(estimate.value)} is {number(threshold)} or more",
        verdict=_of(estimate.low, estimate.high, threshold),
        interval=(estimate.low, estimate.high),
    )


def below(what: str, estimate: Estimate, threshold: float) -> Decision:
    """Decide whether a number is below ``threshold``."""
    opposite = _of(estimate.low, estimate.high, threshold)
    turned: dict[Verdict, Verdict] = {"holds": "does not hold", "does not hold": "holds"}
    return Decision(
        text=f"{what} {number(estimate.value)} is below {number(threshold)}",
        verdict=turned.get(opposite, opposite),
        interval=(estimate.low, estimate.high),
    )


def difference(first: Estimate, second: Estimate) -> NDArray[np.float64]:
    """Return a sample of ``first - second``.

    Both bootstraps draw the same contents in the same order where their seeds agree, so the
    difference is taken draw by draw.
    """
    count = min(len(first.samples), len(second.samples))
    return first.samples[:count] - second.samples[:count]


def times(estimate: Estimate, factor: float) -> Estimate:
    """Return a multiple of an estimate."""
    return Estimate(
        value=factor * estimate.value,
        std=abs(factor) * estimate.std,
        low=min(factor * estimate.low, factor * estimate.high),
        high=max(factor * estimate.low, factor * estimate.high),
        samples=factor * estimate.samples,
    )


def greater(what: str, first: Estimate, than: str, second: Estimate) -> Decision:
    """Decide whether one number is greater than another."""
    low, high = np.quantile(difference(first, second), [0.025, 0.975])
    verdict: Verdict = "holds" if low > 0 else "does not hold" if high < 0 else "inconclusive"
    return Decision(
        text=f"{what} {number(first.value)} is above {than} {number(second.value)}",
        verdict=verdict,
        interval=(float(low), float(high)),
    )


def combined(decisions: Sequence[Decision]) -> Verdict:
    """Return the verdict of a claim whose conditions must all hold."""
    verdicts = {decision.verdict for decision in decisions}
    if "does not hold" in verdicts:
        return "does not hold"
    return "inconclusive" if "inconclusive" in verdicts else "holds"
