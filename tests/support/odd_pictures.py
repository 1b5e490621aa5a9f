"""PNG, TGA, BMP, PNM and JPEG 2000 files of every kind that headers allow, with their values.

H/W height and width, C channels as in a picture (1 grey, 2 grey and alpha, 3 RGB, 4 RGB and
alpha), 2, 3 and 4 channels, I entries of a palette.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import imagecodecs
import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image

from support import bitmaps, pngs
from support.odd_tiffs import HEIGHT, WIDTH, Odd, numbers, with_alpha

READS_ALL_TGA = int(PIL.__version__.partition(".")[0]) >= 13
"""Whether this Pillow reads palettes of 32 bits; older ones call them damaged."""


def png_pictures(seed: int = 3) -> Iterator[Odd]:
    """Yield PNG files of every colour type, depth and interlacing, with transparency too."""
    rng = np.random.default_rng(seed)
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
    for colour, count in channels.items():
        depths = {0: (1, 2, 4, 8, 16), 3: (1, 2, 4, 8)}.get(colour, (8, 16))
        for depth in depths:
            for interlaced in (False, True):
                for key in (False, True) if colour in (0, 2, 3) else (False,):
                    values_HWC = numbers(rng, depth, count)
                    expected_HWC, more = values_HWC / (2.0**depth - 1), b""
                    if key and colour != 3:
                        see_HW1 = (values_HWC != values_HWC[2, 3]).any(axis=2)
                        expected_HWC = np.dstack([expected_HWC, see_HW1])
                        more = pngs.chunk(b"tRNS", values_HWC[2, 3].astype(">u2").tobytes())
                    if colour == 3:
                        palette_I3 = rng.integers(0, 256, (2**depth, 3), dtype=np.uint8)
                        expected_HWC = palette_I3[values_HWC[..., 0]] / 255
                        more = pngs.chunk(b"PLTE", palette_I3.tobytes())
                        if key:
                            alpha_I = rng.integers(0, 256, 2**depth, dtype=np.uint8)
                            alpha_HW = alpha_I[values_HWC[..., 0]] / 255
                            expected_HWC = np.dstack([expected_HWC, alpha_HW])
                            more += pngs.chunk(b"tRNS", alpha_I.tobytes())
                    yield Odd(
                        name=f"PNG, colour type {colour}, {depth} bits, interlaced {interlaced}, "
                        f"transparent colour {key}",
                        suffix=".png",
                        data=pngs.png(
                            values_HWC, depth=depth, colour=colour, interlaced=interlaced, more=more
                        ),
                        expected_HWC=expected_HWC,
                    )


def tga_pictures(seed: int = 4) -> Iterator[Odd]:
    """Yield TGA files with and without alpha, as the descriptor and the extension area say."""
    rng = np.random.default_rng(seed)
    for packed in (False, True):
        for from_right in (False, True):
            for from_bottom in (False, True):
                for alpha_bits, attributes in (
                    (0, None), (8, None), (8, 0), (8, 1), (8, 2), (8, 3), (8, 4), (0, 3),
                ):  # fmt: skip
                    values_HW4 = numbers(rng, 8, 4)
                    stored_HW4 = values_HW4[..., [2, 1, 0, 3]].astype(np.uint8)
                    unit_HW4 = values_HW4 / 255
                    meaning = 0 if not alpha_bits or attributes in (0, 1, 2) else 2
                    meaning = 1 if meaning and attributes == 4 else meaning
                    yield Odd(
                        name=f"TGA, {alpha_bits} bits of alpha, attributes {attributes}, packed "
                        f"{packed}, from the right {from_right}, from the bottom {from_bottom}",
                        suffix=".tga",
                        data=bitmaps.tga(
                            [row.tobytes() for row in stored_HW4], WIDTH, 32,
                            kind=2, alpha_bits=alpha_bits, attributes=attributes, packed=packed,
                            from_right=from_right, from_bottom=from_bottom,
                        ),
                        expected_HWC=with_alpha(unit_HW4[..., :3], unit_HW4[..., 3:], (meaning,)),
                    )  # fmt: skip
    for alpha_bits in (0, 8):
        values_HW2 = numbers(rng, 8, 2)
        rows = [row.astype(np.uint8).tobytes() for row in values_HW2]
        unit_HW2 = values_HW2 / 255
        yield Odd(
            name=f"TGA, grey with {alpha_bits} bits of alpha",
            suffix=".tga",
            data=bitmaps.tga(rows, WIDTH, 16, kind=3, alpha_bits=alpha_bits),
            expected_HWC=unit_HW2 if alpha_bits else unit_HW2[..., :1],
        )
        if not READS_ALL_TGA:
            continue
        palette_I4 = rng.integers(0, 256, (16, 4), dtype=np.uint8)
        values_HW = numbers(rng, 4, 1)[..., 0]
        shown_HW4 = palette_I4[:, [2, 1, 0, 3]][values_HW] / 255
        yield Odd(
            name=f"TGA, palette with {alpha_bits} bits of alpha",
            suffix=".tga",
            data=bitmaps.tga(
                [row.astype(np.uint8).tobytes() for row in values_HW], WIDTH, 8, kind=1,
                alpha_bits=alpha_bits, palette=palette_I4.tobytes(), entries=16, entry_bits=32,
            ),
            expected_HWC=shown_HW4 if alpha_bits else shown_HW4[..., :3],
        )  # fmt: skip
    for alpha_bits in (0, 1):
        values_HW3 = numbers(rng, 5, 3)
        words_HW = values_HW3 @ (1 << 10, 1 << 5, 1) + (numbers(rng, 1, 1)[..., 0] << 15)
        yield Odd(
            name=f"TGA, 16 bits a pixel with {alpha_bits} of alpha",
            suffix=".tga",
            data=bitmaps.tga(
                [row.astype("<u2").tobytes() for row in words_HW], WIDTH, 16, alpha_bits=alpha_bits
            ),
            expected_HWC=values_HW3 / 31,
            refused="one bit of alpha" if alpha_bits else "",
            tolerance=1 / 255,
        )


def bmp_pictures(seed: int = 5) -> Iterator[Odd]:
    """Yield BMP files of every depth, with palettes and with bit masks."""
    rng = np.random.default_rng(seed)
    whole = (0xFF0000, 0xFF00, 0xFF)
    ways: list[tuple[int, int, int, tuple[int, ...], str]] = [
        (32, 40, 0, (), ""),
        (32, 108, 0, (*whole, 0xFF000000), ""),
        (32, 40, 3, whole, ""),
        (32, 108, 3, (*whole, 0), ""),
        (32, 124, 3, (*whole, 0xFF000000), ""),
        (32, 108, 3, (0, 0, 0, 0), "bit masks"),
        (32, 108, 3, (0x3FF00000, 0xFFC00, 0x3FF, 0), "nsupported BMP bitfields"),
        (24, 40, 0, (), ""),
        (16, 40, 0, (), ""),
        (16, 40, 3, (0x7C00, 0x3E0, 0x1F), ""),
        (16, 40, 3, (0xF800, 0x7E0, 0x1F), ""),
        (16, 108, 3, (0x7C00, 0x3E0, 0x1F, 0x8000), "bit masks"),
        (16, 108, 3, (0xF00, 0xF0, 0xF, 0xF000), "nsupported BMP bitfields"),
        (16, 108, 3, (0xF00, 0xF0, 0xF, 0), "nsupported BMP bitfields"),
    ]
    for bits, header, compression, masks, refused in ways:
        for top_down in (False, True):
            said = masks[:3] if any(masks) else (whole if bits > 16 else (0x7C00, 0x3E0, 0x1F))
            alpha = masks[3:] if compression and any(masks[3:]) else ()
            most = [mask >> _low(mask) for mask in (*said, *alpha)]
            values_HWC = np.dstack([rng.integers(0, top + 1, (HEIGHT, WIDTH)) for top in most])
            shifts = [1 << _low(mask) for mask in (*said, *alpha)]
            words_HW = (values_HWC * shifts).sum(axis=2)
            if bits == 32 and not alpha:
                words_HW |= numbers(rng, 8, 1)[..., 0] << 24 if max(said) < 1 << 24 else 0
            lines = words_HW.astype("<u4").view(np.uint8).reshape(HEIGHT, WIDTH, 4)
            rows = [line[:, : bits // 8].tobytes() for line in lines]
            yield Odd(
                name=f"BMP, {bits} bits, header of {header}, compression {compression}, masks "
                f"{[hex(mask) for mask in masks]}, from the top {top_down}",
                suffix=".bmp",
                data=bitmaps.bmp(
                    rows, WIDTH, bits, header=header, compression=compression, masks=masks,
                    top_down=top_down,
                ),
                expected_HWC=values_HWC / np.array(most, dtype=float),
                refused=refused,
                tolerance=1 / 255 if bits == 16 else 1e-6,
            )  # fmt: skip
    yield from _palette_bmps(rng)


def _low(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


def _palette_bmps(rng: np.random.Generator) -> Iterator[Odd]:
    grey = np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1)
    made: list[tuple[int, NDArray[np.uint8], str]] = [
        (bits, rng.integers(0, 256, (2**bits, 3), dtype=np.uint8), "") for bits in (1, 4, 8)
    ]
    made += [(1, grey[[0, 255]], ""), (1, grey[[255, 0]], ""), (8, grey, ""), (8, grey[::-1], "")]
    made += [(8, grey[[0, 255]], "that Pillow reads wrongly")]
    made += [(4, grey[:16], "that Pillow reads wrongly"), (4, grey[::17], "")]
    for bits, palette_I3, refused in made:
        values_HW1 = rng.integers(0, len(palette_I3), (HEIGHT, WIDTH, 1))
        if refused and bits == 4:
            values_HW1 = values_HW1[:, :4]  # wider ones give an error and no wrong picture
        entries_I4 = np.pad(palette_I3[:, ::-1], ((0, 0), (0, 1)))
        places = np.arange(bits - 1, -1, -1)
        rows = [np.packbits((row >> places & 1).astype(np.uint8)).tobytes() for row in values_HW1]
        colours_HW3 = palette_I3[values_HW1[..., 0]] / 255
        is_grey = (bits == 1 and (palette_I3 == grey[[0, 255]]).all()) or palette_I3 is grey
        yield Odd(
            name=f"BMP, {bits} bits, palette of {len(palette_I3)} from {palette_I3[0].tolist()}",
            suffix=".bmp",
            data=bitmaps.bmp(
                rows,
                values_HW1.shape[1],
                bits,
                palette=entries_I4.tobytes(),
                colours=len(palette_I3),
            ),
            expected_HWC=colours_HW3[..., :1] if is_grey else colours_HW3,
            refused=refused,
        )


def netpbm_pictures(seed: int = 6) -> Iterator[Odd]:
    """Yield PBM, PGM and PPM files, binary and plain, of several greatest values, and PFM."""
    rng = np.random.default_rng(seed)
    for most in (1, 3, 100, 255, 1023, 65535):
        for channels in (1, 3):
            for plain in (False, True):
                values_HWC = rng.integers(0, most + 1, (HEIGHT, WIDTH, channels))
                values_HWC[0, 0], values_HWC[0, 1] = 0, most
                number = (2 if channels == 1 else 3) + (0 if plain else 3)
                if plain:
                    body = " ".join(map(str, values_HWC.ravel().tolist())).encode()
                else:
                    body = values_HWC.astype(">u2" if most > 255 else np.uint8).tobytes()
                yield Odd(
                    name=f"P{number}, at most {most}",
                    suffix=".ppm",
                    data=f"P{number}\n{WIDTH} {HEIGHT}\n{most}\n".encode() + body,
                    expected_HWC=values_HWC / most,
                    tolerance=0.51 / 255 if channels == 3 or most <= 255 else 0.51 / 65535,
                )
    for plain in (False, True):
        ink_HW1 = numbers(rng, 1, 1)
        body = b"".join(np.packbits(row.astype(np.uint8)).tobytes() for row in ink_HW1)
        if plain:
            body = " ".join(map(str, ink_HW1.ravel().tolist())).encode()
        yield Odd(
            name=f"P{1 if plain else 4}",
            suffix=".pbm",
            data=f"P{1 if plain else 4}\n{WIDTH} {HEIGHT}\n".encode() + body,
            expected_HWC=1.0 - ink_HW1,
        )
    for order in ("<", ">"):
        for top in (1.0, 1.5):
            values_HW1 = rng.uniform(0, top, (HEIGHT, WIDTH, 1)).astype(np.float32)
            values_HW1[0, 0] = top
            body = values_HW1[::-1].astype(f"{order}f4").tobytes()
            yield Odd(
                name=f"PFM, order {order}, at most {top}",
                suffix=".pfm",
                data=f"Pf\n{WIDTH} {HEIGHT}\n{'-' if order == '<' else ''}1.0\n".encode() + body,
                expected_HWC=values_HW1.astype(float),
                refused="floating-point values outside [0, 1]" if top > 1 else "",
            )


def jpeg2000_pictures(seed: int = 7) -> Iterator[Odd]:
    """Yield lossless JPEG 2000 of several depths, with and without a box that names alpha."""
    rng = np.random.default_rng(seed)
    for form in ("jp2", "j2k"):
        for bits in (4, 8, 10, 12, 16):
            for channels in (1, 2, 3, 4):
                values_HWC = np.repeat(np.repeat(numbers(rng, bits, channels), 4, 0), 4, 1)
                kind = np.uint16 if bits > 8 else np.uint8
                data = imagecodecs.jpeg2k_encode(
                    values_HWC.astype(kind), codecformat=form, reversible=True, level=0,
                    bitspersample=bits, planar=False,
                )  # fmt: skip
                colours_HWC = values_HWC[..., : 3 if channels > 2 else 1]
                yield Odd(
                    name=f"JPEG 2000, {form}, {bits} bits, {channels} channels, none named alpha",
                    suffix=f".{form}",
                    data=data,
                    expected_HWC=colours_HWC / (2.0**bits - 1),
                )
        for kind in (np.int8, np.int16):
            values_HW = rng.integers(-100, 100, (20, 30)).astype(kind)
            yield Odd(
                name=f"JPEG 2000, {form}, {kind.__name__}",
                suffix=f".{form}",
                data=imagecodecs.jpeg2k_encode(
                    values_HW, codecformat=form, reversible=True, level=0
                ),
                expected_HWC=(values_HW[..., None] + 100.0) / 200,
                refused="signed samples",
            )
    for mode, channels in (("LA", 2), ("RGBA", 4)):
        levels_HWC = rng.integers(0, 256, (20, 30, channels), dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(levels_HWC, mode).save(file, "JPEG2000")  # writes the box
        yield Odd(
            name=f"JPEG 2000, {mode}, alpha named",
            suffix=".jp2",
            data=file.getvalue(),
            expected_HWC=levels_HWC / 255,
        )
