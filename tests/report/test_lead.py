"""The maps that a report opens with."""

from __future__ import annotations

import dataclasses
import re

import numpy as np

from srscope.report.html import parted
from srscope.report.lead import lead, map_svg
from srscope.study.record import best_statistic
from support import studies
from support.markup import Balanced

STUDY = studies.make(contents=20)


def test_the_best_layer_is_beside_raw_pixels_and_the_best_statistic() -> None:
    page, html = Balanced(), lead(STUDY, "At ResBlock16, a probe.")
    page.feed(html)
    assert page.open == []
    statistic = best_statistic(STUDY)
    assert statistic is not None
    named = ["ResBlock16, the best layer", "Raw pixels", f"simple statistic: {statistic.label}"]
    places = [html.index(name) for name in named]
    assert places == sorted(places)
    assert html.count('<svg class="map"') == 3
    assert "At ResBlock16, a probe." in html
    best = max(e.best_probe.accuracy for e in STUDY.trivial if e.best_probe)
    assert statistic.best_probe is not None
    assert statistic.best_probe.accuracy == best


def test_what_was_not_computed_leaves_no_gap() -> None:
    alone = dataclasses.replace(
        STUDY, trivial=(), pixels=dataclasses.replace(STUDY.pixels, shape=())
    )
    html = lead(alone, "")
    assert html.count('<svg class="map"') == 1
    assert "beside" not in html


def test_every_image_is_drawn_once_and_no_set_on_top() -> None:
    set_N = STUDY.inputs.set_N
    drawn = map_svg(STUDY.layers[0], set_N, radius=1)
    paths = re.findall(r'class="c(\d)" fill-opacity="0.85" d="([^"]*)"', drawn)
    counts = {k: sum(d.count("M") for c, d in paths if c == k) for k in "012"}
    assert counts == {"0": 20, "1": 20, "2": 20}
    order = [int(c) for c, _ in paths]
    assert order != sorted(order)
    assert {0, 1, 2} <= set(order[:6])
    assert {0, 1, 2} <= set(order[-6:])


def test_undefined_points_are_said() -> None:
    gone = studies.without_chi(STUDY.layers[0])
    assert "undefined" in map_svg(gone, STUDY.inputs.set_N, radius=1)


def test_markers_are_those_of_the_explorer() -> None:
    drawn = map_svg(STUDY.layers[0], np.full(60, 1), radius=1)
    (path, *_) = re.findall(r'd="M[\d.]+ [\d.]+(m[^M"]*)', drawn)
    assert path == "m0 -1.3l1.25 2.2l-2.5 0z"


def test_headlines_part_at_their_numbers() -> None:
    assert STUDY.verdict is not None
    said, numbers = parted(STUDY.verdict.headline)
    assert said.endswith("simple statistics of the images show.")
    assert numbers.startswith("At ResBlock16, a probe is right for")
    assert parted("Nothing can be said.") == ("Nothing can be said.", "")
