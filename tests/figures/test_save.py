from __future__ import annotations

import re
import warnings
from pathlib import Path
from xml.dom import minidom

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from srscope import figures
from srscope.errors import FileProblem
from support import studies

SMALL = studies.make(layers=4, contents=4)
EVERY = ["layers", "chi-by-depth", "variance-by-depth", "samples"]


def test_every_figure_is_written_as_png_and_svg(tmp_path: Path) -> None:
    written = figures.save_figures(SMALL, tmp_path / "new" / "folder")
    assert [p.name for p in written] == [f"{n}.{s}" for n in EVERY for s in ("png", "svg")]
    assert sorted(p.name for p in (tmp_path / "new" / "folder").iterdir()) == sorted(
        p.name for p in written
    )
    with Image.open(written[0]) as png:
        assert png.info["dpi"] == pytest.approx((200, 200), abs=0.1)
        assert png.width == pytest.approx(7.16 * 200, abs=1)
        assert np.asarray(png).std() > 5


def test_equal_studies_give_equal_bytes_under_any_user_settings(tmp_path: Path) -> None:
    first = figures.save_figures(SMALL, tmp_path / "1")
    with mpl.rc_context({"font.size": 30, "savefig.dpi": 10, "svg.hashsalt": "other"}):
        second = figures.save_figures(SMALL, tmp_path / "2")
        assert mpl.rcParams["font.size"] == 30
    for a, b in zip(first, second, strict=True):
        assert a.read_bytes() == b.read_bytes(), a.name
    svg = first[1].read_text()
    assert not re.search(r"<dc:date>|20\d\d-\d\d-\d\d", svg)


def test_without_a_variance_split_there_is_no_such_file(tmp_path: Path) -> None:
    written = figures.save_figures(
        studies.make(layers=1, chis=[3.0], contents=3, crossed=False), tmp_path
    )
    assert not any("variance" in p.name for p in written)
    assert len(written) == 6


def test_hostile_names_stay_text_and_warn_of_nothing(tmp_path: Path) -> None:
    name = "<script>&$x^2$\x07\udcff\N{CJK UNIFIED IDEOGRAPH-6F22}_"
    record = studies.make(layers=[(name, name)], sets=(name, "b"), contents=[name, "b"], chis=[9.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        written = figures.save_figures(record, tmp_path)
    for path in written:
        if path.suffix == ".svg":
            assert "<script" not in path.read_text()
            minidom.parse(str(path))


def test_nothing_half_written_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Figure, "savefig", fail)
    with pytest.raises(FileProblem, match=r"\.png: cannot be written whole \(disk full\)"):
        figures.save_figures(SMALL, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_one_figure_in_three_formats_twice_the_same(tmp_path: Path) -> None:
    for folder in ("1", "2"):
        written = figures.save_figure(figures.chi_by_depth(SMALL), tmp_path / folder / "fig.4")
        assert [p.name for p in written] == ["fig.4.png", "fig.4.svg", "fig.4.pdf"]
    for path in written:
        assert path.read_bytes() == (tmp_path / "1" / path.name).read_bytes(), path.name
    assert b"CreationDate" not in (tmp_path / "1" / "fig.4.pdf").read_bytes()
