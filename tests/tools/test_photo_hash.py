"""The perceptual hash: the same for editions of a photograph, far apart for photographs."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from support.tools import load_tool

photo_hash = load_tool("photo_hash")


def picture(seed: int, size: tuple[int, int] = (300, 200)) -> Image.Image:
    """Return a picture with large and small things in it."""
    random = np.random.default_rng(seed)
    large, small = (
        Image.fromarray(random.integers(0, 256, (n, n, 3), dtype=np.uint8)).resize(
            size, Image.Resampling.BICUBIC
        )
        for n in (6, 60)
    )
    return Image.blend(large, small, 0.2)


def edited(image: Image.Image, how: str) -> Image.Image:
    if how == "shrunk":
        return image.resize((150, 100), Image.Resampling.BICUBIC)
    if how == "compressed":
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=30)
        return Image.open(buffer)
    if how == "brighter":
        return ImageEnhance.Brightness(image).enhance(1.2)
    if how == "grey":
        return image.convert("L")
    return image.crop((4, 3, 296, 197))


@pytest.mark.parametrize("how", ["shrunk", "compressed", "brighter", "grey", "trimmed"])
def test_editions_of_a_picture_are_near(how: str) -> None:
    image = picture(0)
    digest = photo_hash.perceptual_hash(image)
    assert photo_hash.distance(digest, photo_hash.perceptual_hash(edited(image, how))) <= 10


def test_pictures_differ_in_about_half_of_the_bits() -> None:
    digests = [photo_hash.perceptual_hash(picture(seed)) for seed in range(30)]
    distances = [
        photo_hash.distance(one, other)
        for number, one in enumerate(digests)
        for other in digests[:number]
    ]
    assert 29 < np.mean(distances) < 34
    assert min(distances) >= 14


def test_mirrored_is_the_hash_of_the_mirror_image() -> None:
    image = picture(3)
    digest = photo_hash.perceptual_hash(image)
    flipped = photo_hash.perceptual_hash(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    assert photo_hash.distance(photo_hash.mirrored(digest), flipped) <= 1  # a cosine near 0
    assert photo_hash.distance(digest, flipped) > 14
    assert photo_hash.mirrored(photo_hash.mirrored(digest)) == digest


def test_signs_by_hand() -> None:
    # Bright on the left: of the rows' frequencies only the mean, of the columns' cosines that fall.
    luma_HW = np.tile(np.linspace(255, 0, 32, dtype=np.uint8), (32, 1))
    digest = photo_hash.perceptual_hash(Image.fromarray(luma_HW))
    bits = f"{int(digest, 16):063b}"
    assert len(digest) == 16
    assert bits[0] == "1"
    mirror = photo_hash.perceptual_hash(Image.fromarray(luma_HW[:, ::-1].copy()))
    assert f"{int(mirror, 16):063b}"[0] == "0"


def test_nearest_looks_at_mirror_images_too() -> None:
    digests = {f"p{seed}": photo_hash.perceptual_hash(picture(seed)) for seed in range(5)}
    assert photo_hash.nearest(digests["p2"], digests) == (0, "p2")
    assert photo_hash.nearest(photo_hash.mirrored(digests["p4"]), digests) == (0, "p4")
