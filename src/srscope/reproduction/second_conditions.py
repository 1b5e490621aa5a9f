"""What must be measured for each claim of the second edition: one function a claim.

Every function returns all its conditions whatever was measured; a claim holds if all of them do.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal

from srscope.reproduction.criteria import Decision, at_least, below, greater, times
from srscope.reproduction.evidence import DEEPEST, DEPTHS, Evidence
from srscope.reproduction.records import Estimate
from srscope.reproduction.second_criteria import (
    SAME_ACCURACY,
    SAME_CHI,
    SAME_D,
    SEPARATES_D,
    STRONG_D,
    accuracy_of,
    auc_of,
    equivalent,
    log_chi,
    not_lower,
    paired,
)
from srscope.reproduction.second_evidence import (
    KINDS,
    LEGIBLE,
    PIXELS,
    By,
    name_of,
)

CLASSES, KIND_SETS = 10, 3
CLASSIFIER_DEPTHS = ("Conv1", "Conv2_4", "Conv3_4", "Conv4_4", "Conv5_4")
FOUR = ("srresnet-wogr", "srresnet-wgr", "srgan-wogr", "srgan-wgr")
CLUSTERED = ("srresnet-wgr", "srgan-wogr", "srgan-wgr")
"""The networks in which the paper shows clusters at the last block."""
ADVERSARIAL = ("srgan-wogr", "srgan-wgr")
NOISE_DEGREES, BLUR_DEGREES = (5, 10, 15, 20, 25, 30), (1, 2, 3, 4)
"""Of the suites ``noise-spectrum`` and ``blur-spectrum``."""
DOSES = (
    ("clean:noise-as-blur1", "clean:blur1"),
    ("clean:noise-as-blur4", "clean:blur4"),
    ("noise-as-blur1:noise-as-blur4", "blur1:blur4"),
)
"""C11's pairs of sets. The noise in ``noise-as-blur1`` costs the input as much PSNR as blur 1."""
OTHER_PATCHES = (16, 24, 48, 64)
"""Compared with the paper's 32."""
TSNE_VARIANTS = (
    "perplexity10", "perplexity50", "learning-rate50", "learning-rate800", "seeds",
)  # fmt: skip


def _probe(
    e: Evidence, network: str, layer: str, images: str = KINDS, by: By = "set", variant: str = ""
) -> Estimate:
    return e[name_of("probe", network, images, layer, by, variant)]


def _share(e: Evidence, network: str, layer: str, by: By, images: str = LEGIBLE) -> Estimate:
    return e[name_of("share", network, images, layer, by)]


def _d_prime(e: Evidence, network: str, images: str, pair: str) -> Estimate:
    return e[name_of("d_prime", network, images, DEEPEST, variant=pair)]


def c1(e: Evidence) -> list[Decision]:
    """Decide C1."""

    def gain(method: str, images: str) -> Estimate:
        return e[name_of("gain", method, images, by="")]

    def change(method: str, images: str) -> Estimate:
        return e[name_of("change", method, images, by="")]

    return [
        at_least("CinCGAN's gain on mild, dB,", gain("cincgan", "mild"), 0.0),
        *(
            greater(
                f"half of BM3D's change of {images}, levels,", times(change("bm3d", images), 0.5),
                "CinCGAN's", change("cincgan", images),
            )
            for images in ("noise20", "historic")
        ),
        *(
            at_least(f"BM3D's change of {images}, levels,", change("bm3d", images), 1.0)
            for images in ("mild", "noise20", "historic")
        ),
        *(
            at_least(f"BM3D's gain on {images}, dB,", gain("bm3d", images), 0.0)
            for images in ("mild", "noise20")
        ),
    ]  # fmt: skip


def c2(e: Evidence) -> list[Decision]:
    """Decide C2."""
    own = _probe(e, "cincgan", "deepest", "mild-noise20")
    pixels = _probe(e, PIXELS, "", "mild-noise20")
    return [
        at_least("accuracy of CinCGAN's probe", own, accuracy_of(SEPARATES_D, 2)),
        greater("accuracy of CinCGAN's probe", own, "of the pixels'", pixels),
    ]


def c3(e: Evidence) -> list[Decision]:
    """Decide C3."""
    own = _probe(e, "srgan-wgr", DEEPEST)
    return [
        at_least("accuracy of srgan-wgr's probe", own, accuracy_of(STRONG_D, KIND_SETS)),
        greater("accuracy of srgan-wgr's probe", own, "of the pixels'", _probe(e, PIXELS, "")),
    ]


def _deeper(what: str, by_depth: dict[str, Estimate]) -> list[Decision]:
    """The last layer is above the first, and no step goes down by more than the margin."""
    first, last = next(iter(by_depth)), list(by_depth)[-1]
    steps = [
        not_lower(
            f"{what}: accuracy at {after} less that at {before}",
            paired(by_depth[after], by_depth[before]),
            SAME_ACCURACY,
        )
        for before, after in pairwise(by_depth)
    ]
    ends = greater(f"{what}: accuracy at {last}", by_depth[last], f"at {first}", by_depth[first])
    return [ends, *steps]


def c4(e: Evidence) -> list[Decision]:
    """Decide C4."""
    by_depth = {
        label: _probe(e, "resnet18", label, "clean@digits", "class") for label in CLASSIFIER_DEPTHS
    }
    return [
        at_least(
            "resnet18: accuracy by class at Conv5_4",
            by_depth["Conv5_4"],
            accuracy_of(STRONG_D, CLASSES),
        ),
        *_deeper("resnet18", by_depth),
    ]


def _own_over_other(
    e: Evidence, network: str, layer: str, own: By, other: By, images: str = LEGIBLE
) -> list[Decision]:
    """The network tells its own labels apart, and they make more of the variance."""
    sets = CLASSES if own == "class" else KIND_SETS
    words = {"class": "class", "set": "degradation"}
    return [
        at_least(
            f"{network}: accuracy by {words[own]}",
            _probe(e, network, layer, images, own),
            accuracy_of(STRONG_D, sets),
        ),
        greater(
            f"{network}: share of {words[own]}", _share(e, network, layer, own, images),
            f"of {words[other]}", _share(e, network, layer, other, images),
        ),
    ]  # fmt: skip


def c5_on(e: Evidence, images: str) -> list[Decision]:
    """Decide C5 on labelled images of a suite."""
    return [
        *_own_over_other(e, "resnet18", "Conv5_4", "class", "set", images),
        *_own_over_other(e, "srresnet-wgr", DEEPEST, "set", "class", images),
        *_own_over_other(e, "srgan-wgr", DEEPEST, "set", "class", images),
    ]


def c5(e: Evidence) -> list[Decision]:
    """Decide C5."""
    return c5_on(e, LEGIBLE)


def c9(e: Evidence) -> list[Decision]:
    """Decide C9."""
    return [
        decision
        for network in CLUSTERED
        for decision in _deeper(network, {label: _probe(e, network, label) for label in DEPTHS})
    ]


def _curve(e: Evidence, network: str, family: str, degrees: tuple[int, ...]) -> list[Decision]:
    """Degrees separate, the furthest best, and no step further apart goes down."""
    weakest, others = degrees[0], degrees[1:]
    pairs = {
        degree: _d_prime(
            e, network, f"{family}-spectrum", f"{family}{weakest}:{family}{degree}"
        )
        for degree in others
    }  # fmt: skip
    near, far = others[0], others[-1]
    what = f"{network}: d' of {family} {weakest} and"
    return [
        at_least(f"{what} {far}", pairs[far], SEPARATES_D),
        greater(f"{what} {far}", pairs[far], f"of {weakest} and {near}", pairs[near]),
        *(
            greater(
                f"{what} {after}", pairs[after],
                f"{SAME_D:.2f} times that of {weakest} and {before}", times(pairs[before], SAME_D),
            )
            for before, after in pairwise(others)
        ),
    ]  # fmt: skip


def c10(e: Evidence) -> list[Decision]:
    """Decide C10."""
    decisions: list[Decision] = []
    for network in FOUR:
        decisions += _curve(e, network, "noise", NOISE_DEGREES)
        decisions += _curve(e, network, "blur", BLUR_DEGREES)
        far, near = (_d_prime(e, network, "noise-spectrum", f"noise10:noise{n}") for n in (30, 20))
        decisions.append(
            greater(f"{network}: d' of noise 10 and 30", far, "of noise 10 and 20", near)
        )
    return decisions


def c11_in(e: Evidence, networks: tuple[str, ...]) -> list[Decision]:
    """Decide C11 in some networks."""
    return [
        greater(
            f"{network}: d' of {noise}", _d_prime(e, network, "matched-dose", noise),
            f"of {blur}", _d_prime(e, network, "matched-dose", blur),
        )
        for network in networks
        for noise, blur in DOSES
    ]  # fmt: skip


def c11(e: Evidence) -> list[Decision]:
    """Decide C11."""
    return c11_in(e, ADVERSARIAL)


def c14(e: Evidence) -> list[Decision]:
    """Decide C14."""
    suite, plain, trained = "clean-noise20", "srgan-wgr", "srgan-wgr-noise20"

    def auc(network: str) -> Estimate:
        return e[name_of("auc", network, suite, DEEPEST, variant="channel-statistics")]

    def psnr(method: str) -> Estimate:
        return e[name_of("psnr", method, "noise20", by="")]

    return [
        at_least(f"{plain}: accuracy", _probe(e, plain, DEEPEST, suite), accuracy_of(STRONG_D, 2)),
        below(
            f"{trained}: accuracy", _probe(e, trained, DEEPEST, suite), accuracy_of(SEPARATES_D, 2)
        ),
        at_least(f"{plain}: AUC of channel statistics", auc(plain), auc_of(STRONG_D)),
        below(f"{trained}: AUC of channel statistics", auc(trained), auc_of(SEPARATES_D)),
        greater(f"PSNR on noise20 of {trained}", psnr(trained), f"of {plain}", psnr(plain)),
        greater(f"PSNR on noise20 of {trained}", psnr(trained), "of bicubic", psnr("bicubic")),
    ]


def c15(e: Evidence) -> list[Decision]:
    """Decide C15."""
    classifier, magnifier = ("unified-classifier", "Down4"), ("unified-sr", "deepest")
    return [
        *_own_over_other(e, *classifier, "class", "set"),
        *_own_over_other(e, *magnifier, "set", "class"),
        greater(
            "share of class in unified-classifier", _share(e, *classifier, "class"),
            "in unified-sr", _share(e, *magnifier, "class"),
        ),
        greater(
            "share of degradation in unified-sr", _share(e, *magnifier, "set"),
            "in unified-classifier", _share(e, *classifier, "set"),
        ),
    ]  # fmt: skip


def reductions(e: Evidence, quantity: Literal["knn", "chi"], what: str) -> list[Decision]:
    """Compare reductions of the classifier's last layer by one of their scores."""

    def of(variant: str) -> Estimate:
        return e[name_of(quantity, "resnet18", "clean@digits", "Conv5_4", "class", variant)]

    flat, plane = of("tsne2"), of("pca2")
    return [
        greater(f"{what} in 2-D t-SNE", flat, "in 2-D PCA", plane),
        greater(f"{what} in 2-D t-SNE", flat, "in 3-D t-SNE", of("tsne3")),
        *(
            greater(f"{what} in 2-D PCA", plane, f"in {d}-D PCA", of(f"pca{d}"))
            for d in (3, 4, 5)
        ),
    ]  # fmt: skip


def c16(e: Evidence) -> list[Decision]:
    """Decide C16."""
    return reductions(e, "knn", "k-NN accuracy by class")


def c17(e: Evidence) -> list[Decision]:
    """Decide C17."""
    return [
        equivalent(
            f"{network}: accuracy with {patch}-px patches less that with 32-px ones",
            paired(
                _probe(e, network, DEEPEST, variant=f"patch{patch}"), _probe(e, network, DEEPEST)
            ),
            SAME_ACCURACY,
        )
        for network in CLUSTERED
        for patch in OTHER_PATCHES
    ]


def same_chi(e: Evidence, network: str, variant: str) -> Decision:
    """A change of the method leaves CHI as it is."""
    changed, usual = (
        log_chi(e[name_of("chi", network, layer=DEEPEST, variant=v)]) for v in (variant, "")
    )
    return equivalent(
        f"{network}: ln CHI with {variant} less the usual", paired(changed, usual),
        math.log(SAME_CHI),
    )  # fmt: skip


def c18(e: Evidence) -> list[Decision]:
    """Decide C18."""
    decisions: list[Decision] = []
    for network in CLUSTERED:
        decisions += [same_chi(e, network, variant) for variant in TSNE_VARIANTS]
        spread = e[name_of("run_spread", network, layer=DEEPEST)]
        decisions.append(
            below(
                f"{network}: ln of the factor between two runs (95 % of pairs)",
                times(spread, 1.96 * math.sqrt(2)),
                math.log(SAME_CHI),
            )
        )
    return decisions
