"""The cache: found bit for bit, made once, never poisoned."""

import hashlib
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from srscope.runtime.cache import StageCache, key_of, pack, prune, values_of


def entry_of(value: float) -> dict[str, np.ndarray]:
    return pack({"x_N": np.full(4, value, dtype=np.float32)}, note=["a", value])


def test_what_is_found_is_what_was_made(tmp_path: Path) -> None:
    made = StageCache(tmp_path).get("stage", {"a": 1}, lambda: entry_of(2.5))
    again = StageCache(tmp_path)
    found = again.get("stage", {"a": 1}, lambda: pytest.fail("it was there"))
    assert again.found == 1
    assert np.array_equal(made["x_N"], found["x_N"])
    assert found["x_N"].dtype == np.float32
    assert values_of(found) == {"note": ["a", 2.5]}


@pytest.mark.parametrize("change", ["stage", "inputs"])
def test_another_key_is_another_entry(tmp_path: Path, change: str) -> None:
    cache = StageCache(tmp_path)
    cache.get("stage", {"a": 1}, lambda: entry_of(1))
    stage, inputs = "stage", {"a": 1}
    if change == "stage":
        stage = "other"
    else:
        inputs = {"a": 2}
    assert not cache.has(stage, inputs)
    assert cache.get(stage, inputs, lambda: entry_of(7))["x_N"][0] == 7


@pytest.mark.parametrize(
    "damage", ["flip", "truncate", "no hash", "wrong hash", "no text", "empty"]
)
def test_a_damaged_entry_is_made_anew(tmp_path: Path, damage: str) -> None:
    cache = StageCache(tmp_path)
    cache.get("stage", {}, lambda: entry_of(1))
    path = next(tmp_path.rglob("*.npz"))
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif damage == "truncate":
        path.write_bytes(content[:-3])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "no hash":
        path.with_suffix(".sha256").unlink()
    else:
        hash_ = b"0" * 64 if damage == "wrong hash" else b"\xff" * 64
        path.with_suffix(".sha256").write_bytes(hash_)
    assert cache.get("stage", {}, lambda: entry_of(3))["x_N"][0] == 3
    assert cache.get("stage", {}, lambda: pytest.fail("mended"))["x_N"][0] == 3


def test_a_failed_stage_leaves_nothing_behind(tmp_path: Path) -> None:
    cache = StageCache(tmp_path)

    def fails() -> dict[str, np.ndarray]:
        raise RuntimeError("stage failed")

    with pytest.raises(RuntimeError, match="stage failed"):
        cache.get("stage", {}, fails)
    assert not list(tmp_path.rglob("*.npz"))
    assert cache.get("stage", {}, lambda: entry_of(1))["x_N"][0] == 1


def test_two_that_want_the_same_entry_make_it_once(tmp_path: Path) -> None:
    made: list[int] = []

    def slow() -> dict[str, np.ndarray]:
        made.append(1)
        time.sleep(0.2)
        return entry_of(1)

    threads = [
        threading.Thread(target=lambda: StageCache(tmp_path).get("stage", {}, slow))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


def test_keys_refuse_what_is_not_json() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        key_of("stage", {"a": float("nan")})


def test_what_killed_processes_left_half_written_goes_in_time(tmp_path: Path) -> None:
    folder = tmp_path / "stages" / "ab"
    folder.mkdir(parents=True)
    old, young = folder / ".a-abcdefgh.part.npz", folder / ".b-abcdefgh.part.npz"
    for path in (old, young):
        path.touch()
    os.utime(old, (0, 0))
    assert prune(tmp_path, 1000) == 0
    assert list(folder.iterdir()) == [young]


def test_files_of_others_stay(tmp_path: Path) -> None:
    names = [
        "film.mkv.part",
        ".note-abcdefgh.part.txt",
        "stages/notes.txt",
        "stages/ab/notes.npz",
        "stages/ab/film.mkv.part",
        "features/f-mine/photo.json",
        f"{'0' * 32}.npz",
        f"stages/{'0' * 32}.npz",
    ]
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("theirs")
        os.utime(path, (0, 0))
    StageCache(tmp_path / "stages").put("a_stage", {}, entry_of(1))
    assert prune(tmp_path, 0, most=0) == 0
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == set(names)


def test_what_was_put_in_an_entrys_place_is_made_anew(tmp_path: Path) -> None:
    cache = StageCache(tmp_path)
    cache.get("stage", {}, lambda: entry_of(1))
    (path,) = tmp_path.rglob("*.npz")
    path.write_bytes(b"no archive")
    path.with_suffix(".sha256").write_text(hashlib.sha256(b"no archive").hexdigest())
    assert cache.get("stage", {}, lambda: entry_of(2))["x_N"][0] == 2
