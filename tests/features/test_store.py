from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from srscope.errors import FileProblem, UnknownNameError
from srscope.features.store import META, SCHEMA, FeatureStore
from srscope.features.store_writer import create_store

A_ND = np.random.default_rng(0).random((5, 12), np.float32)
B_ND = np.random.default_rng(1).random((5, 3), np.float32)
SET_N = np.array([0, 0, 1, 1, 1], np.int64)


@pytest.fixture
def folder(tmp_path):
    """A store of two layers, written in two batches."""
    path = tmp_path / "features"
    with create_store(
        path,
        layers=["body.3", "body.15"],
        count=5,
        reducer="flatten",
        arrays={"set_N": SET_N, "names_N": np.array(["a", "b", "ü", "d", "e"])},
        metadata={"suite": {"name": "clean-blur-noise"}, "skipped": [["x.png", "unreadable"]]},
        provenance={"network": "srresnet-wgr"},
    ) as writer:
        for rows in (slice(0, 3), slice(3, 5)):
            writer.append("body.3", A_ND[rows], feature_shape=(3, 2, 2))
            writer.append("body.15", B_ND[rows], feature_shape=(3, 1, 1))
    return path


def test_everything_comes_back(folder):
    store = FeatureStore.open(folder)
    assert (store.count, store.reducer) == (5, "flatten")
    assert [entry.name for entry in store.layers] == ["body.3", "body.15"]
    assert store.layer("body.3").feature_shape == (3, 2, 2)
    assert store.layer("body.3").shape == (5, 12)
    np.testing.assert_array_equal(store.read("body.3"), A_ND)
    np.testing.assert_array_equal(store.read("body.15"), B_ND)
    np.testing.assert_array_equal(store.array("set_N"), SET_N)
    assert store.array("names_N").tolist() == ["a", "b", "ü", "d", "e"]
    assert store.metadata["suite"] == {"name": "clean-blur-noise"}
    assert store.metadata["skipped"] == [["x.png", "unreadable"]]
    assert store.provenance == {"network": "srresnet-wgr"}
    assert FeatureStore.is_complete(folder)
    store.verify()


def test_layers_are_mapped_and_read_only_and_arrays_are_the_callers_own(folder):
    store = FeatureStore.open(folder)
    features_ND = store.read("body.3")
    assert isinstance(features_ND, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        features_ND[0, 0] = 1
    store.array("set_N")[0] = 9
    assert store.array("set_N")[0] == 0


def test_a_store_can_be_moved(folder, tmp_path):
    before = FeatureStore.open(folder)
    moved = FeatureStore.open(shutil.move(folder, tmp_path / "elsewhere ü"))
    moved.verify()
    assert moved.sha256 == before.sha256


def test_reading_a_store_loads_no_torch(folder):
    code = (
        "import sys; from srscope.features.store import FeatureStore; "
        "FeatureStore.open(sys.argv[1]).read('body.3'); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)


def test_unknown_names_are_named(folder):
    store = FeatureStore.open(folder)
    with pytest.raises(UnknownNameError, match=r"unknown stored layer 'body\.4'; did you mean 'b"):
        store.read("body.4")
    with pytest.raises(UnknownNameError, match="unknown stored array 'set'; did you mean 'set_N'"):
        store.array("set")


@pytest.mark.parametrize("file", ["000-body.3.npy", "001-body.15.npy", "array-set_N.npy"])
def test_verify_names_the_file_whose_content_changed(folder, file):
    data = bytearray((folder / file).read_bytes())
    data[-1] ^= 1
    (folder / file).write_bytes(data)
    store = FeatureStore.open(folder)
    with pytest.raises(FileProblem, match=f"{file}: is not what the feature store wrote"):
        store.verify()


def test_verify_sees_changed_metadata(folder):
    text = (folder / META).read_text("utf-8").replace("srresnet-wgr", "srresnet-wogr")
    (folder / META).write_text(text, "utf-8")
    with pytest.raises(FileProblem, match=r"meta\.json: is not what the feature store wrote"):
        FeatureStore.open(folder).verify()


def test_verify_reads_a_large_layer_in_parts(folder, monkeypatch):
    monkeypatch.setattr("srscope.features.store._HASHED_AT_ONCE", 10)
    FeatureStore.open(folder).verify()


@pytest.mark.parametrize("cut", [1, 70, 10**6])
def test_a_cut_file_is_seen_when_opening(folder, cut):
    path = folder / "000-body.3.npy"
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(FileProblem, match=r"000-body\.3\.npy: is not what .*; extract the feat"):
        FeatureStore.open(folder)
    assert not FeatureStore.is_complete(folder)


@pytest.mark.parametrize("other", [A_ND[:, :3], A_ND.astype(np.float64)])
def test_an_array_of_another_kind_is_seen_when_opening(folder, other):
    np.save(folder / "000-body.3.npy", other)
    with pytest.raises(FileProblem, match="is not what the feature store wrote"):
        FeatureStore.open(folder)


def test_a_missing_file_is_named(folder):
    (folder / "001-body.15.npy").unlink()
    with pytest.raises(FileProblem, match=r"001-body\.15\.npy: is missing from its feature store"):
        FeatureStore.open(folder)


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(FileProblem, match="nowhere: does not exist; give the folder of an earlier"):
        FeatureStore.open(tmp_path / "nowhere")
    assert not FeatureStore.is_complete(tmp_path / "nowhere")


def test_a_folder_or_file_that_is_something_else(tmp_path):
    file = tmp_path / "photo.png"
    file.write_bytes(b"png")
    for path in (tmp_path, file):
        with pytest.raises(FileProblem, match=r"is not a feature store \(it holds no meta\.json\)"):
            FeatureStore.open(path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("not json", "cannot be read"),
        ("\x00\xff", "cannot be read"),
        ("[]", "has schema None"),
        ('{"schema": "other/1", "complete": true}', "has schema 'other/1'"),
        (json.dumps({"schema": SCHEMA, "complete": True}), "is damaged"),
        (json.dumps({"schema": SCHEMA}), "has schema"),
    ],
)
def test_a_strange_meta_json_is_refused(tmp_path, text, why):
    (tmp_path / META).write_text(text, "latin-1")
    with pytest.raises(FileProblem, match=f"is not a feature store .*{why}"):
        FeatureStore.open(tmp_path)


@pytest.mark.parametrize("file", ["../secret.npy", "/etc/secret.npy", "..", "sub/x.npy"])
def test_a_meta_json_cannot_lead_out_of_the_folder(folder, file):
    meta = json.loads((folder / META).read_text("utf-8"))
    meta["layers"][0]["file"] = file
    (folder / META).write_text(json.dumps(meta))
    with pytest.raises(FileProblem, match="is damaged"):
        FeatureStore.open(folder)
