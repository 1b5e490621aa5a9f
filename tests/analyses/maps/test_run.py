"""Feature maps of one image: any size, any suite, the right channels, the right shares."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import srscope
from srscope.analyses.maps.run import degraded_versions
from srscope.degradations.catalogue import load_suite
from srscope.errors import (
    DegenerateError,
    FileProblem,
    NetworkError,
    ParameterError,
    UnknownNameError,
)
from srscope.networks.description import LoadedNetwork, TapPoint
from srscope.networks.zoo import load_network
from support.tiny import tiny_checkpoint

RANDOM = np.random.default_rng(0)


def network_of(module: nn.Module, *, name: str = "0", scale: int = 1, **more: int) -> LoadedNetwork:
    tap = TapPoint(name=name, label="First", channels=4, stride=1)
    return LoadedNetwork(
        module=module, name="planted", source="", scale=scale, taps=(tap,),
        default_layers=(name,), sha256="", untrained=lambda _: module, **more,
    )  # fmt: skip


def planted() -> nn.Module:
    """Return a network whose first layer has red, blue doubled, nothing, and noise."""

    class Planted(nn.Module):
        def forward(self, images_NCHW: Tensor) -> Tensor:
            red, blue = images_NCHW[:, :1], images_NCHW[:, 2:]
            random = torch.Generator().manual_seed(int(1e6 * float(images_NCHW.sum())) % 2**31)
            noise = torch.rand(red.shape, generator=random)
            return torch.cat([red, 2 * blue, torch.zeros_like(red), 0.1 * noise], dim=1)

    return nn.Sequential(Planted(), nn.Identity())


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_checkpoint(tmp_path_factory.mktemp("network") / "tiny.safetensors", blocks=2))


def image(height: int, width: int) -> np.ndarray:
    return RANDOM.random((height, width, 3), dtype=np.float32)


@pytest.mark.parametrize("size_HW", [(1, 1), (1, 7), (9, 5), (33, 20)])
def test_an_image_of_any_size_can_be_fed_as_it_is(tiny: str, size_HW: tuple[int, int]) -> None:
    maps = srscope.feature_maps(tiny, image(*size_HW), as_is=True, contents=0)
    assert maps.sets == ("as-is",)
    assert maps.label == "ResBlock2"
    assert maps.maps_SCHW.shape == (1, 6, *size_HW)
    assert maps.inputs_SHW3.shape == (1, *size_HW, 3)
    assert maps.content_C is None


@pytest.mark.parametrize("size_HW", [(32, 32), (37, 90), (101, 203)])
def test_a_photograph_of_any_size_can_be_degraded(tiny: str, size_HW: tuple[int, int]) -> None:
    maps = srscope.feature_maps(tiny, image(*size_HW), contents=0)
    assert maps.sets == ("clean", "blur4", "noise20")
    assert maps.maps_SCHW.shape == (3, 6, size_HW[0] // 4, size_HW[1] // 4)


def test_what_is_padded_is_cut_off_again() -> None:
    strided = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Identity())
    network = network_of(strided, multiple=8, smallest=16)
    maps = srscope.feature_maps(network, image(11, 21), as_is=True, contents=0)
    assert maps.maps_SCHW.shape == (1, 4, 6, 11)


def test_the_middle_is_degraded_as_in_the_whole_image() -> None:
    photo_HW3, suite = image(240, 320), load_suite("blur-1-4")
    whole = degraded_versions(photo_HW3, suite, scale=2, crop=0)
    middle = degraded_versions(photo_HW3, suite, scale=2, crop=40)
    for name in whole:
        assert whole[name].shape == (120, 160, 3)
        np.testing.assert_allclose(middle[name], whole[name][40:80, 60:100], atol=1 / 255 + 1e-6)


def test_sets_are_those_of_the_suite_and_seeded(tiny: str) -> None:
    photo = image(64, 64)

    def fed(seed: int) -> np.ndarray:
        maps = srscope.feature_maps(tiny, photo, suite="noise-10-30", contents=0, seed=seed)
        assert maps.sets == ("noise10", "noise30")
        return maps.inputs_SHW3

    np.testing.assert_array_equal(fed(0), fed(0))
    assert (fed(0) != fed(1)).any()


def test_channels_are_ranked_and_shared_as_planted() -> None:
    network = network_of(planted())
    photo = image(64, 64)
    photo[..., 2] *= 0.9
    maps = srscope.feature_maps(network, photo, as_is=True, contents=6, crop=32)
    assert maps.maps_SCHW.shape == (1, 4, 32, 32)
    assert maps.ranking.order_C.tolist() == [1, 0, 3, 2]
    np.testing.assert_allclose(maps.maps_SCHW[0, 0], maps.inputs_SHW3[0, ..., 0])
    assert maps.content_C is not None
    assert min(maps.content_C[:2]) > 0.6
    assert np.isnan(maps.content_C[2])
    # Noise of its own in each image: the degrees of freedom, (6 - 1) / (18 - 1).
    assert maps.content_C[3] == pytest.approx(5 / 17, abs=0.02)
    assert maps.content == pytest.approx(maps.content_C[1], abs=0.15)
    assert maps.measured_on == "6 contents of bundled test photographs in clean-blur4-noise20"


def test_an_unknown_layer_is_named_with_near_ones(tiny: str) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'ResBlock2'"):
        srscope.feature_maps(tiny, image(32, 32), layer="ResBlok2", contents=0)


def test_a_layer_may_be_chosen_by_either_name(tiny: str) -> None:
    photo = image(32, 32)
    first, second = (
        srscope.feature_maps(load_network(tiny), photo, layer=word, contents=0)
        for word in ("conv_first", "Conv1")
    )
    assert first.layer == second.layer == "conv_first"
    np.testing.assert_array_equal(first.maps_SCHW, second.maps_SCHW)


def test_what_cannot_be_shown_is_refused(tiny: str) -> None:
    with pytest.raises(ParameterError, match="at least 32x32 pixels"):
        srscope.feature_maps(tiny, image(31, 40), contents=0)
    with pytest.raises(ParameterError, match="'historic' is a folder of other images"):
        srscope.feature_maps(tiny, image(64, 64), suite="real", contents=0)
    with pytest.raises(ParameterError, match="crop must be 0"):
        srscope.feature_maps(tiny, image(64, 64), crop=-1, contents=0)
    with pytest.raises(ParameterError, match="contents must be 0 for none"):
        srscope.feature_maps(tiny, image(64, 64), contents=1)
    with pytest.raises(ParameterError, match="RGB array"):
        srscope.feature_maps(tiny, image(64, 64)[..., 0], contents=0)
    flat = network_of(nn.Sequential(nn.Flatten(), nn.Identity()))
    with pytest.raises(NetworkError, match="not channels of height and width"):
        srscope.feature_maps(flat, image(8, 8), as_is=True, contents=0)
    with pytest.raises(NetworkError, match="planted fails on an image of 8x8 pixels"):
        srscope.feature_maps(network_of(nn.Sequential(nn.Conv2d(5, 4, 1))), image(8, 8),
                             as_is=True, contents=0)  # fmt: skip


def test_maps_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    spoilt = tiny_checkpoint(tmp_path / "spoilt.safetensors", spoil=float("nan"))
    with pytest.raises(DegenerateError, match=r"body\.2.*NaN or infinity"):
        srscope.feature_maps(str(spoilt), image(32, 32), contents=0)


def test_files_are_written(tiny: str, tmp_path: Path) -> None:
    maps = srscope.feature_maps(tiny, image(64, 48), contents=0)
    earlier = tmp_path / "out" / "channels" / "earlier"
    earlier.mkdir(parents=True)
    for name in ("12-3.png", "mine.png"):
        (earlier / name).write_bytes(b"")
    written = srscope.write_maps(maps, tmp_path / "out", channels=3)
    assert [path.name for path in earlier.iterdir()] == ["mine.png"]
    names = {str(path.relative_to(tmp_path / "out")) for path in written}
    order = maps.ranking.order_C.tolist()
    assert names == {
        *(f"{name}.{s}" for name in ("maps", "maps-all") for s in ("png", "svg", "pdf")),
        "channels.csv",
        "report.html",
        *(f"channels/{s}/{rank}-{c}.png" for s in maps.sets for rank, c in enumerate(order, 1)),
    }
    with Image.open(tmp_path / "out" / "channels" / "clean" / f"1-{order[0]}.png") as picture:
        assert (picture.mode, picture.size) == ("L", (12, 16))
    rows = list(csv.DictReader((tmp_path / "out" / "channels.csv").open()))
    assert [int(row["channel"]) for row in rows] == order
    assert {row["content"] for row in rows} == {""}
    with pytest.raises(ParameterError, match="channels must be 1 or more"):
        srscope.write_maps(maps, tmp_path / "out", channels=0)
    with pytest.raises(FileProblem, match="is a file"):
        srscope.write_maps(maps, tmp_path / "out" / "maps.png")
