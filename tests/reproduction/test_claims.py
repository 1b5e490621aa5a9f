"""Claims: a planted network without and with degradation in its features is judged as such."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from srscope.degradations.record import SetInfo, SuiteInfo
from srscope.projection.config import TsneConfig
from srscope.reproduction import claims, conditions
from srscope.reproduction.criteria import at_least, below, combined, greater, times
from srscope.reproduction.evidence import DEEPEST, DEPTHS, chi_key
from srscope.reproduction.lab import Lab, LabConfig
from srscope.reproduction.records import Estimate, LabelledImages, LayerPoints
from srscope.study.cache import Stages

CLAIM = {claim.id: claim for claim in claims.CLAIMS}


def estimate(value: float, spread: float = 0.1) -> Estimate:
    samples_B = value + spread * np.linspace(-1, 1, 101)
    return Estimate(
        value=value,
        std=spread,
        low=float(np.quantile(samples_B, 0.025)),
        high=float(np.quantile(samples_B, 0.975)),
        samples=samples_B,
    )


def layer_of(points_NC: NDArray[np.float64], contents: int) -> LayerPoints:
    sets = tuple(SetInfo(name=n, count=contents, definition=n) for n in ("clean", "blur", "noise"))
    suite = SuiteInfo(
        name="clean-blur-noise", sets=sets, blur_applied_to="lr", quantized=True, crossed=True
    )
    images = LabelledImages(
        images_NCHW=np.zeros((0, 3, 1, 1), dtype=np.float32),
        set_N=np.repeat(np.arange(3), contents),
        content_N=np.tile(np.arange(contents), 3),
        class_N=None,
        photograph_N=np.tile(np.arange(contents), 3),
        suite=suite,
        key="planted",
    )
    return LayerPoints(
        network="srgan-wgr", layer="body.15", label=DEEPEST, shape=(points_NC.shape[1],),
        points_NC=points_NC, images=images,
        key=str(float(points_NC.sum())),
    )  # fmt: skip


def planted(kind: str, contents: int = 60) -> LayerPoints:
    random = np.random.default_rng(0)
    set_N, content_N = np.repeat(np.arange(3), contents), np.tile(np.arange(contents), 3)
    content_MC = random.normal(size=(contents, 20))
    if kind == "fake":  # what the network sees is the content alone
        points_NC = content_MC[content_N] + 0.3 * random.normal(size=(3 * contents, 20))
    else:
        points_NC = 10.0 * np.eye(3)[set_N] @ random.normal(size=(3, 20))
        points_NC = points_NC + random.normal(size=points_NC.shape)
    return layer_of(points_NC, contents)


@pytest.mark.parametrize(("kind", "verdict"), [("fake", "does not hold"), ("perfect", "holds")])
def test_a_planted_network_is_seen_through(tmp_path: Path, kind: str, verdict: str) -> None:
    lab = Lab(Stages(tmp_path), LabConfig(runs=2), TsneConfig(iterations=400))
    maps = lab.maps([planted(kind)])[0]
    evidence = {chi_key("srgan-wgr", DEEPEST): lab.chi(maps)}
    judged = claims.judge(CLAIM["C3"], evidence)
    assert judged.verdict == verdict
    assert judged.interval is not None
    assert (judged.interval[0] >= 20) == (verdict == "holds")


def test_there_are_the_18_of_the_paper_each_with_its_criterion() -> None:
    assert [claim.id for claim in claims.CLAIMS] == [f"C{n}" for n in range(1, 19)]
    for claim in claims.CLAIMS:
        assert claim.criterion
        assert claim.decide is getattr(conditions, claim.id.lower())


@pytest.mark.parametrize("claim", claims.CLAIMS, ids=lambda claim: claim.id)
def test_without_its_evidence_a_claim_is_not_run_and_says_what_is_missing(
    claim: claims.Claim,
) -> None:
    judged = claims.judge(claim, {})
    assert judged.verdict == "not run"
    assert "was not measured" in judged.why


def all_at(value: float) -> dict[str, Estimate]:
    class Everything(dict[str, Estimate]):
        def __missing__(self, key: str) -> Estimate:
            return estimate(value)

    return Everything()


@pytest.mark.parametrize("claim", claims.CLAIMS, ids=lambda claim: claim.id)
def test_no_claim_holds_where_nothing_is_separated_and_nothing_changes(claim: claims.Claim) -> None:
    assert claims.judge(claim, all_at(0.0)).verdict != "holds"


def test_depth_forgives_flat_steps_but_no_steps_down() -> None:
    evidence = {
        chi_key(network, label): estimate(value)
        for network in ("srresnet-wgr", "srgan-wogr", "srgan-wgr")
        for label, value in zip(DEPTHS, (0.0, 0.05, 30.0, 300.0), strict=True)
    }
    assert claims.judge(CLAIM["C9"], evidence).verdict == "holds"
    evidence[chi_key("srgan-wgr", "ResBlock8")] = estimate(400.0)
    judged = claims.judge(CLAIM["C9"], evidence)
    assert judged.verdict == "does not hold"
    assert "srgan-wgr: CHI at ResBlock16" in judged.why


def test_rules_need_the_whole_interval() -> None:
    assert at_least("x", estimate(25, 1), 20).verdict == "holds"
    assert at_least("x", estimate(15, 1), 20).verdict == "does not hold"
    assert at_least("x", estimate(20, 5), 20).verdict == "inconclusive"
    assert below("x", estimate(15, 1), 20).verdict == "holds"
    assert below("x", estimate(25, 1), 20).verdict == "does not hold"
    assert below("x", estimate(20, 5), 20).verdict == "inconclusive"
    low, high = estimate(1, 0.1), estimate(2, 0.1)
    assert greater("x", high, "y", low).verdict == "holds"
    assert greater("x", low, "y", high).verdict == "does not hold"
    crossing = dataclasses.replace(high, samples=high.samples - 1 + np.linspace(-1, 1, 101))
    assert greater("x", crossing, "y", low).verdict == "inconclusive"
    assert greater("x", times(low, 3.0), "y", high).verdict == "holds"


def test_one_failing_condition_decides() -> None:
    good, bad = at_least("x", estimate(25), 20), at_least("x", estimate(1), 20)
    unsure = at_least("x", estimate(20, 5), 20)
    assert combined([good, good]) == "holds"
    assert combined([good, unsure]) == "inconclusive"
    assert combined([unsure, bad, good]) == "does not hold"
