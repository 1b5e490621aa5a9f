"""A perceptual hash: small for two editions of one photograph, about 31 for two photographs.

63 bits: the signs of the lowest cosine frequencies of the luma, 8 by 8 of them without the mean.
Size, sharpness, compression, brightness and contrast hardly change them. Hashes are 16 hex digits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE, FREQUENCIES = 32, 8


def perceptual_hash(image: Image.Image) -> str:
    """Return the hash of a picture."""
    small = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    luma_HW = np.asarray(small, dtype=np.float64)
    basis_FS = _basis()
    return _packed((basis_FS @ luma_HW @ basis_FS.T) > 0)


def mirrored(digest: str) -> str:
    """Return the hash of the same picture, left and right exchanged: odd cosines change sign."""
    bits_FF = _unpacked(digest)
    bits_FF[:, 1::2] = ~bits_FF[:, 1::2]
    return _packed(bits_FF)


def distance(digest: str, other: str) -> int:
    """Return in how many of 63 bits two hashes differ."""
    return (int(digest, 16) ^ int(other, 16)).bit_count()


def nearest(digest: str, others: dict[str, str]) -> tuple[int, str]:
    """Return the smallest distance to ``others``, mirrored ones too, and whose it is."""
    flipped = mirrored(digest)
    return min(
        (min(distance(digest, other), distance(flipped, other)), name)
        for name, other in others.items()
    )


def _basis() -> NDArray[np.float64]:
    """Return the cosines of the lowest frequencies, one a row."""
    positions_S = np.arange(SIDE) + 0.5
    frequencies_F1 = np.arange(FREQUENCIES)[:, None]
    return np.cos(np.pi / SIDE * frequencies_F1 * positions_S)


def _packed(bits_FF: NDArray[np.bool_]) -> str:
    # The first is the mean's: always positive, it tells nothing.
    bits = "".join("01"[int(bit)] for bit in bits_FF.ravel()[1:])
    return f"{int(bits, 2):016x}"


def _unpacked(digest: str) -> NDArray[np.bool_]:
    bits = f"1{int(digest, 16):063b}"
    return np.array([bit == "1" for bit in bits]).reshape(FREQUENCIES, FREQUENCIES)
