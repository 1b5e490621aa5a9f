"""Pictures of channels: grey scales, outlines, what is drawn where, and any number of channels."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from srscope.analyses.maps.figures import (
    all_channels,
    chosen_channels,
    networks_side_by_side,
    shaded,
)
from srscope.features.channels import FeatureMaps, rank_channels


def made(
    *, channels: int = 12, sets: tuple[str, ...] = ("clean", "blur4", "noise20"), name: str = "net"
) -> FeatureMaps:
    random = np.random.default_rng(0)
    maps_SCHW = random.normal(size=(len(sets), channels, 6, 8)).astype(np.float32)
    return FeatureMaps(
        network=name,
        layer="body.15",
        label="ResBlock16",
        image="photo.png",
        sets=sets,
        inputs_SHW3=random.random((len(sets), 6, 8, 3), dtype=np.float32),
        maps_SCHW=maps_SCHW,
        ranking=rank_channels(maps_SCHW),
        content_C=np.linspace(0.0, 1.0, channels),
        content=0.412,
    )


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def outlines(figure: Figure) -> int:
    return sum(isinstance(patch, Rectangle) for patch in figure.axes[0].patches)


def test_grey_scale_is_shared_by_versions_and_survives_outliers() -> None:
    maps_SHW = np.random.default_rng(0).random((3, 50, 50))
    maps_SHW[2] /= 2
    maps_SHW[0, 0, 0] = 1e6
    grey_SHW = shaded(maps_SHW)
    assert 0 <= grey_SHW.min() < grey_SHW.max() <= 1
    assert grey_SHW[1].mean() == pytest.approx(0.5, abs=0.03)
    assert grey_SHW[2].mean() == pytest.approx(0.25, abs=0.03)
    np.testing.assert_array_equal(shaded(np.full((2, 3, 3), 7.0)), 0.5)


def test_first_channels_stand_under_their_numbers_with_their_shares() -> None:
    maps = made()
    figure = chosen_channels(maps, channels=5)
    assert len(figure.axes[0].images) == 3 * (5 + 1)
    shown = maps.ranking.order_C[:5].tolist()
    written = texts(figure)
    assert [text for text in written if text.startswith("#")] == [f"#{c}" for c in shown]
    assert maps.content_C is not None
    for channel in shown:
        assert f"{100 * maps.content_C[channel]:.0f}\N{NO-BREAK SPACE}%" in written
    assert "net, ResBlock16: content 41\N{NO-BREAK SPACE}% of the variance" in written
    mostly = sum(maps.content_C[channel] >= 0.75 for channel in shown)
    assert outlines(figure) == 3 * mostly + 1  # and the legend


def test_without_shares_nothing_is_said_of_content() -> None:
    plain = dataclasses.replace(made(), content_C=None, content=None)
    for figure in (chosen_channels(plain), all_channels(plain)):
        assert outlines(figure) == 0
        assert not any("content" in text for text in texts(figure))


@pytest.mark.parametrize("channels", [1, 3, 64])
@pytest.mark.parametrize("sets", [("as-is",), tuple("abcde")])
def test_any_number_of_channels_and_versions_fits(channels: int, sets: tuple[str, ...]) -> None:
    maps = made(channels=channels, sets=sets)
    everything = all_channels(maps, title="All")
    assert len(everything.axes[0].images) == channels * len(sets)
    for figure in (everything, chosen_channels(maps)):
        assert figure.get_size_inches()[0] <= 7.2
        _assert_inside(figure)


def test_four_networks_stand_two_by_two_under_one_column_of_inputs() -> None:
    figure = networks_side_by_side([made()] * 4, ["(a) A", "(b) B", "(c) C", "(d) D"], channels=8)
    assert figure.get_size_inches()[0] == pytest.approx(7.16)
    assert len(figure.axes[0].images) == 4 * 3 * 8 + 2 * 3
    assert texts(figure).count("blur4") == 2
    places = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    assert places["(a) A"][1] == places["(b) B"][1] < places["(c) C"][1]
    assert places["(a) A"][0] == places["(c) C"][0] < places["(b) B"][0]
    _assert_inside(figure)


def test_hostile_names_stay_inside() -> None:
    maps = made(sets=("clean", "x" * 60), name="\N{SNOWMAN}/$x^2$_" * 20)
    _assert_inside(chosen_channels(maps))
    _assert_inside(all_channels(maps))


def _assert_inside(figure: Figure) -> None:
    figure.draw_without_rendering()
    width, height = figure.get_size_inches() * figure.dpi
    for artist in (*figure.axes[0].texts, *figure.axes[0].images):
        box = artist.get_window_extent()
        assert box.x0 >= -0.5, artist
        assert box.y0 >= -0.5, artist
        assert box.x1 <= width + 0.5, artist
        assert box.y1 <= height + 0.5, artist
