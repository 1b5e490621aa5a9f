"""pandas and pyarrow read the table back."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pyarrow import parquet as pq

from srscope.errors import SrscopeError
from srscope.exports import parquet
from srscope.exports.parquet import write_parquet
from srscope.exports.spaces import PcaPoints, exported
from support import studies


def test_pandas_reads_one_row_an_image(tmp_path: Path) -> None:
    study = studies.make(contents=4)
    points = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
    data = exported(study, PcaPoints(layers={"body.15": points}))
    (path,) = write_parquet(data, tmp_path)
    table = pd.read_parquet(path)
    assert len(table) == 12
    assert table["set"].tolist() == ["clean"] * 4 + ["blur"] * 4 + ["noise"] * 4
    assert table["content"].tolist() == list(study.inputs.contents) * 3
    first_run = study.layers[2].points_RN2[0]
    np.testing.assert_array_equal(table[["ResBlock8_x", "ResBlock8_y"]].to_numpy(), first_run)
    np.testing.assert_array_equal(np.stack(table["ResBlock16_pca"]), points)
    assert {"pixels_x", "pixels_y"} <= set(table.columns)
    for index in (0, 7):
        inside = Image.open(io.BytesIO(table["image"][index]["bytes"]))
        beside = Image.open(tmp_path / table["filepath"][index])
        patch = study.inputs.patches_NHW3[index]
        np.testing.assert_array_equal(np.asarray(inside), patch)
        np.testing.assert_array_equal(np.asarray(beside), patch)


def test_the_schema_says_that_images_are_images(tmp_path: Path) -> None:
    (path,) = write_parquet(exported(studies.make(contents=2), PcaPoints()), tmp_path)
    schema = pq.read_schema(path)
    assert json.loads(schema.metadata[b"huggingface"])["info"]["features"]["image"] == {
        "_type": "Image"
    }
    assert json.loads(schema.metadata[b"srscope"])["network"] == "srresnet-wgr"
    assert not [name for name in schema.names if name.endswith("_pca")]


def test_without_pyarrow_the_way_to_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "can_write", lambda: False)
    with pytest.raises(SrscopeError, match=r"pip install 'srscope\[parquet\]'"):
        write_parquet(exported(studies.make(contents=2), PcaPoints()), tmp_path)
