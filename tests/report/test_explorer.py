from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np

from srscope.report.explorer import GRID, payload
from srscope.report.pictures import sprite
from srscope.study.record import Study
from support import studies


def made(record: Study) -> dict[str, Any]:
    return payload(record, sprite(record.inputs.patches_NHW3))


def test_points_keep_their_shape_on_the_grid() -> None:
    record = studies.make(contents=5)
    given = made(record)
    grid_N2 = np.array(given["layers"][3]["points"][1]).reshape(-1, 2)
    points_N2 = record.layers[3].points_RN2[1]
    assert grid_N2.min() >= 0
    assert grid_N2.max() <= GRID
    # One scale for both axes, upside down for the screen, nothing else.
    span = (points_N2.max(axis=0) - points_N2.min(axis=0)).max()
    expected = (points_N2 - points_N2[0]) / span * GRID * [1, -1]
    np.testing.assert_allclose(grid_N2 - grid_N2[0], expected, atol=1.5)
    assert (grid_N2.max(axis=0) - grid_N2.min(axis=0)).max() == GRID


def test_points_that_coincide_stand_in_the_middle() -> None:
    record = studies.make(layers=1, chis=[1.0], contents=2, runs=1)
    same = np.full_like(record.layers[0].points_RN2, 3.0)
    given = made(studies.with_layer(record, 0, points_RN2=same))
    assert set(given["layers"][0]["points"][0]) == {round(GRID / 2)}


def test_undefined_points_are_null_and_the_rest_is_plain_json() -> None:
    record = studies.make(contents=4)
    gone = studies.without_chi(record.layers[0])
    given = made(dataclasses.replace(record, layers=(gone, *record.layers[1:])))
    assert given["layers"][0]["points"] == [None] * 5
    assert given["layers"][0]["chi"] == "undefined"
    assert json.loads(json.dumps(given, allow_nan=False)) == given


def test_every_image_has_its_set_and_content() -> None:
    record = studies.make(contents=4)
    given = made(record)
    assert given["set"] == record.inputs.set_N.tolist()
    assert given["content"] == record.inputs.content_N.tolist()
    assert given["contents"] == list(record.inputs.contents)
    assert [s["name"] for s in given["sets"]] == ["clean", "blur", "noise"]
    assert given["seed"] == 0
    assert len(given["untrained"]) == len(given["layers"]) == 4
