"""Networks nobody here has seen, analysed with no option of their own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from srscope.analyses.maps.run import feature_maps
from srscope.analyses.separability import analyze
from srscope.cli.main import main
from srscope.features.store import FeatureStore
from srscope.features.tap import FeatureTap
from srscope.networks.zoo import load_network
from srscope.projection.config import TsneConfig
from srscope.study.config import AnalysisConfig
from srscope.study.session import Session
from support.foreign import Swapped, dat_light, scripted
from support.tiny import photographs

QUICK = {"contents": 3, "pca": 4, "runs": 1, "permutations": 19}
"""Few contents: attention is slow on a CPU."""
TSNE = TsneConfig(perplexity=2, iterations=250)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(photographs(tmp_path_factory.mktemp("photographs") / "in", size=(400, 320)))


@pytest.mark.slow
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_dat_light_is_analysed_with_no_option_given(scale: int, tmp_path: Path) -> None:
    path, out = dat_light(scale), tmp_path if scale == 4 else None  # one report will do
    side = 32 if scale == 4 else 16  # the default once
    study = analyze(path, out=out, patch=side, suite="blur-1-4", tsne=TSNE, **QUICK)
    assert study.network.scale == scale
    assert study.network.source.endswith("detected by spandrel as DAT")
    labels = [layer.label for layer in study.layers]
    assert 6 <= len(labels) <= 10
    assert labels[0] == "Conv1"
    assert "DATB18" in labels
    assert [layer.layer for layer in study.untrained] == [layer.layer for layer in study.layers]
    tokens = next(layer for layer in study.layers if layer.label == "DATB18")
    assert tokens.shape == (60, side**2)
    assert "untrained control" not in dict(study.left_out)
    depths = [layer.depth for layer in study.layers]
    assert depths[0] == 0
    assert depths[-1] == 1
    assert depths == sorted(depths)
    if out is not None:
        assert (out / "report.html").stat().st_size > 10_000


@pytest.mark.torture
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_dat_light_is_analysed_by_the_bare_command(
    scale: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["analyze", dat_light(scale)]) == 0
    (scores,) = tmp_path.glob("srscope-out/*/scores.json")
    read = json.loads(scores.read_text("utf-8"))
    assert read["network"]["scale"] == scale
    assert {each["count"] for each in read["suite"]["sets"]} == {100}


def test_tokens_are_stored_with_channels_first(folder: str, tmp_path: Path) -> None:
    network = load_network("support.foreign:Transformer")
    for reducer in ("flatten", "mean-pool"):
        config = AnalysisConfig(
            images=folder,
            patch=16,
            untrained=False,
            layers=("embed", "blocks.*", "blocks.0:1"),
            reducer=reducer,
            tsne=TSNE,
            **QUICK,
        )
        Session(config).study(network, features=tmp_path / reducer)
    flat, pooled = (FeatureStore.open(tmp_path / r / "network") for r in ("flatten", "mean-pool"))
    assert [layer.name for layer in flat.layers] == [
        "embed", "blocks.0", "blocks.0:1", *(f"blocks.{i}" for i in range(1, 5)),
    ]  # fmt: skip
    assert {layer.feature_shape for layer in flat.layers[1:]} == {(8, 64)}
    for layer in ("embed", "blocks.3"):
        expected = flat.read(layer).reshape(len(pooled.read(layer)), 8, 64).mean(axis=2)
        np.testing.assert_allclose(pooled.read(layer), expected, atol=1e-5)


def test_a_program_is_analysed_without_untrained_control_and_says_so(
    folder: str, tmp_path: Path
) -> None:
    path = scripted(Swapped().eval(), tmp_path / "net.pt")
    options = {"images": folder, "patch": 16, "layers": ("Conv1", "_Last6"), "tsne": TSNE, **QUICK}
    study = analyze(str(path), out=tmp_path / "out", **options)
    assert study.untrained == ()
    why = "a TorchScript file holds no code that makes fresh weights"
    assert ("untrained control", why) in study.left_out
    assert study.network.scale == 1
    assert study.layers[1].shape == (5, 16, 16)
    assert "holds no code that makes fresh weights" in (tmp_path / "out/report.html").read_text()


def test_a_network_that_takes_no_such_patch_gets_the_next_larger(
    folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = main(
        [
            "analyze", "support.foreign:Swapped?multiple=24", "--images", folder, "--quiet",
            "--patch", "16", "--layers", "_Last6", "--contents", "3", "--pca", "4", "--runs", "1",
            "--untrained=false", "--tsne.perplexity=2", "--tsne.iterations=250",
            "--permutations", "19", "--suite", "blur-1-4",
        ]
    )  # fmt: skip
    shown = capsys.readouterr()
    assert code == 0, shown.err
    assert "patches of 24 pixels instead of 16: the network takes none of these" in shown.err
    scores = Path("srscope-out/support.foreign-Swapped-blur-1-4/scores.json")
    assert json.loads(scores.read_text("utf-8"))["protocol"]["patch"] == 24


def test_tokens_are_shown_as_maps() -> None:
    image_HW3 = np.random.default_rng(0).random((48, 64, 3), np.float32)
    maps = feature_maps(
        "support.foreign:Transformer", image_HW3, layer="blocks.2", as_is=True, contents=2
    )
    assert maps.maps_SCHW.shape == (1, 8, 24, 32)
    assert maps.content_C is not None
    assert len(maps.content_C) == 8
    last = feature_maps("support.foreign:Swapped", image_HW3, as_is=True, contents=0)
    assert last.maps_SCHW.shape == (1, 5, 48, 64)


def test_maps_of_channels_last_features_are_the_channels() -> None:
    network = load_network("support.foreign:Swapped")
    image_HW3 = np.random.default_rng(0).random((16, 24, 3), np.float32)
    maps = feature_maps(network, image_HW3, layer="blocks.1", as_is=True, contents=0)
    with FeatureTap(network.module, ["blocks.1"]) as recorder:
        raw = recorder.run(torch.from_numpy(image_HW3.transpose(2, 0, 1)[None].copy()))
    np.testing.assert_array_equal(maps.maps_SCHW[0], raw["blocks.1"][0].permute(2, 0, 1))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["analyze", "no.module:build"], "srscope: module 'no.module' cannot be imported"),
        (["layers", "timm:resnet81"], "unknown timm network 'resnet81'; did you mean"),
        (["analyze", "gone.pth?scale=2"], "gone.pth: no such file"),
        (["upscale", "support.foreign:Swapped?range=7", "a.png", "b.png"], "range must be 1, 255"),
        (["layers", "srresnet-wgr?scale"], "network must be followed by ?name=value"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.err.count("\n") == 1


def test_layers_prints_the_tree_its_marks_and_how_the_network_is_fed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["layers", "support.foreign:Transformer"]) == 0
    shown = capsys.readouterr().out
    assert "layers of support.foreign:Transformer" in shown
    (row,) = [line for line in shown.splitlines() if "blocks.0:1 " in line]
    assert "256 × 8 (L C)" in row
    assert "_Mixer2" in row
    assert "*" in row
    assert (
        "made by support.foreign:Transformer\nmagnifies by 2; is fed RGB, in [0, 1], sides in"
        in shown
    )
    assert main(["layers", "srresnet-wgr", "--full"]) == 0
    shown = capsys.readouterr().out
    assert "body.15.conv2" in shown
    assert "ResBlock16" in shown
