"""Degraded images that are made when they are asked for, one photograph at a time.

Suffixes: N images, F files of photographs, H/W height and width.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from srscope.degradations.degrade import degrade
from srscope.degradations.record import SetInfo
from srscope.degradations.suite import Suite
from srscope.errors import ImageError
from srscope.images.contents import crop_contents, shares_of_files
from srscope.images.record import PhotoFile, Photograph, PhotoSet
from srscope.study.inputs import MARGIN

_STAY = 8
"""Photographs whose images stay: a batch may be of several, and is asked for twice."""


@dataclass(frozen=True, kw_only=True)
class StreamedImages:
    """All sets of a suite, photograph by photograph: all its contents in one set, then in the next.

    Args:
        files: The photographs that give a content or more.
        share_F: How many contents each gives.
        suite: The sets.
        patch: Side of an image, in pixels.
        scale: HR pixels to one of these.
        seed: Of the degradations.
        source: Where the photographs come from.
        skipped: (file, reason) of each that gives none.
    """

    files: tuple[Photograph | PhotoFile, ...]
    share_F: NDArray[np.int64]
    suite: Suite
    patch: int
    scale: int
    seed: int
    source: str
    skipped: tuple[tuple[str, str], ...]
    _made: dict[int, tuple[NDArray[np.float32], tuple[SetInfo, ...]]] = field(
        default_factory=dict[int, tuple[NDArray[np.float32], tuple[SetInfo, ...]]],
        repr=False,
        compare=False,
    )

    def __len__(self) -> int:
        """Return N."""
        return int(self.share_F.sum()) * len(self.suite.sets)

    def __getitem__(self, key: slice, /) -> NDArray[np.float32]:
        """Return the images of a range, (B, 3, H, W).

        Raises:
            ImageError: If a photograph cannot be read, or shows what an earlier one shows.
        """
        start, stop, _ = key.indices(len(self))
        end_F = np.cumsum(self.share_F) * len(self.suite.sets)
        parts: list[NDArray[np.float32]] = []
        while start < stop:
            file = int(np.searchsorted(end_F, start, side="right"))
            first = int(end_F[file - 1]) if file else 0
            last = min(stop, int(end_F[file]))
            parts.append(self._of(file)[0][start - first : last - first])
            start = last
        return np.concatenate(parts)

    @property
    def sets(self) -> tuple[SetInfo, ...]:
        """The sets as they are run, with the number of all images in each."""
        count = int(self.share_F.sum())
        return tuple(
            SetInfo(name=each.name, count=count, definition=each.definition)
            for each in self._of(0)[1]
        )

    @property
    def set_N(self) -> NDArray[np.int64]:
        """The set of each image."""
        sets = np.arange(len(self.suite.sets))
        return np.concatenate([np.repeat(sets, share) for share in self.share_F])

    @property
    def content_N(self) -> NDArray[np.int64]:
        """The content of each image."""
        firsts = np.cumsum(self.share_F) - self.share_F
        sets = len(self.suite.sets)
        return np.concatenate(
            [np.tile(np.arange(f, f + s), sets) for f, s in zip(firsts, self.share_F, strict=True)]
        )

    @property
    def photograph_N(self) -> NDArray[np.int64]:
        """The photograph of each image, numbered in the order of their names."""
        names = [each.photograph for each in self.files]
        number_F = np.unique(names, return_inverse=True)[1].reshape(-1)
        return np.repeat(number_F, self.share_F * len(self.suite.sets)).astype(np.int64)

    def _of(self, file: int) -> tuple[NDArray[np.float32], tuple[SetInfo, ...]]:
        """Return the images of one photograph; those of the last few asked for stay."""
        if file not in self._made:
            if len(self._made) >= _STAY:
                del self._made[next(iter(self._made))]
            photo, share = self.files[file], int(self.share_F[file])
            alone = PhotoSet(photographs=(photo,), source=self.source)
            contents = crop_contents(
                alone, count=share, patch=self.patch, scale=self.scale, margin=MARGIN
            )
            made = degrade(
                contents,
                self.suite,
                patch=self.patch,
                scale=self.scale,
                seed=self.seed,
                first=int(self.share_F[:file].sum()),
            )
            self._made[file] = (made.images_NCHW, made.suite.sets)
        return self._made[file]


def streamed_images(
    photos: PhotoSet, suite: Suite, *, contents: int, patch: int, scale: int, seed: int
) -> StreamedImages:
    """Plan the images of a suite without making them; no photograph is decoded for it.

    Args:
        photos: The photographs.
        suite: The sets, all made of the same contents.
        contents: How many, at most.
        patch: Side of an image, in pixels.
        scale: HR pixels to one of these.
        seed: Of the degradations.

    Raises:
        ImageError: If no photograph is as large as a content.
    """
    window = patch * scale
    large = [each for each in photos.photographs if min(each.size_HW) >= window]
    skipped = [
        (each.name, f"{each.size_HW[1]}x{each.size_HW[0]} is smaller than {window}x{window}")
        for each in photos.photographs
        if min(each.size_HW) < window
    ]
    shares = shares_of_files(large, window, contents)
    chosen = [(each, share) for each, share in zip(large, shares, strict=True) if share]
    if not chosen:
        problem = f"no photograph is as large as the {window}x{window} pixels of one content"
        raise ImageError(photos.source, problem, "give larger photographs or a smaller patch")
    return StreamedImages(
        files=tuple(each for each, _ in chosen),
        share_F=np.array([share for _, share in chosen], dtype=np.int64),
        suite=suite,
        patch=patch,
        scale=scale,
        seed=seed,
        source=photos.source,
        skipped=(*photos.skipped, *skipped),
    )
