"""Cutting photographs into equal contents, by a regular grid that never looks at the pixels.

Sizes are in HR pixels unless said otherwise: the LR ones times the scale. N contents,
H/W height and width, 3 red, green and blue.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from srscope.errors import ImageError, ParameterError
from srscope.images.record import Contents, PhotoFile, Photograph, PhotoSet, pixel_mark

_LARGE = 30_000_000
"""Pixels above which a photograph is decoded by itself."""


def crop_contents(
    photos: PhotoSet, *, count: int = 100, patch: int, scale: int, margin: int = 12
) -> Contents:
    """Cut ``count`` contents from photographs.

    The count is spread as evenly as possible over the photographs, the earlier ones getting
    the remainder; where files are crops of one photograph, its share is spread over them in the
    same way. In each file, the windows stand on a regular grid, never overlap, and keep the
    margin's distance from the borders where there is room; elsewhere the picture is continued
    by reflection. With ``count`` photographs or more, each of the first ``count`` gives the
    centre of its first file. A photograph too small for its share leaves the rest to the others;
    when all are full, there are fewer contents than asked for (``Contents.requested`` says how
    many). A file with the pixels of an earlier one is left out: its contents would count twice.

    Args:
        photos: The photographs, or crops of them.
        count: Number of contents wanted, at least 1.
        patch: Side of a content, in LR pixels.
        scale: HR pixels to an LR pixel; 1 when the photographs themselves are the LR images.
        margin: Pixels to add on every side, in LR pixels.

    Returns:
        Crops of ``(patch + 2 * margin) * scale`` pixels, in the order of the photographs and,
        within one, by rows.

    Raises:
        ImageError: If no photograph is as large as a content.
        ParameterError: If a number is out of range.

    Example:
        >>> pixels_HW3 = np.zeros((64, 96, 3), dtype=np.float32)
        >>> photo = Photograph(name="a.png", pixels_HW3=pixels_HW3)
        >>> photos = PhotoSet(photographs=(photo,), source="example")
        >>> contents = crop_contents(photos, count=3, patch=8, scale=4, margin=2)
        >>> contents.crops_NHW3.shape, contents.names, contents.margin
        ((3, 48, 48, 3), ('a.png#1', 'a.png#2', 'a.png#3'), 8)
    """
    for name, value, least in (("count", count, 1), ("patch", patch, 1), ("scale", scale, 1)):
        _require_at_least(name, value, least)
    _require_at_least("margin", margin, 0)
    window, border = patch * scale, margin * scale

    skipped = list(photos.skipped)
    usable: list[Photograph | PhotoFile] = []
    for photo in photos.photographs:
        height, width = photo.size_HW
        if min(height, width) >= window:
            usable.append(photo)
        else:
            skipped.append((photo.name, f"{width}x{height} is smaller than {window}x{window}"))

    # Damage, and that two are equal, show only when pixels are decoded; then the share of those
    # left out is spread anew.
    while True:
        if not usable:
            raise _nothing_usable(photos, skipped, window, patch, scale)
        shares = shares_of_files(usable, window, count)
        chosen = [(photo, share) for photo, share in zip(usable, shares, strict=True) if share]
        crops: list[NDArray[np.float32]] = []
        names: list[str] = []
        origins: list[str] = []
        left_out: set[str] = set()
        # Two at a time: most of it is decoding, which holds no other thread up. Each of them puts
        # the process's filter of warnings back as it found it, in no order: to ignoring all.
        with (
            warnings.catch_warnings(action="ignore"),
            ThreadPoolExecutor(_at_once(photo for photo, _ in chosen)) as threads,
            contextlib.closing(_crops_of_each(threads, chosen, window, border)) as each_cropped,
        ):
            first_of: dict[tuple[tuple[int, int], bytes], str] = {}
            for (photo, _), found in zip(chosen, each_cropped, strict=True):
                if isinstance(found, str):
                    left_out.add(photo.name)
                    skipped.append((photo.name, found))
                    continue
                cropped, mark = found
                same = first_of.setdefault((photo.size_HW, mark), photo.name)
                if same != photo.name:
                    left_out.add(photo.name)
                    skipped.append((photo.name, f"is the same picture as {same}"))
                    continue
                crops += cropped
                names += [f"{photo.name}#{number + 1}" for number in range(len(cropped))]
                origins += [photo.photograph] * len(cropped)
        if not left_out:
            break
        usable = [photo for photo in usable if photo.name not in left_out]

    return Contents(
        crops_NHW3=np.stack(crops),
        names=tuple(names),
        photographs=tuple(origins),
        source=photos.source,
        skipped=tuple(skipped),
        margin=border,
        requested=count,
    )


def _at_once(photos: Iterable[PhotoFile | Photograph]) -> int:
    """Return how many photographs may be decoded at once: large ones fill memory."""
    return 1 if any(math.prod(photo.size_HW) > _LARGE for photo in photos) else 2


def _crops_of_each(
    threads: Executor,
    chosen: Sequence[tuple[PhotoFile | Photograph, int]],
    window: int,
    border: int,
) -> Generator[tuple[list[NDArray[np.float32]], bytes] | str]:
    """Yield what :func:`_crops` returns; when it is closed, what has not begun is not done."""
    waiting = [threads.submit(_crops, *pair, window, border) for pair in chosen]
    try:
        for each in waiting:
            yield each.result()
    finally:
        for each in waiting:
            each.cancel()


def _crops(
    photo: PhotoFile | Photograph, share: int, window: int, border: int
) -> tuple[list[NDArray[np.float32]], bytes] | str:
    """Return a photograph's crops and the mark of its pixels, or why it cannot be read.

    Not the error: it would keep what was decoded until then.
    """
    try:
        pixels_HW3 = photo.pixels_HW3
    except ImageError as error:
        return error.problem
    positions = _positions(photo.size_HW, share, window, border)
    crops = [_crop(pixels_HW3, top, left, window, border) for top, left in positions]
    return crops, pixel_mark(pixels_HW3)


def _require_at_least(name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ParameterError(name, f"a whole number, at least {least}", value)


def _nothing_usable(
    photos: PhotoSet, skipped: list[tuple[str, str]], window: int, patch: int, scale: int
) -> ImageError:
    sizes = [photo.size_HW for photo in photos.photographs]
    if not any(min(size) >= window for size in sizes):
        height, width = max(sizes, key=min, default=(0, 0))
        return ImageError(
            photos.source,
            f"no photograph is as large as the {window}x{window} pixels of one content"
            f" ({patch} LR pixels x scale {scale}); the largest is {width}x{height}",
            "give larger photographs or a smaller patch",
        )
    name, reason = skipped[-1]
    return ImageError(photos.source, f"no photograph can be read; the last: {name} {reason}")


def _capacity(size_HW: tuple[int, int], window: int) -> int:
    """Return how many windows fit into a photograph side by side."""
    return (size_HW[0] // window) * (size_HW[1] // window)


def shares_of_files(files: Sequence[PhotoFile | Photograph], window: int, count: int) -> list[int]:
    """Spread ``count`` contents over the photographs, and the share of each over its files.

    Args:
        files: Photographs, or crops of them.
        window: Side of a content, in pixels of the files.
        count: Contents wanted.

    Returns:
        How many each file gives; fewer in all where no more fit.
    """
    capacities = [_capacity(file.size_HW, window) for file in files]
    files_of: dict[str, list[int]] = {}
    for index, file in enumerate(files):
        files_of.setdefault(file.photograph, []).append(index)
    rooms = [sum(capacities[i] for i in members) for members in files_of.values()]
    shares = [0] * len(files)
    for members, share in zip(files_of.values(), _shares(rooms, count), strict=True):
        for i, part in zip(members, _shares([capacities[i] for i in members], share), strict=True):
            shares[i] = part
    return shares


def _shares(capacities: list[int], count: int) -> list[int]:
    """Spread ``count`` as evenly as the capacities allow; the earlier ones get the remainder."""
    shares = [0] * len(capacities)
    left = min(count, sum(capacities))
    while left:
        open_ = [i for i, capacity in enumerate(capacities) if shares[i] < capacity]
        each = left // len(open_)
        if each == 0:
            for i in open_[:left]:
                shares[i] += 1
            return shares
        for i in open_:
            given = min(each, capacities[i] - shares[i])
            shares[i] += given
            left -= given
    return shares


def _starts(length: int, number: int, window: int, border: int) -> list[int]:
    """Return the starts of ``number`` windows on a side, each centred in one of equal cells."""
    inset = border if length - 2 * border >= number * window else 0
    room = length - 2 * inset
    return [
        inset + min(max((2 * i + 1) * room // (2 * number) - window // 2, 0), room - window)
        for i in range(number)
    ]


def _positions(
    size_HW: tuple[int, int], number: int, window: int, border: int
) -> list[tuple[int, int]]:
    """Return (top, left) of ``number`` windows: rows of equal or nearly equal lengths.

    The number of rows makes the grid's cells as square as possible.
    """
    height, width = size_HW
    fewest = -(-number // (width // window))
    ideal = round((number * height / width) ** 0.5)
    rows = min(max(ideal, fewest, 1), height // window, number)
    tops = _starts(height, rows, window, border)
    positions: list[tuple[int, int]] = []
    for row, top in enumerate(tops):
        in_row = (row + 1) * number // rows - row * number // rows
        positions += [(top, left) for left in _starts(width, in_row, window, border)]
    return positions


def _crop(
    pixels_HW3: NDArray[np.float32], top: int, left: int, window: int, border: int
) -> NDArray[np.float32]:
    """Return the window with its border, reflected where the photograph ends."""
    height, width = pixels_HW3.shape[:2]
    rows = _reflected(np.arange(top - border, top + window + border), height)
    columns = _reflected(np.arange(left - border, left + window + border), width)
    return pixels_HW3[np.ix_(rows, columns)]


def _reflected(index: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    """Map positions beyond the ends back inside, the end itself not repeated."""
    if length == 1:
        return np.zeros_like(index)
    period = 2 * (length - 1)
    inside = np.abs(index) % period
    return np.where(inside < length, inside, period - inside)
