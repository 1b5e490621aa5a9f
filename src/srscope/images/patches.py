"""Whole photographs as patches, cut when they are asked for.

Suffixes: N patches, P photographs, H/W height and width, 2 top and left, 3 red, green and blue.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from srscope.errors import ImageError, ParameterError
from srscope.images.record import PhotoFile, Photograph, PhotoSet, pixel_mark


@dataclass(frozen=True, kw_only=True)
class Patches:
    """All patches of photographs: ``patches[a:b]`` decodes what it needs, one photograph at a time.

    Args:
        photographs: In their order; each is covered wholly.
        patch: Side of a patch, in pixels.
        photograph_N: Index of each patch's photograph.
        place_N2: Its top and left pixel there.
        source: Where the photographs come from.
        skipped: (file, reason) of each that gives no patch.
    """

    photographs: tuple[Photograph | PhotoFile, ...]
    patch: int
    photograph_N: NDArray[np.int64]
    place_N2: NDArray[np.int64]
    source: str
    skipped: tuple[tuple[str, str], ...]
    _decoded: dict[int, NDArray[np.float32]] = field(
        default_factory=dict[int, NDArray[np.float32]], repr=False, compare=False
    )

    def __len__(self) -> int:
        """Return N."""
        return len(self.photograph_N)

    def __getitem__(self, key: slice, /) -> NDArray[np.float32]:
        """Return the patches of a range, (B, 3, H, W).

        Raises:
            ImageError: If a photograph has gone or changed.
        """
        batch = [
            self._pixels(int(photograph))[top : top + self.patch, left : left + self.patch]
            for photograph, (top, left) in zip(
                self.photograph_N[key], self.place_N2[key], strict=True
            )
        ]
        return np.ascontiguousarray(np.stack(batch).transpose(0, 3, 1, 2))

    def _pixels(self, photograph: int) -> NDArray[np.float32]:
        if photograph not in self._decoded:
            self._decoded.clear()  # one in memory: patches come photograph by photograph
            found = self.photographs[photograph]
            pixels_HW3 = found.pixels_HW3
            if pixels_HW3.shape[:2] != tuple(found.size_HW):
                raise ImageError(found.name, "has changed since its size was read", "start again")
            self._decoded[photograph] = pixels_HW3
        return self._decoded[photograph]


def cut_patches(photos: PhotoSet, *, patch: int) -> Patches:
    """Cover every photograph with patches.

    They stand side by side from the top left corner on; the last row and column are moved back
    until they end with the photograph, so that these may overlap the ones before.

    Args:
        photos: The photographs. Each is decoded once here, to leave the damaged ones out.
        patch: Side of a patch, in pixels.

    Raises:
        ParameterError: If ``patch`` is below 1.
        ImageError: If no photograph is as large as a patch, or none can be read.

    Example:
        >>> photo = Photograph(name="a", pixels_HW3=np.zeros((8, 20, 3), np.float32))
        >>> patches = cut_patches(PhotoSet(photographs=(photo,), source="example"), patch=8)
        >>> patches.place_N2.tolist(), patches[1:].shape
        ([[0, 0], [0, 8], [0, 12]], (2, 3, 8, 8))
    """
    if patch < 1:
        raise ParameterError("patch", "1 pixel or more", patch)
    skipped = list(photos.skipped)
    usable: list[Photograph | PhotoFile] = []
    photograph_N: list[int] = []
    place_N2: list[tuple[int, int]] = []
    first_of: dict[tuple[tuple[int, int], bytes], str] = {}
    for photo in photos.photographs:
        height, width = photo.size_HW
        if min(height, width) < patch:
            skipped.append((photo.name, f"{width}x{height} is smaller than {patch}x{patch}"))
            continue
        try:
            mark = pixel_mark(photo.pixels_HW3)
        except ImageError as error:
            skipped.append((photo.name, error.problem))
            continue
        same = first_of.setdefault((photo.size_HW, mark), photo.name)
        if same != photo.name:
            skipped.append((photo.name, f"is the same picture as {same}"))
            continue
        places = [(top, left) for top in _starts(height, patch) for left in _starts(width, patch)]
        photograph_N += [len(usable)] * len(places)
        place_N2 += places
        usable.append(photo)
    if not usable:
        name, reason = skipped[-1]
        problem = f"no photograph can be used; the last: {name} {reason}"
        raise ImageError(photos.source, problem, "give larger photographs or a smaller patch")
    return Patches(
        photographs=tuple(usable),
        patch=patch,
        photograph_N=np.asarray(photograph_N, np.int64),
        place_N2=np.asarray(place_N2, np.int64).reshape(-1, 2),
        source=photos.source,
        skipped=tuple(skipped),
    )


def _starts(length: int, patch: int) -> list[int]:
    starts = list(range(0, length - patch + 1, patch))
    return starts if starts[-1] + patch == length else [*starts, length - patch]
