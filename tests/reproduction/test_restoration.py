"""Restoration measured: references, PSNR, change, the noise estimate, and BM3D as an option."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch

from srscope.errors import NetworkError
from srscope.networks.architectures.srresnet import SRResNet, SRResNetConfig
from srscope.reproduction import restoration
from srscope.reproduction.claims import CLAIMS, judge
from srscope.reproduction.evidence import change_key, chi_key, gain_key, psnr_key
from srscope.reproduction.experiments import fig1, fig11
from srscope.reproduction.lab import Lab
from srscope.reproduction.records import ImageSpec
from support.labs import save_network, tiny_lab

C1 = next(claim for claim in CLAIMS if claim.id == "C1")
C14 = next(claim for claim in CLAIMS if claim.id == "C14")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    lab = tiny_lab(tmp_path_factory.mktemp("restoration"))
    torch.manual_seed(9)
    save_network(
        Path(lab.config.networks), "srgan-wgr-noise20", SRResNet(SRResNetConfig(channels=4))
    )
    return lab


def spec(lab: Lab, suite: str) -> ImageSpec:
    return lab.spec(suite, patch=24, contents=4)


@pytest.mark.parametrize("sigma", [0.02, 0.08])
def test_noise_level_is_found_under_a_picture(sigma: float) -> None:
    ramp_HW3 = np.broadcast_to(np.linspace(0.2, 0.8, 96)[None, :, None], (96, 96, 3))
    noisy_HW3 = ramp_HW3 + np.random.default_rng(0).normal(0, sigma, size=(96, 96, 3))
    assert restoration.noise_level(noisy_HW3) == pytest.approx(sigma, rel=0.05)
    assert restoration.noise_level(ramp_HW3) < 1e-9


def test_references_of_clean_images_are_the_images_themselves(lab: Lab) -> None:
    images = lab.images(spec(lab, "clean-mild-noise20"))
    low_NCHW, high_NCHW = restoration.references(lab, spec(lab, "clean-mild-noise20"))
    clean = restoration.members(images, "clean")
    np.testing.assert_array_equal(low_NCHW[clean], images.images_NCHW[clean])
    np.testing.assert_array_equal(
        low_NCHW[restoration.members(images, "noise20")], images.images_NCHW[clean]
    )
    assert high_NCHW.shape[-2:] == (96, 96)


def test_references_of_mild_move_along_with_its_content(lab: Lab) -> None:
    images = lab.images(spec(lab, "clean-mild-noise20"))
    low_NCHW, _ = restoration.references(lab, spec(lab, "clean-mild-noise20"))
    mild, clean = (restoration.members(images, name) for name in ("mild", "clean"))
    moved = restoration.psnr(images.images_NCHW[mild], low_NCHW[mild], border=4)
    at_rest = restoration.psnr(images.images_NCHW[mild], images.images_NCHW[clean], border=4)
    assert moved.mean() > at_rest.mean()


def test_historic_images_have_no_reference(lab: Lab) -> None:
    images = lab.images(spec(lab, "real"))
    low_NCHW, high_NCHW = restoration.references(lab, spec(lab, "real"))
    historic = restoration.members(images, "historic")
    assert np.isnan(low_NCHW[historic]).all()
    assert np.isnan(high_NCHW[historic]).all()
    assert np.isnan(restoration.psnr(low_NCHW, low_NCHW, border=4)[historic]).all()
    assert np.isfinite(low_NCHW[restoration.members(images, "mild")]).all()


def test_psnr_and_change_are_those_worked_by_hand() -> None:
    first = np.zeros((2, 3, 12, 12), np.float32)
    second = first.copy()
    second[0, :, 4:-4, 4:-4] = 10 / 255
    second[1, :, :4] = 1.0  # in the border, so it does not count
    assert restoration.change(first, second, border=4) == pytest.approx([10.0, 0.0], abs=1e-5)
    expected = 20 * np.log10(255 / 10)
    assert restoration.psnr(first, second, border=4)[0] == pytest.approx(expected, abs=1e-4)


def test_means_of_the_same_contents_are_drawn_in_pairs() -> None:
    values_N = np.random.default_rng(1).normal(size=12)
    first = restoration.mean_estimate(values_N, seed=3)
    second = restoration.mean_estimate(values_N + 1.0, seed=3)
    np.testing.assert_allclose(second.samples - first.samples, 1.0)
    assert first.low < first.value < first.high


def test_a_mean_over_photographs_is_wider_where_their_contents_are_alike() -> None:
    photograph_N = np.repeat(np.arange(10), 6)
    values_N = np.random.default_rng(1).normal(size=10)[photograph_N]
    over_contents = restoration.mean_estimate(values_N, seed=3)
    over_photographs = restoration.mean_estimate(values_N, seed=3, photograph_N=photograph_N)
    assert over_photographs.value == over_contents.value
    width = over_photographs.high - over_photographs.low
    assert 1.8 < width / (over_contents.high - over_contents.low) < 3.2  # the root of 6
    uneven_N = np.array([0, 0, 0, 1])
    of_uneven = restoration.mean_estimate(
        np.array([1.0, 1.0, 1.0, 5.0]), seed=0, draws=100, photograph_N=uneven_N
    )
    assert set(np.unique(of_uneven.samples)) == {1.0, 2.0, 5.0}


def test_a_cincgan_without_g1_is_refused(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = lab.network("srgan-wgr")
    monkeypatch.setattr(Lab, "network", lambda self, name: plain)
    with pytest.raises(NetworkError, match="cincgan has no part g1"):
        restoration.by_g1(lab, lab.images(spec(lab, "real")))


def without_bm3d(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restoration, "has_bm3d", lambda: False)


def with_bm3d(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Plant a package that smooths instead, and return the noise levels it is told."""
    told: list[float] = []

    def smooth(image_HW3: np.ndarray, sigma: float) -> np.ndarray:
        told.append(sigma)
        shifts = [np.roll(image_HW3, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        return np.mean(shifts, axis=0)

    module = types.ModuleType("bm3d")
    module.bm3d_rgb = smooth
    monkeypatch.setitem(sys.modules, "bm3d", module)
    monkeypatch.setattr(restoration, "has_bm3d", lambda: True)
    monkeypatch.setattr(restoration.metadata, "version", lambda name: "planted")
    return told


def test_fig1_without_bm3d_is_drawn_and_c1_is_not_run(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_bm3d(monkeypatch)
    found = fig1.run(lab, tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"fig1.png", "fig1.svg", "fig1.pdf"}
    assert [note for note in found.notes if "non-commercial" in note]
    assert {row[1] for row in found.tables[0].rows} == {"CinCGAN (G1)"}
    judgement = judge(C1, found.evidence)
    assert judgement.verdict == "not run"
    assert "gain/bm3d/noise20 was not measured" in judgement.why


def test_fig1_with_bm3d_gives_c1_its_evidence(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = with_bm3d(monkeypatch)
    found = fig1.run(lab, tmp_path)
    wanted = {
        change_key(m, s) for m in ("cincgan", "bm3d") for s in ("mild", "noise20", "historic")
    }
    wanted |= {gain_key(m, s) for m in ("cincgan", "bm3d") for s in ("mild", "noise20")}
    assert set(found.evidence) == wanted
    assert "was not measured" not in judge(C1, found.evidence).why
    mild, noise20, historic = (np.median(part) * 255 for part in np.split(np.asarray(told), 3))
    assert historic < mild < noise20  # what it is told is estimated from each image
    assert 19 < noise20 < 26  # the photographs of this test have a little texture of their own
    assert all(len(row) == len(found.tables[0].columns) for row in found.tables[0].rows)
    count = len(told)
    fig1.run(lab, tmp_path)
    assert len(told) == count  # a second time from the cache


def test_fig11_gives_c14_its_evidence(lab: Lab, tmp_path: Path) -> None:
    found = fig11.run(lab, tmp_path)
    assert (tmp_path / "fig11.png").is_file()
    for network in fig11.NETWORKS:
        assert chi_key(network, "ResBlock16", "clean-noise20") in found.evidence
        assert psnr_key(network, "noise20") in found.evidence
        assert psnr_key(network, "clean") in found.evidence
    assert "was not measured" not in judge(C14, found.evidence).why
    quality = found.tables[0]
    assert {row[0] for row in quality.rows} == {"clean", "noise20", "mild", "historic"}
    assert {row[1] for row in quality.rows} == {"bicubic", *fig11.NETWORKS, "cincgan"}
    for row in quality.rows:
        assert (row[2] is None) == (row[0] == "historic")
