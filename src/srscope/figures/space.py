"""Maps of three dimensions, drawn in parallel projection inside a flat panel.

Suffix: N points.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba_array
from numpy.typing import NDArray

from srscope.figures import style

ELEVATION, AZIMUTH = 20.0, -60.0
"""Degrees from which every map is seen, so that none is turned to look better."""
ZOOM = 1.08
"""So much larger than matplotlib draws it, the cube fills its panel."""
_EDGE = "#CCCCCC"


def draw_space(
    axes: Axes,
    points_N3: NDArray[np.floating[Any]],
    colour_N: NDArray[np.int64],
    marker_N: NDArray[np.int64],
    colours: Sequence[str] = style.SET_COLOURS,
) -> None:
    """Draw finite points in a cube: equal units on all axes, those farther away paler.

    Args:
        axes: A flat panel, which keeps its frame, title and caption.
        points_N3: The points, one or more.
        colour_N: Each point's index into ``colours``.
        marker_N: Each point's index into the marker shapes.
        colours: The colours.
    """
    # Matplotlib's own types know little of its axes in space.
    space: Any = axes.inset_axes((0, 0, 1, 1), projection="3d")
    space.set_axis_off()
    space.patch.set_visible(False)
    points_N3 = points_N3.astype(np.float64)
    middle_3 = (points_N3.max(axis=0) + points_N3.min(axis=0)) / 2
    half = float(np.ptp(points_N3, axis=0).max()) / 2 * 1.03
    rgba_K4 = to_rgba_array(list(colours))
    size = float(np.clip(1400 / len(points_N3), 3.0, 10))
    for marker in np.unique(marker_N):
        own_N = marker_N == marker
        space.scatter(
            *points_N3[own_N].T,
            s=size,
            marker=style.marker_of(int(marker)),
            c=rgba_K4[colour_N[own_N] % len(rgba_K4)],
            linewidths=0,
            depthshade=True,
        )
    corners = [np.array(signs) for signs in product((-1, 1), repeat=3)]
    for first, second in product(corners, corners):
        if (second - first).sum() == 2 and np.count_nonzero(second - first) == 1:
            ends = np.stack([middle_3 + half * first, middle_3 + half * second])
            space.plot(*ends.T, color=_EDGE, linewidth=0.5, zorder=0)
    for middle, limit in zip(
        middle_3, (space.set_xlim, space.set_ylim, space.set_zlim), strict=True
    ):
        limit(middle - half, middle + half)
    space.set_proj_type("ortho")
    space.view_init(elev=ELEVATION, azim=AZIMUTH)
    space.set_box_aspect((1, 1, 1), zoom=ZOOM)
