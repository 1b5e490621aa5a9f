from __future__ import annotations

import dataclasses
import re
from importlib import resources
from xml.etree import ElementTree as ET

import pytest

from srscope.report import charts, html
from srscope.study.record import Study
from support import studies


def parsed(markup: str) -> ET.Element:
    return ET.fromstring(markup)


def titles(markup: str) -> list[str]:
    return [t.text or "" for t in parsed(markup).iter("title")]


def test_each_layer_has_a_mark_that_tells_its_score() -> None:
    record = studies.make()
    chart = charts.chi_by_depth(record)
    told = titles(chart)
    last = record.layers[-1].tsne.chi
    assert f"ResBlock16: CHI {last.mean:.0f} ± {last.std:.0f} (+++)" in told
    assert "Raw pixels: CHI 0.02 ± 0.00" in told
    assert len(told) == 4 + 4 + 1
    assert [li.get("title") for li in parsed(chart).iter("li")][1:] == [
        e.label for e in record.layers
    ]


def test_places_are_logarithmic() -> None:
    record = studies.make(layers=4, chis=[1.0, 10.0, 100.0, 1000.0], runs=1)
    chart = charts.chi_by_depth(record)
    places = [float(x) for x in re.findall(r'<circle cx="([\d.]+)%"', chart)]
    scores = [e.tsne.chi.mean for e in record.layers]
    axis = charts._LogAxis(max(scores))
    assert places == pytest.approx([axis(s) for s in scores], abs=0.01)
    steps = [axis(10.0 ** (n + 1)) - axis(10.0**n) for n in range(3)]
    assert steps == pytest.approx([steps[0]] * 3)
    assert axis(0.0) == axis(1.0) == charts._LEFT


def test_no_mark_leaves_the_chart() -> None:
    chart = charts.chi_by_depth(studies.make(chis=[0.0, 1e-12, 5.0, 250_000.0], pixels_chi=0.0))
    places = [float(x) for x in re.findall(r'(?:x|cx|x1|x2)="([\d.]+)%"', chart)]
    assert min(places) >= 0
    assert max(places) <= 100


def test_an_undefined_layer_breaks_the_line() -> None:
    record = studies.make()
    gone = studies.without_chi(record.layers[1])
    record = dataclasses.replace(
        record,
        layers=(record.layers[0], gone, *record.layers[2:]),
        untrained=(),
        pixels=studies.without_chi(record.pixels),
    )
    chart = charts.chi_by_depth(record)
    lines = re.findall(r'<polyline class="network" points="([^"]*)"', chart)
    assert [len(line.split()) for line in lines] == [1, 2]
    assert "undefined" in chart
    assert 'class="pixels"' not in chart
    assert "nan" not in chart


def test_bars_fill_the_width_and_tell_their_shares() -> None:
    record = studies.make()
    chart = charts.variance_by_depth(record)
    widths = [float(w) for w in re.findall(r'width="([\d.]+)%" height="22"', chart)]
    assert len(widths) == 3 * 5
    for row in range(5):
        assert sum(widths[3 * row : 3 * row + 3]) == pytest.approx(100, abs=0.01)
    split = record.layers[-1].variance
    assert split is not None
    assert f"ResBlock16: {100 * split.degradation:.1f} % degradation" in titles(chart)


def test_without_a_split_there_is_no_chart_and_a_single_gap_is_said() -> None:
    assert charts.variance_by_depth(studies.make(crossed=False)) == ""
    record = studies.with_layer(studies.make(), 2, variance=None)
    assert charts.variance_by_depth(record).count("undefined") == 1


def keyed(record: Study) -> list[str]:
    return [li.find("svg").tail or "" for li in parsed(charts.chi_key(record)).iter("li")]


def test_the_key_names_what_is_drawn_and_no_control_that_was_not_run() -> None:
    record = studies.make()
    assert keyed(record) == ["network", "untrained", "raw pixels"]
    alone = dataclasses.replace(record, untrained=())
    assert keyed(alone) == ["network", "raw pixels"]
    assert keyed(dataclasses.replace(alone, pixels=studies.without_chi(alone.pixels))) == [
        "network"
    ]
    # The page takes its key from here, and has no second one.
    page = html.render(alone)
    assert charts.chi_key(alone) in page
    assert ">untrained</li>" not in page
    assert "untrained" not in charts.chi_by_depth(alone)


@pytest.mark.parametrize("draw", [charts.chi_by_depth, charts.variance_by_depth])
def test_rows_of_names_and_marks_stand_at_the_same_height(draw: object) -> None:
    """The style sheet gives each name 30 pixels, and 12 more below the first."""
    css = resources.files("srscope.report").joinpath("report.css").read_text()
    assert f".labels li {{ height: {charts.ROW}px;" in css
    assert f".labels .control {{ margin-bottom: {charts.FIRST - charts.ROW}px;" in css
    chart = draw(studies.make())
    # The drawing of CHI begins at the first row, a bar four pixels below its row's top.
    assert f'y="{charts.FIRST}"' in chart or f'y="{charts.FIRST + 4}"' in chart


@pytest.mark.parametrize("draw", [charts.chi_by_depth, charts.variance_by_depth])
def test_charts_are_well_formed_whatever_the_names(draw: object) -> None:
    name = "<script>&\"'\x07"
    chart = draw(studies.make(layers=[(name, name)] * 2, chis=[1.0, 2.0]))
    assert "<script" not in chart
    root = parsed(chart)
    assert root.find("svg").get("role") == "img"
