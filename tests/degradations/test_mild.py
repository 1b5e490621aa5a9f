from __future__ import annotations

import numpy as np
import pytest
import torch

from srscope.degradations.mild import Mild
from srscope.errors import ParameterError

STILL = {"length": 0, "angle": 0, "bend": 0, "width": 0.8, "shift_x": 0, "shift_y": 0}
SILENT = {"read": 0, "shot": 0}


def moments(kernel: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Centroid (x, y) from the middle, and covariance."""
    weights = kernel.numpy()
    offset = np.arange(len(weights)) - len(weights) // 2
    y, x = np.meshgrid(offset, offset, indexing="ij")
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    return (
        np.average(points, axis=0, weights=weights.ravel()),
        np.cov(points.T, aweights=weights.ravel(), ddof=0),
    )


def test_straight_path_along_the_right() -> None:
    centre, covariance = moments(Mild(**{**STILL, "length": 4}).kernel())
    np.testing.assert_allclose(centre, 0, atol=1e-9)
    # A uniform path of length L adds L^2/12 to the pen's variance, along the path only.
    assert covariance[0, 0] == pytest.approx(0.8**2 + 4**2 / 12, rel=0.05)
    assert covariance[1, 1] == pytest.approx(0.8**2, rel=1e-3)
    assert covariance[0, 1] == pytest.approx(0, abs=1e-9)


def test_angle_turns_counter_clockwise() -> None:
    _, upright = moments(Mild(**{**STILL, "length": 4, "angle": 90}).kernel())
    assert upright[1, 1] > 2 * upright[0, 0]
    _, diagonal = moments(Mild(**{**STILL, "length": 4, "angle": 45}).kernel())
    assert diagonal[0, 1] < -0.3  # y points down: to the right is up


def test_bend_curves_the_path() -> None:
    _, straight = moments(Mild(**{**STILL, "length": 5}).kernel())
    _, bent = moments(Mild(**{**STILL, "length": 5, "bend": 180}).kernel())
    assert bent[0, 0] < straight[0, 0]
    assert bent[1, 1] > 1.2 * straight[1, 1]


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.5, -0.25), (-1.0, 0.7)])
def test_shift_moves_the_content(shift: tuple[float, float]) -> None:
    x, y = shift
    mild = Mild(**{**STILL, **SILENT, "length": 3, "bend": 60, "shift_x": x, "shift_y": y})
    centre, _ = moments(mild.kernel())
    np.testing.assert_allclose(centre, shift, atol=1e-3)
    image = torch.zeros(1, 1, 31, 31, dtype=torch.float64)
    image[0, 0, 15, 15] = 1
    seen, _ = moments(mild(image, generator=torch.Generator())[0, 0])
    np.testing.assert_allclose(seen, shift, atol=1e-3)


def test_every_drawn_kernel_is_a_mean() -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        drawn = Mild().drawn(generator)
        kernel = drawn.kernel()
        assert kernel.shape == (15, 15)
        assert float(kernel.min()) >= 0
        assert float(kernel.sum()) == pytest.approx(1)
        centre, _ = moments(kernel)
        np.testing.assert_allclose(centre, (drawn.shift_x, drawn.shift_y), atol=0.02)


@pytest.mark.parametrize("value", [0.0, 0.25, 0.75])
def test_noise_grows_with_the_signal(value: float) -> None:
    mild = Mild(**STILL, read=4, shot=20)
    image = torch.full((1, 3, 200, 200), value)
    noise = (mild(image, generator=torch.Generator().manual_seed(0)) - value) * 255
    assert float(noise.std()) == pytest.approx((4**2 + 20**2 * value) ** 0.5, rel=0.02)


def test_no_noise_no_blur_to_speak_of() -> None:
    mild = Mild(**{**STILL, **SILENT, "width": 0.3})
    image = torch.full((1, 3, 16, 16), 0.4)
    torch.testing.assert_close(mild(image, generator=torch.Generator()), image)


def test_kernel_must_hold_the_path() -> None:
    with pytest.raises(ParameterError, match=r"size must be large enough .* is 15; use 31 or more"):
        Mild(length=(1, 22))
    assert Mild(length=(1, 22), size=31).size == 31


@pytest.mark.parametrize(
    "wrong",
    [
        *({"length": -1}, {"angle": 400}, {"bend": 181}, {"width": 0}, {"shift_x": 21}),
        *({"shift_y": "1"}, {"read": -1}, {"shot": 256}),
    ],
    ids=str,
)
def test_wrong_field(wrong: dict[str, object]) -> None:
    (name,) = wrong
    with pytest.raises(ParameterError, match=f"^{name} must be a number from"):
        Mild(**wrong)
