from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage

from srscope.degradations.blur import GaussianBlur
from srscope.degradations.catalogue import list_suites, load_suite
from srscope.degradations.degrade import (
    DegradedImages,
    degrade,
    generator_for,
    quantize,
)
from srscope.degradations.noise import GaussianNoise
from srscope.degradations.registry import registered
from srscope.degradations.resize import imresize
from srscope.degradations.suite import DegradedSet, Suite
from srscope.errors import ImageError, ParameterError, SrscopeError
from srscope.images.contents import crop_contents
from srscope.images.io import write_image
from srscope.images.record import Contents
from support.pictures import make_contents, make_photos, picture_HW3

CLEAN = DegradedSet(name="clean")
CROSSED = [suite for suite in list_suites() if suite.crossed]
FLOAT = {"quantized": False}


def one(*steps: object, **options: object) -> Suite:
    return Suite(name="one", sets=(DegradedSet(name="it", steps=steps),), **options)


def of_set(images: DegradedImages, name: str) -> np.ndarray:
    index = [each.name for each in images.suite.sets].index(name)
    return images.images_NCHW[images.set_N == index]


def clean_lr(contents: Contents) -> np.ndarray:
    """The whole crops downsampled, by hand."""
    crops_NCHW = torch.from_numpy(contents.crops_NHW3).permute(0, 3, 1, 2)
    return np.round(np.clip(imresize(crops_NCHW, 1 / 4).numpy(), 0, 1) * 255) / 255


@pytest.mark.parametrize("suite", CROSSED, ids=lambda suite: suite.name)
def test_layout_of_every_suite(suite: Suite) -> None:
    contents = make_contents(3)
    images = degrade(contents, suite, patch=16, seed=1)
    count = len(suite.sets)
    assert images.images_NCHW.shape == (3 * count, 3, 16, 16)
    assert images.images_NCHW.dtype == np.float32
    assert images.images_NCHW.flags.c_contiguous
    np.testing.assert_array_equal(images.set_N, np.repeat(np.arange(count), 3))
    np.testing.assert_array_equal(images.content_N, np.tile(np.arange(3), count))
    assert images.set_N.dtype == images.content_N.dtype == np.int64
    assert images.contents == contents.names
    assert (images.source, images.skipped) == (contents.source, ())
    assert images.suite.crossed
    assert [(s.name, s.count) for s in images.suite.sets] == [(s.name, 3) for s in suite.sets]
    assert len(images.parameters) == 3 * count
    json.dumps(images.parameters)
    levels = images.images_NCHW * 255
    np.testing.assert_allclose(levels, np.round(levels), atol=1e-4)
    assert 0 <= images.images_NCHW.min() <= images.images_NCHW.max() <= 1


@pytest.mark.parametrize("suite", CROSSED, ids=lambda suite: suite.name)
def test_same_seed_same_images_and_another_seed_others(suite: Suite) -> None:
    contents = make_contents(2)
    first, again, other = (degrade(contents, suite, patch=16, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.images_NCHW, again.images_NCHW)
    assert first.parameters == again.parameters
    random = "noise" in suite.name or "mild" in suite.name
    assert random == (not np.array_equal(first.images_NCHW, other.images_NCHW))


def test_other_sets_of_the_suite_do_not_matter() -> None:
    contents = make_contents(2)
    suite = load_suite("clean-mild-noise20")
    whole = degrade(contents, suite, patch=16)
    for degraded_set in suite.sets:
        alone = degrade(contents, Suite(name="alone", sets=(degraded_set,)), patch=16)
        np.testing.assert_array_equal(alone.images_NCHW, of_set(whole, degraded_set.name))
    turned = dataclasses.replace(suite, sets=suite.sets[::-1])
    turned_images = degrade(contents, turned, patch=16)
    for degraded_set in suite.sets:
        name = degraded_set.name
        np.testing.assert_array_equal(of_set(turned_images, name), of_set(whole, name))


def test_later_contents_do_not_matter() -> None:
    suite = load_suite("clean-blur-noise")
    few, many = (degrade(make_contents(n), suite, patch=16) for n in (2, 5))
    for name in ("clean", "blur", "noise"):
        np.testing.assert_array_equal(of_set(few, name), of_set(many, name)[:2])


def test_global_generator_does_not_matter() -> None:
    contents, suite = make_contents(1), load_suite("noise-10-20")
    torch.manual_seed(0)
    first = degrade(contents, suite, patch=16)
    torch.rand(3)
    np.testing.assert_array_equal(first.images_NCHW, degrade(contents, suite, patch=16).images_NCHW)


def test_noise_differs_between_sets_and_contents() -> None:
    noise = GaussianNoise(sigma=20)
    suite = Suite(
        name="twice",
        sets=(DegradedSet(name="a", steps=(noise,)), DegradedSet(name="b", steps=(noise,))),
        **FLOAT,
    )
    contents = make_contents(1)
    same = dataclasses.replace(
        contents,
        crops_NHW3=contents.crops_NHW3.repeat(2, axis=0),
        names=("a", "b"),
        photographs=("a", "b"),
    )
    noises = degrade(same, suite, patch=16).images_NCHW
    noises = (noises - degrade(same, one(**FLOAT), patch=16).images_NCHW[0]).reshape(4, -1)
    correlation = np.corrcoef(noises) - np.eye(4)
    assert np.abs(correlation).max() < 0.2


def test_generators_of_all_images_differ() -> None:
    seeds = {
        generator_for(seed, name, content).initial_seed()
        for seed in (0, 1, 12)
        for name in ("noise", "noise1", "blur")
        for content in range(100)
    }
    assert len(seeds) == 900
    assert generator_for(1, "a", 23).initial_seed() != generator_for(12, "a", 3).initial_seed()
    # Pinned, so that images of an earlier version can be made again.
    assert generator_for(0, "noise", 0).initial_seed() == 1069159965


def test_clean_is_the_centre_of_the_downsampled_crop() -> None:
    contents = make_contents(3, margin=5)
    images = degrade(contents, Suite(name="a", sets=(CLEAN,)), patch=16)
    expected = clean_lr(contents)[:, :, 5:21, 5:21]
    np.testing.assert_allclose(images.images_NCHW, expected, atol=1e-6)
    assert images.parameters == ({}, {}, {})


def test_blur_sees_the_margin_not_a_reflection() -> None:
    contents = make_contents(1)
    images = degrade(contents, one(GaussianBlur(sigma=2), **FLOAT), patch=16)
    lr = imresize(torch.from_numpy(contents.crops_NHW3).permute(0, 3, 1, 2), 1 / 4).numpy()
    expected = ndimage.gaussian_filter(lr, 2, radius=7, axes=(2, 3), mode="mirror")
    np.testing.assert_allclose(images.images_NCHW, expected[:, :, 8:24, 8:24], atol=1e-6)
    cut = ndimage.gaussian_filter(lr[:, :, 8:24, 8:24], 2, radius=7, axes=(2, 3), mode="mirror")
    assert np.abs(images.images_NCHW - cut).max() > 1e-3


def test_blur_on_hr_is_before_downsampling() -> None:
    contents = make_contents(1)
    blur = GaussianBlur(sigma=2)
    on_hr = degrade(contents, one(blur, blur_applied_to="hr", **FLOAT), patch=16)
    hr = contents.crops_NHW3.transpose(0, 3, 1, 2)
    blurred = ndimage.gaussian_filter(hr, 2, radius=7, axes=(2, 3), mode="mirror")
    expected = imresize(torch.from_numpy(blurred), 1 / 4)[:, :, 8:24, 8:24].numpy()
    np.testing.assert_allclose(on_hr.images_NCHW, expected, atol=1e-6)
    on_lr = degrade(contents, one(blur, **FLOAT), patch=16)
    assert np.abs(on_hr.images_NCHW - on_lr.images_NCHW).max() > 0.02
    assert (on_hr.suite.blur_applied_to, on_lr.suite.blur_applied_to) == ("hr", "lr")
    assert "HR px, then bicubic" in on_hr.suite.sets[0].definition
    assert "LR px" in on_lr.suite.sets[0].definition


def test_noise_stays_on_lr_when_blur_is_on_hr() -> None:
    contents = make_contents(1)
    noise = GaussianNoise(sigma=20)
    images = [
        degrade(contents, one(noise, blur_applied_to=place), patch=16).images_NCHW
        for place in ("lr", "hr")
    ]
    np.testing.assert_array_equal(*images)


def test_quantized_and_float_noise() -> None:
    contents = make_contents(4)
    dark = dataclasses.replace(contents, crops_NHW3=contents.crops_NHW3 * np.float32(0.05))
    noise = GaussianNoise(sigma=20)
    as_float = degrade(dark, one(noise, **FLOAT), patch=16)
    assert as_float.images_NCHW.min() < 0
    assert not as_float.suite.quantized
    clean = degrade(dark, one(**FLOAT), patch=16)
    assert (as_float.images_NCHW - clean.images_NCHW).std() * 255 == pytest.approx(20, rel=0.05)
    rounded = degrade(dark, one(noise), patch=16)
    assert rounded.suite.quantized
    assert rounded.images_NCHW.min() == 0
    # Both are the same draw; the clean image is rounded before the noise is added to it.
    step = np.abs(rounded.images_NCHW - np.clip(as_float.images_NCHW, 0, 1)).max() * 255
    assert 0.5 < step <= 1.001


def test_clean_is_rounded_before_more_is_done() -> None:
    class Hundredfold:
        def __call__(self, images_NCHW, *, generator):
            return (images_NCHW * 255) % 1

    contents = make_contents(1)
    exact = degrade(contents, one(Hundredfold()), patch=16).images_NCHW
    assert np.minimum(exact, 1 - exact).max() < 1e-3
    loose = degrade(contents, one(Hundredfold(), **FLOAT), patch=16).images_NCHW
    assert np.minimum(loose, 1 - loose).max() > 0.4


def test_drawn_degrees_are_recorded_and_are_what_was_done() -> None:
    contents = make_contents(6)
    images = degrade(contents, one(GaussianNoise(sigma=(5, 30)), **FLOAT), patch=16)
    clean = degrade(contents, one(**FLOAT), patch=16)
    drawn = np.array([p["gaussian-noise.sigma"] for p in images.parameters])
    assert ((drawn >= 5) & (drawn <= 30)).all()
    assert len(set(drawn)) == 6
    seen = (images.images_NCHW - clean.images_NCHW).std(axis=(1, 2, 3)) * 255
    np.testing.assert_allclose(seen, drawn, rtol=0.12)


def test_the_same_step_twice_is_recorded_twice() -> None:
    images = degrade(
        make_contents(1), one(GaussianNoise(sigma=5), GaussianNoise(sigma=7)), patch=16
    )
    assert images.parameters == ({"gaussian-noise.sigma": 5, "gaussian-noise#2.sigma": 7},)


def test_scale_one_takes_contents_as_lr() -> None:
    contents = make_contents(2, scale=1, margin=0, patch=20)
    images = degrade(contents, load_suite("clean-noise20"), patch=20, scale=1)
    expected = quantize(torch.from_numpy(contents.crops_NHW3)).permute(0, 3, 1, 2).numpy()
    np.testing.assert_array_equal(of_set(images, "clean"), expected)
    assert images.suite.sets[0].definition == "images as they are"


@pytest.mark.parametrize("scale", [2, 3])
def test_other_scales(scale: int) -> None:
    contents = make_contents(2, scale=scale)
    images = degrade(contents, load_suite("clean-blur-noise"), patch=16, scale=scale)
    assert images.images_NCHW.shape == (6, 3, 16, 16)


def test_contents_of_real_crops() -> None:
    photos = make_photos(("a.png", 160, 200), ("b.png", 160, 160))
    contents = crop_contents(photos, count=4, patch=16, scale=4, margin=8)
    images = degrade(contents, load_suite("clean-noise20"), patch=16)
    assert images.images_NCHW.shape == (8, 3, 16, 16)
    assert images.contents == contents.names


def test_folder_of_degraded_images(tmp_path: Path) -> None:
    for number, name in enumerate(("x.png", "y.png")):
        write_image(tmp_path / name, picture_HW3(40, 40, seed=len(name) + number))
    (tmp_path / "broken.png").write_bytes(b"no image")
    suite = Suite(name="real", sets=(CLEAN, DegradedSet(name="films", folder=str(tmp_path))))
    contents = make_contents(3)
    images = degrade(contents, suite, patch=16)
    assert not images.suite.crossed
    count = images.suite.sets[1].count
    assert count == 3
    assert images.contents == (*contents.names, *images.contents[3:])
    assert all(name.startswith("films/") for name in images.contents[3:])
    np.testing.assert_array_equal(images.content_N, np.arange(6))
    np.testing.assert_array_equal(images.set_N, [0, 0, 0, 1, 1, 1])
    # As they are: every patch is found in one of the files, to the bit.
    x = np.round(picture_HW3(40, 40, seed=5) * 255)
    patch = np.round(images.images_NCHW[3].transpose(1, 2, 0) * 255)
    windows = np.lib.stride_tricks.sliding_window_view(x, (16, 16, 3))[:, :, 0]
    assert (windows == patch).all(axis=(2, 3, 4)).any()
    assert images.suite.sets[1].definition == f"images of {tmp_path}, as they are"
    assert str(tmp_path) in images.source
    assert [name for name, _ in images.skipped] == ["broken.png"]
    assert images.parameters[3:] == ({}, {}, {})


def test_real_suite_with_the_bundled_photographs() -> None:
    images = degrade(make_contents(4), load_suite("real"), patch=16)
    assert [each.name for each in images.suite.sets] == ["mild", "noise20", "historic"]
    assert [each.count for each in images.suite.sets] == [4, 4, 4]
    assert not images.suite.crossed
    assert len(images.contents) == 8
    np.testing.assert_array_equal(images.content_N, [0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7])


def test_folder_problems(tmp_path: Path) -> None:
    for folder, problem in ((tmp_path / "absent", "does not exist"), (tmp_path, "is empty")):
        suite = Suite(name="real", sets=(DegradedSet(name="films", folder=str(folder)),))
        with pytest.raises(ImageError, match=problem):
            degrade(make_contents(1), suite, patch=16)
    suite = Suite(name="real", sets=(DegradedSet(name="films", folder="bundled:modern"),))
    with pytest.raises(SrscopeError, match="unknown bundled photograph set 'modern'"):
        degrade(make_contents(1), suite, patch=16)


@pytest.mark.parametrize(
    ("contents", "options", "message"),
    [
        (make_contents(1), {"patch": 17}, "contents must be crops of 132 x 132 x 3 HR pixels"),
        (make_contents(1), {"patch": 16, "scale": 2}, "contents must be crops of 96 x 96"),
        (make_contents(1), {"patch": 0}, "patch must be a whole number of LR pixels above 0"),
        (make_contents(1), {"patch": 16, "scale": 0}, "scale must be a whole number above 0"),
        (
            make_contents(1, scale=2, patch=32, margin=7),
            {"patch": 16, "scale": 4},
            "with a margin divisible by 4, as patch 16 at scale 4 needs, but is '92x92x3 with "
            "margin 14'; cut them with crop_contents for the same patch and scale",
        ),
    ],
)
def test_contents_that_do_not_fit(contents: Contents, options: dict, message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        degrade(contents, one(), **options)
    assert message in str(caught.value)


def test_no_contents() -> None:
    nothing = dataclasses.replace(
        make_contents(1),
        crops_NHW3=np.zeros((0, 128, 128, 3), np.float32),
        names=(),
        photographs=(),
    )
    with pytest.raises(ParameterError, match="contents must be one or more, but is 0"):
        degrade(nothing, one(), patch=16)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (lambda images: images[:, :1], r"must keep shape and type \(1, 3, 32, 32\) torch.float32"),
        (lambda images: images.double(), r"but returned \(1, 3, 32, 32\) torch.float64"),
        (lambda images: images.numpy(), "must return a tensor, but returned ndarray"),
        (lambda images: images / 0, "must return finite values, but returned NaN or infinity"),
    ],
)
def test_users_degradation_that_breaks_its_promise(result, message: str) -> None:
    class Bad:
        def __call__(self, images_NCHW, *, generator):
            return result(images_NCHW)

    with pytest.raises(SrscopeError, match=message) as caught:
        degrade(make_contents(1), one(Bad()), patch=16)
    assert "of set 'it'" in str(caught.value)


def test_users_degradation_may_write_into_its_input() -> None:
    class Blacken:
        def __call__(self, images_NCHW, *, generator):
            return images_NCHW.zero_()

    suite = Suite(name="a", sets=(DegradedSet(name="b", steps=(Blacken(),)), CLEAN))
    images = degrade(make_contents(1), suite, patch=16)
    assert of_set(images, "b").max() == 0
    assert of_set(images, "clean").max() > 0.3
    assert "clean" in registered()
