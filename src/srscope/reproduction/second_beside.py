"""What stands beside a claim of the second edition, with a verdict of its own that decides nothing.

Mostly the paper's score, CHI, by the conditions of the first edition.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from srscope.reproduction.criteria import SEPARATES, STRONG, Decision, at_least, below, greater
from srscope.reproduction.evidence import DEEPEST, DEPTHS, Evidence
from srscope.reproduction.second_conditions import (
    ADVERSARIAL,
    CLUSTERED,
    DOSES,
    FOUR,
    OTHER_PATCHES,
    reductions,
    same_chi,
)
from srscope.reproduction.second_criteria import SAME_CHI, log_chi, not_lower, paired
from srscope.reproduction.second_evidence import KINDS, LEGIBLE, PIXELS, SIMPLE, By, name_of

Decide = Callable[[Evidence], Sequence[Decision]]


def beyond_simple(network: str, layer: str, suite: str = KINDS) -> Decide:
    """Return the condition that a network beats the best simple statistic of the images."""

    def decide(e: Evidence) -> list[Decision]:
        own = e[name_of("probe", network, suite, layer)]
        simple = e[name_of("probe", SIMPLE, suite)]
        return [
            greater(f"accuracy of {network}'s probe", own, "of the best simple statistic", simple)
        ]

    return decide


def c2_by_chi(e: Evidence) -> list[Decision]:
    """Decide C2 by CHI."""
    own = e[name_of("chi", "cincgan", "mild-noise20", "deepest")]
    pixels = e[name_of("chi", PIXELS, "mild-noise20")]
    return [
        at_least("CHI of CinCGAN", own, SEPARATES),
        greater("CHI of CinCGAN", own, "of the pixels", pixels),
    ]


def c3_by_chi(e: Evidence) -> list[Decision]:
    """Decide C3 by CHI."""
    own = e[name_of("chi", "srgan-wgr", layer=DEEPEST)]
    return [
        at_least("CHI of srgan-wgr", own, SEPARATES),
        greater("CHI of srgan-wgr", own, "of the pixels", e[name_of("chi", PIXELS)]),
    ]


def c4_by_chi(e: Evidence) -> list[Decision]:
    """Decide C4 by CHI."""
    first, last = (
        e[name_of("chi", "resnet18", "clean@digits", label, "class")]
        for label in ("Conv1", "Conv5_4")
    )
    return [
        at_least("CHI by class at Conv5_4", last, STRONG),
        greater("CHI by class at Conv5_4", last, "at Conv1", first),
    ]


def _own_over_other(e: Evidence, network: str, layer: str, own: By, other: By) -> list[Decision]:
    mine, others = (e[name_of("chi", network, LEGIBLE, layer, by)] for by in (own, other))
    words = {"class": "class", "set": "degradation"}
    return [
        at_least(f"{network}: CHI by {words[own]}", mine, SEPARATES),
        greater(f"{network}: CHI by {words[own]}", mine, f"by {words[other]}", others),
    ]


def c5_by_chi(e: Evidence) -> list[Decision]:
    """Decide C5 by CHI."""
    return [
        *_own_over_other(e, "resnet18", "Conv5_4", "class", "set"),
        *_own_over_other(e, "srresnet-wgr", DEEPEST, "set", "class"),
        *_own_over_other(e, "srgan-wgr", DEEPEST, "set", "class"),
    ]


def c9_by_chi(e: Evidence) -> list[Decision]:
    """Decide C9 by CHI."""
    decisions: list[Decision] = []
    for network in CLUSTERED:
        by_depth = {label: e[name_of("chi", network, layer=label)] for label in DEPTHS}
        first, last = DEPTHS[0], DEPTHS[-1]
        decisions.append(
            greater(f"{network}: CHI at {last}", by_depth[last], f"at {first}", by_depth[first])
        )
        for before, after in pairwise(DEPTHS):
            # Below one, CHI says that there is nothing, and its logarithm would weigh noise.
            gap = paired(by_depth[after], by_depth[before])
            if by_depth[before].value > 1:
                gap = paired(log_chi(by_depth[after]), log_chi(by_depth[before]))
            decisions.append(
                not_lower(f"{network}: change of CHI from {before} to {after}", gap,
                          math.log(SAME_CHI))
            )  # fmt: skip
    return decisions


def c10_by_chi(e: Evidence) -> list[Decision]:
    """Decide C10 by CHI."""
    return [
        greater(
            f"{network}: CHI of noise 10 and 30",
            e[name_of("chi", network, "noise-10-30", DEEPEST)],
            "of noise 10 and 20", e[name_of("chi", network, "noise-10-20", DEEPEST)],
        )
        for network in FOUR
    ]  # fmt: skip


def c11_by_chi(e: Evidence) -> list[Decision]:
    """Decide C11 by CHI."""
    return [
        greater(
            f"{network}: CHI of {noise}",
            e[name_of("chi", network, "matched-dose", DEEPEST, variant=noise)],
            f"of {blur}", e[name_of("chi", network, "matched-dose", DEEPEST, variant=blur)],
        )
        for network in ADVERSARIAL
        for noise, blur in DOSES
    ]  # fmt: skip


def c14_by_chi(e: Evidence) -> list[Decision]:
    """Decide C14 by CHI."""
    plain, trained = (
        e[name_of("chi", network, "clean-noise20", DEEPEST)]
        for network in ("srgan-wgr", "srgan-wgr-noise20")
    )
    return [
        at_least("CHI of srgan-wgr", plain, SEPARATES),
        below("CHI of srgan-wgr-noise20", trained, SEPARATES),
    ]


def c15_by_chi(e: Evidence) -> list[Decision]:
    """Decide C15 by CHI."""
    return [
        *_own_over_other(e, "unified-classifier", "Down4", "class", "set"),
        *_own_over_other(e, "unified-sr", "deepest", "set", "class"),
    ]


def c16_by_chi(e: Evidence) -> list[Decision]:
    """Decide C16 by CHI."""
    return reductions(e, "chi", "CHI by class")


def c17_by_chi(e: Evidence) -> list[Decision]:
    """Decide C17 by CHI."""
    return [same_chi(e, n, f"patch{patch}") for n in CLUSTERED for patch in OTHER_PATCHES]
