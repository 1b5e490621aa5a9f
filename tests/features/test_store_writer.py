from __future__ import annotations

import json
import signal
import subprocess
import sys

import numpy as np
import pytest

from srscope.errors import FileProblem, ParameterError, UnknownNameError
from srscope.features.store import META, FeatureStore
from srscope.features.store_writer import create_store, remove_store
from support.disks import no_file_above

ROWS_ND = np.arange(12, dtype=np.float32).reshape(4, 3)


def write(path, *, layers=("a",), rows_ND=ROWS_ND, **options):
    with create_store(path, layers=layers, count=4, reducer="flatten", **options) as writer:
        for layer in layers:
            writer.append(layer, rows_ND, feature_shape=(3, 1, 1))
    return FeatureStore.open(path)


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_the_same_content_has_the_same_hash_and_the_same_bytes(tmp_path):
    one, two = write(tmp_path / "1"), write(tmp_path / "2")
    assert one.sha256 == two.sha256
    for name in names(tmp_path / "1"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()
    assert write(tmp_path / "3", rows_ND=ROWS_ND + 1).sha256 != one.sha256


def test_batches_need_not_be_contiguous_or_float32(tmp_path):
    store = write(tmp_path, rows_ND=np.asfortranarray(ROWS_ND.astype(">f8")))
    assert store.layer("a").dtype == "<f4"
    np.testing.assert_array_equal(store.read("a"), ROWS_ND)
    store.verify()


@pytest.mark.parametrize("value", [np.array(3.5), np.zeros((0, 2)), np.array(["", "x"]), [1, 2]])
def test_small_arrays_of_any_shape_and_kind(tmp_path, value):
    store = write(tmp_path, arrays={"extra": value})
    np.testing.assert_array_equal(store.array("extra"), value)
    store.verify()


LAYERS = ["a/b", "../x", "..", "a:1", "A", "a", "CON", "x" * 300, "x" * 300 + "y", "ü", ".hidden"]


def test_any_layer_name_becomes_a_safe_file_of_its_own(tmp_path):
    folder = tmp_path / "store"
    store = write(folder, layers=LAYERS)
    assert [entry.name for entry in store.layers] == LAYERS
    found = [name for name in names(folder) if name != META]
    assert len({name.lower() for name in found}) == len(LAYERS)
    assert all(name[:3].isdigit() and len(name) < 100 and name.isascii() for name in found)
    assert names(tmp_path) == ["store"]
    assert names(write(tmp_path / "dots", layers=["body.3"]).path) == ["000-body.3.npy", META]


def test_an_exception_leaves_no_store_and_no_litter(tmp_path):
    def fail_half_way():
        with create_store(tmp_path, layers=["a"], count=4, reducer="flatten") as writer:
            writer.append("a", ROWS_ND, feature_shape=(3,))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert names(tmp_path) == [META]
    assert not FeatureStore.is_complete(tmp_path)
    with pytest.raises(FileProblem, match="its extraction was cut short; extract the features ag"):
        FeatureStore.open(tmp_path)
    write(tmp_path).verify()


KILLED = """
import os, signal, sys
import numpy as np
from srscope.features import store_writer
folder, moment = sys.argv[1:]

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if moment == "before the first file":
    store_writer._write_meta = die
elif moment == "before the last":
    write = store_writer._write_meta
    store_writer._write_meta = lambda f, m: die() if m["complete"] else write(f, m)
with store_writer.create_store(
    folder, layers=["a", "b"], count=4, reducer="flatten", arrays={"set_N": np.zeros(4)}
) as writer:
    for layer in "ab":
        writer.append(layer, np.ones((4, 3), np.float32), feature_shape=(3,))
        if moment == "between layers":
            die()
"""


@pytest.mark.parametrize("earlier", [True, False])
@pytest.mark.parametrize("moment", ["before the first file", "between layers", "before the last"])
def test_a_killed_extraction_is_never_taken_for_whole_and_can_be_redone(tmp_path, moment, earlier):
    if earlier:
        write(tmp_path, layers=["old"], arrays={"old": ROWS_ND})
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), moment], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not FeatureStore.is_complete(tmp_path)
    write(tmp_path, layers=["c"]).verify()
    assert names(tmp_path) == ["000-c.npy", META]


def test_an_earlier_store_is_replaced_and_files_beside_it_stay(tmp_path):
    write(tmp_path, layers=["a", "b"], arrays={"set_N": np.zeros(4)})
    (tmp_path / "notes.txt").write_text("mine")
    write(tmp_path, layers=["c"]).verify()
    assert names(tmp_path) == ["000-c.npy", META, "notes.txt"]


def test_a_folder_of_something_else_is_refused_and_untouched(tmp_path):
    np.save(tmp_path / "000-mine.npy", ROWS_ND)
    with pytest.raises(FileProblem, match=r"is not a feature store \(it holds other files\)"):
        write(tmp_path)
    (tmp_path / META).write_text('{"name": "mine"}')
    with pytest.raises(FileProblem, match=r"is not a feature store \(its meta\.json has schema"):
        write(tmp_path)
    assert names(tmp_path) == ["000-mine.npy", META]


def test_a_store_is_removed_and_nothing_else(tmp_path):
    remove_store(tmp_path / "absent")
    write(tmp_path / "alone")
    remove_store(tmp_path / "alone")
    write(tmp_path / "beside")
    (tmp_path / "beside" / "mine.txt").write_text("mine")
    remove_store(tmp_path / "beside")
    assert names(tmp_path) == ["beside"]
    assert names(tmp_path / "beside") == ["mine.txt"]
    with pytest.raises(FileProblem, match="is not a feature store"):
        remove_store(tmp_path / "beside")
    assert names(tmp_path / "beside") == ["mine.txt"]


def test_a_meta_json_cannot_have_files_outside_removed(tmp_path):
    (tmp_path / "precious.npy").write_text("mine")
    folder = tmp_path / "store"
    write(folder)
    meta = json.loads((folder / META).read_text())
    meta["files"] += ["../precious.npy", ".."]
    (folder / META).write_text(json.dumps(meta))
    write(folder)
    assert (tmp_path / "precious.npy").exists()


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileProblem, match=r"file: cannot be written \(Not a directory\)"):
        write(tmp_path / "file")


def test_a_full_disk_is_one_clear_line(tmp_path):
    big_ND = np.zeros((4, 100_000), np.float32)
    message = r"cannot be written \(File too large\); free some"
    with no_file_above(1_000_000), pytest.raises(FileProblem, match=message):
        write(tmp_path, rows_ND=big_ND)
    assert names(tmp_path) == [META]


def test_an_oserror_of_the_callers_own_is_not_relabelled(tmp_path):
    with (
        pytest.raises(BrokenPipeError),
        create_store(tmp_path, layers=["a"], count=4, reducer="flatten"),
    ):
        raise BrokenPipeError


def test_rows_must_match_the_count(tmp_path):
    with pytest.raises(
        ParameterError, match="features of layer 'a' must be 4 rows in all, but is 3"
    ):
        write(tmp_path, rows_ND=ROWS_ND[:3])
    with pytest.raises(
        ParameterError, match="features of layer 'a' must be 4 rows in all, but is 8"
    ):
        write(tmp_path, rows_ND=np.vstack([ROWS_ND, ROWS_ND]))
    with (
        pytest.raises(
            ParameterError, match="features of layer 'a' must be 4 rows in all, but is 0"
        ),
        create_store(tmp_path, layers=["a"], count=4, reducer="flatten"),
    ):
        pass
    assert not FeatureStore.is_complete(tmp_path)


@pytest.mark.parametrize(("columns", "feature_shape"), [(2, (3, 1, 1)), (3, (1, 3, 1))])
def test_batches_must_be_alike(tmp_path, columns, feature_shape):
    with create_store(tmp_path, layers=["a"], count=4, reducer="flatten") as writer:
        writer.append("a", ROWS_ND[:2], feature_shape=(3, 1, 1))
        with pytest.raises(ParameterError, match=r"of the first batch's shapes.*give equal images"):
            writer.append("a", ROWS_ND[2:, :columns], feature_shape=feature_shape)
        writer.append("a", ROWS_ND[2:], feature_shape=(3, 1, 1))


def test_a_block_must_be_a_matrix(tmp_path):
    with pytest.raises(ParameterError, match=r"features of layer 'a' must be a \(B, D\) array"):
        write(tmp_path, rows_ND=ROWS_ND[:, 0])


def test_a_layer_not_announced_is_named(tmp_path):
    with (
        pytest.raises(
            UnknownNameError, match=r"unknown stored layer 'body\.1'; did you mean 'body\.0'"
        ),
        create_store(tmp_path, layers=["body.0"], count=4, reducer="flatten") as writer,
    ):
        writer.append("body.1", ROWS_ND, feature_shape=(3,))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "count must be at least 1 image, but is 0"),
        ({"layers": []}, "layers must be a list of at least one layer"),
        ({"layers": ["a", "a"]}, "layers must be a list of at least one layer, each once"),
        ({"arrays": {"../x": ROWS_ND}}, "an array's name must be letters, digits"),
        ({"arrays": {"x": np.array([{}])}}, "array 'x' must be numbers or strings"),
        ({"arrays": {"set_N": np.zeros(3)}}, "array 'set_N' must be of 4 rows, one an image"),
        ({"arrays": {"patches_NHW3": np.zeros((3, 2))}}, "array 'patches_NHW3' must be of 4 rows"),
        ({"metadata": {"x": object()}}, "metadata must be made of finite JSON values"),
        ({"metadata": {"x": float("nan")}}, "metadata must be made of finite JSON values"),
        ({"provenance": {"x": {1}}}, "provenance must be made of finite JSON values"),
    ],
)
def test_what_cannot_be_stored_is_refused_before_anything_is_written(tmp_path, options, message):
    settings = {"layers": ["a"], "count": 4, "reducer": "flatten"} | options
    with pytest.raises(ParameterError, match=message), create_store(tmp_path / "s", **settings):
        pass
    assert not (tmp_path / "s").exists()
