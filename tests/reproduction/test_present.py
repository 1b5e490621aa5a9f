"""What a finding shows of a measured layer, beside what the paper says."""

from __future__ import annotations

from typing import Any

import pytest

from srscope.reproduction import paper, present
from srscope.reproduction.present import OWN_COLUMNS, PAPER_COLUMNS, Measured
from support.labs import tiny_lab


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    lab = tiny_lab(tmp_path_factory.mktemp("lab"))
    (layer,) = lab.layers("srgan-wgr", ["ResBlock16"], lab.spec("clean-blur-noise"))
    found = present.measure(lab, [layer, layer])
    assert [each.maps.layer.key for each in found] == [layer.key] * 2  # mapped once
    return found[0]


def test_cells_fill_their_columns(measured: Measured) -> None:
    cells: dict[str, Any] = dict(zip(OWN_COLUMNS, present.own_cells(measured), strict=True))
    assert cells["CHI"] == measured.runs_chi.mean
    assert cells["CHI low"] <= cells["CHI"] <= cells["CHI high"]
    assert 0 <= cells["k-NN accuracy"] <= 1
    assert 0 < cells["p-value"] <= 1


def test_what_the_paper_does_not_give_is_empty() -> None:
    assert present.paper_cells(None) == (None,) * len(PAPER_COLUMNS)
    score = paper.Score(mean=600.0, std=3.0)
    cells = present.paper_cells(paper.Scores(wd=score, bd=score, chi=score))
    assert dict(zip(PAPER_COLUMNS, cells, strict=True))["paper grade"] == "+++"


def test_the_caption_names_both_numbers(measured: Measured) -> None:
    assert present.caption(measured).startswith("CHI ")
    both = present.caption(measured, paper.Score(mean=600.0, std=3.0)).splitlines()
    assert both[0] == present.caption(measured)
    assert both[1] == "paper CHI 600 ± 3 (+++)".replace("CHI ", "")


def test_a_panel_takes_the_colours_that_are_given(measured: Measured) -> None:
    plain = present.panel(measured, "plain")
    turned = present.panel(measured, "turned", index_K=[2, 1, 0])
    assert (plain.colour_N + turned.colour_N == 2).all()
    assert (plain.points_N2 == measured.maps.points_RND[0]).all()
