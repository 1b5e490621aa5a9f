"""Conditions of the first edition: each can decide alone, and none can go without being noticed."""

from __future__ import annotations

import pytest

from srscope.reproduction import conditions
from srscope.reproduction.evidence import (
    DEEPEST,
    DEPTHS,
    change_key,
    chi_key,
    content_key,
    gain_key,
    psnr_key,
)
from support.conditions import (
    Case,
    Chain,
    Table,
    check_each_condition_fails_alone,
    disagreement,
    estimate,
    mutants,
)

MODULE = "srscope.reproduction.conditions"
NO, MAYBE = "does not hold", "inconclusive"
"""What a failing condition may lead to."""


def chi(network: str, label: str = DEEPEST, suite: str = "clean-blur-noise") -> str:
    return chi_key(network, label, suite)


def by(network: str, label: str, what: str, suite: str = "clean-blur-noise", kind: str = "") -> str:
    kinds = {"class": "class", "set": "set"}
    return chi_key(network, label, suite, by=kinds[what], source="digits", variant=kind)  # type: ignore[arg-type]


def own_over_other(network: str, label: str, mine: str, line: float = 20) -> tuple[dict, list]:
    """CHI by the network's own labels is large enough, and above that by the other ones."""
    own, other = (
        by(network, label, mine),
        by(network, label, {"class": "set", "set": "class"}[mine]),
    )
    return {own: 1.1 * line, other: 1.0}, [
        Case(f"{network} clusters more by the other labels", {other: 1.2 * line}),
        Case(f"{network} clusters too little", {own: 0.9 * line}),
    ]


def c1() -> Table:
    mild, bm3d, cincgan = (
        gain_key("cincgan", "mild"), gain_key("bm3d", "noise20"), gain_key("cincgan", "noise20"),
    )  # fmt: skip
    changed = change_key("bm3d", "mild")
    return Table(
        {mild: 0.5, bm3d: 4.5, cincgan: 2.0, changed: 1.1},
        [
            Case("it harms mild", {mild: -0.5}),
            Case("it denoises more than half as well", {bm3d: 3.6}),
            Case("BM3D gains little, CinCGAN next to nothing", {bm3d: 0.5, cincgan: 0.1}, "holds"),
            Case("BM3D harms", {bm3d: -0.5, cincgan: -2.0}),
            Case("BM3D hardly changes mild", {changed: 0.9}),
        ],
    )


def c2() -> Table:
    key = chi_key("cincgan", "deepest", "real")
    return Table({key: 22}, [Case("few clusters", {key: 18})])


def c3() -> Table:
    return Table({chi("srgan-wgr"): 22}, [Case("few clusters", {chi("srgan-wgr"): 18})])


def c4() -> Table:
    first, last = (
        by("resnet18", "Conv1", "class", "clean"),
        by("resnet18", "Conv5_4", "class", "clean"),
    )
    return Table(
        {first: 1.0, last: 110},
        [Case("not strong", {last: 90}), Case("less with depth", {first: 120})],
    )


def c5() -> Table:
    base, cases = {}, []
    for network, label, mine in (
        ("resnet18", "Conv5_4", "class"), ("srresnet-wgr", DEEPEST, "set"),
        ("srgan-wgr", DEEPEST, "set"),
    ):  # fmt: skip
        more, others = own_over_other(network, label, mine)
        base |= more
        cases += others
    return Table(base, cases)


def c6() -> Table:
    with_it, without_it = chi("srresnet-wgr"), chi("srresnet-wogr")
    return Table(
        {with_it: 22, without_it: 18},
        [Case("no clusters with it", {with_it: 18}), Case("clusters without", {without_it: 22})],
    )


def c7() -> Table:
    keys = chi("srgan-wgr"), chi("srgan-wogr")
    return Table(dict.fromkeys(keys, 22.0), [Case(f"few in {key}", {key: 18}) for key in keys])


def c8() -> Table:
    with_it, without_it = chi("srgan-wgr"), chi("srgan-wogr")
    return Table({with_it: 3, without_it: 2}, [Case("weaker with it", {without_it: 4})])


def c9() -> Table:
    networks = ("srresnet-wgr", "srgan-wogr", "srgan-wgr")

    def course(network: str, *values: float, **wide: float) -> dict:
        edits = dict(zip((chi(network, label) for label in DEPTHS), values, strict=True))
        return edits | {chi(network, k): estimate(v, 10.0) for k, v in wide.items()}

    base = {key: v for n in networks for key, v in course(n, 0.1, 0.2, 30, 300).items()}
    cases = []
    for n in networks:
        cases += [
            Case(f"{n}: flat steps", course(n, 0.1, 0.1, 0.1, 300), "holds"),
            Case(f"{n}: flat throughout", course(n, 5, 5, 5, 5), MAYBE),
            Case(f"{n}: the last layer is uncertain", course(n, 5, 5, 6, 6, ResBlock16=6), MAYBE),
            Case(f"{n}: the first layer is uncertain", course(n, 5, 4, 6, 6, Conv1=5), MAYBE),
            Case(f"{n}: down to block 4", course(n, 1, 0.5, 30, 300)),
            Case(f"{n}: down to block 8", course(n, 0, 30, 10, 300)),
            Case(f"{n}: down to block 16", course(n, 0, 1, 400, 300)),
        ]
    return Table(base, cases)


def c10() -> Table:
    keys = {
        (n, d): chi(n, suite=f"noise-10-{d}")
        for n in ("srresnet-wgr", "srgan-wgr")
        for d in (20, 30)
    }
    return Table(
        {keys["srresnet-wgr", 30]: 5, keys["srresnet-wgr", 20]: 1,
         keys["srgan-wgr", 30]: 22, keys["srgan-wgr", 20]: 1},
        [
            Case("nearer degrees separate better in srresnet-wgr", {keys["srresnet-wgr", 20]: 6}),
            Case("nearer degrees separate better in srgan-wgr", {keys["srgan-wgr", 20]: 24}),
            Case("degrees hardly separate", {keys["srgan-wgr", 30]: 18}),
        ],
    )  # fmt: skip


def c11() -> Table:
    base, cases = {}, []
    for network in ("srgan-wogr", "srgan-wgr"):
        noise, blur = chi(network, suite="noise-10-30"), chi(network, suite="blur-1-4")
        base |= {noise: 2.0, blur: 1.0}
        cases.append(Case(f"blur separates better in {network}", {blur: 3.0}))
    return Table(base, cases)


def c12() -> Table:
    with_it, without_it = (chi(n, suite="blur-1-4") for n in ("srgan-wgr", "srgan-wogr"))
    return Table(
        {with_it: 22, without_it: 18},
        [Case("not with it", {with_it: 18}), Case("also without", {without_it: 22})],
    )


def c13() -> Table:
    names = ("srresnet-wgr", "srgan-wogr", "srgan-wgr")
    base = {content_key("srresnet-wogr"): 0.5} | {content_key(n): 0.2 for n in names}
    return Table(base, [Case(f"more content in {n}", {content_key(n): 0.6}) for n in names])


def c14() -> Table:
    plain, trained = (chi(n, suite="clean-noise20") for n in ("srgan-wgr", "srgan-wgr-noise20"))
    worse, better = (psnr_key(n, "noise20") for n in ("srgan-wgr", "srgan-wgr-noise20"))
    return Table(
        {plain: 22, trained: 18, worse: 17, better: 26},
        [
            Case("nothing to vanish", {plain: 18}),
            Case("it does not vanish", {trained: 22}),
            Case("it does not denoise", {better: 15}),
        ],
    )


def c15() -> Table:
    classifier = by("unified-classifier", "Down4", "class", "clean")
    magnifier = chi("unified-sr", "deepest")
    own, other = (by("unified-sr", "deepest", what) for what in ("set", "class"))
    return Table(
        {classifier: 110, magnifier: 22, own: 2, other: 1},
        [
            Case("classes not strong", {classifier: 90}),
            Case("few clusters by degradation", {magnifier: 18}),
            Case("more by class", {other: 3}),
        ],
    )


def c16() -> Table:
    flat, space, plane = (
        by("resnet18", "Conv5_4", "class", "clean", k) for k in ("", "tsne3", "pca2")
    )
    return Table(
        {flat: 3, space: 2, plane: 1},
        [Case("3-D is better", {space: 4}), Case("PCA is better", {plane: 4})],
    )


def variants(*names: str) -> Table:
    keys = [chi_key("srgan-wgr", DEEPEST, variant=name) for name in names]
    return Table(dict.fromkeys(keys, 22.0), [Case(f"few with {key}", {key: 18}) for key in keys])


def c17() -> Table:
    return variants(*(f"patch{side}" for side in (16, 24, 32, 48, 64)))


def c18() -> Table:
    return variants("perplexity10", "perplexity50", "learning-rate50", "learning-rate800", "seeds")


MADE = (c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18)
TABLES = {make.__name__: list(make().evidence()) for make in MADE}


@pytest.mark.parametrize("name", TABLES)
def test_every_condition_decides_where_it_alone_fails(name: str) -> None:
    decide = getattr(conditions, name)
    assert disagreement(decide, TABLES[name]) == ""
    # C9 adds a condition for every step that goes down: three in each of three networks.
    check_each_condition_fails_alone(decide, TABLES[name], optional=9 if name == "c9" else 0)


def test_no_mutant_of_the_conditions_goes_unnoticed() -> None:
    chain = Chain(MODULE)
    reached = chain.users()
    survivors, count = list[str](), 0
    for mutant in mutants(MODULE):
        count += 1
        module = chain.run(mutant)[MODULE]
        if not any(
            noticed(getattr(module, name), TABLES[name])
            for name in TABLES
            if mutant.owner in reached[name]
        ):
            survivors.append(mutant.what)
    assert not survivors
    assert count > 150


def noticed(decide, prepared) -> bool:
    try:
        return disagreement(decide, prepared) != ""
    except Exception:  # a mutant that asks for what nobody measures, or breaks down
        return True
