"""A second analysis computes only what is new, and its bits are those of one without a cache."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from srscope.analyses.separability import analyze
from srscope.cli.common import take_cache
from srscope.cli.main import main
from srscope.errors import FileProblem
from srscope.features import extract
from srscope.features.store import FeatureStore
from srscope.networks.description import LoadedNetwork
from srscope.networks.zoo import load_network
from srscope.projection import engines
from srscope.projection.config import TsneConfig
from srscope.runtime.cache import prune
from srscope.study import scoring as analysis_scores
from srscope.study.cache import Stages, default_cache
from srscope.study.config import AnalysisConfig
from srscope.study.record import Study, scores_dict
from srscope.study.session import Session
from support.tiny import FAST, FAST_WORDS, tiny_checkpoint

OPTIONS: dict[str, Any] = {
    **FAST,
    "tsne": TsneConfig(perplexity=5, iterations=260),
    "batch_size": 8,  # one batch a set
    "untrained": False,
    "layers": ("Conv1", "ResBlock2"),
}


@dataclasses.dataclass
class Work:
    """What was computed since it was last looked at."""

    images: int = 0
    layers: tuple[str, ...] = ()
    projections: int = 0
    maps: int = 0

    def done(self) -> dict[str, Any]:
        found = dataclasses.asdict(self)
        self.images = self.projections = self.maps = 0
        self.layers = ()
        return found


NOTHING = Work().done()


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    counted = Work()
    stream, pca, run = extract.stream_features, analysis_scores.pca, engines.ENGINES["srscope"]

    def passes(network: Any, batches: Any, layers: Any, **how: Any) -> Iterator[Any]:
        counted.layers = tuple(layers)
        for outputs in stream(network, batches, layers, **how):
            counted.images += len(outputs[layers[0]].features_BD)
            yield outputs

    def project(*given: Any, **named: Any) -> Any:
        counted.projections += 1
        return pca(*given, **named)

    def embed(*given: Any) -> Any:
        counted.maps += 1
        return run(*given)

    monkeypatch.setattr(extract, "stream_features", passes)
    monkeypatch.setattr(analysis_scores, "pca", project)
    monkeypatch.setitem(engines.ENGINES, "srscope", embed)
    return counted


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> LoadedNetwork:
    folder = tmp_path_factory.mktemp("network")
    return load_network(str(tiny_checkpoint(folder / "tiny.safetensors")))


def numbers(study: Study) -> dict[str, Any]:
    return {k: v for k, v in scores_dict(study).items() if k not in ("timings", "created")}


def test_only_what_is_new_is_computed(
    network: LoadedNetwork, images: str, work: Work, tmp_path: Path
) -> None:
    def cached(**changes: Any) -> dict[str, Any]:
        """Analyse with the cache, then without, compare, and return what the first computed."""
        config = AnalysisConfig(**{**OPTIONS, "images": images, **changes})

        def run(name: str, stages: Stages) -> tuple[Study, FeatureStore]:
            study = Session(config, stages=stages).study(network, features=tmp_path / name)
            return study, FeatureStore.open(tmp_path / name / "network")

        with_cache, stored = run("cached", Stages(tmp_path / "cache"))
        stored.verify()
        computed = work.done()
        plain, other = run("plain", Stages())
        assert numbers(with_cache) == numbers(plain)
        for mine, theirs in zip(with_cache.layers, plain.layers, strict=True):
            np.testing.assert_array_equal(mine.points_RN2, theirs.points_RN2)
        assert stored.sha256 == other.sha256
        assert work.done()["images"] == 24  # without a cache, all of them
        return computed

    both = ("conv_first", "body.1")
    first = cached()
    # Two layers and the pixels, two runs each.
    assert first == {"images": 24, "layers": both, "projections": 3, "maps": 6}
    assert cached() == NOTHING
    # Another seed: blur and noise are drawn anew, clean patches are the same.
    assert cached(seed=7) == {"images": 16, "layers": both, "projections": 3, "maps": 6}
    # Another layer: one more, and nothing of the others.
    assert cached(layers=("Conv1", "ResBlock2", "ResBlock3")) == {
        "images": 24, "layers": ("body.2",), "projections": 1, "maps": 2,
    }  # fmt: skip
    assert cached(layers=("ResBlock3",), runs=3) == {**NOTHING, "maps": 2}  # a third run each
    assert cached(permutations=19) == NOTHING
    tsne = dataclasses.replace(OPTIONS["tsne"], perplexity=4)
    assert cached(tsne=tsne) == {**NOTHING, "maps": 6}
    assert cached(pca=5) == {**NOTHING, "projections": 3, "maps": 6}


def test_another_seed_recomputes_no_features_where_nothing_is_random(
    network: LoadedNetwork, images: str, work: Work, tmp_path: Path
) -> None:
    options = {**OPTIONS, "images": images, "suite": "blur-1-4", "cache": tmp_path, "runs": 1}
    analyze(network, **options)
    assert work.done()["images"] == 16
    analyze(network, **options, seed=1)
    assert work.done() == {**NOTHING, "maps": 3}


def test_the_untrained_control_has_features_of_its_own(
    network: LoadedNetwork, images: str, work: Work, tmp_path: Path
) -> None:
    options = {**OPTIONS, "images": images, "cache": tmp_path, "layers": ("Conv1",)}
    analyze(network, **options)
    work.done()
    study = analyze(network, **{**options, "untrained": True})
    assert work.done() == {"images": 24, "layers": ("conv_first",), "projections": 1, "maps": 2}
    assert study.untrained[0].feature_space != study.layers[0].feature_space
    analyze(network, **{**options, "untrained": True})
    assert work.done() == NOTHING


def test_damaged_entries_are_made_anew(
    network: LoadedNetwork, images: str, work: Work, tmp_path: Path
) -> None:
    options = {**OPTIONS, "images": images, "cache": tmp_path, "layers": ("Conv1",)}
    study = analyze(network, **options)
    work.done()
    for path in tmp_path.rglob("*.npz"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    assert numbers(analyze(network, **options)) == numbers(study)
    assert work.done() == {**NOTHING, "projections": 2, "maps": 4}


def test_a_cache_stays_within_its_limit(tmp_path: Path) -> None:
    stages = Stages(tmp_path, limit=2500)
    for number in range(4):
        stages.keep("stage", {"n": number}, {"x_N": np.zeros(100)})
        for path in (tmp_path / "stages").rglob(f"*{number}*"):
            assert path.exists()
    assert stages.find("stage", {"n": 0}) is not None  # used last
    stages.tidy()
    left = [n for n in range(4) if stages.find("stage", {"n": n})]
    assert left == [0, 3]
    assert prune(tmp_path, 2500, most=1) <= 1250
    assert prune(tmp_path, 0) == 0
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_command_line_keeps_stages_where_it_is_told(
    network: LoadedNetwork, images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("SRSCOPE_DATA", str(tmp_path / "data"))
    checkpoint = tiny_checkpoint(tmp_path / "tiny.safetensors")
    words = ["analyze", str(checkpoint), "--images", images, *FAST_WORDS, "--layers", "Conv1"]
    assert main([*words, "--out", str(tmp_path / "a")]) == 0
    assert default_cache() == tmp_path / "data" / "analyses"
    assert list((tmp_path / "data" / "analyses").rglob("*.npy"))
    assert main([*words, "--out", str(tmp_path / "b"), "--cache", str(tmp_path / "mine")]) == 0
    assert list((tmp_path / "mine").rglob("*.npy"))
    scores = [json.loads((tmp_path / name / "scores.json").read_text("utf-8")) for name in "ab"]
    assert scores[0]["layers"] == scores[1]["layers"]
    assert take_cache({"cache": None, "no_cache": True}) is None
    assert take_cache({"cache": None, "no_cache": False}, unless=True) is None  # --profile
    capsys.readouterr()
    assert main([*words, "--cache", str(tmp_path / "mine"), "--no-cache"]) == 2
    assert "--cache must be left out beside --no-cache" in capsys.readouterr().err
    assert main([*words, "--cache", str(checkpoint)]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_told_where_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("a file")
    with pytest.raises(FileProblem, match="cannot be written"):
        Stages(tmp_path / "file" / "cache")
    monkeypatch.setenv("SRSCOPE_DATA", str(tmp_path / "file"))
    assert default_cache() is None
