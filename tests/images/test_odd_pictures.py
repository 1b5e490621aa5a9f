"""Hundreds of generated pictures: each is read as its header says, or refused with a remedy."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from srscope.errors import ImageError
from srscope.images.io import read_image, read_size
from srscope.images.picture import read_picture
from support import bitmaps, odd_pictures, odd_tiffs, tiffs
from support.mutants import SPOILS
from support.odd_tiffs import Odd
from support.remedies import REMEDIES

DOCS = Path(__file__).resolve().parents[2] / "docs" / "odd-inputs.md"
RANDOM_TIFFS = 400
FAMILIES: dict[str, Callable[[], Iterator[Odd]]] = {
    "TIFF": lambda: odd_tiffs.tiff_pictures(RANDOM_TIFFS),
    "TIFF with a palette": odd_tiffs.palette_tiffs,
    "TIFF, CIELAB": odd_tiffs.lab_tiffs,
    "TIFF, refused": odd_tiffs.refused_tiffs,
    "PNG": odd_pictures.png_pictures,
    "TGA": odd_pictures.tga_pictures,
    "BMP": odd_pictures.bmp_pictures,
    "PBM, PGM, PPM, PFM": odd_pictures.netpbm_pictures,
    "JPEG 2000": odd_pictures.jpeg2000_pictures,
}
"""What makes the files of a kind; each is a row of the table in the documents."""


@pytest.mark.parametrize("family", FAMILIES)
def test_every_picture_is_read_as_its_header_says_or_refused(family: str, tmp_path: Path) -> None:
    made = read = 0
    for made, odd in enumerate(FAMILIES[family](), 1):
        file = tmp_path / f"{made}{odd.suffix}"
        file.write_bytes(odd.data)
        if odd.refused:
            _check_refusal(file, odd)
            continue
        found_HWC = read_picture(file).pixels_HWC
        assert found_HWC.shape == odd.expected_HWC.shape, odd.name
        assert np.abs(found_HWC - odd.expected_HWC).max() <= odd.tolerance, odd.name
        assert read_size(file) == found_HWC.shape[:2], odd.name
        read += 1
    row = next(
        line for line in DOCS.read_text("utf-8").splitlines() if line.startswith(f"| {family} |")
    )
    if odd_pictures.READS_ALL_TGA or family != "TGA":
        assert row.endswith(f"| {made} | {read} read right, {made - read} refused |")


def _check_refusal(file: Path, odd: Odd) -> None:
    """Check that the message names the trait, and that what it tells to do works."""
    with pytest.raises(ImageError) as raised:
        read_picture(file)
    assert odd.refused in raised.value.problem, odd.name
    new, shown_HW3 = REMEDIES[raised.value.remedy](file, odd.expected_HWC)
    np.testing.assert_allclose(read_image(new), shown_HW3, atol=1e-6, err_msg=odd.name)


def test_spoilt_ones_are_read_or_refused(tmp_path: Path) -> None:
    rng = random.Random(0)
    made = [*odd_tiffs.tiff_pictures(60, seed=9), *odd_tiffs.refused_tiffs()]
    made += [*odd_pictures.jpeg2000_pictures(), *odd_pictures.tga_pictures()]
    refused = 0
    for odd, number in itertools.product(made, range(2)):
        how, spoil = rng.choice(list(SPOILS.items()))
        file = tmp_path / f"spoilt-{number}{odd.suffix}"
        file.write_bytes(spoil(odd.data, rng))
        try:
            pixels_HWC = read_picture(file).pixels_HWC
            assert read_size(file) == pixels_HWC.shape[:2], (odd.name, how)
        except ImageError:
            refused += 1
            continue
        assert pixels_HWC.min() >= 0, (odd.name, how)
        assert pixels_HWC.max() <= 1, (odd.name, how)
    assert refused > len(made) / 2


def test_there_are_enough_of_them() -> None:
    assert sum(1 for make in FAMILIES.values() for _ in make()) >= 600
    names = [odd.name for odd in odd_tiffs.tiff_pictures(RANDOM_TIFFS)]
    for bits in (1, 2, 4, 8, 10, 12, 14, 16):
        assert any(f": {bits} bits, format 1," in name for name in names)
    assert len(set(names)) == RANDOM_TIFFS


# The kinds A and B of the cases that were found: a ramp from 0.1 to 0.9 over 64 x 48 pixels.
RAMP_HW1 = np.tile(np.linspace(0.1, 0.9, 64), (48, 1))[..., None]


def _levels(bits: int, ramp_HWC: np.ndarray = RAMP_HW1) -> np.ndarray:
    return np.rint(ramp_HWC * (2**bits - 1)).astype(np.int64)


def _colours(values_HW1: np.ndarray) -> np.ndarray:
    return np.repeat(values_HW1, 3, axis=2)


RAMPS: dict[str, tuple[bytes, float]] = {
    "12bit-grey.tif": (tiffs.tiff(_levels(12), bits=12, photometric=1), 0.5 / 4095),
    "16bit-whiteiszero.tif": (
        tiffs.tiff(_levels(16, 1 - RAMP_HW1), bits=16, photometric=0), 0.5 / 65535),
    "8bit-signed.tif": (
        tiffs.tiff(_levels(7), bits=8, form=tiffs.SIGNED, photometric=1), 0.5 / 127),
    "float32-rgb.tif": (
        tiffs.tiff(_colours(RAMP_HW1), bits=32, form=tiffs.FLOAT), 1e-6),
    "tga32-noalpha.tga": (
        bitmaps.tga(
            [np.pad(row, ((0, 0), (0, 1))).astype(np.uint8).tobytes()
             for row in _colours(_levels(8))], 64, 32),
        0.5 / 255),
    "cielab8.tif": (
        tiffs.tiff(
            np.pad(np.rint(odd_tiffs.lab(_colours(RAMP_HW1))[..., :1] * 2.55).astype(np.int64),
                   ((0, 0), (0, 0), (0, 2))), photometric=8),
        1.5 / 255),
}  # fmt: skip


@pytest.mark.parametrize("name", RAMPS)
def test_the_ramps_that_were_read_wrongly(name: str, tmp_path: Path) -> None:
    data, tolerance = RAMPS[name]
    (tmp_path / name).write_bytes(data)
    image_HW3 = read_image(tmp_path / name)
    assert image_HW3.shape == (48, 64, 3)
    assert np.abs(image_HW3 - RAMP_HW1).max() <= tolerance + 1e-6
    assert read_picture(tmp_path / name).pixels_HWC.shape[2] in (1, 3)  # no alpha
