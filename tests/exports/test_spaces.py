from __future__ import annotations

import dataclasses

import numpy as np

from srscope.exports.spaces import PcaPoints, exported, labels_of, unique_keys
from support import studies


def test_keys_are_fit_for_files_whatever_the_labels() -> None:
    hostile = ["../../etc/passwd", "a\tb", "a\nb", "", "PIXELS", "x" * 300, "é"]
    keys = unique_keys(hostile, taken=["pixels"])
    assert len({key.casefold() for key in keys}) == len(hostile)
    for key in keys:
        assert 0 < len(key) <= 64
        assert key.isascii()
        assert not set(key) & set("/\\\t\n ")
        assert key[0] not in ".-"


def test_layers_find_their_pca_points() -> None:
    study = studies.make(contents=4)
    points = np.ones((12, 5), np.float32)
    data = exported(study, PcaPoints(layers={"body.15": points}, pixels=points))
    assert [space.key for space in data.layers] == ["Conv1", "ResBlock4", "ResBlock8", "ResBlock16"]
    assert [space.pca_NC is not None for space in data.shown] == [False, False, False, True, True]
    assert data.untrained[0].key == "untrained-Conv1"
    assert data.shown[-1] is data.pixels


def test_labels_are_one_line_each() -> None:
    study = studies.make(contents=["a\tb", "c\nd"], sets=("x\ty", "z"))
    inputs = dataclasses.replace(study.inputs, photographs=("p\n", "q"))
    labels = labels_of(dataclasses.replace(study, inputs=inputs))
    assert labels.keys() == {"set", "content", "photograph"}
    for values in labels.values():
        assert len(values) == 4
        assert not any(set(value) & set("\t\n") for value in values)
