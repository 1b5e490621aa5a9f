"""Whole findings in the cache: the same, figures and all, and only as long as nothing changed."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srscope.reproduction import keep
from srscope.reproduction.experiment import Experiment
from srscope.reproduction.lab import Lab, LabConfig
from srscope.reproduction.records import Estimate, Finding, Table
from srscope.reproduction.reproduce import reproduce
from srscope.runtime.cache import StageCache
from srscope.study.cache import Stages


def estimate(value: float) -> Estimate:
    samples = np.random.default_rng(0).normal(value, size=50)
    return Estimate(value=value, std=0.1, low=value - 1, high=float("nan"), samples=samples)


FINDING = Finding(
    id="fig7",
    title="a title",
    where="Fig. 7",
    figures=("figures/fig7",),
    tables=(Table(name="t", title="T", columns=("a", "b"), rows=(("x", None), (1, 0.1 + 0.2))),),
    evidence={"chi/a/b/ResBlock16": estimate(3.0)},
    notes=("a note",),
)


def test_a_finding_comes_back_whole(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for suffix in ("png", "svg", "pdf"):
        path = first / "figures" / f"fig7.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(suffix.encode() * 3)
    cache = StageCache(tmp_path / "cache")
    entry = cache.get("finding", {}, lambda: keep.packed(FINDING, first))
    found = keep.unpacked(entry, second)
    assert dataclasses.replace(found, evidence={}) == dataclasses.replace(FINDING, evidence={})
    (key,) = found.evidence
    mine, theirs = found.evidence[key], FINDING.evidence[key]
    assert (mine.value, mine.std, mine.low) == (theirs.value, theirs.std, theirs.low)
    assert np.isnan(mine.high)
    assert np.array_equal(mine.samples, theirs.samples)
    for path in (first / "figures").iterdir():
        assert (second / "figures" / path.name).read_bytes() == path.read_bytes()


def test_a_second_run_asks_no_experiment(tmp_path: Path) -> None:
    runs: list[int] = []

    def run(lab: Lab, folder: Path) -> Finding:
        runs.append(1)
        Image.new("RGB", (8, 8), "red").save(folder / "fig7.png")
        (folder / "fig7.svg").write_bytes(b"picture")
        return dataclasses.replace(FINDING, figures=("fig7",), evidence={"chi/a": estimate(2.0)})

    experiment = Experiment(id="fig7", title="", where="", networks=(), measure=run)
    done = [
        reproduce(
            out=tmp_path / name, cache=tmp_path / "cache", experiments=[experiment], jobs=1,
            seed=seed,
        )
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    ]  # fmt: skip
    assert len(runs) == 2  # another seed is another measurement
    assert done[0].findings[0].tables == done[1].findings[0].tables
    assert (tmp_path / "b" / "figures" / "fig7.svg").read_bytes() == b"picture"


@pytest.mark.parametrize("change", ["bm3d", "images", "tsne"])
def test_what_decides_a_finding_is_in_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    experiment = Experiment(id="fig7", title="", where="", networks=(), measure=lambda *_: FINDING)
    lab = Lab(Stages(tmp_path), LabConfig())
    before = keep.inputs_of(experiment, lab)
    assert keep.inputs_of(experiment, lab) == before
    if change == "bm3d":
        monkeypatch.setattr(keep, "_optional", lambda: {"bm3d": "0"})
    elif change == "images":
        (tmp_path / "a.png").write_bytes(b"1")
        lab = dataclasses.replace(lab, config=LabConfig(images=str(tmp_path)))
    else:
        lab = dataclasses.replace(lab, tsne=dataclasses.replace(lab.tsne, perplexity=7))
    assert keep.inputs_of(experiment, lab) != before
