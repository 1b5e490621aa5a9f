from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from PIL import Image

from srscope.degradations import write
from srscope.degradations.blur import GaussianBlur
from srscope.degradations.catalogue import load_suite
from srscope.degradations.degrade import degrade
from srscope.degradations.suite import DegradedSet, Suite
from srscope.degradations.write import safe_name, write_degraded
from srscope.errors import FileProblem, ImageError, ParameterError
from srscope.images.bundled import load_bundled, pack_folder
from srscope.images.folder import load_folder
from srscope.images.io import write_image
from srscope.images.record import Contents, PhotoSet
from support.pictures import make_photos, picture_HW3


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        return np.asarray(image)


def test_folders_files_and_manifest(tmp_path: Path) -> None:
    photos = make_photos(("Düne.jpg", 67, 50), ("trip/b.tif", 48, 64))
    done: list[tuple[int, int]] = []
    written = write_degraded(
        load_suite("clean-blur-noise"),
        photos,
        tmp_path / "out",
        seed=3,
        progress=lambda *now: done.append(now),
    )
    names = ["Düne.png", "trip/b.png"]
    expected = [f"{folder}/{name}" for folder in ("clean", "blur", "noise") for name in names]
    assert list(written.files) == expected
    found = sorted(p.relative_to(tmp_path / "out").as_posix() for p in tmp_path.rglob("*.*"))
    assert found == sorted([*expected, "suite.json"])
    assert pixels(tmp_path / "out/noise/Düne.png").shape == (16, 12, 3)
    assert pixels(tmp_path / "out/clean/trip/b.png").shape == (12, 16, 3)
    assert done == [(i, 6) for i in range(1, 7)]

    manifest = json.loads((tmp_path / "out/suite.json").read_text("utf-8"))
    assert manifest["schema"] == "srscope.degraded/1"
    assert (manifest["scale"], manifest["seed"]) == (4, 3)
    assert manifest["suite"] == json.loads(json.dumps(dataclasses.asdict(written.suite)))
    assert manifest["suite"]["sets"][1]["count"] == 2
    assert manifest["suite"]["blur_applied_to"] == "lr"
    assert [entry["file"] for entry in manifest["images"]] == expected
    noise = manifest["images"][4]
    assert (noise["set"], noise["photograph"]) == ("noise", "Düne.jpg")
    assert 5 <= noise["parameters"]["gaussian-noise.sigma"] <= 30
    assert manifest["images"][0]["parameters"] == {}
    assert manifest["skipped"] == []


def test_same_bytes_every_time_and_other_ones_with_another_seed(tmp_path: Path) -> None:
    photos, suite = make_photos(("a.png", 64, 64)), load_suite("clean-noise20")
    for name, seed in (("one", 0), ("two", 0), ("three", 1)):
        write_degraded(suite, photos, tmp_path / name, seed=seed)
    for file in ("suite.json", "clean/a.png", "noise20/a.png"):
        one, two, three = ((tmp_path / n / file).read_bytes() for n in ("one", "two", "three"))
        assert one == two
        assert (one == three) == (file == "clean/a.png")


def test_agrees_with_degrade(tmp_path: Path) -> None:
    # A photograph of just the size of a content, without margin, is the content.
    photos = make_photos(("a.png", 64, 64), ("b.png", 64, 64))
    contents = Contents(
        crops_NHW3=np.stack([photo.pixels_HW3 for photo in photos.photographs]),
        names=("a.png#1", "b.png#1"),
        photographs=("a.png", "b.png"),
        source="made-up",
        skipped=(),
        margin=0,
        requested=2,
    )
    suite = load_suite("clean-mild-noise20")
    images = degrade(contents, suite, patch=16, seed=5)
    written = write_degraded(suite, photos, tmp_path, seed=5)
    for file, image_CHW in zip(written.files, images.images_NCHW, strict=True):
        expected = np.round(image_CHW.transpose(1, 2, 0) * 255)
        np.testing.assert_array_equal(pixels(tmp_path / file), expected)


def test_blur_on_hr_and_float_suites(tmp_path: Path) -> None:
    photos = make_photos(("a.png", 64, 64))
    blur = DegradedSet(name="blur", steps=(GaussianBlur(sigma=3),))
    suite = Suite(name="a", sets=(blur,))
    write_degraded(suite, photos, tmp_path / "lr")
    hr = dataclasses.replace(suite, blur_applied_to="hr", quantized=False)
    written = write_degraded(hr, photos, tmp_path / "hr")
    assert (written.suite.blur_applied_to, written.suite.quantized) == ("hr", False)
    lr_file, hr_file = (pixels(tmp_path / n / "blur/a.png").astype(int) for n in ("lr", "hr"))
    assert np.abs(lr_file - hr_file).max() > 5


def test_set_with_a_folder_is_written_as_it_is(tmp_path: Path) -> None:
    film = picture_HW3(9, 21)
    write_image(tmp_path / "films/1.png", film)
    (tmp_path / "films/2.png").write_bytes(b"broken")
    suite = Suite(
        name="real",
        sets=(DegradedSet(name="films", folder=str(tmp_path / "films")), DegradedSet(name="clean")),
    )
    written = write_degraded(suite, make_photos(("a.png", 64, 64)), tmp_path / "out")
    assert written.files == ("films/1.png", "clean/a.png")
    assert [name for name, _ in written.skipped] == ["2.png"]
    assert not written.suite.crossed
    np.testing.assert_array_equal(pixels(tmp_path / "out/films/1.png"), np.round(film * 255))


def test_small_and_damaged_photographs_are_skipped_and_named(tmp_path: Path) -> None:
    write_image(tmp_path / "in/big.png", picture_HW3(64, 64))
    write_image(tmp_path / "in/small.png", picture_HW3(64, 31))
    write_image(tmp_path / "in/damaged.png", picture_HW3(64, 64))
    data = (tmp_path / "in/damaged.png").read_bytes()
    (tmp_path / "in/damaged.png").write_bytes(data[: len(data) // 2])
    (tmp_path / "in/text.png").write_text("no image")
    done: list[tuple[int, int]] = []
    written = write_degraded(
        load_suite("blur-1-4"),
        load_folder(tmp_path / "in"),
        tmp_path / "out",
        progress=lambda *now: done.append(now),
    )
    assert written.files == ("blur1/big.png", "blur4/big.png")
    reasons = dict(written.skipped)
    assert sorted(reasons) == ["damaged.png", "small.png", "text.png"]
    assert reasons["small.png"] == "31x64 pixels, at least 32x32 are needed"
    assert done[-1] == (2, 2)
    assert all(reasons.values())
    manifest = json.loads((tmp_path / "out/suite.json").read_text("utf-8"))
    assert {s["file"]: s["reason"] for s in manifest["skipped"]} == reasons


def test_nothing_usable(tmp_path: Path) -> None:
    photos = make_photos(("a.png", 20, 20))
    with pytest.raises(
        ImageError, match="has no usable image of at least 32x32 pixels; give other"
    ):
        write_degraded(load_suite("blur-1-4"), photos, tmp_path / "out")
    assert not (tmp_path / "out/suite.json").exists()
    empty = PhotoSet(photographs=(), source="nowhere")
    with pytest.raises(ImageError, match="nowhere: has no usable image"):
        write_degraded(load_suite("blur-1-4"), empty, tmp_path / "out")


def test_wrong_scale_and_folder(tmp_path: Path) -> None:
    photos = make_photos(("a.png", 64, 64))
    with pytest.raises(ParameterError, match="scale must be a whole number above 0, but is 0"):
        write_degraded(load_suite("blur-1-4"), photos, tmp_path, scale=0)
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileProblem, match="is a file, not a folder; name another output folder"):
        write_degraded(load_suite("blur-1-4"), photos, tmp_path / "file")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/blur1").write_text("in the way")
    with pytest.raises(FileProblem, match=r"a.png: cannot be written \(.+\)"):
        write_degraded(load_suite("blur-1-4"), photos, tmp_path / "out")


def test_sets_of_another_suite_or_of_other_photographs_are_not_mixed(tmp_path: Path) -> None:
    photos, out = make_photos(("a.png", 64, 64), ("b.png", 64, 64)), tmp_path / "out"
    write_degraded(load_suite("clean-noise20"), photos, out)
    write_degraded(load_suite("clean-noise20"), photos, out, seed=1)  # replaces all of it
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    other = load_suite("clean-blur-noise")
    with pytest.raises(FileProblem, match="of suite clean-noise20, in noise20; name another outp"):
        write_degraded(other, photos, out)
    fewer = PhotoSet(photographs=photos.photographs[:1], source=photos.source)
    with pytest.raises(FileProblem, match="of suite clean-noise20, in clean, noise20; name anoth"):
        write_degraded(load_suite("clean-noise20"), fewer, out)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    for folder in ("clean", "noise20"):
        shutil.rmtree(out / folder)
    write_degraded(other, photos, out)  # what the manifest lists is not there any more
    (out / "suite.json").write_text('{"suite": "somebody else\'s"}')
    write_degraded(load_suite("clean-noise20"), photos, out)


def photographs(folder: Path) -> dict[Path, bytes]:
    """Write two photographs, one of them in a folder inside, and return what is there."""
    for seed, name in enumerate(("a.png", "mine/b.png")):
        write_image(folder / name, picture_HW3(64, 64, seed=seed))
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("out", "problem"),
    [
        (".", "holds the photographs that are to be degraded"),
        ("..", "holds the photographs that are to be degraded"),
        ("mine", "lies in the folder of the photographs that are to be degraded"),
        ("new", "lies in the folder of the photographs that are to be degraded"),
        ("mine/new/deep", "lies in the folder of the photographs that are to be degraded"),
        ("../link", "holds the photographs that are to be degraded"),
        ("../link/new", "lies in the folder of the photographs that are to be degraded"),
    ],
)
def test_nothing_is_written_in_or_around_the_photographs(
    tmp_path: Path, out: str, problem: str
) -> None:
    folder = tmp_path / "top" / "photos"
    before = photographs(folder)
    (tmp_path / "top" / "link").symlink_to(folder)
    with pytest.raises(FileProblem, match=f"{problem}.*; give an OUT beside that folder"):
        write_degraded(load_suite("clean-noise20"), load_folder(folder), folder / out)
    assert {path: path.read_bytes() for path in (tmp_path / "top").rglob("*.*")} == before
    # The remedy works, and so does the same command again.
    beside = folder.parent / "out"
    for _ in range(2):
        files = write_degraded(load_suite("clean-noise20"), load_folder(folder), beside).files
        assert len(files) == 4
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == before


def test_the_folder_of_a_set_is_not_written_to_either(tmp_path: Path) -> None:
    before = photographs(tmp_path / "films")
    films = DegradedSet(name="films", folder=str(tmp_path / "films"))
    suite = Suite(name="real", sets=(films, DegradedSet(name="clean")))
    for out in (tmp_path, tmp_path / "films", tmp_path / "films/new"):
        with pytest.raises(FileProblem, match="give an OUT beside that folder"):
            write_degraded(suite, make_photos(("a.png", 64, 64)), out)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before


def test_what_a_link_leads_to_is_not_written_to(tmp_path: Path) -> None:
    before = photographs(tmp_path / "elsewhere")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileProblem, match="holds the photographs"):
        write_degraded(
            load_suite("clean-noise20"), load_folder(tmp_path / "in"), tmp_path / "elsewhere"
        )
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before


def test_the_photographs_of_the_package_forbid_no_folder() -> None:
    around = pack_folder().parents[3]  # as a project's folder is, in which srscope is installed
    write._keep_photographs(around, {"historic": load_bundled("historic")})


def test_names_that_would_collide_get_numbers(tmp_path: Path) -> None:
    photos = make_photos(("a.jpg", 64, 64), ("a.png", 64, 64), ("A.tif", 64, 64))
    written = write_degraded(load_suite("blur-1-4"), photos, tmp_path)
    assert written.files[:3] == ("blur1/a.png", "blur1/a-2.png", "blur1/A-3.png")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a.jpg", "a.png"),
        ("ordner/größe 1.JPEG", "ordner/größe 1.png"),
        ("写真.webp", "写真.png"),
        ("no suffix", "no suffix.png"),
        (".hidden", ".hidden.png"),
        ("v1.2.tar.png", "v1.2.tar.png"),
        ("../../up.png", "up.png"),
        ("/etc/passwd", "etc/passwd.png"),
        ("C:\\windows\\x.bmp", "C_/windows/x.png"),
        ("a/./b/../c.png", "a/b/c.png"),
        ('<script>"?|*.png', "_script_____.png"),
        ("line\nbreak\x00.png", "line_break_.png"),
        ("dots...", "dots.png"),
        ("", "image.png"),
        ("..", "image.png"),
        ("x" * 300 + ".png", "x" * 200 + ".png"),
    ],
)
def test_safe_names(name: str, safe: str) -> None:
    assert safe_name(name) == PurePosixPath(safe)


def test_a_suite_s_name_and_images_of_a_program_will_do(tmp_path: Path) -> None:
    image_HW3 = picture_HW3(32, 40)
    done = write_degraded("noise-10-30", [image_HW3, image_HW3[::-1]], tmp_path, scale=1)
    assert len(done.files) == 4
    assert {PurePosixPath(name).parts[0] for name in done.files} == {"noise10", "noise30"}
    assert all((tmp_path / name).is_file() for name in done.files)
    with pytest.raises(ParameterError, match=r"suite must be a name, a \.yaml file or a Suite"):
        write_degraded(3, [image_HW3], tmp_path)
