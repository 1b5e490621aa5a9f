"""TIFF files of every kind that headers allow, with the values that the header says they have.

The values come from the generator: they are made first, and encoded by the writers beside this
file, never read back by the reader under test.

Suffixes: H/W height and width, C channels as in a picture (1 grey, 2 grey and alpha, 3 RGB, 4 RGB
and alpha), S samples of a pixel as stored, 3 colours, I entries of a palette.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from support import tiffs
from support.pictures import upright

Unit = NDArray[np.float64]
HEIGHT, WIDTH = 5, 9
"""Rows of no whole number of bytes at 1, 2, 4, 10, 12 and 14 bits."""
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, LAB = 0, 1, 2, 3, 5, 8
_COLOURS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1, CMYK: 4, LAB: 3}


@dataclass(frozen=True, kw_only=True)
class Odd:
    """A file, and what it shows by its header.

    ``refused`` is part of the message where it must not be read; ``tolerance`` is for values that
    are rounded on the way, as CIELAB of 8 bits is.
    """

    name: str
    suffix: str
    data: bytes = field(repr=False)
    expected_HWC: Unit = field(repr=False)
    refused: str = ""
    tolerance: float = 1e-6


def numbers(rng: np.random.Generator, bits: int, samples: int) -> NDArray[np.int64]:
    """Return whole numbers of ``bits``, black and white among them."""
    values_HWS = rng.integers(0, 2**bits, (HEIGHT, WIDTH, samples))
    values_HWS[0, 0], values_HWS[0, 1] = 0, 2**bits - 1
    return values_HWS


def with_alpha(colours_HWC: Unit, extra_HWS: Unit, meanings: tuple[int, ...]) -> Unit:
    """Return colours and the first of the extra samples that is alpha, colours not times it."""
    for index, meaning in enumerate(meanings):
        alpha_HW1 = extra_HWS[..., index : index + 1]
        if meaning == 1:
            divided_HWC = colours_HWC / np.where(alpha_HW1 > 0, alpha_HW1, np.inf)
            return np.dstack([np.minimum(divided_HWC, 1), alpha_HW1])
        if meaning == 2:
            return np.dstack([colours_HWC, alpha_HW1])
    return colours_HWC


def shown(colours_HWS: Unit, photometric: int) -> Unit:
    """Return stored colours in [0, 1] as grey or RGB."""
    if photometric == WHITE_IS_ZERO:
        return 1 - colours_HWS
    if photometric == CMYK:
        return (1 - colours_HWS[..., :3]) * (1 - colours_HWS[..., 3:])
    return colours_HWS


def tiff_pictures(count: int, seed: int = 0) -> Iterator[Odd]:
    """Yield TIFF files of randomly chosen traits, the same for the same seed."""
    rng = np.random.default_rng(seed)

    def one_of(*ways: Any) -> Any:
        return ways[rng.integers(len(ways))]

    for number in range(count):
        form = one_of(*[tiffs.UNSIGNED] * 6, *[tiffs.FLOAT] * 2, tiffs.SIGNED)
        photometric = one_of(WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, RGB, CMYK)
        bits = one_of(1, 2, 4, 8, 10, 12, 14, 16)
        if form != tiffs.UNSIGNED:
            bits = one_of(16, 32, 64) if form == tiffs.FLOAT else one_of(8, 16)
        meanings: tuple[int, ...] = one_of((), (), (0,), (1,), (2,), (0, 2), (2, 0), (0, 0))
        colours, refused = _COLOURS[photometric], ""
        values_HWS: NDArray[Any] = numbers(rng, bits if bits <= 16 else 8, colours + len(meanings))
        unit_HWS = values_HWS / (2.0 ** min(bits, 16 if bits <= 16 else 8) - 1)
        if form == tiffs.SIGNED:
            values_HWS = values_HWS // 2
            unit_HWS = values_HWS / (2.0 ** (bits - 1) - 1)
        elif form == tiffs.FLOAT:
            values_HWS = unit_HWS.astype({16: np.float16, 32: np.float32, 64: np.float64}[bits])
            unit_HWS = values_HWS.astype(np.float64)
        unknown = meanings.count(0)
        if (photometric == CMYK and unknown) or (colours == 1 and unknown > 1):
            refused = "does not say the meaning of"
        elif photometric == CMYK and form != tiffs.UNSIGNED:
            refused = "where its colours need unsigned ones"
        elif form == tiffs.SIGNED and rng.integers(3) == 0:
            values_HWS[1, 1, 0], refused = -3, "negative values in signed samples"
        elif form == tiffs.FLOAT and rng.integers(3) == 0:
            values_HWS[1, 1, 0] = one_of(1.5, -0.25, np.nan)
            refused = "floating-point values outside [0, 1]"
        options: dict[str, Any] = {
            "order": one_of("<", ">"),
            "planes": one_of(False, True),
            "fill": one_of(1, 1, 2),
            "compression": one_of(
                tiffs.NONE, tiffs.NONE, tiffs.LZW, tiffs.DEFLATE, tiffs.OLD_DEFLATE, tiffs.PACKBITS
            ),
            "orientation": one_of(1, 1, *range(2, 9)),
            "rows": one_of(None, 2),
            "tile": one_of(None, None, 16),
            "big": one_of(False, False, True),
        }
        packed = options["compression"] in (tiffs.LZW, tiffs.DEFLATE)
        options["predictor"] = (
            packed and form != tiffs.FLOAT and bits in (8, 16) and one_of(False, True)
        )
        extra = meanings if meanings or rng.integers(2) else None
        data = tiffs.tiff(
            values_HWS,
            bits=bits,
            form=form,
            photometric=photometric,
            extra=extra or None,
            **options,
        )
        expected_HWC = shown(unit_HWS[..., :colours], photometric)
        expected_HWC = with_alpha(expected_HWC, unit_HWS[..., colours:], meanings)
        said = ", ".join(f"{key} {value}" for key, value in options.items())
        yield Odd(
            name=f"{number}: {bits} bits, format {form}, photometric {photometric}, "
            f"extra {meanings}, {said}",
            suffix=".tif",
            data=data,
            expected_HWC=upright(expected_HWC, options["orientation"]),
            refused=refused,
        )


def palette_tiffs(seed: int = 1) -> Iterator[Odd]:
    """Yield TIFF files with a palette, of 16 bits as they should be or of 8."""
    rng = np.random.default_rng(seed)
    for bits in (1, 2, 4, 8):
        for depth in (8, 16):
            for compression in (tiffs.NONE, tiffs.LZW):
                values_HW1 = numbers(rng, bits, 1)
                map_3I = rng.integers(0, 2**depth, (3, 2**bits))
                map_3I[0, 0] = 2**depth - 1
                data = tiffs.tiff(
                    values_HW1, bits=bits, photometric=PALETTE, compression=compression,
                    more={320: map_3I.ravel().tolist()},
                )  # fmt: skip
                yield Odd(
                    name=f"palette of {depth} bits, {bits} bits, compression {compression}",
                    suffix=".tif",
                    data=data,
                    expected_HWC=(map_3I / (2.0**depth - 1)).T[values_HW1[..., 0]],
                )


def lab_tiffs(seed: int = 2) -> Iterator[Odd]:
    """Yield CIELAB TIFF files of 8 bits."""
    rng = np.random.default_rng(seed)
    for planes in (False, True):
        for compression in (tiffs.NONE, tiffs.DEFLATE, tiffs.LZW):
            for meanings in ((), (2,)):
                lab_HW3 = np.rint(lab(rng.uniform(0.15, 0.85, (HEIGHT, WIDTH, 3))))
                stored_HWS = np.dstack([lab_HW3[..., :1] * 2.55, lab_HW3[..., 1:] % 256])
                stored_HWS = np.rint(stored_HWS).astype(np.int64)
                exact_HW3 = np.dstack([stored_HWS[..., :1] / 2.55, lab_HW3[..., 1:]])
                expected_HWC = _rgb_of_lab(exact_HW3)
                if meanings:
                    alpha_HW1 = numbers(rng, 8, 1)
                    stored_HWS = np.dstack([stored_HWS, alpha_HW1])
                    expected_HWC = np.dstack([expected_HWC, alpha_HW1 / 255])
                yield Odd(
                    name=f"CIELAB, planes {planes}, compression {compression}, extra {meanings}",
                    suffix=".tif",
                    data=tiffs.tiff(
                        stored_HWS, photometric=LAB, planes=planes, compression=compression,
                        extra=meanings or None,
                    ),
                    expected_HWC=expected_HWC,
                    tolerance=0.6 / 255,
                )  # fmt: skip


# sRGB and CIELAB at D50, as IEC 61966-2-1 and the ICC's profile connection space define them.
_XYZ_OF_RGB = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169],
     [0.0139322, 0.0971045, 0.7141733]]
)  # fmt: skip
_WHITE = np.array([0.9642, 1.0, 0.8249])


def lab(rgb_HW3: Unit) -> Unit:
    linear_HW3 = np.where(rgb_HW3 <= 0.04045, rgb_HW3 / 12.92, ((rgb_HW3 + 0.055) / 1.055) ** 2.4)
    t_HW3 = linear_HW3 @ _XYZ_OF_RGB.T / _WHITE
    f_HW3 = np.where(t_HW3 > 216 / 24389, np.cbrt(t_HW3), (24389 / 27 * t_HW3 + 16) / 116)
    x, y, z = np.moveaxis(f_HW3, 2, 0)
    return np.dstack([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def _rgb_of_lab(lab_HW3: Unit) -> Unit:
    lightness, a, b = np.moveaxis(lab_HW3, 2, 0)
    y = (lightness + 16) / 116
    f_HW3 = np.dstack([y + a / 500, y, y - b / 200])
    t_HW3 = np.where(f_HW3 > 6 / 29, f_HW3**3, (116 * f_HW3 - 16) * 27 / 24389)
    linear_HW3 = np.clip(t_HW3 * _WHITE @ np.linalg.inv(_XYZ_OF_RGB).T, 0, 1)
    curved_HW3 = 1.055 * linear_HW3 ** (1 / 2.4) - 0.055
    return np.where(linear_HW3 <= 0.0031308, 12.92 * linear_HW3, curved_HW3)


def refused_tiffs(seed: int = 8) -> Iterator[Odd]:
    """Yield TIFF files of traits that are refused, each with the words that name the trait."""
    rng = np.random.default_rng(seed)
    values_HW1, values_HW3 = numbers(rng, 8, 1), numbers(rng, 8, 3)
    tiff = tiffs.tiff
    complex_HW = rng.uniform(0, 1, (HEIGHT, WIDTH)).astype(np.complex64)
    without = tiff(values_HW1, photometric=1).replace(_entry(262, 1), _entry(65000, 1))
    mixed = tiff(values_HW3, more={258: [8, 8, 4]})
    for words, data in {
        "no photometric interpretation": without,
        "unsigned samples of 32 bits": tiff(values_HW1, bits=32, photometric=1),
        "signed samples of 32 bits": tiff(values_HW1, bits=32, form=2, photometric=1),
        "signed samples of 64 bits": tiff(values_HW1, bits=64, form=2, photometric=1),
        "complex numbers": _written(complex_HW, photometric="minisblack"),
        "not read: ICC Lab": tiff(values_HW3, photometric=9),
        "not read: LogLuv": tiff(values_HW3, photometric=32845),
        "not read: a mask": tiff(values_HW1, photometric=4),
        "CIELAB colours of 16 bits": tiff(values_HW3, bits=16, photometric=8),
        "different bits: 8, 8, 4": mixed,
        "has 1 samples a pixel where its colours need 3": tiff(values_HW1, photometric=2),
        "inks other than": tiff(numbers(rng, 8, 4), photometric=5, more={332: [2]}),
        "YCbCr colours without compression": tiff(values_HW3, photometric=6),
        "JPEG, fax or YCbCr data of other": tiff(
            values_HW3, bits=16, photometric=6, compression=tiffs.DEFLATE),
        "a volume": tiff(values_HW1, photometric=1, more={32997: [5], 257: [1]}, rows=5),
        "is compressed in a way that is not read: JPEG2000": _written(
            values_HW3.astype(np.uint8), photometric="rgb", compression="jpeg2000"),
    }.items():  # fmt: skip
        shape = (1, WIDTH, 3) if words == "a volume" else (HEIGHT, WIDTH, 3)
        yield Odd(
            name=words, suffix=".tif", data=data, refused=words,
            expected_HWC=np.broadcast_to(values_HW1[: shape[0]] / 255, shape),
        )  # fmt: skip


def _entry(tag: int, value: int) -> bytes:
    """Return a directory's entry of one number, as it stands in the file."""
    return struct.pack("<HHIHH", tag, 3, 1, value, 0)


def _written(values: NDArray[Any], **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()
