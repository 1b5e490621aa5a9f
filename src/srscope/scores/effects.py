"""What edits of a layer do to a network's output, with intervals over photographs.

An effect is a gain in dB of PSNR against the original: above 0 where the edited output is better
than the unedited one.

Suffixes: P photographs, R control draws, B resamples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import DegenerateError, ParameterError

Floats = NDArray[np.floating[Any]]

USES_IT, NO_EFFECT, NOT_DECIDED = "uses it", "no effect", "not decided"
CONTROLS = 19
"""The fewest control draws with which a layer can be said to use its code: one direction is the
strongest of twenty by chance once in twenty."""
PHOTOGRAPHS = 8
"""With fewer photographs, intervals over them are not reliable, and nothing is decided."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A mean over photographs, with what it would be for other photographs.

    Args:
        mean: Over the photographs.
        low: Lower end of the 95 % interval.
        high: Upper end.
    """

    mean: float
    low: float
    high: float


def resampled(photographs: int, *, resamples: int = 2000, seed: int) -> NDArray[np.intp]:
    """Return bootstrap samples of photographs, as indices (B, P).

    Args:
        photographs: How many there are.
        resamples: How many samples.
        seed: Of the draws.
    """
    if photographs < 2:
        raise DegenerateError("an interval", "there is one photograph", "give 8 or more")
    return np.random.default_rng(seed).integers(photographs, size=(resamples, photographs))


def interval(values_P: Floats, samples_BP: NDArray[np.intp]) -> Interval:
    """Return the mean of one value a photograph, with its percentile interval.

    Example:
        >>> interval(np.array([2.0, 2.0]), resampled(2, seed=0))
        Interval(mean=2.0, low=2.0, high=2.0)
    """
    return _of(float(values_P.mean()), values_P[samples_BP].mean(axis=1))


def beyond_controls(
    effect_P: Floats, controls_RP: Floats, samples_BP: NDArray[np.intp], *, below: bool = False
) -> Interval:
    """Return an effect less the strongest one of the controls.

    Which control is the strongest is asked anew in each resample, so that the choice costs.

    Args:
        effect_P: Of the edit.
        controls_RP: Of the draws.
        samples_BP: Of :func:`resampled`.
        below: The edit is to do harm: the strongest control is the most harmful one.

    Example:
        >>> controls_RP = np.array([[0.5, 0.5], [0.0, 0.0]])
        >>> beyond_controls(np.array([2.0, 2.0]), controls_RP, resampled(2, seed=0)).low
        1.5
    """
    strongest = np.min if below else np.max
    drawn_RB = controls_RP[:, samples_BP].mean(axis=2)
    drawn_B = effect_P[samples_BP].mean(axis=1) - strongest(drawn_RB, axis=0)
    return _of(float(effect_P.mean() - strongest(controls_RP.mean(axis=1))), drawn_B)


@dataclass(frozen=True, kw_only=True, slots=True)
class UseEvidence:
    """The effects from which a layer's use of its code is judged, in dB.

    Args:
        towards_P: Moving a degraded set's code the whole way to that of the clean set.
        back_P: Moving it as far the other way.
        controls_RP: Moving as far in directions that are no code.
        shrinkage_P: Making all of the layer's values smaller.
        ceiling_P: Putting the clean versions' features in the place of the layer's.
        on_clean_P: The move of ``towards_P`` made on the clean versions.
    """

    towards_P: Floats
    back_P: Floats
    controls_RP: Floats
    shrinkage_P: Floats
    ceiling_P: Floats
    on_clean_P: Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """Whether a network uses the mean code of a layer.

    Args:
        word: ``"uses it"``, ``"no effect"`` or ``"not decided"``.
        failed: What speaks against use, in words; empty where the word is ``"uses it"``.
    """

    word: str
    failed: tuple[str, ...]


def judge_use(
    evidence: UseEvidence, *, margin: float = 0.1, resamples: int = 2000, seed: int = 0
) -> Use:
    """Say whether the network uses the mean code of a layer, for one degradation.

    It "uses it" only if each of these holds, with the whole 95 % interval over photographs:

    1. moving towards clean gains more than the best control does, by more than 0;
    2. and more than ``margin``;
    3. and more than making the layer's values smaller does;
    4. and more than the same move does on clean inputs;
    5. moving back harms more than the most harmful control does;
    6. the ceiling, the clean versions' own features, gains something;

    and there are 19 or more controls and 8 or more photographs. A direction that is no code is the
    best of 20 draws and itself once in 21, so the first condition alone says "uses it" of it in
    less than 5 % of trials.

    It has "no effect" if the whole interval of the move towards clean lies within ``margin`` of 0.
    Everything else is "not decided".

    Args:
        evidence: The effects.
        margin: In dB, above 0; less than this is no effect.
        resamples: Bootstrap samples of photographs.
        seed: Of them.

    Raises:
        ParameterError: If ``margin`` is not above 0, or the effects are not of equal photographs.
        DegenerateError: If an effect is not finite, or there is one photograph only.
    """
    if not margin > 0:
        raise ParameterError("margin", "a number of dB above 0", margin)
    fields = {name: getattr(evidence, name) for name in UseEvidence.__dataclass_fields__}
    photographs = len(evidence.towards_P)
    for name, values in fields.items():
        if values.shape[-1:] != (photographs,) or values.ndim != 1 + (name == "controls_RP"):
            raise ParameterError(name, f"one value for each of {photographs} photographs", values)
        if not np.isfinite(values).all():
            raise DegenerateError("the use of a code", f"an effect in {name} is not finite")
    samples_BP = resampled(photographs, resamples=resamples, seed=seed)
    towards_P, controls_RP = evidence.towards_P, evidence.controls_RP
    moved = interval(towards_P, samples_BP)
    conditions = (
        ("fewer than 19 controls were drawn", len(controls_RP) >= CONTROLS),
        ("there are fewer than 8 photographs", photographs >= PHOTOGRAPHS),
        (
            "random directions gain as much",
            beyond_controls(towards_P, controls_RP, samples_BP).low > 0,
        ),
        (f"moving to clean does not gain more than {margin:g} dB", moved.low > margin),
        (
            "making the layer's values smaller gains as much",
            interval(towards_P - evidence.shrinkage_P, samples_BP).low > 0,
        ),
        (
            "the same move gains as much on clean inputs",
            interval(towards_P - evidence.on_clean_P, samples_BP).low > 0,
        ),
        (
            "moving back harms no more than random directions do",
            beyond_controls(evidence.back_P, controls_RP, samples_BP, below=True).high < 0,
        ),
        (
            "the clean versions' own features gain nothing",
            interval(evidence.ceiling_P, samples_BP).low > 0,
        ),
    )
    failed = tuple(why for why, holds in conditions if not holds)
    if not failed:
        return Use(word=USES_IT, failed=())
    small = -margin < moved.low and moved.high < margin and photographs >= PHOTOGRAPHS
    return Use(word=NO_EFFECT if small else NOT_DECIDED, failed=failed)


def _of(mean: float, drawn_B: NDArray[np.float64]) -> Interval:
    low, high = np.quantile(drawn_B, (0.025, 0.975))
    return Interval(mean=mean, low=float(low), high=float(high))
