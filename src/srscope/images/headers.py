"""What the headers of TGA, BMP and JPEG 2000 say that Pillow does not look at.

Pillow takes a fourth channel of TGA for alpha, whatever the header says of it; some BMP files it
reads wrongly.

Sources: Truevision TGA file format specification 2.0 (fields 5.6 and 24); Windows GDI
(BITMAPINFOHEADER, BITMAPV4HEADER).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Literal

from PIL import Image

from srscope.errors import ImageError
from srscope.images.boxes import jpeg2000_header

Alpha = Literal["none", "straight", "premultiplied"]
_TGA_END = b"TRUEVISION-XFILE.\0"
_AS_PNG = "save it as PNG with another program"


def alpha_of(image: Image.Image, path: Path) -> Alpha:
    """Return what the channel beside the colours of an opened image is, by its header.

    Raises:
        ImageError: If the header says something that would be read wrongly.
    """
    if image.format == "JPEG2000":
        header = jpeg2000_header(path)
        if not header.alpha:
            return "none"
        return "premultiplied" if header.premultiplied else "straight"
    if image.format in ("BMP", "DIB"):
        _check_bmp(image, path)
    elif image.format == "TGA":
        return _of_tga(path)
    return "straight" if image.has_transparency_data else "none"


def _of_tga(path: Path) -> Alpha:
    with path.open("rb") as file:
        header = file.read(18)
        has_palette, bits_of_entry, bits, alpha_bits = header[1], header[7], header[16], header[17]
        length = file.seek(0, 2)
        file.seek(max(0, length - 26))
        end, kind = file.read(26), None
        if end[8:] == _TGA_END:
            (extension,) = struct.unpack_from("<I", end)
            if 0 < extension < length - 494:
                file.seek(extension + 494)
                kind = file.read(1)[0]
    if alpha_bits & 0x0F == 0 or kind in (0, 1, 2):  # 1 and 2: what is there has no meaning
        return "none"
    of_colour = bits_of_entry if has_palette else bits
    if of_colour == 16 and header[2] not in (3, 11):
        problem = "has one bit of alpha in 16 bits, which programs read in opposite ways"
        raise ImageError(path, problem, "save it with 24 or 32 bits a pixel, or as PNG")
    if of_colour in (8, 24):  # there is no room for it
        return "none"
    return "premultiplied" if kind == 4 else "straight"


def _check_bmp(image: Image.Image, path: Path) -> None:
    with path.open("rb") as file:
        data = file.read(70)
    if data[:2] == b"BM":
        data = data[14:]
    (size,) = struct.unpack_from("<I", data)
    if size < 40:
        return
    bits, compression = struct.unpack_from("<HI", data, 14)
    if compression == 3:
        masks = struct.unpack_from("<4I" if size >= 56 else "<3I", data, 40)
        if not any(masks) or (bits == 16 and any(masks[3:])):
            problem = "says by bit masks where its colours and its alpha are, in a way not read"
            raise ImageError(path, problem, _AS_PNG)
    if (image.mode == "1" and bits != 1) or (image.mode == "L" and bits != 8):
        problem = f"has {bits} bits a pixel with a palette that Pillow reads wrongly"
        raise ImageError(path, problem, _AS_PNG)
