"""Which networks the second edition compares: seed by seed, and at which stage of training."""

from __future__ import annotations

import pytest

from srscope.reproduction.second_evidence import (
    POPULATION,
    SEEDS,
    THIS_NETWORK,
    contrast,
    matched_pair,
    mean,
    name_of,
)
from support.conditions import estimate


def psnr(**networks: float) -> dict:
    return {name_of("psnr", name, "clean", by=""): estimate(v) for name, v in networks.items()}


@pytest.mark.parametrize(
    ("one", "other", "pair"),
    [
        (30.0, 30.09, ("a", "b")),
        (30.09, 30.0, ("a", "b")),
        (30.2, 30.0, ("a@b", "b")),
        (30.0, 30.2, ("a", "b@a")),
    ],
)
def test_the_better_network_is_taken_earlier(
    one: float, other: float, pair: tuple[str, str]
) -> None:
    assert matched_pair(psnr(a=one, b=other), "a", "b") == pair


def test_the_population_is_that_of_the_recipes_without_the_seed_that_was_looked_at() -> None:
    assert SEEDS == (2, 3, 4, 5, 6)
    assert set(POPULATION.members) == {"l1-wgr", "l1-wogr", "gan-wgr", "gan-wogr"}
    assert POPULATION.members["gan-wgr"] == tuple(f"gan-wgr-seed{seed}" for seed in SEEDS)
    assert THIS_NETWORK.members["l1-wogr"] == ("srresnet-wogr",)


def test_contrasts_are_taken_seed_by_seed() -> None:
    """Seeds differ by far more than the recipes, so only pairs show that one is above."""
    evidence = {}
    for seed in SEEDS:
        for recipe, more in (("gan-wogr", 0.01), ("l1-wogr", 0.0)):
            key = name_of("probe", f"{recipe}-seed{seed}", layer="ResBlock8")
            evidence[key] = estimate(0.1 * seed + more)

    def probe(e: dict, network: str, layer: str):
        return e[name_of("probe", network, layer=layer)]

    gap = contrast(evidence, POPULATION, "gan-wogr", "l1-wogr", probe, matched=False)
    assert gap.value == pytest.approx(0.01)
    assert 0 < gap.low < gap.high < 0.02
    alone = mean(evidence, POPULATION, "gan-wogr", probe)
    assert alone.value == pytest.approx(0.41)
    assert alone.high - alone.low > 0.3


def test_single_networks_are_compared_as_they_are() -> None:
    evidence = {
        name_of("probe", "srgan-wgr", layer="ResBlock16"): estimate(0.9),
        name_of("probe", "srgan-wogr", layer="ResBlock16"): estimate(0.7),
    }

    def probe(e: dict, network: str, layer: str):
        return e[name_of("probe", network, layer=layer)]

    gap = contrast(evidence, THIS_NETWORK, "gan-wgr", "gan-wogr", probe, matched=True)
    assert gap.value == pytest.approx(0.2)
