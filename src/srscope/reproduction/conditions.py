"""What must be measured for each of the paper's claims: one function a claim, named after it.

They follow from the paper's bands of CHI (20: clusters, 100: strong ones) and from its own
comparisons. When they were written, the two L1 networks had been analysed, the others not trained.
"""

from __future__ import annotations

from itertools import pairwise

from srscope.reproduction.criteria import (
    SEPARATES,
    STRONG,
    Decision,
    at_least,
    below,
    greater,
    times,
)
from srscope.reproduction.evidence import (
    DEEPEST,
    DEPTHS,
    Evidence,
    change_key,
    chi_key,
    content_key,
    gain_key,
    psnr_key,
)

PATCHES = (16, 24, 32, 48, 64)
"""Patch sizes of C17, in LR pixels."""
TSNE_VARIANTS = (
    "perplexity10", "perplexity50", "learning-rate50", "learning-rate800", "seeds",
)  # fmt: skip
"""What C18 varies: parameters of t-SNE, and other seeds."""


def _separates(e: Evidence, network: str) -> Decision:
    return at_least(f"{network}: CHI at {DEEPEST}", e[chi_key(network, DEEPEST)], SEPARATES)


def _no_clusters(e: Evidence, network: str) -> Decision:
    return below(f"{network}: CHI at {DEEPEST}", e[chi_key(network, DEEPEST)], SEPARATES)


def _by_class(label: str, suite: str, variant: str = "") -> str:
    return chi_key("resnet18", label, suite, by="class", source="digits", variant=variant)


def c1(e: Evidence) -> list[Decision]:
    """Decide C1."""
    return [
        at_least("gain on mild, dB,", e[gain_key("cincgan", "mild")], 0.0),
        greater(
            "BM3D's gain on noise20", e[gain_key("bm3d", "noise20")],
            "twice CinCGAN's", times(e[gain_key("cincgan", "noise20")], 2.0),
        ),
        at_least("BM3D's gain on noise20, dB,", e[gain_key("bm3d", "noise20")], 0.0),
        at_least("BM3D's change of mild, levels,", e[change_key("bm3d", "mild")], 1.0),
    ]  # fmt: skip


def c2(e: Evidence) -> list[Decision]:
    """Decide C2."""
    return [at_least("CHI of CinCGAN by data set", e[chi_key("cincgan", "deepest", "real")], 20.0)]


def c3(e: Evidence) -> list[Decision]:
    """Decide C3."""
    return [_separates(e, "srgan-wgr")]


def c4(e: Evidence) -> list[Decision]:
    """Decide C4."""
    first, last = (_by_class(label, "clean") for label in ("Conv1", "Conv5_4"))
    return [
        at_least("CHI by class at Conv5_4", e[last], STRONG),
        greater("CHI by class at Conv5_4", e[last], "at Conv1", e[first]),
    ]


def c5(e: Evidence) -> list[Decision]:
    """Decide C5."""
    conditions: list[Decision] = []
    for network, label, mine, other in (
        ("resnet18", "Conv5_4", "class", "set"),
        ("srresnet-wgr", DEEPEST, "set", "class"),
        ("srgan-wgr", DEEPEST, "set", "class"),
    ):
        keys = {by: chi_key(network, label, by=by, source="digits") for by in ("class", "set")}
        names = {"class": "class", "set": "degradation"}
        conditions.append(
            greater(
                f"{network}: CHI by {names[mine]}", e[keys[mine]], f"by {names[other]}",
                e[keys[other]],
            )
        )  # fmt: skip
        conditions.append(at_least(f"{network}: CHI by {names[mine]}", e[keys[mine]], SEPARATES))
    return conditions


def c6(e: Evidence) -> list[Decision]:
    """Decide C6."""
    return [_separates(e, "srresnet-wgr"), _no_clusters(e, "srresnet-wogr")]


def c7(e: Evidence) -> list[Decision]:
    """Decide C7."""
    return [_separates(e, "srgan-wgr"), _separates(e, "srgan-wogr")]


def c8(e: Evidence) -> list[Decision]:
    """Decide C8."""
    with_residual, plain = (e[chi_key(f"srgan-{kind}", DEEPEST)] for kind in ("wgr", "wogr"))
    return [greater("CHI of srgan-wgr", with_residual, "of srgan-wogr", plain)]


def c9(e: Evidence) -> list[Decision]:
    """Decide C9."""
    conditions: list[Decision] = []
    for network in ("srresnet-wgr", "srgan-wogr", "srgan-wgr"):
        by_depth = {label: e[chi_key(network, label)] for label in DEPTHS}
        conditions.append(
            greater(
                f"{network}: CHI at {DEPTHS[-1]}", by_depth[DEPTHS[-1]], f"at {DEPTHS[0]}",
                by_depth[DEPTHS[0]],
            )
        )  # fmt: skip
        for before, after in pairwise(DEPTHS):
            step = greater(
                f"{network}: CHI at {after}", by_depth[after], f"at {before}", by_depth[before]
            )
            if step.verdict == "does not hold":  # a step down; flat ones are no objection
                conditions.append(step)
    return conditions


def c10(e: Evidence) -> list[Decision]:
    """Decide C10."""
    conditions: list[Decision] = []
    for network in ("srresnet-wgr", "srgan-wgr"):
        far, near = (e[chi_key(network, DEEPEST, f"noise-10-{n}")] for n in (30, 20))
        conditions.append(
            greater(f"{network}: CHI of noise 10 and 30", far, "of noise 10 and 20", near)
        )
    far = e[chi_key("srgan-wgr", DEEPEST, "noise-10-30")]
    return [*conditions, at_least("srgan-wgr: CHI of noise 10 and 30", far, SEPARATES)]


def c11(e: Evidence) -> list[Decision]:
    """Decide C11."""
    return [
        greater(
            f"{network}: CHI of noise 10 and 30", e[chi_key(network, DEEPEST, "noise-10-30")],
            "of blur 1 and 4", e[chi_key(network, DEEPEST, "blur-1-4")],
        )
        for network in ("srgan-wogr", "srgan-wgr")
    ]  # fmt: skip


def c12(e: Evidence) -> list[Decision]:
    """Decide C12."""
    return [
        at_least("srgan-wgr: CHI of blur", e[chi_key("srgan-wgr", DEEPEST, "blur-1-4")], SEPARATES),
        below("srgan-wogr: CHI of blur", e[chi_key("srgan-wogr", DEEPEST, "blur-1-4")], SEPARATES),
    ]


def c13(e: Evidence) -> list[Decision]:
    """Decide C13."""
    plain = e[content_key("srresnet-wogr")]
    names = {"srresnet-wgr": "GR alone", "srgan-wogr": "GAN alone", "srgan-wgr": "both"}
    return [
        greater("content without either", plain, f"with {text}", e[content_key(network)])
        for network, text in names.items()
    ]


def c14(e: Evidence) -> list[Decision]:
    """Decide C14."""
    suite, trained = "clean-noise20", "srgan-wgr-noise20"
    return [
        at_least("srgan-wgr: CHI", e[chi_key("srgan-wgr", DEEPEST, suite)], SEPARATES),
        below(f"{trained}: CHI", e[chi_key(trained, DEEPEST, suite)], SEPARATES),
        greater(
            f"PSNR on noise20 of {trained}", e[psnr_key(trained, "noise20")],
            "of srgan-wgr", e[psnr_key("srgan-wgr", "noise20")],
        ),
    ]  # fmt: skip


def c15(e: Evidence) -> list[Decision]:
    """Decide C15."""
    by_class = chi_key("unified-classifier", "Down4", "clean", by="class", source="digits")
    deepest = e[chi_key("unified-sr", "deepest")]
    keys = {by: chi_key("unified-sr", "deepest", by=by, source="digits") for by in ("set", "class")}
    return [
        at_least("unified-classifier: CHI by class", e[by_class], STRONG),
        at_least("unified-sr: CHI by degradation", deepest, SEPARATES),
        greater(
            "unified-sr on labelled images: CHI by degradation", e[keys["set"]], "by class",
            e[keys["class"]],
        ),
    ]  # fmt: skip


def c16(e: Evidence) -> list[Decision]:
    """Decide C16."""
    flat = e[_by_class("Conv5_4", "clean")]
    return [
        greater("CHI of t-SNE in 2-D", flat, f"of {text}", e[_by_class("Conv5_4", "clean", kind)])
        for kind, text in {"tsne3": "t-SNE in 3-D", "pca2": "PCA in 2-D"}.items()
    ]


def c17(e: Evidence) -> list[Decision]:
    """Decide C17."""
    return [
        at_least(
            f"srgan-wgr: CHI with {patch}-px patches",
            e[chi_key("srgan-wgr", DEEPEST, variant=f"patch{patch}")],
            SEPARATES,
        )
        for patch in PATCHES
    ]


def c18(e: Evidence) -> list[Decision]:
    """Decide C18."""
    return [
        at_least(
            f"srgan-wgr: CHI with {variant}",
            e[chi_key("srgan-wgr", DEEPEST, variant=variant)],
            SEPARATES,
        )
        for variant in TSNE_VARIANTS
    ]
