from __future__ import annotations

from pathlib import Path

import numpy as np

from srscope.exports.arrays import write_arrays
from srscope.exports.spaces import PcaPoints, exported
from support import studies


def test_numpy_reads_everything_without_pickles(tmp_path: Path) -> None:
    study = studies.make(contents=4)
    points = np.ones((12, 5), np.float32)
    (path,) = write_arrays(exported(study, PcaPoints(untrained={"conv_first": points})), tmp_path)
    with np.load(path, allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["patches"], study.inputs.patches_NHW3)
        names = arrays["set_names"][arrays["set"]]
        assert names.tolist() == ["clean"] * 4 + ["blur"] * 4 + ["noise"] * 4
        assert arrays["layers"].tolist() == ["Conv1", "ResBlock4", "ResBlock8", "ResBlock16"]
        np.testing.assert_array_equal(arrays["ResBlock4_tsne"], study.layers[1].points_RN2)
        np.testing.assert_array_equal(arrays["pixels_tsne"], study.pixels.points_RN2)
        np.testing.assert_array_equal(arrays["untrained-Conv1_pca"], points)
        assert "Conv1_pca" not in arrays
        assert arrays["content_names"][arrays["content"][5]] == study.inputs.contents[1]
