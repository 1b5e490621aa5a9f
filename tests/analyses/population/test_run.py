"""A folder of networks of several seeds through the whole analysis."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from srscope.analyses.population.record import Population, best, headline, seed_scores
from srscope.analyses.population.run import over_seeds
from srscope.analyses.separability import analyze
from srscope.cli.main import main
from srscope.errors import CheckpointError
from srscope.projection.config import TsneConfig
from srscope.study.record import scores_dict
from support.tiny import FAST, FAST_WORDS, photographs, tiny_checkpoint

OPTIONS = {
    **FAST, "runs": 1, "permutations": 9, "tsne": TsneConfig(perplexity=5, iterations=260),
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeds")
    photographs(folder / "in")
    (folder / "nets").mkdir()
    for seed in (2, 3, 4):
        tiny_checkpoint(folder / "nets" / f"mine-seed{seed}.safetensors", seed=seed, blocks=2)
    return folder


@pytest.fixture(scope="module")
def finished(place: Path) -> tuple[Population, Path]:
    images = str(place / "in")
    return over_seeds(place / "nets", out=place / "out", images=images, **OPTIONS), place / "out"


def test_every_network_is_as_analyze_has_it(finished: tuple[Population, Path], place: Path) -> None:
    population, _ = finished
    assert [member.seed for member in population.members] == [2, 3, 4]
    path = place / "nets" / "mine-seed3.safetensors"
    alone = analyze(str(path), images=str(place / "in"), **OPTIONS)
    found = scores_dict(population.members[1].study)
    assert found["layers"] == scores_dict(alone)["layers"]
    assert population.members[1].study.untrained == ()
    assert population.untrained == population.members[0].study.untrained != ()


def test_means_have_students_interval_over_seeds(finished: tuple[Population, Path]) -> None:
    population, _ = finished
    found = {(e.layer, e.score.key): e for e in seed_scores(population)}
    layer = population.members[0].study.layers[-1].layer
    silhouette = found[layer, "silhouette"]
    values = [m.study.layers[-1].feature_space.silhouette for m in population.members]
    low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    assert silhouette.mean is not None
    assert silhouette.values_S == tuple(values)
    np.testing.assert_allclose((silhouette.mean.low, silhouette.mean.high), (low, high))
    chi = found[layer, "chi"].mean  # varies by factors
    chis = [max(m.study.layers[-1].tsne.chi.mean, 0.01) for m in population.members]
    assert chi is not None
    assert math.isclose(chi.value, stats.gmean(chis))
    assert (layer, "grade") not in found


def test_files_hold_every_score_and_seed(finished: tuple[Population, Path]) -> None:
    population, out = finished
    names = {path.name for path in out.iterdir()}
    assert names == {"report.html", "seeds.json", "seeds.csv", "figures"}
    written = json.loads((out / "seeds.json").read_text())
    assert written["recipe"] == "mine"
    assert [each["seed"] for each in written["networks"]] == [2, 3, 4]
    rows = list(csv.DictReader((out / "seeds.csv").open()))
    assert len(rows) == len(written["over_seeds"]) == len(seed_scores(population))
    assert {"mean", "low", "high", "seed2", "seed3", "seed4"} <= set(rows[0])
    page = (out / "report.html").read_text()
    assert headline(population).split(":")[0] in page
    assert best(seed_scores(population)).label in page


def test_the_command_takes_a_folder_of_seeds(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["analyze", str(place / "nets"), "--images", str(place / "in"), "--out", str(tmp_path)]
    assert main([*words, *FAST_WORDS]) == 0
    printed = capsys.readouterr().out
    assert "mine, over 3 seeds" in printed
    assert (tmp_path / "seeds.json").is_file()
    assert main([*words, "--checkpoints", "2", *FAST_WORDS]) == 2


def test_networks_of_another_structure_are_refused(place: Path, tmp_path: Path) -> None:
    tiny_checkpoint(tmp_path / "net-seed1.safetensors")
    tiny_checkpoint(tmp_path / "net-seed2.safetensors", blocks=2)
    with pytest.raises(CheckpointError, match=r"seed2.*of another structure than net-seed1"):
        over_seeds(tmp_path, images=str(place / "in"), **OPTIONS)
