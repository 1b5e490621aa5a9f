"""Camera RAW files, developed by LibRaw where the package rawpy is installed.

White balance and colours are as the camera set them, in sRGB with LibRaw's default tone curve;
the exposure is left as it is, so that the result does not depend on what else is in the picture.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import ImageError, first_line
from srscope.images.formats import RAW_PROBLEM, RAW_REMEDY, has_raw
from srscope.images.opening import check_size

_LEFT, _RIGHT = 5, 6  # LibRaw's names of turns that exchange the sides


def raw_size(path: Path) -> tuple[int, int]:
    """Return height and width of the developed picture, from the header alone.

    Raises:
        ImageError: If the file is damaged, too large, or rawpy is not installed.
    """
    with _raw(path) as raw:
        return _size(raw)


def read_raw(path: Path) -> NDArray[np.float32]:
    """Develop a RAW file.

    Returns:
        RGB in [0, 1] from 16 bits, shape (H, W, 3).

    Raises:
        ImageError: As :func:`raw_size`.
    """
    with _raw(path) as raw:
        levels_HW3 = raw.postprocess(
            use_camera_wb=True, no_auto_bright=True, adjust_maximum_thr=0.0, output_bps=16
        )
    pixels_HW3 = levels_HW3.astype(np.float32)
    pixels_HW3 /= np.float32(65535)
    return pixels_HW3


@contextlib.contextmanager
def _raw(path: Path) -> Generator[Any]:
    if not has_raw():
        raise ImageError(path, RAW_PROBLEM, RAW_REMEDY)
    rawpy: Any = importlib.import_module("rawpy")
    try:
        with path.open("rb") as file, rawpy.imread(file) as raw:
            check_size(path, *_size(raw))
            yield raw
    except rawpy.LibRawError as error:
        problem = f"is no camera RAW file that LibRaw can develop: {first_line(error)}"
        remedy = "export it as 16-bit TIFF from your RAW converter"
        raise ImageError(path, problem, remedy) from None


def _size(raw: Any) -> tuple[int, int]:
    height, width = raw.sizes.iheight, raw.sizes.iwidth
    return (width, height) if raw.sizes.flip in (_LEFT, _RIGHT) else (height, width)
