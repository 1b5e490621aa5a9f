"""The names under which the second edition asks for numbers, and the networks it asks about.

A name is ``second/QUANTITY/NETWORK/IMAGES/LAYER/BY/VARIANT``; parts at the end that say nothing are
left out. ``docs/reproduction-second.md`` says what each quantity is. All intervals and samples are
over photographs, drawn alike for all names, so that differences are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from srscope.reproduction.evidence import DEEPEST, Evidence
from srscope.reproduction.records import Estimate
from srscope.reproduction.second_criteria import over_seeds, paired

Quantity = Literal[
    "probe", "auc", "d_prime", "chi", "run_spread", "share", "content", "knn",
    "psnr", "gain", "change",
]  # fmt: skip
By = Literal["set", "class", ""]
KINDS = "clean-blur-noise"
LEGIBLE = "clean-blur1-noise20@digits"
"""Labelled images: the paper's weakest blur (Table 1) and the noise of its Fig. 10. A blur of 2 to
4 pixels leaves nothing of a digit on 32 pixels, so that no network could tell its class."""
PIXELS, SIMPLE = "pixels", "simple"
"""Instead of a network: the images themselves; the best of the simple statistics of them."""

SEEDS = (2, 3, 4, 5, 6)
"""Training seeds of the population; seed 1 was looked at in a pilot."""
MATCHED_PSNR = 0.1
"""dB up to which the PSNR of two networks on clean images counts as matched."""


def name_of(
    quantity: Quantity,
    network: str,
    images: str = KINDS,
    layer: str = "",
    by: By = "set",
    variant: str = "",
) -> str:
    """Return the name of a number.

    Args:
        quantity: What is measured.
        network: The network's name, or ``pixels`` or ``simple``.
        images: Suite of degradations, ``SUITE@digits``, or one set for what is measured on it.
        layer: The layer's label; empty for outputs and pixels.
        by: What is to be told apart: degradations, object classes, or nothing.
        variant: A pair of sets (``noise5:noise10``), or what was done otherwise than usual.

    Example:
        >>> name_of("probe", "srgan-wgr", layer="ResBlock16")
        'second/probe/srgan-wgr/clean-blur-noise/ResBlock16/set'
        >>> name_of("psnr", "srgan-wgr", "noise20", by="")
        'second/psnr/srgan-wgr/noise20'
        >>> name_of("d_prime", "srgan-wgr", "blur-spectrum", "ResBlock16", variant="blur1:blur4")
        'second/d_prime/srgan-wgr/blur-spectrum/ResBlock16/set/blur1:blur4'
    """
    return "/".join(p for p in ("second", quantity, network, images, layer, by, variant) if p)


@dataclass(frozen=True, kw_only=True)
class Networks:
    """The networks that a statement is about.

    Args:
        name: ``population`` or ``this network``.
        members: Names of the networks of each recipe, seed by seed.
        layer: Label of the last block.
        matched: Compare networks with and without the residual at matched PSNR.
    """

    name: str
    members: Mapping[str, tuple[str, ...]]
    layer: str
    matched: bool


_BUNDLED = {
    "l1-wogr": "srresnet-wogr",
    "l1-wgr": "srresnet-wgr",
    "gan-wogr": "srgan-wogr",
    "gan-wgr": "srgan-wgr",
}
POPULATION = Networks(
    name="population",
    members={recipe: tuple(f"{recipe}-seed{seed}" for seed in SEEDS) for recipe in _BUNDLED},
    layer="ResBlock8",
    matched=True,
)
THIS_NETWORK = Networks(
    name="this network",
    members={recipe: (network,) for recipe, network in _BUNDLED.items()},
    layer=DEEPEST,
    matched=False,
)

Measure = Callable[[Evidence, str, str], Estimate]
"""Returns a number of a network (its name) at a layer (its label)."""


def mean(e: Evidence, networks: Networks, recipe: str, measure: Measure) -> Estimate:
    """Return the mean of a number over the networks of a recipe."""
    return over_seeds([measure(e, each, networks.layer) for each in networks.members[recipe]])


def contrast(
    e: Evidence,
    networks: Networks,
    first: str,
    second: str,
    measure: Measure,
    *,
    matched: bool,
) -> Estimate:
    """Return the mean difference of two recipes, seed by seed.

    Args:
        e: The evidence.
        networks: Of which networks.
        first: A recipe.
        second: The recipe that is subtracted.
        measure: What is compared.
        matched: Compare at matched PSNR where these networks are to be.
    """
    gaps: list[Estimate] = []
    for one, other in zip(networks.members[first], networks.members[second], strict=True):
        a, b = matched_pair(e, one, other) if matched and networks.matched else (one, other)
        gaps.append(paired(measure(e, a, networks.layer), measure(e, b, networks.layer)))
    return over_seeds(gaps)


def matched_pair(e: Evidence, one: str, other: str) -> tuple[str, str]:
    """Return which states of two networks have the same PSNR on clean images.

    Both as trained where they differ by :data:`MATCHED_PSNR` or less. Else the better of them, say
    A, is taken earlier in its own training: ``A@B`` is A at the checkpoint whose PSNR is nearest to
    that of B as trained, the latest of those within :data:`MATCHED_PSNR` of it.
    """
    gap = e[name_of("psnr", one, "clean", by="")].value
    gap -= e[name_of("psnr", other, "clean", by="")].value
    if abs(gap) <= MATCHED_PSNR:
        return one, other
    return (f"{one}@{other}", other) if gap > 0 else (one, f"{other}@{one}")
