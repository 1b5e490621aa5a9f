"""The bundled pack: whole, attributed, small enough, and apart from the training photographs."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from srscope.errors import ImageError, UnknownNameError
from srscope.images import bundled
from srscope.images.bundled import load_bundled, pack_folder

PACK = pack_folder()
MANIFEST: dict[str, Any] = json.loads((PACK / "manifest.json").read_text("utf-8"))
ENTRIES: list[dict[str, Any]] = MANIFEST["photographs"]
SOURCES = Path(__file__).resolve().parents[2] / "tools" / "photo-sources.tsv"


def test_there_are_ten_test_and_eight_historic_photographs() -> None:
    test, historic = load_bundled("test"), load_bundled("historic")
    assert (len(test.photographs), len(historic.photographs)) == (10, 8)
    assert test.source == "bundled test photographs"
    names = [photo.name for photo in test.photographs]
    assert names == sorted(names, key=str.casefold)
    assert test.skipped == ()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["file"])
def test_file_is_the_one_in_the_manifest(entry: dict[str, Any]) -> None:
    data = (PACK / entry["file"]).read_bytes()
    assert len(data) == entry["bytes"]
    assert hashlib.sha256(data).hexdigest() == entry["sha256"]


def test_sizes_in_the_manifest_are_the_pictures() -> None:
    for name in bundled.SETS:
        for photo in load_bundled(name).photographs:
            pixels_HW3 = photo.pixels_HW3
            assert pixels_HW3.shape == (*photo.size_HW, 3)
            assert max(photo.size_HW) <= 2040
            assert np.ptp(pixels_HW3) > 0.5


def test_pack_is_small_and_near_lossless() -> None:
    assert sum(entry["bytes"] for entry in ENTRIES) <= 15_000_000
    for entry in ENTRIES:
        if entry["set"] == "test":
            assert entry["psnr_db"] >= 45
        else:
            assert entry["sha256"] == entry["source"]["sha256"]  # byte for byte


def test_pack_holds_nothing_else() -> None:
    pictures = {p.relative_to(PACK).as_posix() for p in PACK.glob("*/*") if p.suffix != ".txt"}
    assert pictures == {entry["file"] for entry in ENTRIES}


def test_every_picture_has_author_and_licence() -> None:
    attribution = (PACK / "ATTRIBUTION.md").read_text("utf-8")
    for entry in ENTRIES:
        row = next(line for line in attribution.splitlines() if f"({entry['file']})" in line)
        assert entry["author"] in row
        assert entry["title"] in row
        assert entry["source"]["package"] in row
        assert entry["licence"]
        if "GPL" in entry["licence"]:
            assert (PACK / "licences" / ("LGPL-3.txt" if "LGPL" in row else "GPL-2.txt")).exists()


def test_test_and_training_photographs_never_mix() -> None:
    if not SOURCES.exists():
        pytest.skip("photo-sources.tsv is not part of this distribution")
    with SOURCES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    split = {row["sha256"]: row["split"] for row in rows}
    assert len(split) == len(rows)
    places = {(row["package"], row["path_in_package"]): row["split"] for row in rows}
    assert len(places) == len(rows)
    assert sum(value == "train" for value in split.values()) == 29
    for entry in ENTRIES:
        source = entry["source"]
        assert split[source["sha256"]] == entry["set"] != "train"
        assert places[source["package"], source["path"]] == entry["set"]


def test_unknown_set() -> None:
    with pytest.raises(UnknownNameError, match="unknown bundled photograph set 'tests'; did you"):
        load_bundled("tests")


def test_installation_without_the_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "pack_folder", lambda: tmp_path)
    with pytest.raises(ImageError, match="photographs are missing; install srscope again"):
        load_bundled("test")
