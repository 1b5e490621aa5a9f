"""Linked plots and sortable tables as a reader meets them: in a real browser, offline."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from srscope.analyses.comparison import page as comparison_page
from srscope.analyses.course import page as course_page
from support import browser as browsers
from support import several

pytestmark = pytest.mark.browser
LONG = "checkpoints/of/a/network/whose/name/is/far/longer/than/any/panel/is/wide"


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with browsers.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    (folder / "comparison.html").write_text(comparison_page.render(several.comparison()), "utf-8")
    (folder / "course.html").write_text(course_page.render(several.course()), "utf-8")
    long = several.comparison(names=(LONG + "-1", LONG + "-2", "x" * 70))
    (folder / "long.html").write_text(comparison_page.render(long), "utf-8")
    return {path.stem: path for path in folder.iterdir()}


Open = browsers.Open


@pytest.fixture
def open_page(browser: Browser) -> Generator[Open]:
    """Open a file; at the end of the test no error and no request may have been seen."""
    with browsers.opener(browser, "#panels figure") as opened:
        yield opened


def place_of(page: Page, panel: int, image: int) -> tuple[float, float]:
    """Return where an image stands in a panel that shows its strongest layer, on the screen."""
    svg = page.locator("#panels svg").nth(panel)
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    assert box is not None
    x, y = page.evaluate(
        """([panel, image]) => {
            const data = JSON.parse(document.getElementById('data').textContent);
            const study = data.panels[panel], place = study.images.indexOf(image);
            return study.layers[study.best].points[0].slice(2 * place, 2 * place + 2);
        }""",
        [panel, image],
    )
    margin, inner = 0.045 * box["width"], 0.91 * box["width"]
    return box["x"] + margin + x / 9999 * inner, box["y"] + margin + y / 9999 * inner


def test_an_image_pointed_at_in_one_network_is_ringed_in_all(
    open_page: Open, reports: dict[str, Path]
) -> None:
    page = open_page(reports["comparison"])
    assert page.locator("#panels figure").count() == 3
    for panel, image in ((0, 4), (2, 13)):
        page.mouse.move(*place_of(page, panel, image))
        assert page.locator("#panels circle.ring").count() == 3
        assert page.locator("#panels circle.twin").count() == 3 * 2
        for other in range(3):
            ring = page.locator("#panels svg").nth(other).locator("circle.ring").bounding_box()
            x, y = place_of(page, other, image)
            assert ring is not None
            assert ring["x"] + ring["width"] / 2 == pytest.approx(x, abs=1.5)
            assert ring["y"] + ring["height"] / 2 == pytest.approx(y, abs=1.5)
        expect(page.locator("#tip")).to_be_visible()
    page.mouse.move(2, 2)
    assert page.locator("#panels circle.ring").count() == 3  # what was looked at stays
    expect(page.locator("#tip")).to_be_hidden()


def test_a_selection_in_one_network_is_one_in_all(
    open_page: Open, reports: dict[str, Path]
) -> None:
    page = open_page(reports["comparison"])
    svg = page.locator("#panels svg").nth(1)
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    chosen = int(page.locator("#selection-status").inner_text().split()[0])
    assert 0 < chosen < 18
    for panel in range(3):
        assert browsers.points_drawn(page.locator("#panels svg").nth(panel)) == chosen
    page.click("#clear")
    expect(page.locator("#selection-status")).to_contain_text("Nothing selected.")


def test_the_layer_is_chosen_for_all_by_depth(open_page: Open, reports: dict[str, Path]) -> None:
    page = open_page(reports["comparison"])
    captions = page.locator("#panels figcaption span")
    expect(captions.nth(1)).to_contain_text("ResBlock2")
    page.select_option("#layer", "d1")
    expect(captions.nth(0)).to_contain_text("ResBlock16")
    expect(captions.nth(1)).to_contain_text("ResBlock4 ")
    expect(captions.nth(2)).to_contain_text("ResBlock1 ")
    page.select_option("#source", "untrained")
    expect(captions.nth(0)).to_contain_text("CHI 0.04")
    page.select_option("#photograph", index=2)
    expect(page.locator("#selection-status")).to_contain_text("3 of 18 selected, 1 content")
    assert page.locator("#panels polyline.join:not(.shown)").count() == 3


def test_a_click_on_a_head_sorts_and_undefined_stays_last(
    open_page: Open, reports: dict[str, Path]
) -> None:
    page = open_page(reports["comparison"])
    table = page.locator("#scores table.sortable").first
    names = table.locator("tbody th")
    head = table.locator("thead button", has_text="PSNR")
    head.click()
    assert names.all_inner_texts() == ["net_x2", "srgan-wgr", "resnet18"]
    expect(table.locator("thead th", has_text="PSNR")).to_have_attribute("aria-sort", "descending")
    head.click()
    assert names.all_inner_texts() == ["srgan-wgr", "net_x2", "resnet18"]
    table.locator("thead button", has_text="Network").click()
    assert names.all_inner_texts() == ["net_x2", "resnet18", "srgan-wgr"]
    assert table.locator("th[aria-sort]").count() == 1


def test_the_course_has_a_panel_a_checkpoint(open_page: Open, reports: dict[str, Path]) -> None:
    page = open_page(reports["course"])
    assert page.locator("#panels figure").count() == 4
    expect(page.locator("#panels b").first).to_have_text("1\N{THIN SPACE}000 iterations")
    expect(page.locator("#layer")).to_have_value("i3")
    expect(page.locator("label:has(#source)")).to_be_hidden()
    page.focus("#panels svg >> nth=2")
    page.keyboard.press("ArrowRight")
    assert page.locator("#panels circle.ring").count() == 4
    page.keyboard.press("Enter")
    expect(page.locator("#selection-status")).to_contain_text("3 of 18 selected")
    page.keyboard.press("Escape")
    expect(page.locator("#selection-status")).to_contain_text("Nothing selected.")


@pytest.mark.parametrize("name", ["long", "course"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_runs_off_the_page(
    open_page: Open, reports: dict[str, Path], name: str, width: int
) -> None:
    page = open_page(reports[name], viewport={"width": width, "height": 844})
    page.locator("details summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert browsers.running_off(page) == []


def test_without_script_the_numbers_are_still_there(
    browser: Browser, reports: dict[str, Path]
) -> None:
    with browsers.without_script(browser, reports["comparison"]) as plain:
        expect(plain.locator("h1")).to_contain_text("networks separate")
        assert plain.locator("#scores table").first.locator("tbody tr").count() == 3
        expect(plain.locator(".curves").first).to_be_visible()
