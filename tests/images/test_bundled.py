"""The bundled pack: whole, attributed, small enough, and apart from the training photographs."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from srscope.errors import ImageError, UnknownNameError
from srscope.images import bundled
from srscope.images.bundled import load_bundled, pack_folder
from srscope.images.io import read_image

PACK = pack_folder()
MANIFEST: dict[str, Any] = json.loads((PACK / "manifest.json").read_text("utf-8"))
ENTRIES: list[dict[str, Any]] = MANIFEST["photographs"]
CUT = [entry for entry in ENTRIES if entry["set"] == "test-crops"]
WHOLE = [entry for entry in ENTRIES if entry["set"] != "test-crops"]
CROPS: list[dict[str, Any]] = [crop for entry in CUT for crop in entry["crops"]]
SOURCES = Path(__file__).resolve().parents[2] / "tools" / "photo-sources.tsv"


def test_there_are_ten_whole_test_and_eight_historic_photographs() -> None:
    test, historic = load_bundled("test"), load_bundled("historic")
    assert (len(test.photographs), len(historic.photographs)) == (10, 8)
    assert test.source == "bundled test photographs"
    names = [photo.name for photo in test.photographs]
    assert names == sorted(names, key=str.casefold)
    assert test.skipped == ()


def test_crops_are_of_fifty_photographs_and_name_them() -> None:
    crops = load_bundled("test-crops")
    assert crops.source == "bundled test photographs"
    assert len(crops.photographs) == len(CROPS)
    of_each = Counter(photo.photograph for photo in crops.photographs)
    assert len(of_each) == 50
    assert set(of_each.values()) <= {2, 3, 4}
    for photo in crops.photographs:
        assert re.fullmatch(rf"{re.escape(photo.photograph)}-\d\.jpg", photo.name)
        assert photo.size_HW == (256, 256)
    whole = {Path(photo.name).stem for photo in load_bundled("test").photographs}
    assert whole <= set(of_each)


@pytest.mark.parametrize("entry", WHOLE + CROPS, ids=lambda entry: entry["file"])
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
            assert np.ptp(pixels_HW3) > (0.5 if name != "test-crops" else 0.2)


def test_pack_is_small_and_near_lossless() -> None:
    assert sum(entry["bytes"] for entry in WHOLE) <= 15_000_000
    assert sum(crop["bytes"] for crop in CROPS) <= 8_000_000
    for entry in WHOLE + CROPS:
        if entry["file"].startswith("test"):
            assert entry["psnr_db"] >= 45
        else:
            assert entry["sha256"] == entry["source"]["sha256"]  # byte for byte


def test_crops_of_a_photograph_lie_in_it_and_never_overlap() -> None:
    for entry in CUT:
        taken_HW = np.zeros((entry["height"], entry["width"]), dtype=np.int64)
        for crop in entry["crops"]:
            left, top = crop["left"], crop["top"]
            square_HW = taken_HW[top : top + 256, left : left + 256]
            assert square_HW.shape == (crop["height"], crop["width"]) == (256, 256)
            square_HW += 1
        assert taken_HW.max() == 1


def test_crops_are_of_the_whole_photographs() -> None:
    whole = {Path(photo.name).stem: photo for photo in load_bundled("test").photographs}
    entry = next(entry for entry in CUT if entry["name"] == "Dune")
    pixels_HW3 = whole["Dune"].pixels_HW3
    assert pixels_HW3.shape == (entry["height"], entry["width"], 3)
    for crop in entry["crops"]:
        left, top = crop["left"], crop["top"]
        expected_HW3 = pixels_HW3[top : top + 256, left : left + 256]
        error = read_image(PACK / crop["file"]) - expected_HW3
        assert 10 * np.log10(1 / np.mean(error**2)) > 41  # each was encoded at 45 dB or better


def test_no_test_photograph_is_an_edition_of_another_or_of_one_trained_on() -> None:
    def differing(digest: str, other: str) -> int:
        return (int(digest, 16) ^ int(other, 16)).bit_count()

    # 63 signs of cosines, row by row without the first: mirrored, odd columns change theirs.
    columns = int("".join("01"[n % 8 % 2] for n in range(1, 64)), 2)
    assert len(MANIFEST["trained_on"]) == 29
    seen = {f"trained on: {each['name']}": each["hash"] for each in MANIFEST["trained_on"]}
    for entry in CUT:
        mirrored = f"{int(entry['hash'], 16) ^ columns:016x}"
        for name, digest in seen.items():
            least = min(differing(entry["hash"], digest), differing(mirrored, digest))
            assert least >= 12, f"{entry['name']} looks like {name}"
        seen[entry["name"]] = entry["hash"]


def test_grey_and_well_known_photographs_are_marked() -> None:
    grey = {entry["name"] for entry in CUT if entry["grey"]}
    known = {entry["name"] for entry in CUT if entry["well_known"]}
    assert grey == {"camera", "grass", "gravel", "windows"}
    assert known == {"camera", "coffee", "grass", "gravel", "raccoon"}
    for photo in load_bundled("test-crops").photographs:
        colour = np.ptp(photo.pixels_HW3[::8, ::8], axis=2).mean() * 255
        assert (colour < 1) == (photo.photograph in grey)


def test_pack_holds_nothing_else() -> None:
    pictures = {p.relative_to(PACK).as_posix() for p in PACK.glob("*/*") if p.suffix != ".txt"}
    assert pictures == {entry["file"] for entry in WHOLE + CROPS}


def test_every_picture_has_author_and_licence() -> None:
    attribution = (PACK / "ATTRIBUTION.md").read_text("utf-8")
    for entry in ENTRIES:
        files = [entry["file"]] if "file" in entry else [crop["file"] for crop in entry["crops"]]
        row = next(line for line in attribution.splitlines() if f"({files[0]})" in line)
        assert all(f"({file})" in row for file in files)
        assert entry["author"] in row
        assert entry["title"] in row
        assert entry["source"]["package"] in row
        assert entry["licence"]
        if "GPL" in entry["licence"]:
            assert (PACK / "licences" / ("LGPL-3.txt" if "LGPL" in row else "GPL-2.txt")).exists()
        if "BSD" in entry["licence"]:
            text = (PACK / "licences" / f"{entry['source']['package']}.txt").read_text("utf-8")
            assert entry["copyright"] in text
            assert "Redistributions in binary form must reproduce" in text


def test_test_and_training_photographs_never_mix() -> None:
    if not SOURCES.exists():
        pytest.skip("photo-sources.tsv is not part of this distribution")
    with SOURCES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    # Crops are cut of the whole test photographs too.
    wanted = {"test-crops": {"test-crops", "test"}}
    split = {row["sha256"]: row["split"] for row in rows}
    assert len(split) == len(rows)
    places = {(row["package"], row["path_in_package"]): row["split"] for row in rows}
    assert len(places) == len(rows)
    assert sum(value == "train" for value in split.values()) == 29
    for entry in ENTRIES:
        source = entry["source"]
        allowed = wanted.get(entry["set"], {entry["set"]})
        assert split[source["sha256"]] in allowed
        assert places[source["package"], source["path"]] in allowed
        assert "train" not in allowed
    trained_on = {each["sha256"] for each in MANIFEST["trained_on"]}
    assert trained_on == {digest for digest, of in split.items() if of == "train"}


def test_unknown_set() -> None:
    with pytest.raises(UnknownNameError, match="unknown bundled photograph set 'tests'; did you"):
        load_bundled("tests")


def test_installation_without_the_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "pack_folder", lambda: tmp_path)
    with pytest.raises(ImageError, match="photographs are missing; install srscope again"):
        load_bundled("test")
