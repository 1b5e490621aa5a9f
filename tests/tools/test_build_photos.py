"""Building the photographs, from small packages made here."""

from __future__ import annotations

import bz2
import dataclasses
import hashlib
import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from support.tools import load_tool

build_photos = load_tool("build_photos")
photo_attribution = load_tool("photo_attribution")
photo_crops = load_tool("photo_crops")
photo_images = load_tool("photo_images")
photo_pack = load_tool("photo_pack")
photo_packages = load_tool("photo_packages")
BuildError: type[Exception] = photo_packages.BuildError

README = (
    "Image: {name}.jpg\nAttribution: Some rights reserved by ann [2]\n"
    "[1] https://creativecommons.org/licenses/by/2.0/\n"
    "[2] https://example.org/ann/\n[3] https://example.org/ann/{name}\n\n"
)


def jpeg(seed: int, size: tuple[int, int] = (48, 32)) -> bytes:
    small = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    image = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
    image.save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """Make a folder with one package of pictures, one of each split: a, b, c and d."""
    folder = tmp_path / "packages"
    folder.mkdir()
    with zipfile.ZipFile(folder / "scikit_learn-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("images/README.txt", "".join(README.format(name=name) for name in "abcd"))
        for seed, name in enumerate("abcd"):
            wheel.writestr(f"images/{name}.jpg", jpeg(seed))
    return folder


@pytest.fixture(autouse=True)
def licence_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "common-licenses"
    folder.mkdir()
    for name in ("GPL-2", "GPL-3", "LGPL-3"):
        (folder / name).write_text(f"the {name}")
    monkeypatch.setattr(photo_pack, "LICENCE_TEXTS", folder)
    return folder


@pytest.fixture(autouse=True)
def small_squares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_crops, "SIDE", 16)


@pytest.fixture
def sources() -> tuple[Any, ...]:
    splits = ("train", "test", "historic", "test-crops")
    return tuple(
        photo_packages.Source(
            registry="pypi",
            package="scikit-learn",
            path_in_package=f"images/{name}.jpg",
            split=split,
            sha256=hashlib.sha256(jpeg(seed)).hexdigest(),
        )
        for seed, (name, split) in enumerate(zip("abcd", splits, strict=True))
    )


def contents_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# Pictures


def test_long_side_is_shrunk_and_nothing_is_enlarged() -> None:
    assert photo_images.develop(jpeg(0, (60, 40)), long_side=30).size == (30, 20)
    assert photo_images.develop(jpeg(0, (40, 60)), long_side=30).size == (20, 30)
    assert photo_images.develop(jpeg(0, (60, 40)), long_side=60).size == (60, 40)
    assert photo_images.develop(jpeg(0, (60, 40))).size == (60, 40)
    assert photo_images.develop(jpeg(0, (600, 1)), long_side=30).size == (30, 1)


def test_picture_becomes_upright_rgb() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.new("L", (60, 40), 128).save(buffer, "JPEG", exif=exif)
    image = photo_images.develop(buffer.getvalue())
    assert (image.size, image.mode) == ((40, 60), "RGB")


def test_bare_pixels_of_scipy_are_read() -> None:
    pixels_HW3 = np.random.default_rng(0).integers(0, 256, (768, 1024, 3), dtype=np.uint8)
    image = photo_images.develop(bz2.compress(pixels_HW3.tobytes(), 1))
    np.testing.assert_array_equal(np.asarray(image), pixels_HW3)


def test_shrinking_is_antialiased() -> None:
    stripes_HW = np.tile(np.array([0, 255], dtype=np.uint8), (32, 128))
    buffer = io.BytesIO()
    Image.fromarray(stripes_HW).save(buffer, "PNG")
    shrunk_HW3 = np.asarray(photo_images.develop(buffer.getvalue(), long_side=64))
    np.testing.assert_allclose(shrunk_HW3[4:-4, 4:-4], 127.5, atol=2)


def test_psnr_by_hand() -> None:
    black, other = Image.new("RGB", (10, 10)), Image.new("RGB", (10, 10), (1, 1, 1))
    assert photo_images.psnr_db(black, other) == pytest.approx(20 * math.log10(255))
    assert photo_images.psnr_db(black, black) == math.inf


def test_jpeg_is_the_smallest_that_is_near_lossless(monkeypatch: pytest.MonkeyPatch) -> None:
    noise_HW3 = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    image = Image.fromarray(noise_HW3)
    data, quality, reached = photo_images.near_lossless_jpeg(image)
    assert reached >= 45
    decoded = Image.open(io.BytesIO(data))
    assert photo_images.psnr_db(image, decoded) == reached
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality - 1, subsampling=0)
    assert photo_images.psnr_db(image, Image.open(buffer)) < 45
    monkeypatch.setattr(photo_images, "LEAST_PSNR_DB", 90.0)
    with pytest.raises(BuildError, match=r"JPEG reaches only \d\d\.\d dB, less than 90\.0"):
        photo_images.near_lossless_jpeg(image)


# Splits


def test_split_is_written_with_a_manifest(
    tmp_path: Path, packages: Path, sources: tuple[Any, ...]
) -> None:
    out = tmp_path / "out"
    build_photos.build_split(sources, "train", out, packages)
    assert set(contents_of(out)) == {"a.png", "manifest.json"}
    with Image.open(out / "a.png") as image:
        expected = np.asarray(photo_images.develop(jpeg(0)))
        np.testing.assert_array_equal(np.asarray(image), expected)
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert manifest["schema"] == "srscope.photos/1"
    (entry,) = manifest["photographs"]
    assert entry["sha256"] == hashlib.sha256((out / "a.png").read_bytes()).hexdigest()
    assert (entry["width"], entry["height"], entry["author"]) == (48, 32, "ann")
    assert (entry["licence"], entry["set"]) == ("CC-BY-2.0", "train")
    assert entry["source"] == {
        "registry": "pypi",
        "package": "scikit-learn",
        "version": "1.0",
        "path": "images/a.jpg",
        "sha256": hashlib.sha256(jpeg(0)).hexdigest(),
    }


def test_same_packages_give_the_same_bytes(
    tmp_path: Path, packages: Path, sources: tuple[Any, ...]
) -> None:
    for name in ("one", "two"):
        build_photos.build_split(sources, "test", tmp_path / name / "test", packages)
        photo_pack.build_pack(sources, tmp_path / name / "pack", packages)
    assert contents_of(tmp_path / "one") == contents_of(tmp_path / "two")


def test_other_picture_is_refused(tmp_path: Path, packages: Path, sources: tuple[Any, ...]) -> None:
    with zipfile.ZipFile(packages / "scikit_learn-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("images/README.txt", README.format(name="a"))
        wheel.writestr("images/a.jpg", jpeg(9))
    with pytest.raises(
        BuildError, match=r"images/a\.jpg of scikit-learn 1\.0 is not the picture recorded"
    ):
        build_photos.build_split(sources, "train", tmp_path / "out", packages)
    assert not (tmp_path / "out").exists()


def test_missing_picture(tmp_path: Path, packages: Path) -> None:
    missing = photo_packages.Source(
        registry="pypi",
        package="scikit-learn",
        path_in_package="images/z.jpg",
        split="train",
        sha256="0" * 64,
    )
    with pytest.raises(BuildError, match=r"scikit-learn 1\.0 holds no images/z\.jpg"):
        build_photos.build_split((missing,), "train", tmp_path / "out", packages)


# The pack


def test_pack_keeps_historic_pictures_byte_for_byte(
    tmp_path: Path, packages: Path, sources: tuple[Any, ...]
) -> None:
    pack = tmp_path / "pack"
    for stale in ("test/old.jpg", "historic/old.jpg", "test-crops/b-9.jpg"):
        (pack / stale).parent.mkdir(parents=True, exist_ok=True)
        (pack / stale).write_text("x")
    photo_pack.build_pack(sources, pack, packages)
    written = contents_of(pack)
    licences = {f"licences/{name}.txt" for name in ("GPL-2", "GPL-3", "LGPL-3")}
    crops = {f"test-crops/{name}-{number}.jpg" for name in "bd" for number in range(1, 5)}
    pictures = {"test/b.jpg", "historic/c.jpg"}
    assert set(written) == {*pictures, *crops, *licences, "manifest.json", "ATTRIBUTION.md"}
    assert written["historic/c.jpg"] == jpeg(2)
    with Image.open(pack / "test" / "b.jpg") as image:
        assert photo_images.psnr_db(photo_images.develop(jpeg(1)), image) >= 45
    entries = json.loads(written["manifest.json"])["photographs"]
    whole = [entry for entry in entries if "file" in entry]
    assert [entry["file"] for entry in whole] == ["historic/c.jpg", "test/b.jpg"]
    assert whole[0]["psnr_db"] is None
    assert whole[1]["psnr_db"] >= 45


def test_crops_are_cut_of_whole_test_photographs_too(
    tmp_path: Path, packages: Path, sources: tuple[Any, ...]
) -> None:
    pack = tmp_path / "pack"
    photo_pack.build_pack(sources, pack, packages)
    manifest = json.loads((pack / "manifest.json").read_text("utf-8"))
    (hashed,) = manifest["trained_on"]
    assert (hashed["name"], hashed["sha256"]) == ("a", sources[0].sha256)
    cut = [entry for entry in manifest["photographs"] if entry["set"] == "test-crops"]
    assert [entry["name"] for entry in cut] == ["b", "d"]
    for entry, seed in zip(cut, (1, 3), strict=True):
        assert (entry["width"], entry["height"], entry["author"]) == (48, 32, "ann")
        assert (entry["grey"], entry["well_known"]) == (False, False)
        developed = photo_images.develop(jpeg(seed))
        assert len(entry["crops"]) == 4
        for crop in entry["crops"]:
            data = (pack / crop["file"]).read_bytes()
            assert (crop["bytes"], crop["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
            expected = photo_crops.cut(developed, (crop["left"], crop["top"]))
            reached = photo_images.psnr_db(expected, Image.open(io.BytesIO(data)))
            assert round(reached, 2) == crop["psnr_db"] >= 45


def test_grey_is_told_up_to_rounding(
    tmp_path: Path,
    packages: Path,
    sources: tuple[Any, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def greyed(data: bytes) -> Image.Image:
        grey_HW = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
        pixels_HW3 = np.stack([grey_HW, grey_HW, grey_HW], axis=2)
        pixels_HW3[::4, ::4, 2] ^= 1
        return Image.fromarray(pixels_HW3)

    monkeypatch.setattr(photo_pack, "develop", greyed)
    photo_pack.build_pack(sources, tmp_path / "pack", packages)
    entries = json.loads((tmp_path / "pack" / "manifest.json").read_text("utf-8"))["photographs"]
    assert [entry["grey"] for entry in entries if entry["set"] == "test-crops"] == [True, True]


def test_photograph_without_detail_is_refused(
    tmp_path: Path, packages: Path, sources: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_crops, "LEAST_DETAIL", 300.0)
    with pytest.raises(BuildError, match="b: only 0 squares of 16 pixels show detail, fewer than"):
        photo_pack.build_pack(sources, tmp_path / "pack", packages)


@pytest.mark.parametrize(
    ("first", "match"), [("train", "d is as good as a, which is trained on"), ("test", "as b:")]
)
def test_edition_of_another_photograph_is_refused(
    tmp_path: Path, packages: Path, sources: tuple[Any, ...], first: str, match: str
) -> None:
    seed = {"train": 0, "test": 1}[first]
    mirrored = Image.open(io.BytesIO(jpeg(seed))).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    buffer = io.BytesIO()
    mirrored.resize((40, 30)).save(buffer, "JPEG", quality=80)
    with zipfile.ZipFile(packages / "scikit_learn-1.0-py3-none-any.whl", "a") as wheel:
        wheel.writestr("other/README.txt", README.format(name="d"))
        wheel.writestr("other/d.jpg", buffer.getvalue())
    sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
    edition = dataclasses.replace(sources[3], path_in_package="other/d.jpg", sha256=sha256)
    with pytest.raises(BuildError, match=match):
        photo_pack.build_pack((*sources[:3], edition), tmp_path / "pack", packages)


def test_pack_has_limits(
    tmp_path: Path, packages: Path, sources: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {"photographs": 15_000_000, "crops": 8_000_000}
    for kind in limits:
        monkeypatch.setattr(photo_pack, "MOST_BYTES", limits | {kind: 1000})
        with pytest.raises(
            BuildError, match=rf"the pack's {kind} take \d,\d+ bytes, more than 1,000"
        ):
            photo_pack.build_pack(sources, tmp_path / "pack", packages)
    monkeypatch.setattr(photo_pack, "LONG_SIDE", 40)
    with pytest.raises(BuildError, match=r"historic/c\.jpg is 48x32: too large to keep whole"):
        photo_pack.build_pack(sources, tmp_path / "pack", packages)


def test_pack_needs_the_licence_texts(
    tmp_path: Path, packages: Path, sources: tuple[Any, ...], licence_texts: Path
) -> None:
    (licence_texts / "GPL-3").unlink()
    with pytest.raises(BuildError, match="GPL-3 is missing; build the pack on Debian or Ubuntu"):
        photo_pack.build_pack(sources, tmp_path / "pack", packages)


def test_attribution_is_a_sound_table(
    tmp_path: Path, packages: Path, sources: tuple[Any, ...]
) -> None:
    photo_pack.build_pack(sources, tmp_path / "pack", packages)
    entries = json.loads((tmp_path / "pack" / "manifest.json").read_text("utf-8"))["photographs"]
    entries[0]["copyright"] = "2007, A|B <a@example.org>"
    text = photo_attribution.attribution(entries, changes=photo_pack.changes())
    row = next(line for line in text.splitlines() if "(historic/c.jpg)" in line)
    assert "2007, A\\|B &lt;a@example.org>" in row
    assert "[CC BY 2.0](https://creativecommons.org/licenses/by/2.0/)" in row
    assert row.replace("\\|", "").count("|") == 6
    row = next(line for line in text.splitlines() if "(test-crops/d-1.jpg)" in line)
    assert "[d-4.jpg](test-crops/d-4.jpg)" in row


# The command line


def test_command_line(
    tmp_path: Path,
    packages: Path,
    sources: tuple[Any, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(photo_packages, "read_sources", lambda _: sources)
    common = ["--packages", str(packages)]
    assert build_photos.main(["test", "--out", str(tmp_path / "t"), *common]) == 0
    assert (tmp_path / "t" / "b.png").exists()
    assert build_photos.main(["pack", "--out", str(tmp_path / "p"), *common]) == 0
    assert (tmp_path / "p" / "ATTRIBUTION.md").exists()
    with pytest.raises(SystemExit) as caught:
        build_photos.main(["train", *common])
    assert caught.value.code == 2
    assert "train needs --out" in capsys.readouterr().err
    monkeypatch.setattr(photo_pack, "MOST_BYTES", {"photographs": 1, "crops": 1})
    assert build_photos.main(["pack", "--out", str(tmp_path / "p"), *common]) == 1
    assert "build_photos: the pack's photographs take" in capsys.readouterr().err
