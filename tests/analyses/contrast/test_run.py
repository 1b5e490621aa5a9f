"""Two recipes from folders to files: a planted difference, none, and networks at equal PSNR."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from srscope.analyses.contrast import Config, headline, take
from srscope.analyses.contrast.measure import measured
from srscope.analyses.contrast.record import AS_TRAINED, AT_EQUAL_PSNR, ContrastRecord
from srscope.analyses.runner import run_analysis
from srscope.cli.main import main
from srscope.errors import CheckpointError, ParameterError
from srscope.networks.zoo import load_network
from srscope.projection.config import TsneConfig
from srscope.study.cache import Stages
from srscope.study.session import Session
from support.tiny import photographs, tiny_checkpoint

SEEDS = (2, 3)
SMALL: dict[str, Any] = {"contents": 12, "patch": 16, "runs": 1, "layers": ("conv_first", "body.1")}


@dataclass(frozen=True, kw_only=True)
class Quick(Config):
    """The same with a quick t-SNE."""

    def analysis_config(self, **changes: Any) -> Any:
        return super().analysis_config(tsne=TsneConfig(perplexity=5, iterations=260), **changes)


def plant(path: Path, seed: int, *, edges: bool) -> None:
    """Save a network, or the same one that sees edges alone and puts out half of them."""
    tiny_checkpoint(path, seed=seed, blocks=2)
    if edges:
        state = load_file(path)
        first = state["conv_first.weight"]
        state["conv_first.weight"] = 20 * (first - first.mean(dim=(2, 3), keepdim=True))
        save_file(state, path)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two recipes; each has the other's network as its first checkpoint."""
    folder = tmp_path_factory.mktemp("contrast")
    photographs(folder / "in", count=6)
    for recipe, other in (("plain", "edges"), ("edges", "plain")):
        for seed in SEEDS:
            run = folder / "runs" / f"{recipe}-seed{seed}"
            run.mkdir(parents=True)
            for name, kind in (("net_1000", other), ("net_2000", recipe), (run.name, recipe)):
                plant(run / f"{name}.safetensors", seed, edges=kind == "edges")
    return folder


@pytest.fixture(scope="module")
def finished(place: Path) -> tuple[ContrastRecord, Path]:
    recipes = [str(place / "runs" / f"{name}-*") for name in ("plain", "edges")]
    out = place / "out"
    config = Quick(**SMALL, images=str(place / "in"), causal=True, controls=2)
    cache = place / "cache"
    return run_analysis("contrast", recipes, out=out, config=config, cache=cache), out


def test_a_planted_difference_is_found(finished: tuple[ContrastRecord, Path]) -> None:
    record, _ = finished
    content = next(
        e for e in record.gaps
        if (e.state, e.layer, e.quantity) == (AS_TRAINED, "conv_first", "content")
    )  # fmt: skip
    assert content.gap.paired
    assert content.gap.low > 0.0
    assert content.differs
    np.testing.assert_allclose(
        content.gap.value, np.mean(np.subtract(content.first_S, content.second_S))
    )


def test_at_equal_psnr_the_better_one_is_taken_earlier(
    finished: tuple[ContrastRecord, Path],
) -> None:
    record, _ = finished
    assert record.not_matched == ""
    earlier = [each for each in record.taken if each.iteration is not None]
    assert len(earlier) == len(SEEDS)
    for each in earlier:
        assert each.iteration == 1000
        assert each.psnr > each.wanted + 0.1
        assert each.psnr_taken == pytest.approx(each.wanted, abs=1e-6)
    # Its first checkpoint is the other one's network, so no difference is left.
    for each in record.gaps:
        if each.state == AT_EQUAL_PSNR:
            assert each.gap.value == pytest.approx(0.0, abs=1e-9), each.quantity
            assert not each.differs


def test_causal_effects_are_of_the_last_layer(finished: tuple[ContrastRecord, Path]) -> None:
    record, _ = finished
    causal = [each for each in record.gaps if each.quantity.startswith("causal")]
    assert {each.layer for each in causal} == {"body.1"}
    assert {each.quantity for each in causal} == {"causal, blur", "causal, noise"}
    assert any(abs(value) > 1e-6 for each in causal for value in each.first_S)


def test_the_seed_reaches_images_and_maps(place: Path) -> None:
    network = load_network(str(place / "runs" / "plain-seed2" / "plain-seed2.safetensors"))

    def chi(seed: int) -> float:
        config = Quick(**{**SMALL, "layers": ("conv_first",)}, images=str(place / "in"), seed=seed)
        session = Session(config.analysis_config(), stages=Stages(place / "cache"))
        return measured(session, network, config)["conv_first", "CHI"].value

    assert chi(1) == chi(1)
    assert chi(1) != chi(0)


def test_every_output_is_written(finished: tuple[ContrastRecord, Path]) -> None:
    record, out = finished
    told = json.loads((out / "contrast.json").read_text("utf-8"))
    assert told["schema"] == "srscope.contrast/1"
    assert told["headline"] == headline(record)
    assert "at equal PSNR" in told["headline"]
    assert [each["name"] for each in told["networks"]] == ["plain", "edges"]
    assert (out / "report.html").is_file()
    assert (out / "figures" / "differences.svg").is_file()


def test_without_checkpoints_it_says_why(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for recipe in ("plain", "edges"):
        (tmp_path / recipe).mkdir()
        for seed in SEEDS[:2]:
            name = f"{recipe}-seed{seed}"
            shutil.copy(place / "runs" / name / f"{name}.safetensors", tmp_path / recipe)
    words = ["contrast", str(tmp_path / "plain"), str(tmp_path / "edges"), "--out",
             str(tmp_path / "out"), "--images", str(place / "in"), "--contents", "12", "--patch",
             "16", "--runs", "1", "--layers", "conv_first", "--cache", str(place / "cache"),
             "--quiet"]  # fmt: skip
    assert main(words) == 0
    assert "plain less edges over 2 and 2 seeds, as trained" in capsys.readouterr().out
    told = json.loads((tmp_path / "out" / "contrast.json").read_text("utf-8"))
    assert "has no checkpoints beside it" in told["not_matched"]


def test_recipes_of_another_structure_are_refused(place: Path, tmp_path: Path) -> None:
    for seed in SEEDS:
        tiny_checkpoint(tmp_path / f"deep-seed{seed}.safetensors", blocks=3, seed=seed)
    with pytest.raises(CheckpointError, match="of another structure than plain-seed2"):
        run_analysis(
            "contrast", [str(place / "runs" / "plain-*"), str(tmp_path)],
            images=str(place / "in"), **{**SMALL, "layers": ("all",)},
        )  # fmt: skip


def test_two_recipes_are_asked_for(place: Path) -> None:
    with pytest.raises(ParameterError, match="recipes must be two"):
        run_analysis("contrast", str(place / "runs" / "plain-*"))
    one = take([str(place / "runs" / "plain-*")] * 2)
    assert one[0].name == "plain-seed2/plain"
