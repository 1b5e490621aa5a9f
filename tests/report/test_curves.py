from __future__ import annotations

import math
import re
from xml.etree import ElementTree as ET

import pytest

from srscope.report.curves import Axis, Point, Series, curves, iteration_ticks, key

AXIS = Axis(name="depth", low=0.0, high=1.0, ticks=((0.0, "0 %"), (1.0, "100 %")))


def line(*means: float, pair: int = 0, control: bool = False, name: str = "net") -> Series:
    places = [i / max(1, len(means) - 1) for i in range(len(means))]
    points = tuple(
        Point(x=x, mean=mean, std=0.1, told=f"{name} {mean:g}")
        for x, mean in zip(places, means, strict=True)
    )
    return Series(name=name, points=points, pair=pair, control=control)


def test_marks_tell_their_values_and_controls_have_none() -> None:
    chart = curves([line(1, 10), line(0.1, 0.1, control=True)], AXIS, name="CHI")
    root = ET.fromstring(chart)
    assert [t.text for t in root.iter("title")] == ["net 1", "net 10"]
    assert chart.count("<polyline") == 2
    assert 'class="control s0"' in chart


def test_heights_are_logarithmic_and_stay_inside() -> None:
    chart = curves([line(0.0, 1, 10, 100, 1000)], AXIS, name="CHI")
    heights = [float(y) for y in re.findall(r'<svg x="[\d.]+%" y="([\d.]+)"', chart)]
    assert heights[0] == heights[1]
    assert heights[1] - heights[2] == pytest.approx(heights[2] - heights[3], abs=0.2)
    assert heights == sorted(heights, reverse=True)
    assert min(heights) >= 0
    assert max(heights) <= 300


def test_shares_have_an_axis_of_their_own() -> None:
    chart = curves([line(0.25, 1.0)], AXIS, kind="share", name="k-NN", line_at=(1 / 3, "chance"))
    assert ">75 %<" in chart
    assert "<title>chance</title>" in chart
    assert "band" not in chart


def test_gains_go_below_zero_and_are_told_in_decibels() -> None:
    chart = curves([line(-2.0, 0.0, 3.0)], AXIS, kind="gain", name="gain", line_at=(0.0, "none"))
    first, zero, last = (float(y) for y in re.findall(r'<svg x="[\d.]+%" y="([\d.]+)"', chart))
    assert 0 <= last < zero < first <= 300
    assert (first - zero) / (zero - last) == pytest.approx(2 / 3, abs=0.01)
    assert ">+2<" in chart
    assert "-2.00 dB to +3.00 dB" in chart


def test_an_undefined_value_breaks_the_line() -> None:
    chart = curves([line(1, math.nan, 3, 4)], AXIS, name="CHI")
    lines = re.findall(r'points="([^"]*)"', chart)
    assert [len(points.split()) for points in lines] == [1, 2]
    assert "nan" not in chart


def test_grades_are_shown_where_they_apply() -> None:
    assert ">+++<" in curves([line(1, 2)], AXIS, name="CHI")
    assert ">+++<" not in curves([line(1, 2)], AXIS, name="CHI", graded=False)


def test_names_stay_text() -> None:
    series = [line(1, 2, name="<script>&")]
    for markup in (curves(series, AXIS, name="<b>"), key(series, control="<i>")):
        ET.fromstring(markup)
        assert "<script" not in markup
        assert "<b>" not in markup
        assert "<i>" not in markup


@pytest.mark.parametrize("last", [0, 1, 7, 999, 24_000, 600_000, 1_000_000])
def test_ticks_of_iterations_are_few_and_within(last: int) -> None:
    ticks = iteration_ticks(last)
    assert 2 <= len(ticks) <= 8
    assert ticks[0] == (0, "0")
    assert all(value <= max(1, last) for value, _ in ticks)
    assert len({label for _, label in ticks}) == len(ticks)


def test_ticks_may_begin_late() -> None:
    ticks = iteration_ticks(24_000, first=22_500)
    assert 2 <= len(ticks) <= 8
    assert all(22_500 <= value <= 24_000 for value, _ in ticks)
    assert len({label for _, label in ticks}) == len(ticks)
