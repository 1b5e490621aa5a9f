"""PSNR on the clean set, against an independent computation, and where it is undefined."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchmetrics.functional.image import peak_signal_noise_ratio

from srscope.degradations.degrade import downsample, quantize
from srscope.degradations.resize import imresize
from srscope.images.contents import crop_contents
from srscope.images.folder import load_folder
from srscope.images.record import Contents
from srscope.networks.description import LoadedNetwork
from srscope.networks.zoo import load_network
from srscope.study import session
from srscope.study.cache import Stages
from srscope.study.config import AnalysisConfig
from srscope.study.record import Restoration
from srscope.study.restoration import NOT_ASKED, reduced, restoration
from srscope.study.session import Session
from support.tiny import photographs, tiny_checkpoint


def measured(network: LoadedNetwork, contents: Contents | None) -> Restoration:
    if contents is None or network.scale == 1:
        return restoration(network, contents, None)
    return restoration(network, contents, reduced(contents, network.scale, quantized=True))


class Bicubic(nn.Module):
    def forward(self, images_NCHW: Tensor) -> Tensor:
        return imresize(images_NCHW, 4.0)


class Logits(nn.Module):
    def forward(self, images_NCHW: Tensor) -> Tensor:
        return images_NCHW.mean(dim=(2, 3))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> LoadedNetwork:
    path = tmp_path_factory.mktemp("network") / "tiny.safetensors"
    return load_network(str(tiny_checkpoint(path)))


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    folder = photographs(tmp_path_factory.mktemp("photographs") / "in")
    return crop_contents(load_folder(folder), count=3, patch=16, scale=4, margin=4)


def test_psnr_is_that_of_the_patches_alone(network: LoadedNetwork, contents: Contents) -> None:
    expected, bicubic = [], []
    for crop_HW3 in contents.crops_NHW3:
        hr_1CHW = torch.from_numpy(crop_HW3.transpose(2, 0, 1).copy())[None]
        lr_1CHW = downsample(hr_1CHW, scale=4, quantized=True)
        target = quantize(hr_1CHW)[..., 16:-16, 16:-16]
        with torch.no_grad():
            outputs = network.module(lr_1CHW), imresize(lr_1CHW, 4.0)
        for output, values in zip(outputs, (expected, bicubic), strict=True):
            patch = quantize(output)[..., 16:-16, 16:-16]
            values.append(float(peak_signal_noise_ratio(patch, target, data_range=1.0)))
    found = measured(network, contents)
    assert found.psnr == pytest.approx(np.mean(expected), abs=1e-3)
    assert found.bicubic == pytest.approx(np.mean(bicubic), abs=1e-3)
    assert found.why == ""


def test_bicubic_is_as_good_as_itself(network: LoadedNetwork, contents: Contents) -> None:
    found = measured(dataclasses.replace(network, module=Bicubic()), contents)
    assert found.psnr == pytest.approx(found.bicubic, abs=1e-9)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"scale": 1}, "it does not magnify: its clean images are the originals themselves"),
        ({"module": Logits()}, "made (1, 3) of (1, 3, 24, 24)"),
    ],
)
def test_where_it_is_undefined_the_reason_is_said(
    network: LoadedNetwork, contents: Contents, changes: dict[str, object], why: str
) -> None:
    found = measured(dataclasses.replace(network, **changes), contents)
    assert found.psnr is None
    assert found.bicubic is None
    assert why in found.why


def test_without_originals_there_is_none(network: LoadedNetwork) -> None:
    found = measured(network, None)
    assert (found.psnr, found.why) == (
        None,
        "the images are taken as they are: there is no original to compare with",
    )


def test_a_session_measures_each_network_once_and_not_where_it_is_not_asked_for(
    network: LoadedNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = photographs(tmp_path / "in")
    config = AnalysisConfig(images=str(folder), patch=16, contents=3, pca=2)
    stages = Stages(tmp_path / "cache")
    first = Session(config, stages=stages).restoration(network)
    monkeypatch.setattr(session, "restoration", None)  # a second measurement would fail
    assert Session(config, stages=stages).restoration(network) == first
    assert first.psnr is not None
    assert Session(config, psnr=False).restoration(network) == Restoration(why=NOT_ASKED)
