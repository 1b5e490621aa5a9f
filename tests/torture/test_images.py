"""Image files, damaged, absurd or merely unusual: read right, or skipped, counted and named."""

from __future__ import annotations

import io
import os
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srscope.images.contents import crop_contents
from srscope.images.folder import load_folder
from srscope.images.io import read_image, read_size
from srscope.images.picture import read_picture
from support import pngs
from support.bad_images import BASES, bad_images, base, bombs, levels_HW3, suffix_of
from support.tiffs import tiff16
from support.trials import Case, Tally, run_trials

FEW = pytest.param(2 * len(BASES), id="few")
ALL = pytest.param(300, id="all", marks=pytest.mark.torture)
ODD_NAMES = (
    b"new\nline.png", b"quote'\".png", b"<script>alert(1)<", b"\xf0\x9f\x98\x80.png",
    b"\xff\xfe.png", b"$(touch x).png", b"-rf.png", b"a;b|c&d.png", b" .png", b"\x1b[31mred.png",
    b"x" * 240 + b".png", "e\u0301\u202e.png".encode(), b"a..png.png", b"%s%n.png", b"CON.png",
)  # fmt: skip


@pytest.mark.parametrize("count", [FEW, ALL])
def test_mutated_images_are_read_or_refused(tmp_path: Path, count: int, tally: Tally) -> None:
    (tmp_path / "sound.png").write_bytes(base("PNG"))
    cases = [Case(name="sound", words=("bad_images:read", str(tmp_path / "sound.png")))]
    for name, path in bad_images(count, tmp_path / "files"):
        cases.append(Case(name=name, words=("bad_images:read", str(path))))
    for number, (name, (suffix, data)) in enumerate(bombs().items()):
        path = tmp_path / f"{number}{suffix}"
        path.write_bytes(data)
        cases.append(Case(name=name, words=("bad_images:read", str(path))))
    trials = run_trials(cases, tmp_path / "trials")
    assert trials.faults() == []
    assert len(trials.outcomes) == len(cases)
    bombed = Counter(outcome.code for outcome in trials.outcomes[count + 1 :])
    tally("Mutated images, read and measured", trials.counts(end=count + 1))
    tally("Decompression bombs and false sizes", trials.counts(start=count + 1))
    assert bombed[2] > bombed[0]


@pytest.mark.parametrize("count", [FEW, ALL])
def test_a_folder_of_mutated_images_gives_contents_and_names_the_rest(
    tmp_path: Path, count: int, tally: Tally
) -> None:
    written = {path.name for _, path in bad_images(count, tmp_path)}
    for kind in BASES:
        (tmp_path / f"sound {kind}{suffix_of(kind)}").write_bytes(base(kind))
        written.add(f"sound {kind}{suffix_of(kind)}")
    contents = crop_contents(load_folder(tmp_path), count=1000, patch=8, scale=1, margin=2)
    used, skipped = set(contents.photographs), dict(contents.skipped)
    assert used | set(skipped) == written
    assert not used & set(skipped)
    assert all(reason and "\n" not in reason for reason in skipped.values())
    equal = {name for name, why in skipped.items() if why.startswith("is the same picture as ")}
    assert {f"sound {kind}{suffix_of(kind)}" for kind in BASES} <= used | equal
    assert contents.crops_NHW3.min() >= 0
    assert contents.crops_NHW3.max() <= 1
    counts = {"used": len(used), "skipped, each named with the reason": len(skipped)}
    tally("Images in one folder, mutated and sound, cut into contents", counts)


def _special(folder: Path) -> dict[str, np.ndarray]:
    """Write sound but unusual files; return what each must be read as."""
    levels = levels_HW3(12, 16)
    deep_HW3 = levels.astype(np.uint16) * 257 + (levels < 255).astype(np.uint16)
    unit = levels / np.float32(255)
    grey_HW = levels[..., 0]
    expected: dict[str, np.ndarray] = {}

    def save(name: str, image: Image.Image, wanted: np.ndarray, **options: object) -> None:
        image.save(folder / name, **options)
        expected[name] = wanted

    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its left side
    save("turned.png", Image.fromarray(np.rot90(levels).copy()), unit, exif=exif)
    (folder / "16.png").write_bytes(pngs.png16(deep_HW3, colour=2, filters=[0, 4]))
    (folder / "16.tif").write_bytes(tiff16(deep_HW3, deflate=True, predictor=True))
    (folder / "16-big-endian.tif").write_bytes(tiff16(deep_HW3, order=">"))
    (folder / "16-planes.tif").write_bytes(tiff16(deep_HW3, planes=True))
    for name in ("16.png", "16.tif", "16-big-endian.tif", "16-planes.tif"):
        expected[name] = deep_HW3 / np.float32(65535)
    alpha_HW4 = np.dstack([deep_HW3, np.full(deep_HW3.shape[:2], 13107, np.uint16)])
    (folder / "16-alpha.tif").write_bytes(tiff16(alpha_HW4, extra=2))
    expected["16-alpha.tif"] = deep_HW3 / np.float32(65535) * 0.2 + np.float32(0.8)
    deep_grey_HW = expected["16.png"][..., 0]
    save("16-grey.png", Image.fromarray(deep_HW3[..., 0]), np.dstack([deep_grey_HW] * 3))
    save("grey.png", Image.fromarray(grey_HW), np.dstack([grey_HW / np.float32(255)] * 3))
    palette = Image.fromarray(levels).quantize(16, dither=Image.Dither.NONE)
    save("palette.png", palette, np.asarray(palette.convert("RGB")) / np.float32(255))
    rgba = Image.fromarray(np.dstack([levels, np.full(grey_HW.shape, 51, np.uint8)]))
    save("alpha.png", rgba, unit * 0.2 + np.float32(0.8))
    save("alpha.webp", rgba, unit * 0.2 + np.float32(0.8), lossless=True, exact=True)
    cmyk = Image.fromarray(np.dstack([255 - levels, np.zeros(grey_HW.shape, np.uint8)]), "CMYK")
    save("cmyk.tif", cmyk, unit)
    frames = [Image.fromarray(levels), Image.fromarray(255 - levels)]
    for name in ("moving.webp", "moving.png"):
        more = {"save_all": True, "append_images": frames[1:]}
        save(name, frames[0], unit, **(more | {"lossless": True} if "webp" in name else more))
    save("1x1.png", Image.new("RGB", (1, 1), (255, 0, 51)), np.array([[[1.0, 0.0, 0.2]]]))
    wide = np.tile(levels, (1, 30_000 // 16, 1))
    save("30000 wide.png", Image.fromarray(wide), wide / np.float32(255))
    profile = b"\0\0\0\x80" + bytes(12) + b"RGB XYZ " + bytes(104)
    save("with profile.png", Image.fromarray(levels), unit, icc_profile=profile)
    return expected


@pytest.mark.tallied
def test_unusual_images_are_read_right(tmp_path: Path, tally: Tally) -> None:
    expected = _special(tmp_path)
    for name, wanted in expected.items():
        found = read_image(tmp_path / name)
        assert found.shape == wanted.shape, name
        np.testing.assert_allclose(found, wanted, atol=1e-6, err_msg=name)
        assert read_size(tmp_path / name) == wanted.shape[:2], name
        assert read_picture(tmp_path / name).pixels_HWC.shape[:2] == wanted.shape[:2], name
    tally("Unusual but sound images", {"read right": len(expected)})


@pytest.mark.tallied
def test_odd_names_links_and_files_that_vanish(tmp_path: Path, tally: Tally) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, name in enumerate(ODD_NAMES):
        suffix = b"" if name.endswith(b".png") else b".png"
        path = os.fsencode(folder) + b"/" + name + suffix
        Image.fromarray(np.roll(levels_HW3(), number + 1, axis=1)).save(os.fsdecode(path), "PNG")
    (folder / "deep").mkdir()
    (folder / "deep" / "loop").symlink_to(folder)
    (folder / "self.png").symlink_to("self.png")
    (folder / "two.png").symlink_to("one.png")
    (folder / "one.png").symlink_to("two.png")
    (folder / "device.png").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.png")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "folder.png").mkdir()
    (folder / "gone.png").write_bytes(base("PNG"))
    (folder / "cut.png").write_bytes(base("PNG"))
    photos = load_folder(folder)
    (folder / "gone.png").unlink()
    (folder / "cut.png").write_bytes(base("PNG")[:900])
    contents = crop_contents(photos, count=200, patch=16, scale=1, margin=0)
    skipped = dict(contents.skipped)
    unusable = {"self.png", "one.png", "two.png", "device.png", "pipe.png", "empty.jpg"}
    assert set(skipped) == unusable | {"gone.png", "cut.png"}
    assert skipped["gone.png"] == "does not exist"
    assert len(set(contents.photographs)) == len(ODD_NAMES)
    for name in contents.names:
        name.encode("utf-8")
    tally("Files with odd names, links in loops, devices, pipes, files that vanish or shrink", {
        "used": len(set(contents.photographs)), "skipped, each named with the reason": len(skipped),
    })  # fmt: skip


def test_paths_that_are_no_unicode_can_be_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    from srscope.cli.main import main

    source, out = (os.fsdecode(os.fsencode(tmp_path) + end) for end in (b"/in\xff", b"/out\xfe"))
    Path(source).mkdir()
    (Path(source) / os.fsdecode(b"\xfd.png")).write_bytes(base("PNG"))
    (Path(source) / os.fsdecode(b"\xfc.png")).write_bytes(base("PNG")[:900])
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii", errors="strict"))
    assert main(["degrade", source, out, "--suite", "noise-10-20", "--scale", "1", "--quiet"]) == 0
    sys.stdout.flush()
    assert written.getvalue().endswith(b"/out\\udcfe\n")
    assert len(list(Path(out).rglob("*.png"))) == 2
    assert b"skipped '" in capsysbinary.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_images_without_permission_are_named(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(base("PNG"))
    (tmp_path / "b.png").chmod(0)
    assert dict(load_folder(tmp_path).skipped) == {"b.png": "may not be read"}
