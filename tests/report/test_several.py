"""Pages of several studies: what is linked to what, what is said, and that all of it is safe."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from srscope.analyses.comparison import page as comparison_page
from srscope.analyses.comparison.record import Comparison
from srscope.analyses.course import page as course_page
from srscope.report.several import Cell, Head, Panel, payload, sheets, table
from support import several, studies
from support.markup import Balanced, assert_admits_only_its_own

HOSTILE = "</script><script>window.pwned=1</script>"


def data_of(page: str) -> dict[str, object]:
    return json.loads(page.partition('id="data">')[2].partition("</script>")[0])


@pytest.mark.parametrize("page", ["comparison", "course"])
def test_the_file_is_whole_and_refers_to_nothing_outside(page: str) -> None:
    rendered = (
        comparison_page.render(several.comparison())
        if page == "comparison"
        else course_page.render(several.course())
    )
    checked = Balanced()
    checked.feed(rendered)
    assert checked.open == []
    assert len(checked.ids) == len(set(checked.ids))
    for source in checked.sources:
        assert source.startswith("data:") or source[1:] in checked.ids
    assert checked.handlers == []
    assert_admits_only_its_own(rendered)
    assert "$" not in re.sub(r"(?s)<script.*?</script>", "", rendered)


def test_images_are_linked_by_set_and_content() -> None:
    one = studies.make(contents=["a", "b"])
    other = studies.make(contents=["b", "c"], seed=1)
    panels = [Panel(name="one", study=one), Panel(name="other", study=other)]
    sprites, sheet_of = sheets(panels)
    given = payload(panels, [("b", "best")], sprites, sheet_of)
    first, second = (panel["images"] for panel in given["panels"])
    assert given["contents"] == ["a", "b", "c"]
    assert len(given["set"]) == 9
    shared = set(first) & set(second)
    assert {(given["set"][i], given["content"][i]) for i in shared} == {(0, 1), (1, 1), (2, 1)}
    assert given["chosen"] == "b"


def test_contents_of_one_name_in_two_folders_are_two() -> None:
    one = studies.make(contents=["a.jpg", "b.jpg"], sets=("film", "phone"), crossed=False)
    names = ("a.jpg", "b.jpg", "a.jpg", "b.jpg")
    one = dataclasses.replace(one, inputs=dataclasses.replace(one.inputs, contents=names))
    panels = [Panel(name="one", study=one), Panel(name="other", study=one)]
    sprites, sheet_of = sheets(panels)
    given = payload(panels, [("b", "best")], sprites, sheet_of)
    assert given["contents"] == list(names)
    assert given["content"] == [0, 1, 2, 3]
    assert given["panels"][0]["images"] == given["panels"][1]["images"] == [0, 1, 2, 3]


def test_equal_pictures_are_there_once() -> None:
    one, twin = studies.make(contents=3), studies.make(contents=3, network="twin")
    other = studies.make(contents=3, seed=2)
    made, sheet_of = sheets([Panel(name="", study=s) for s in (one, twin, other)])
    assert len(made) == 2
    assert sheet_of == [0, 0, 1]


def test_the_comparison_says_who_separates_and_how() -> None:
    made = several.comparison()
    assert comparison_page.headline(made).startswith(
        "2 of 3 networks separate clean, blur and noise, 1 surely beyond simple statistics; "
        "srgan-wgr most: a probe is right for 100\N{NO-BREAK SPACE}% of the images."
    )
    page = comparison_page.render(made)
    assert "<li>net_x2 separates clean, blur and noise, but whether beyond" in page
    assert "29.55\N{NO-BREAK SPACE}dB" in page
    assert "PSNR undefined for resnet18: it does not magnify." in page
    assert "Networks of different magnification" in page
    assert "Crops of 128 pixels a side, reduced to 32" in page
    assert "Crops of 64 pixels a side, reduced to 32" in page
    assert "Crops of 32 pixels a side, not reduced" in page


def weak(made: Comparison, count: int) -> Comparison:
    """Return the comparison with ``count`` of its networks replaced by one that is weak."""
    entries = [
        dataclasses.replace(entry, study=made.entries[2].study) if i < count else entry
        for i, entry in enumerate(made.entries)
    ]
    return dataclasses.replace(made, entries=tuple(entries))


def test_headlines_count() -> None:
    made = several.comparison()
    assert "1 of 3 networks separates" in comparison_page.headline(weak(made, 1))
    none = comparison_page.headline(weak(made, 2))
    assert none.startswith("None of 3 networks surely separates clean, blur and noise, 3 not")
    strong = dataclasses.replace(made, entries=made.entries[:2])
    assert "All 2 networks separate" in comparison_page.headline(strong)


def test_headlines_say_where_nothing_was_compared() -> None:
    made = several.comparison()
    entries = tuple(
        dataclasses.replace(
            entry, study=studies.judged(dataclasses.replace(entry.study, trivial=()))
        )
        for entry in made.entries
    )
    told = comparison_page.headline(dataclasses.replace(made, entries=entries))
    assert "noise, not compared with simple statistics; " in told


def test_headlines_judge_studies_that_hold_no_verdict() -> None:
    made = several.comparison()
    entries = tuple(
        dataclasses.replace(entry, study=dataclasses.replace(entry.study, verdict=None))
        for entry in made.entries
    )
    bare = dataclasses.replace(made, entries=entries)
    assert comparison_page.headline(bare) == comparison_page.headline(made)


def test_networks_of_one_scale_need_no_word_on_scales() -> None:
    made = several.comparison()
    same = dataclasses.replace(made, entries=(made.entries[0], made.entries[0]))
    assert "Networks of different magnification" not in comparison_page.render(same)


@pytest.mark.parametrize(
    ("tops", "words"),
    [
        ((0.3, 7, 24, 240), "CHI grows from 0.29"),
        ((0.3, 7, 24, 240), "separates clean, blur and noise from 4\N{THIN SPACE}000 on"),
        ((240, 24, 7), "falls from 2"),
        ((240, 24, 7), "does not surely separate clean, blur and noise at the end"),
        ((300, 300.5), "hardly changes"),
        ((300, 300.5), "at every checkpoint"),
        ((300, 3, 300), "from 3\N{THIN SPACE}000 on"),
    ],
)
def test_the_course_says_how_it_went(tops: tuple[float, ...], words: str) -> None:
    assert words in course_page.headline(several.course(tops=tops))


def test_the_course_draws_three_charts_and_opens_at_the_strongest_layer() -> None:
    page = course_page.render(several.course())
    assert page.count('<div class="curves">') == 3
    assert data_of(page)["chosen"] == "i3"
    assert "net_g_latest.pth" in page
    page = course_page.render(several.course(crossed=False))
    assert page.count('<div class="curves">') == 2


def test_of_many_layers_some_are_drawn_and_that_is_said() -> None:
    made = several.course()
    moments = tuple(
        dataclasses.replace(moment, study=studies.make(layers=17, contents=4))
        for moment in made.moments
    )
    page = course_page.render(dataclasses.replace(made, moments=moments))
    assert "8 of 17 layers are drawn; the table has all" in page


def test_tables_sort_by_numbers_not_by_what_is_shown() -> None:
    heads = [Head(name="Name", words=True), Head(name="CHI")]
    markup = table(
        heads, [[Cell(shown="a", value="a"), Cell(shown="1 000", value=1000.0)]], label="x"
    )
    assert '<td data-value="1000.0">1 000</td>' in markup
    assert '<th scope="col" data-kind="number">CHI</th>' in markup


def test_names_stay_text_wherever_they_come_from() -> None:
    made = several.comparison(names=(HOSTILE + "1", HOSTILE + "2", "$x ${y}"))
    entry = dataclasses.replace(
        made.entries[0], study=studies.make(layers=[(HOSTILE, HOSTILE)], sets=(HOSTILE, "b"))
    )
    page = comparison_page.render(dataclasses.replace(made, entries=(entry, *made.entries[1:])))
    assert HOSTILE not in page
    assert "$x ${y}" in page
    course = dataclasses.replace(several.course(), name=HOSTILE, skipped=((HOSTILE, HOSTILE),))
    assert HOSTILE not in course_page.render(course)


def test_equal_comparisons_give_equal_reports(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(comparison_page.render(several.comparison()), "utf-8")
        (tmp_path / f"{name}-course").write_text(course_page.render(several.course()), "utf-8")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a-course").read_bytes() == (tmp_path / "b-course").read_bytes()


def test_the_course_names_as_dotted_only_what_is_drawn() -> None:
    made = several.course()
    both = "Dotted: the same architecture untrained, at its highest; for k-NN, chance."
    assert both in course_page.render(made)
    alone = course_page.render(dataclasses.replace(made, untrained=()))
    assert "Dotted: for k-NN, chance." in alone
    assert "untrained, at its highest" not in alone
    neither = dataclasses.replace(several.course(crossed=False), untrained=())
    assert "Dotted" not in course_page.render(neither)


@pytest.mark.parametrize("page", ["comparison", "course"])
def test_the_protocol_tells_of_the_images(page: str) -> None:
    when = "2026-11-23T06:22:46+00:00"
    rendered = (
        comparison_page.render(dataclasses.replace(several.comparison(), created=when))
        if page == "comparison"
        else course_page.render(dataclasses.replace(several.course(), created=when))
    )
    protocol = rendered.partition('id="protocol"')[2]
    for told in ("the 10 bundled test photographs", "clean-blur-noise", "the LR image",
                 "2026-11-23 06:22 UTC", "arXiv:2108.00406"):  # fmt: skip
        assert told in protocol
