"""Trivial descriptors against values worked out by hand or by SciPy."""

import numpy as np
import pytest
from scipy.ndimage import convolve
from scipy.stats import kurtosis

from srscope.errors import DegenerateError, ParameterError, UnknownNameError
from srscope.features import trivial
from srscope.features.trivial import FLOOR, QUANTILES, TRIVIAL, describe, laplacian, register


@pytest.fixture
def images_NCHW():
    rng = np.random.default_rng(0)
    smooth = rng.random((4, 3, 24, 20)).cumsum(axis=2).cumsum(axis=3)
    return (smooth / smooth.max() + 0.02 * rng.random(smooth.shape)).astype(np.float32)


def test_the_registry_has_the_five_controls():
    assert list(TRIVIAL) == [
        "pixels", "laplacian", "laplacian_quantiles", "statistics", "spectrum"
    ]  # fmt: skip
    assert [name for name, each in TRIVIAL.items() if each.is_map] == ["pixels", "laplacian"]


def test_the_laplacian_reflects_edges(images_NCHW):
    kernel = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])[None, None]
    expected = convolve(images_NCHW.astype(np.float64), kernel, mode="mirror")
    np.testing.assert_allclose(laplacian(images_NCHW.astype(np.float64)), expected, atol=1e-12)


def test_maps_keep_their_order(images_NCHW):
    np.testing.assert_array_equal(describe("pixels", images_NCHW), images_NCHW.reshape(4, -1))
    magnitude = np.abs(laplacian(images_NCHW.astype(np.float64)))
    np.testing.assert_array_equal(describe("laplacian", images_NCHW), magnitude.reshape(4, -1))


def test_quantiles_are_over_channels_and_pixels(images_NCHW):
    magnitude_ND = describe("laplacian", images_NCHW)
    vectors_N6 = describe("laplacian_quantiles", images_NCHW)
    assert len(QUANTILES) == 6
    assert vectors_N6[2, 4] == pytest.approx(np.quantile(magnitude_ND[2], QUANTILES[4]))


def test_the_five_statistics_are_averages_over_channels(images_NCHW):
    image = images_NCHW[1].astype(np.float64)
    filtered = laplacian(image[None])[0]
    across, down = np.diff(image, axis=2), np.diff(image, axis=1)
    gradient = [np.mean(across[c] ** 2) + np.mean(down[c] ** 2) for c in range(3)]
    expected = [
        [np.log(np.mean(filtered[c] ** 2) + FLOOR) for c in range(3)],
        [np.log(gradient[c] + FLOOR) for c in range(3)],
        [np.log(image[c].var() + FLOOR) for c in range(3)],
        [
            kurtosis(filtered[c].ravel(), fisher=False)
            * (filtered[c].var() / (filtered[c].var() + FLOOR)) ** 2
            for c in range(3)
        ],
        [1 - gradient[c] / (4 * (image[c].var() + FLOOR)) for c in range(3)],
    ]
    vectors_N5 = describe("statistics", images_NCHW)
    np.testing.assert_allclose(vectors_N5[1], np.mean(expected, axis=1), rtol=1e-9)


def test_lag_one_correlation_tells_stripes_from_ramps():
    ramp = np.tile(np.linspace(0, 1, 32), (32, 1))
    checks = np.indices((32, 32)).sum(axis=0) % 2
    lag_N = describe("statistics", np.stack([ramp, checks])[:, None])[:, 4]
    assert lag_N[0] > 0.95
    assert lag_N[1] == pytest.approx(-1, abs=0.01)


def test_a_wave_has_its_power_in_one_ring():
    wave = 0.5 + 0.25 * np.cos(2 * np.pi * 5 * np.arange(32) / 32)  # 5/32 cycles a pixel: ring 5
    spectrum_R = describe("spectrum", np.tile(wave, (1, 1, 32, 1)))[0]
    assert len(spectrum_R) == 15  # no frequency of 32 x 32 but the constant is below 1/32
    assert spectrum_R.argmax() == 4
    radius = np.hypot(np.fft.fftfreq(32)[:, None], np.fft.fftfreq(32)[None, :])
    in_ring = (radius >= 5 / 32) & (radius < 6 / 32)
    # Two of the ring's frequencies have |FFT|^2 = (1024 / 8)^2, over 1024 pixels.
    assert spectrum_R[4] == pytest.approx(np.log(2 * 16 / in_ring.sum() + FLOOR))
    np.testing.assert_allclose(np.delete(spectrum_R, 4), np.log(FLOOR), atol=1e-6)


def test_the_nyquist_frequency_is_in_the_last_ring():
    wave = 0.5 + 0.25 * (-1.0) ** np.arange(32)
    assert describe("spectrum", np.tile(wave, (1, 1, 32, 1)))[0].argmax() == 14


@pytest.mark.parametrize("name", list(TRIVIAL))
@pytest.mark.parametrize("shape", [(2, 1, 16, 16), (2, 3, 17, 9), (1, 4, 3, 3)])
def test_every_descriptor_takes_grey_and_odd_images_and_flat_ones(name, shape):
    for images_NCHW in (np.random.default_rng(0).random(shape), np.full(shape, 0.5)):
        vectors_ND = describe(name, images_NCHW)
        assert len(vectors_ND) == shape[0]
        assert np.isfinite(vectors_ND).all()


@pytest.mark.parametrize("name", list(TRIVIAL))
def test_an_image_is_described_by_itself(name, images_NCHW):
    together_ND = describe(name, images_NCHW)
    np.testing.assert_allclose(describe(name, images_NCHW[2:3]), together_ND[2:3], rtol=1e-9)


def test_wrong_images_are_named(images_NCHW):
    with pytest.raises(UnknownNameError, match="did you mean 'laplacian'"):
        describe("laplacien", images_NCHW)
    with pytest.raises(ParameterError, match="images must be a non-empty array"):
        describe("pixels", images_NCHW[0])
    with pytest.raises(ParameterError, match=r"at least 3 x 3 pixels.*give larger patches"):
        describe("laplacian", images_NCHW[:, :, :2])


def test_a_users_own_is_checked(images_NCHW, monkeypatch):
    monkeypatch.setattr(trivial, "TRIVIAL", dict(TRIVIAL))
    register("rows", "rows")(lambda images: images.mean(axis=(1, 3))[:2])
    register("nothing", "nothing")(lambda images: np.full((len(images), 1), np.nan))
    with pytest.raises(ParameterError, match=r"must be one row an image, \(4, D\)"):
        describe("rows", images_NCHW)
    with pytest.raises(DegenerateError, match="some of its values are NaN"):
        describe("nothing", images_NCHW)
    with pytest.raises(ParameterError, match="choose another name, or say replace=True"):
        register("pixels", "mine")
    with pytest.raises(ParameterError, match="a word of letters"):
        register("my own", "mine")
    register("pixels", "mine", replace=True)(lambda images: images.mean(axis=(1, 2, 3))[:, None])
    assert describe("pixels", images_NCHW).shape == (4, 1)
