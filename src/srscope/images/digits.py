"""Handwritten digits on photographs, in the manner of MNIST-M: a classification test set offline.

The digits are scikit-learn's: the test part of UCI's "optical recognition of handwritten digits",
1,797 images of 8x8 by 13 people. Who wrote which is not recorded, but the order shows it: the
labels run 14 times through the same sequence of about 130 digits, the text of a preprinted form.
Each run is taken for one sheet by one person. (Nearest neighbours agree: in every run 38 to 68 %
of the digits resemble another one of their own run most, where chance is 7 %.)

The split is by whole sheets: eight for testing, the fewest that hold 100 of each digit, and six
for training. 14 sheets by 13 people mean that one person filled in two, and which is not known.
So the eight were chosen, by this likeness alone and before any training, such that the pairs of
sheets that resemble each other most lie on one side: of the 91 pairs, the ten most alike are
not divided. That a person stands on both sides is unlikely, not impossible.

Suffixes: N images, S sheets, K photographs, P pixels, H/W height and width, 3 red, green, blue.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from srscope.errors import ImageError, ParameterError
from srscope.images.bundled import load_bundled
from srscope.images.cifar10 import ClassImages
from srscope.images.record import Contents, PhotoSet

SIDE = 32
"""Side of an image, in pixels."""
DIGIT = 24
"""Side of the digit in it."""
WANDER = 2
"""Most pixels that a digit stands off the middle, along one side."""
REDUCTION = 4
"""Photographs are reduced by this first: at full size, 32 pixels hold little but plain colour."""
CLASSES = tuple("0123456789")
PER_CLASS = 100

SHEET_STARTS = (
    0, 130, 256, 386, 516, 646, 776, 906, 1029, 1157, 1287, 1415, 1545, 1667,
)  # fmt: skip
"""First row of every sheet; the eighth lacks its first 0."""
TEST_SHEETS = (0, 1, 3, 6, 7, 8, 11, 13)
"""Indices of the sheets that are tested on; the others are for training."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Digits:
    """Handwritten digits.

    Args:
        ink_N88: How much ink each pixel holds, float32 in [0, 1].
        labels_N: The digits they stand for.
        rows_N: Their rows in scikit-learn's data set.
    """

    ink_N88: NDArray[np.float32]
    labels_N: NDArray[np.int64]
    rows_N: NDArray[np.int64]


def held_out_digits() -> Digits:
    """Return the digits of the sheets for testing, in scikit-learn's order."""
    return _digits(testing=True)


def training_digits() -> Digits:
    """Return the digits of all other sheets."""
    return _digits(testing=False)


@functools.cache
def _digits(*, testing: bool) -> Digits:
    # Imported here, as scikit-learn takes its time.
    from sklearn.datasets import load_digits

    levels_NP, labels_N = load_digits(return_X_y=True)
    sheet_N = np.searchsorted(SHEET_STARTS, np.arange(len(labels_N)), side="right") - 1
    rows_N = np.flatnonzero(np.isin(sheet_N, TEST_SHEETS) == testing)
    return Digits(
        ink_N88=np.asarray(levels_NP[rows_N], dtype=np.float32).reshape(-1, 8, 8) / np.float32(16),
        labels_N=np.asarray(labels_N[rows_N], dtype=np.int64),
        rows_N=rows_N.astype(np.int64),
    )


def enlarge(ink_N88: NDArray[np.float32]) -> NDArray[np.float32]:
    """Enlarge digits smoothly and put each in the middle of an empty image.

    Args:
        ink_N88: Ink in [0, 1].

    Returns:
        Ink in [0, 1], (N, 32, 32): the digit by cubic splines on 24x24, empty around it.
    """
    from scipy.ndimage import zoom

    # Splines are linear and separable, so one matrix does all images; outside, there is no ink.
    rise = np.asarray(
        zoom(np.eye(8), (DIGIT / 8, 1), order=3, mode="grid-constant", grid_mode=True),
        dtype=np.float64,
    )
    large = np.einsum("ai,nij,bj->nab", rise, ink_N88, rise, optimize=True)
    empty = (SIDE - DIGIT) // 2
    around = ((0, 0), (empty, empty), (empty, empty))
    return np.pad(np.clip(large, 0, 1), around).astype(np.float32)


def blend(patches_NHW3: NDArray[np.float32], ink_NHW: NDArray[np.float32]) -> NDArray[np.float32]:
    """Invert photographs where there is ink: the absolute difference of the two.

    Args:
        patches_NHW3: RGB in [0, 1].
        ink_NHW: Ink in [0, 1].

    Returns:
        RGB in [0, 1], of the patches' shape.

    Source: Ganin et al. 2016, Domain-adversarial training of neural networks (MNIST-M).

    Example:
        >>> red_1113 = np.array([[[[0.75, 0.0, 0.25]]]], dtype=np.float32)
        >>> blend(red_1113, np.ones((1, 1, 1), dtype=np.float32)).tolist()
        [[[[0.25, 1.0, 0.75]]]]
    """
    return np.abs(patches_NHW3 - ink_NHW[..., None])


@dataclass(frozen=True, kw_only=True, slots=True)
class PatchPool:
    """Reduced photographs in memory, for cutting many patches at once.

    Args:
        pixels_P3: All photographs' pixels, one after the other, by rows.
        start_K: Where each photograph begins.
        size_K2: Its height and width.
        names: Its name.
        skipped: (file, reason) for each photograph that could not be used.
    """

    pixels_P3: NDArray[np.uint8]
    start_K: NDArray[np.int64]
    size_K2: NDArray[np.int64]
    names: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, photos: PhotoSet) -> Self:
        """Read photographs and reduce them by averaging squares of ``REDUCTION`` pixels.

        Raises:
            ImageError: If none can be used; damaged ones and those too small are left out.
        """
        least = SIDE * REDUCTION
        usable = [photo for photo in photos.photographs if min(photo.size_HW) >= least]
        if not usable:
            raise ImageError(
                photos.source,
                f"no photograph is as large as {least}x{least} pixels",
                "give larger photographs",
            )
        skipped = list(photos.skipped)
        reduced: list[NDArray[np.uint8]] = []
        names: list[str] = []
        for photo in usable:
            try:
                reduced.append(_reduce(photo.pixels_HW3))
                names.append(photo.name)
            except ImageError as error:  # damage shows only when pixels are decoded
                skipped.append((photo.name, error.problem))
        if not reduced:
            name, reason = skipped[-1]
            raise ImageError(photos.source, f"no photograph can be read; the last: {name} {reason}")
        sizes = [image_HW3.shape[:2] for image_HW3 in reduced]
        ends = np.cumsum([math.prod(size) for size in sizes], dtype=np.int64)
        return cls(
            pixels_P3=np.concatenate([image_HW3.reshape(-1, 3) for image_HW3 in reduced]),
            start_K=np.concatenate([[0], ends[:-1]]),
            size_K2=np.asarray(sizes, dtype=np.int64),
            names=tuple(names),
            skipped=tuple(skipped),
        )

    def cut(self, which_N: NDArray[np.int64], where_N2: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Cut patches.

        Args:
            which_N: Indices of photographs.
            where_N2: Place of each patch: 0 is the top or left edge, 1 (exclusive) the other.

        Returns:
            RGB levels, (N, 32, 32, 3).
        """
        size_N2 = self.size_K2[which_N]
        corner_N2 = np.floor(where_N2 * (size_N2 - SIDE + 1)).astype(np.int64)
        width_N = size_N2[:, 1]
        first_N = self.start_K[which_N] + corner_N2[:, 0] * width_N + corner_N2[:, 1]
        step = np.arange(SIDE)
        rows_NH = first_N[:, None] + step * width_N[:, None]
        return self.pixels_P3[rows_NH[:, :, None] + step]


def _reduce(image_HW3: NDArray[np.float32]) -> NDArray[np.uint8]:
    height, width = (side // REDUCTION for side in image_HW3.shape[:2])
    whole_HW3 = image_HW3[: height * REDUCTION, : width * REDUCTION]
    squares = whole_HW3.reshape(height, REDUCTION, width, REDUCTION, 3)
    return np.rint(squares.mean(axis=(1, 3)) * 255).astype(np.uint8)


def digits_test(
    *, per_class: int = PER_CLASS, seed: int = 0, photos: PhotoSet | None = None
) -> ClassImages:
    """Return digits on patches of photographs, which nothing here is trained on.

    Every digit is used once, on a patch of its own; the photographs take turns.

    Args:
        per_class: Images of each digit, 1 to 100.
        seed: Decides which digits, on which patches and where on them.
        photos: The photographs; the bundled test photographs unless given.

    Returns:
        ``10 * per_class`` images in steps of 1/255, class by class.

    Raises:
        ParameterError: If ``per_class`` is out of range.
        ImageError: If no photograph is large enough.
    """
    if not 1 <= per_class <= PER_CLASS:
        raise ParameterError("per_class", f"between 1 and {PER_CLASS}", per_class)
    random = np.random.default_rng(seed)
    digits = held_out_digits()
    chosen_N = np.concatenate(
        [
            np.sort(random.permutation(np.flatnonzero(digits.labels_N == label))[:per_class])
            for label in range(len(CLASSES))
        ]
    )
    pool = PatchPool.of(photos or load_bundled("test"))
    count = len(chosen_N)
    photo_N = random.permutation(count) % len(pool.names)
    patches_NHW3 = pool.cut(photo_N, random.random((count, 2))).astype(np.float32) / np.float32(255)
    ink_NHW = _shifted(
        enlarge(digits.ink_N88[chosen_N]), random.integers(-WANDER, WANDER + 1, (count, 2))
    )
    labels_N = digits.labels_N[chosen_N]
    levels_NHW3 = np.rint(blend(patches_NHW3, ink_NHW) * 255)
    contents = Contents(
        crops_NHW3=levels_NHW3.astype(np.float32) / np.float32(255),
        names=tuple(f"{digits.labels_N[n]}#{digits.rows_N[n]}" for n in chosen_N),
        photographs=tuple(pool.names[k] for k in photo_N),
        source="handwritten digits on " + (photos.source if photos else "bundled test photographs"),
        skipped=(),
        margin=0,
        requested=count,
    )
    return ClassImages(contents=contents, labels_N=labels_N, classes=CLASSES)


def _shifted(ink_NHW: NDArray[np.float32], by_N2: NDArray[np.int64]) -> NDArray[np.float32]:
    """Move each digit down and right; what leaves on one side is empty, so wrapping is harmless."""
    step = np.arange(SIDE)
    rows_NH = (step - by_N2[:, :1]) % SIDE
    columns_NW = (step - by_N2[:, 1:]) % SIDE
    image_N = np.arange(len(ink_NHW))
    return ink_NHW[image_N[:, None, None], rows_NH[:, :, None], columns_NW[:, None, :]]
