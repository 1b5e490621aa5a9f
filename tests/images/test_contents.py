"""The grid of contents: where windows stand, how many a photograph gives, and the margin."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from srscope.errors import ImageError, ParameterError
from srscope.images import contents as module
from srscope.images.bundled import load_bundled
from srscope.images.contents import crop_contents
from srscope.images.folder import load_folder
from srscope.images.record import PhotoFile, Photograph, PhotoSet
from support.racing import no_warning_let_out


def photo(name: str, height: int, width: int) -> Photograph:
    """Return a photograph whose red and green say row and column, and its blue the name."""
    pixels_HW3 = np.zeros((height, width, 3), dtype=np.float32)
    pixels_HW3[..., 0] = np.arange(height)[:, None] / 10_000
    pixels_HW3[..., 1] = np.arange(width) / 10_000
    pixels_HW3[..., 2] = sum(name.encode()) / 10_000
    return Photograph(name=name, pixels_HW3=pixels_HW3)


def photo_set(*photographs: Photograph) -> PhotoSet:
    return PhotoSet(photographs=photographs, source="made")


def corners(crops_NHW3: np.ndarray, margin: int) -> list[tuple[int, int]]:
    """Return (top, left) of each wanted window, from its first pixel."""
    return [
        (int(top), int(left))
        for top, left in np.rint(crops_NHW3[:, margin, margin, :2] * 10_000).tolist()
    ]


def test_count_is_spread_evenly_the_earlier_get_the_remainder() -> None:
    photos = photo_set(*(photo(name, 300, 300) for name in "abc"))
    contents = crop_contents(photos, count=11, patch=8, scale=2, margin=1)
    assert Counter(contents.photographs) == {"a": 4, "b": 4, "c": 3}
    assert contents.names[:5] == ("a#1", "a#2", "a#3", "a#4", "b#1")
    assert contents.crops_NHW3.shape == (11, 20, 20, 3)
    assert contents.crops_NHW3.dtype == np.float32
    assert (contents.margin, contents.requested, contents.source) == (2, 11, "made")


def crop_files(folder: Path, **sides: list[int]) -> PhotoSet:
    """Write crops of photographs, named by the keywords, each of one colour; return them."""
    files: list[PhotoFile] = []
    for name, lengths in sides.items():
        for number, side in enumerate(lengths, start=1):
            file = folder / f"{name}-{number}.png"
            Image.new("RGB", (side, side), (10 * number, ord(name), 0)).save(file)
            size_HW = (side, side)
            files.append(PhotoFile(name=file.name, path=file, size_HW=size_HW, cut_from=name))
    return PhotoSet(photographs=tuple(files), source="made")


def test_count_is_spread_over_photographs_not_over_their_crops(tmp_path: Path) -> None:
    photos = crop_files(tmp_path, a=[40, 40, 40, 40], b=[40, 40], c=[40])
    contents = crop_contents(photos, count=6, patch=8, scale=2, margin=1)
    assert contents.photographs == ("a", "a", "b", "b", "c", "c")
    assert contents.names == (
        *("a-1.png#1", "a-2.png#1"),
        *("b-1.png#1", "b-2.png#1"),
        *("c-1.png#1", "c-1.png#2"),
    )


def test_crops_of_a_photograph_share_its_part_and_fill_up(tmp_path: Path) -> None:
    photos = crop_files(tmp_path, a=[40, 40, 40], b=[20])
    contents = crop_contents(photos, count=9, patch=8, scale=2, margin=1)
    assert Counter(contents.names) == Counter(set(contents.names))
    assert Counter(contents.photographs) == {"a": 8, "b": 1}  # b holds no second window
    of_file = Counter(name.split("#")[0] for name in contents.names)
    assert of_file == {"a-1.png": 3, "a-2.png": 3, "a-3.png": 2, "b-1.png": 1}


def test_damaged_crop_leaves_its_part_to_the_other_crops(tmp_path: Path) -> None:
    photos = crop_files(tmp_path, a=[40, 40], b=[40, 40])
    (tmp_path / "a-1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    contents = crop_contents(photos, count=4, patch=8, scale=2, margin=1)
    assert contents.names == ("a-2.png#1", "a-2.png#2", "b-1.png#1", "b-2.png#1")
    assert [name for name, _ in contents.skipped] == ["a-1.png"]


def test_as_many_photographs_as_contents_give_their_centres() -> None:
    photos = photo_set(*(photo(f"p{i:03}", 40 + i, 60) for i in range(12)))
    contents = crop_contents(photos, count=10, patch=4, scale=4, margin=2)
    assert contents.photographs == tuple(f"p{i:03}" for i in range(10))
    expected = [((40 + i) // 2 - 8, 22) for i in range(10)]
    assert corners(contents.crops_NHW3, contents.margin) == expected


def test_hand_worked_grid() -> None:
    # 6 windows of 10 in 40 x 60: cells of 20 x 20, windows in their middles.
    contents = crop_contents(photo_set(photo("a", 40, 60)), count=6, patch=10, scale=1, margin=0)
    expected = [(5, 5), (5, 25), (5, 45), (25, 5), (25, 25), (25, 45)]
    assert corners(contents.crops_NHW3, 0) == expected


def test_crops_are_the_photographs_pixels() -> None:
    source = photo("a", 100, 120)
    contents = crop_contents(photo_set(source), count=4, patch=8, scale=2, margin=3)
    for crop, (top, left) in zip(contents.crops_NHW3, corners(contents.crops_NHW3, 6), strict=True):
        expected = source.pixels_HW3[top - 6 : top + 22, left - 6 : left + 22]
        np.testing.assert_array_equal(crop, expected)


def test_margin_without_room_is_reflected() -> None:
    source = photo("a", 16, 16)
    contents = crop_contents(photo_set(source), count=1, patch=8, scale=2, margin=2)
    expected = np.pad(source.pixels_HW3, ((4, 4), (4, 4), (0, 0)), mode="reflect")
    np.testing.assert_array_equal(contents.crops_NHW3[0], expected)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_margin_larger_than_the_photograph(size: int) -> None:
    source = photo("a", size, size)
    contents = crop_contents(photo_set(source), count=1, patch=size, scale=1, margin=7)
    mode = "reflect" if size > 1 else "edge"
    expected = np.pad(source.pixels_HW3, ((7, 7), (7, 7), (0, 0)), mode=mode)
    np.testing.assert_array_equal(contents.crops_NHW3[0], expected)


@settings(deadline=None)  # the time says how busy the machine is
@given(
    sizes=st.lists(st.tuples(st.integers(1, 90), st.integers(1, 90)), min_size=1, max_size=6),
    count=st.integers(1, 60),
    patch=st.integers(1, 12),
    scale=st.integers(1, 3),
    margin=st.integers(0, 6),
)
def test_windows_lie_inside_never_overlap_and_are_as_even_as_room_allows(
    sizes: list[tuple[int, int]], count: int, patch: int, scale: int, margin: int
) -> None:
    photos = photo_set(*(photo(f"p{i}", *size) for i, size in enumerate(sizes)))
    window = patch * scale
    room = [(h // window) * (w // window) for h, w in sizes]
    if not sum(room):
        with pytest.raises(ImageError):
            crop_contents(photos, count=count, patch=patch, scale=scale, margin=margin)
        return
    contents = crop_contents(photos, count=count, patch=patch, scale=scale, margin=margin)
    given_ = Counter(contents.photographs)
    assert len(contents.names) == min(count, sum(room)) == sum(given_.values())
    shares = [given_[f"p{i}"] for i in range(len(sizes))]
    spare = [share for share, capacity in zip(shares, room, strict=True) if share < capacity]
    assert all(share <= capacity for share, capacity in zip(shares, room, strict=True))
    if spare:  # who has room left got as much as anyone, but for the remainder
        assert max(shares) - min(spare) <= 1

    places = corners(contents.crops_NHW3, contents.margin)
    for i, size in enumerate(sizes):
        taken = np.zeros(size, dtype=int)
        for name, (top, left) in zip(contents.photographs, places, strict=True):
            if name == f"p{i}":
                assert top + window <= size[0]
                assert left + window <= size[1]
                taken[top : top + window, left : left + window] += 1
        assert taken.max() <= 1


@pytest.mark.parametrize("size", [(100, 19), (19, 100)])
def test_full_photograph_with_a_side_of_nearly_two_windows(size: tuple[int, int]) -> None:
    # Square cells would be 7 rows here, some with two windows where only one fits.
    contents = crop_contents(photo_set(photo("a", *size)), count=10, patch=10, scale=1, margin=0)
    places = np.array(corners(contents.crops_NHW3, 0))
    along = places[:, int(np.argmax(size))]
    assert along.tolist() == list(range(0, 100, 10))


def test_margin_is_real_pixels_wherever_the_photograph_has_room() -> None:
    contents = crop_contents(photo_set(photo("a", 60, 60)), count=4, patch=10, scale=1, margin=12)
    for top, left in corners(contents.crops_NHW3, 12):
        assert min(top, left) >= 12
        assert max(top, left) + 10 + 12 <= 60


def test_positions_do_not_depend_on_the_pixels() -> None:
    plain = Photograph(name="a", pixels_HW3=np.zeros((90, 70, 3), np.float32))
    options = {"count": 7, "patch": 10, "scale": 1, "margin": 0}
    marked = crop_contents(photo_set(photo("a", 90, 70)), **options)
    unmarked = crop_contents(photo_set(plain), **options)
    assert marked.names == unmarked.names
    places = corners(marked.crops_NHW3, 0)
    busy_HW3 = photo("a", 90, 70).pixels_HW3.copy()
    busy_HW3[..., 2] = np.random.default_rng(0).random((90, 70))
    busy = crop_contents(photo_set(Photograph(name="a", pixels_HW3=busy_HW3)), **options)
    assert corners(busy.crops_NHW3, 0) == places


def test_small_photographs_are_skipped_with_the_reason() -> None:
    photos = PhotoSet(
        photographs=(photo("small", 31, 200), photo("fits", 32, 32)),
        source="made",
        skipped=(("bad.png", "is empty"),),
    )
    contents = crop_contents(photos, count=5, patch=8, scale=4, margin=2)
    assert contents.names == ("fits#1",)
    assert contents.requested == 5
    assert contents.skipped == (("bad.png", "is empty"), ("small", "200x31 is smaller than 32x32"))


def test_damaged_photographs_give_their_share_to_the_others(tmp_path: Path) -> None:
    for seed, name in enumerate(("a", "b", "c")):
        noise = np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{name}.png")
    whole = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(whole[: len(whole) // 2])
    photos = load_folder(tmp_path)
    assert len(photos.photographs) == 3
    contents = crop_contents(photos, count=6, patch=8, scale=1, margin=0)
    assert Counter(contents.photographs) == {"a.png": 3, "c.png": 3}
    assert [name for name, _ in contents.skipped] == ["b.png"]
    assert contents.skipped[0][1].startswith("is damaged: ")


def test_equal_photographs_count_once_and_are_named(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    Image.fromarray(noise).save(tmp_path / "c.tif", compression="tiff_lzw")  # other bytes
    noise[8, 3, 1] ^= 1
    Image.fromarray(noise).save(tmp_path / "d.png")
    Image.fromarray(noise[:, :60]).save(tmp_path / "e.png")
    contents = crop_contents(load_folder(tmp_path), count=9, patch=8, scale=1, margin=0)
    assert Counter(contents.photographs) == {"a.png": 3, "d.png": 3, "e.png": 3}
    same = "is the same picture as a.png"
    assert contents.skipped == (("b.png", same), ("c.tif", same))


def test_all_too_small_or_all_damaged(tmp_path: Path) -> None:
    with pytest.raises(
        ImageError,
        match=r"made: no photograph is as large as the 128x128 pixels of one content "
        r"\(32 LR pixels x scale 4\); the largest is 300x100; give larger photographs",
    ):
        crop_contents(photo_set(photo("a", 90, 90), photo("b", 100, 300)), patch=32, scale=4)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImageError, match=r"no photograph can be read; the last: a\.png is damaged"):
        crop_contents(load_folder(tmp_path), patch=8, scale=1)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"count": 0}, "count must be a whole number, at least 1, but is 0"),
        ({"patch": 0}, "patch must be a whole number, at least 1"),
        ({"patch": 8.0}, "patch must be a whole number"),
        ({"scale": 0}, "scale must be a whole number, at least 1"),
        ({"scale": True}, "scale must be a whole number, at least 1"),
        ({"margin": -1}, "margin must be a whole number, at least 0"),
    ],
)
def test_numbers_are_checked(wrong: dict[str, object], match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        crop_contents(photo_set(photo("a", 64, 64)), **({"patch": 8, "scale": 2} | wrong))


def test_shares_by_hand() -> None:
    assert module._shares([100, 100, 100], 100) == [34, 33, 33]
    assert module._shares([2, 100, 100], 100) == [2, 49, 49]
    assert module._shares([1, 1], 100) == [1, 1]
    assert module._shares([5, 5, 5], 2) == [1, 1, 0]


@pytest.mark.parametrize(("name", "scale"), [("test", 4), ("historic", 1)])
def test_bundled_photographs_give_100_contents(name: str, scale: int) -> None:
    contents = crop_contents(load_bundled(name), patch=32, scale=scale)
    side = (32 + 2 * 12) * scale
    assert contents.crops_NHW3.shape == (100, side, side, 3)
    assert contents.skipped == ()
    per_photograph = Counter(Counter(contents.photographs).values())
    assert per_photograph == ({10: 10} if name == "test" else {13: 4, 12: 4})


@pytest.mark.parametrize(
    ("scale", "patch", "count"),
    [(4, 32, 100), (4, 32, 40), (4, 64, 100), (3, 32, 100), (2, 48, 100), (1, 32, 100)],
)
def test_bundled_crops_give_every_photograph_its_part(scale: int, patch: int, count: int) -> None:
    contents = crop_contents(load_bundled("test-crops"), count=count, patch=patch, scale=scale)
    side = (patch + 2 * 12) * scale
    assert contents.crops_NHW3.shape == (count, side, side, 3)
    assert contents.skipped == ()
    of_each = Counter(contents.photographs)
    assert len(of_each) == min(count, 50)
    assert set(of_each.values()) == {-(-count // 50)}
    assert len({name.partition("#")[0] for name in contents.names}) == count  # a crop gives one


def test_default_contents_of_bundled_crops_have_real_margins() -> None:
    crops = load_bundled("test-crops")
    contents = crop_contents(crops, patch=32, scale=4)
    file = next(file for file in crops.photographs if contents.names[0] == f"{file.name}#1")
    np.testing.assert_array_equal(contents.crops_NHW3[0], file.pixels_HW3[16:240, 16:240])


def test_two_threads_let_no_warning_out_and_leave_the_filter_as_it_was() -> None:
    with no_warning_let_out() as photos:
        crop_contents(photos, count=2, patch=8, scale=4)


def test_large_photographs_are_decoded_by_themselves() -> None:
    small, large = (
        PhotoFile(name="p", path=Path("p"), size_HW=size) for size in ((100, 100), (5000, 6001))
    )
    assert module._at_once([small, small]) == 2
    assert module._at_once([small, large]) == 1


def test_of_damaged_photographs_only_the_reason_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    photo = PhotoFile(name="cut.png", path=path, size_HW=(40, 40))
    assert isinstance(module._crops(photo, 1, 32, 0), str)
