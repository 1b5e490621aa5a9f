"""TensorBoard's own plugin reads what is written: its protocol buffer, its reader of tensors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from PIL import Image
from tensorboard.plugins.projector import projector_plugin
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

from srscope.exports import projector
from srscope.exports.projector import write_projector
from srscope.exports.spaces import Exported, PcaPoints, exported
from support import studies


def made() -> Exported:
    study = studies.make(contents=["a\tb", "c", "d", "e"])
    points = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
    return exported(study, PcaPoints(layers={"body.15": points}, pixels=points))


def config_of(folder: Path) -> ProjectorConfig:
    return text_format.Parse((folder / "projector_config.pbtxt").read_text(), ProjectorConfig())


def test_tensorboard_finds_every_layer_the_deepest_first(tmp_path: Path) -> None:
    data = made()
    written = write_projector(data, tmp_path)
    assert sorted(written) == sorted(tmp_path.iterdir())
    config = config_of(tmp_path)
    assert [entry.tensor_name for entry in config.embeddings] == [
        "ResBlock16 (PCA 5)", "ResBlock16 (t-SNE)", "ResBlock8 (t-SNE)", "ResBlock4 (t-SNE)",
        "Conv1 (t-SNE)", "pixels (PCA 5)", "pixels (t-SNE)",
    ]  # fmt: skip
    for entry in config.embeddings:
        # The plugin's own rule: nothing outside the folder of the configuration.
        place = projector_plugin._rel_to_abs_asset_path(
            entry.tensor_path, str(tmp_path / "projector_config.pbtxt")
        )
        tensor = projector_plugin._read_tensor_tsv_file(place)
        assert tensor.shape == tuple(entry.tensor_shape)
    first = projector_plugin._read_tensor_tsv_file(str(tmp_path / config.embeddings[0].tensor_path))
    np.testing.assert_allclose(first, data.layers[-1].pca_NC, rtol=1e-6)


def test_labels_stand_in_the_order_of_the_points(tmp_path: Path) -> None:
    write_projector(made(), tmp_path)
    rows = [line.split("\t") for line in (tmp_path / "labels.tsv").read_text().splitlines()]
    assert rows[0] == ["set", "content", "photograph"]
    assert len(rows) == 13
    assert rows[6][:2] == ["blur", "c"]
    assert all(len(row) == 3 for row in rows)


def test_the_sprite_holds_every_patch_in_its_place(tmp_path: Path) -> None:
    data = made()
    write_projector(data, tmp_path)
    width, height = config_of(tmp_path).embeddings[0].sprite.single_image_dim
    sheet = np.asarray(Image.open(tmp_path / "sprite.png"))
    columns = sheet.shape[1] // width
    for index, patch in enumerate(data.study.inputs.patches_NHW3):
        y, x = index // columns * height, index % columns * width
        np.testing.assert_array_equal(sheet[y : y + height, x : x + width], patch)


def test_a_sprite_too_large_for_the_projector_is_made_smaller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector, "_LONGEST_SIDE", 100)
    write_projector(made(), tmp_path)
    assert max(Image.open(tmp_path / "sprite.png").size) <= 100
    assert list(config_of(tmp_path).embeddings[0].sprite.single_image_dim) == [16, 16]
