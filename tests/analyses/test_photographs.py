"""Features of whole photographs: each patch's are the network's, and their means are as defined."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from srscope.analyses.photographs import photograph_features, photograph_means
from srscope.cli.main import main
from srscope.errors import ParameterError, SrscopeError
from srscope.features.store import FeatureStore
from srscope.features.store_writer import create_store
from srscope.features.tap import FeatureTap
from srscope.images.io import read_image
from srscope.networks.zoo import load_network
from support.networks import assert_no_hooks
from support.tiny import photographs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = photographs(tmp_path_factory.mktemp("in"), count=2, size=(50, 40))
    return photographs(folder / "more", count=1, size=(16, 16)).parent


def test_every_patch_has_the_networks_own_features(
    network: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--patch", "16", "--batch-size", "5", "--layers", "Conv1,body.2", "--quiet"]
    assert main(["features", network, str(folder), "--out", str(tmp_path / "f"), *words]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed == ["25 patches, 3 photographs, 2 layers", str(tmp_path / "f")]
    store = FeatureStore.open(tmp_path / "f")
    assert store.metadata["photographs"] == ["more/photo-0.png", "photo-0.png", "photo-1.png"]
    assert [layer.name for layer in store.layers] == ["conv_first", "body.2"]
    module = load_network(network).module
    for number in (0, 5, 24):
        top, left = store.array("place_N2")[number]
        name = store.metadata["photographs"][store.array("photograph_N")[number]]
        patch_HW3 = read_image(folder / name)[top : top + 16, left : left + 16]
        with FeatureTap(module, ["body.2"]) as tap:
            x_NCHW = torch.from_numpy(patch_HW3.transpose(2, 0, 1)[None].copy())
            expected = tap.run(x_NCHW)["body.2"].mean(dim=(2, 3)).numpy()[0]
        np.testing.assert_allclose(store.read("body.2")[number], expected, rtol=1e-4, atol=1e-6)
    means = photograph_means(store, "body.2")
    assert means.shape == (3, 6)
    np.testing.assert_array_equal(means[0], store.read("body.2")[0])  # its only patch
    np.testing.assert_allclose(means[2], store.read("body.2")[13:].mean(axis=0), rtol=1e-5)


def test_one_photograph_in_memory_and_nothing_left_in_the_network(
    network: str, folder: Path, tmp_path: Path
) -> None:
    loaded = load_network(network)
    store = photograph_features(
        loaded, folder / "photo-1.png", out=tmp_path / "f", patch=20, reducer="flatten"
    )
    assert store.count == 6
    assert store.layer("body.2").feature_shape == (6, 20, 20)
    assert_no_hooks(loaded.module)


def test_mistakes_are_told(network: str, folder: Path, tmp_path: Path) -> None:
    for name in ("batch_size", "devices"):
        with pytest.raises(ParameterError, match=f"{name} must be 1 or more, but is 0"):
            photograph_features(network, folder, out=tmp_path / "f", **{name: 0})
    with create_store(tmp_path / "s", layers=["a"], count=1, reducer="flatten") as writer:
        writer.append("a", np.ones((1, 2), np.float32), feature_shape=(2,))
    with pytest.raises(SrscopeError, match="holds no features of whole photographs"):
        photograph_means(FeatureStore.open(tmp_path / "s"), "a")
