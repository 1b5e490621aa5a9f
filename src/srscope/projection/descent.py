"""t-SNE's gradient over all pairs of points, and the descent along it, compiled.

Every pair is visited once: what i does to j, j does to i. Working in float32 halves the time and
moves the divergence of the map by far less than another random start does.

Suffixes: N points, E map dimensions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from srscope.projection.config import TsneConfig
from srscope.projection.jit import compiled

Float = np.float32 | np.float64

# The descent returns to Python this often, so that an interrupt is heard.
_PAIRS_A_CALL = 2e9
_LEAST_AFFINITY = (
    1e-30  # smaller ones would be denormal in float32, which is slow, and pull nothing
)


@compiled
def _forces_2d(
    points_EN: NDArray[Float],
    affinities_NN: NDArray[Float],
    attraction_EN: NDArray[Float],
    repulsion_EN: NDArray[Float],
) -> float:
    """Write the two sums of the gradient; return the sum of the kernel over all ordered pairs."""
    one, zero = points_EN.dtype.type(1), points_EN.dtype.type(0)
    x_N, y_N = points_EN[0], points_EN[1]
    pull_x_N, pull_y_N = attraction_EN[0], attraction_EN[1]
    push_x_N, push_y_N = repulsion_EN[0], repulsion_EN[1]
    attraction_EN[:] = zero
    repulsion_EN[:] = zero
    total = 0.0
    for i in range(1, x_N.shape[0]):
        x, y, row_N = x_N[i], y_N[i], affinities_NN[i]
        pull_x, pull_y, push_x, push_y, kernels = zero, zero, zero, zero, zero
        for j in range(i):
            dx, dy = x - x_N[j], y - y_N[j]
            kernel = one / (one + dx * dx + dy * dy)
            pull = row_N[j] * kernel
            push = kernel * kernel
            kernels += kernel
            pull_x += pull * dx
            pull_x_N[j] -= pull * dx
            pull_y += pull * dy
            pull_y_N[j] -= pull * dy
            push_x += push * dx
            push_x_N[j] -= push * dx
            push_y += push * dy
            push_y_N[j] -= push * dy
        pull_x_N[i] += pull_x
        pull_y_N[i] += pull_y
        push_x_N[i] += push_x
        push_y_N[i] += push_y
        total += float(kernels)
    return 2 * total


@compiled
def _forces_3d(
    points_EN: NDArray[Float],
    affinities_NN: NDArray[Float],
    attraction_EN: NDArray[Float],
    repulsion_EN: NDArray[Float],
) -> float:
    """As `_forces_2d`, with one more coordinate, and two degrees of freedom."""
    one, zero, half = points_EN.dtype.type(1), points_EN.dtype.type(0), points_EN.dtype.type(0.5)
    x_N, y_N, z_N = points_EN[0], points_EN[1], points_EN[2]
    pull_x_N, pull_y_N, pull_z_N = attraction_EN[0], attraction_EN[1], attraction_EN[2]
    push_x_N, push_y_N, push_z_N = repulsion_EN[0], repulsion_EN[1], repulsion_EN[2]
    attraction_EN[:] = zero
    repulsion_EN[:] = zero
    total = 0.0
    for i in range(1, x_N.shape[0]):
        x, y, z, row_N = x_N[i], y_N[i], z_N[i], affinities_NN[i]
        pull_x, pull_y, pull_z, kernels = zero, zero, zero, zero
        push_x, push_y, push_z = zero, zero, zero
        for j in range(i):
            dx, dy, dz = x - x_N[j], y - y_N[j], z - z_N[j]
            near = one / (one + half * (dx * dx + dy * dy + dz * dz))
            kernel = near * np.sqrt(near)
            pull = row_N[j] * near
            push = kernel * near
            kernels += kernel
            pull_x += pull * dx
            pull_x_N[j] -= pull * dx
            pull_y += pull * dy
            pull_y_N[j] -= pull * dy
            pull_z += pull * dz
            pull_z_N[j] -= pull * dz
            push_x += push * dx
            push_x_N[j] -= push * dx
            push_y += push * dy
            push_y_N[j] -= push * dy
            push_z += push * dz
            push_z_N[j] -= push * dz
        pull_x_N[i] += pull_x
        pull_y_N[i] += pull_y
        pull_z_N[i] += pull_z
        push_x_N[i] += push_x
        push_y_N[i] += push_y
        push_z_N[i] += push_z
        total += float(kernels)
    return 2 * total


@compiled
def gradient(
    points_EN: NDArray[Float],
    affinities_NN: NDArray[Float],
    exaggeration: float,
    attraction_EN: NDArray[Float],
    repulsion_EN: NDArray[Float],
) -> None:
    """Write the gradient of the divergence, its factor included, into ``attraction_EN``.

    Args:
        points_EN: The map, one row a coordinate, 2 or 3 rows.
        affinities_NN: Symmetric, adding up to 1; only what is below the diagonal is read.
        exaggeration: What the affinities are multiplied by.
        attraction_EN: Space for the result.
        repulsion_EN: More space; what is in it afterwards means nothing.

    Source: van der Maaten and Hinton 2008, equation 5, split into attraction and repulsion; its
        factor is 2 (1 + 1/n) for n degrees of freedom (van der Maaten 2009, equation 5).
    """
    if points_EN.shape[0] == 2:
        factor = 4.0
        total = _forces_2d(points_EN, affinities_NN, attraction_EN, repulsion_EN)
    else:
        factor = 3.0
        total = _forces_3d(points_EN, affinities_NN, attraction_EN, repulsion_EN)
    number = points_EN.dtype.type
    pulled, pushed = number(factor * exaggeration), number(factor / total)
    for e in range(points_EN.shape[0]):
        for i in range(points_EN.shape[1]):
            attraction_EN[e, i] = pulled * attraction_EN[e, i] - pushed * repulsion_EN[e, i]


@compiled
def _descend(
    points_EN: NDArray[Float],
    step_EN: NDArray[Float],
    gains_EN: NDArray[Float],
    affinities_NN: NDArray[Float],
    exaggeration: float,
    learning_rate: float,
    momentum: float,
    iterations: int,
) -> None:
    """Take some steps, in place: gradient, gains, momentum, and the mean back to the origin."""
    number = points_EN.dtype.type
    rate, kept = number(learning_rate), number(momentum)
    up, down, least = number(0.2), number(0.8), number(0.01)
    slope_EN, space_EN = np.empty_like(points_EN), np.empty_like(points_EN)
    count = points_EN.shape[1]
    for _ in range(iterations):
        gradient(points_EN, affinities_NN, exaggeration, slope_EN, space_EN)
        for e in range(points_EN.shape[0]):
            total = 0.0
            for i in range(count):
                slope, step, gain = slope_EN[e, i], step_EN[e, i], gains_EN[e, i]
                # A coordinate that overshot gets a larger gain against the step it took.
                onward = (step > 0 and slope > 0) or (step < 0 and slope < 0)
                gain = gain * down + least if onward else gain + up
                step = kept * step - rate * gain * slope
                gains_EN[e, i] = gain
                step_EN[e, i] = step
                points_EN[e, i] += step
                total += points_EN[e, i]
            mean = number(total / count)
            for i in range(count):
                points_EN[e, i] -= mean


def descend(
    affinities_NN: NDArray[np.float64],
    config: TsneConfig,
    start_NE: NDArray[np.float64],
    *,
    precision: type[Float] = np.float32,
) -> NDArray[np.float64]:
    """Minimise t-SNE's divergence from ``start_NE``, exactly, on one thread.

    Momentum and gains start anew after the exaggerated iterations, and steps are not clipped.

    Args:
        affinities_NN: From :func:`~srscope.projection.affinities.joint_affinities`.
        config: Every parameter.
        start_NE: The map to start from.
        precision: Of the arithmetic.

    Returns:
        The map; not finite where the descent diverged.

    Source: van der Maaten and Hinton 2008, section 3.4; the rule for the gains is Jacobs 1988, in
        the numbers of van der Maaten's own code.
    """
    points_EN = np.ascontiguousarray(start_NE.T, dtype=precision)
    pairs_NN = affinities_NN.astype(precision)
    pairs_NN[pairs_NN < _LEAST_AFFINITY] = 0
    at_once = max(1, int(_PAIRS_A_CALL / len(start_NE) ** 2))
    for iterations, exaggeration, momentum in (
        (config.early_iterations, config.early_exaggeration, config.early_momentum),
        (config.iterations - config.early_iterations, 1.0, config.momentum),
    ):
        step_EN, gains_EN = np.zeros_like(points_EN), np.ones_like(points_EN)
        for start in range(0, iterations, at_once):
            _descend(
                points_EN,
                step_EN,
                gains_EN,
                pairs_NN,
                float(exaggeration),
                float(config.learning_rate),
                float(momentum),
                min(at_once, iterations - start),
            )
    return points_EN.T.astype(np.float64)
