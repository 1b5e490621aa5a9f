"""The report as a reader meets it: opened from disk, in a real browser, offline."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from srscope.report.html import write_report
from srscope.study.record import controls_of
from support import browser as browsers
from support import studies

pytestmark = pytest.mark.browser

HOSTILE = "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=1>"


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with browsers.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(studies.make(contents=20), path)
    return path


Open = browsers.Open


@pytest.fixture
def open_page(browser: Browser) -> Generator[Open]:
    """Open a file; at the end of the test no error and no request may have been seen."""
    with browsers.opener(browser, "#multiples figure") as opened:
        yield opened


def drag(page: Page, selector: str, corners: list[tuple[float, float]]) -> None:
    """Drag over an element; corners are parts of its width and height."""
    page.locator(selector).scroll_into_view_if_needed()
    box = page.locator(selector).bounding_box()
    assert box is not None
    places = [(box["x"] + u * box["width"], box["y"] + v * box["height"]) for u, v in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=3)
    page.mouse.up()


def dimmed(page: Page, panel: str) -> str:
    """Return the outlines of the points that are dimmed in a panel."""
    return page.eval_on_selector_all(
        f"{panel} path.dim", "paths => paths.map(p => p.getAttribute('d')).join('')"
    )


def small(depth: int) -> str:
    return f"#multiples figure:nth-child({depth + 1}) svg"


def point(page: Page, index: int) -> tuple[float, float]:
    """Return where point ``index`` of the drawn layer stands in the large plot, on the screen."""
    page.locator("#large").scroll_into_view_if_needed()
    box = page.locator("#large").bounding_box()
    assert box is not None
    depth, run = page.input_value("#depth-slider"), page.input_value("#run")
    x, y = page.evaluate(
        """([depth, run, i]) => {
            const data = JSON.parse(document.getElementById('data').textContent);
            const entry = depth === 0 ? data.pixels : data.layers[depth - 1];
            return entry.points[run].slice(2 * i, 2 * i + 2);
        }""",
        [int(depth), int(run), index],
    )
    inner = 0.91 * box["width"]
    margin = 0.045 * box["width"]
    return (box["x"] + margin + x / 9999 * inner, box["y"] + margin + y / 9999 * inner)


def test_it_opens_whole_with_the_verdict_on_top(open_page: Open, report: Path) -> None:
    page = open_page(report)
    expect(page.locator("h1")).to_contain_text("srresnet-wgr separates clean, blur")
    expect(page).to_have_title("srresnet-wgr: what its features tell apart")
    assert page.locator("#multiples figure").count() == 1 + 4
    expect(page.locator("#depth-name")).to_have_text("ResBlock16, layer 4 of 4")
    expect(page.locator("#run-note")).to_contain_text("run 1 of 5, the first (seed 0)")


def test_the_slider_goes_through_the_depth(open_page: Open, report: Path) -> None:
    page = open_page(report)
    outline = "#large path"
    deepest = page.locator(outline).first.get_attribute("d")
    page.focus("#depth-slider")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#depth-name")).to_have_text("ResBlock8, layer 3 of 4")
    expect(page.locator("#depth-slider")).to_have_attribute(
        "aria-valuetext", "ResBlock8, layer 3 of 4"
    )
    assert page.locator(outline).first.get_attribute("d") != deepest
    expect(page.locator("#multiples figure.current")).to_contain_text("ResBlock8")
    page.keyboard.press("Home")
    expect(page.locator("#depth-name")).to_contain_text("Raw pixels, control")
    page.locator("#multiples button").nth(1).click()
    expect(page.locator("#depth-name")).to_have_text("Conv1, layer 1 of 4")
    assert page.input_value("#depth-slider") == "1"


def test_the_explorer_opens_on_a_typical_content(open_page: Open, report: Path) -> None:
    page = open_page(report)
    grid_N2 = np.array(
        page.evaluate(
            "JSON.parse(document.getElementById('data').textContent).layers.at(-1).points[0]"
        )
    ).reshape(-1, 2)
    by_set_KC2 = grid_N2.reshape(3, 20, 2)
    off_KC = np.linalg.norm(by_set_KC2 - by_set_KC2.mean(axis=1, keepdims=True), axis=2)
    content = studies.make(contents=20).inputs.contents[int(off_KC.max(axis=0).argmin())]
    expect(page.locator("#picture-name")).to_have_text(f"clean · {content}")
    assert page.locator("#versions canvas").count() == 2
    for plot in ("#large", small(1)):
        assert page.locator(f"{plot} circle.ring").count() == 1
        assert page.locator(f"{plot} polyline.shown").count() == 1
    assert dimmed(page, "#large") == ""


def test_a_click_joins_the_versions_of_a_content_and_dims_the_rest(
    open_page: Open, report: Path
) -> None:
    page = open_page(report)
    assert page.locator("#large polyline.join:not(.shown)").count() == 0
    page.mouse.click(*point(page, 5))
    expect(page.locator("#selection-status")).to_have_text(
        "3 of 60 selected, 1 content: 1 clean, 1 blur, 1 noise"
    )
    for plot in ("#large", small(2)):
        assert browsers.points_drawn(page.locator(plot)) == 3
        line = page.locator(f"{plot} polyline.join:not(.shown)")
        assert len((line.get_attribute("points") or "").split()) == 3 * 2


def test_a_photograph_can_be_picked_out(open_page: Open, report: Path) -> None:
    page = open_page(report)
    photograph = studies.make(contents=20).inputs.photographs[3]
    page.select_option("#photograph", label=photograph)
    own = studies.make(contents=20).inputs.photographs.count(photograph)
    expect(page.locator("#selection-status")).to_contain_text(f"{3 * own} of 60 selected")
    assert page.locator(f"{small(3)} polyline.join:not(.shown)").count() == own
    page.select_option("#photograph", label="all")
    expect(page.locator("#selection-status")).to_contain_text("Nothing selected.")
    page.select_option("#photograph", label=photograph)
    page.locator("#legend button").first.click()
    expect(page.locator("#photograph")).to_have_value("-1")


def test_slider_small_plots_and_the_large_one_fit_a_screen(open_page: Open, tmp_path: Path) -> None:
    write_report(studies.make(layers=17, contents=6), tmp_path / "deep.html")
    for width in (1280, 900):
        page = open_page(tmp_path / "deep.html", viewport={"width": width, "height": 900})
        top = page.locator("#depth-slider").bounding_box()
        strip = page.locator("#multiples").bounding_box()
        large = page.locator("#large").bounding_box()
        assert top is not None
        assert strip is not None
        assert large is not None
        assert top["y"] < strip["y"] < large["y"]
        assert large["y"] + large["height"] - top["y"] < 900 - 56  # below the bar at the top
        # The layer that is drawn large is in sight.
        current = page.locator("#multiples .current").bounding_box()
        assert current is not None
        assert strip["x"] <= current["x"] + 1
        assert current["x"] + current["width"] <= strip["x"] + strip["width"] + 1


def test_pointing_shows_the_very_patch_with_set_and_content(open_page: Open, report: Path) -> None:
    page = open_page(report)
    record = studies.make(contents=20)
    for index in (0, 27, 59):
        page.mouse.move(*point(page, index))
        tip = page.locator("#tip")
        expect(tip).to_be_visible()
        name = record.inputs.contents[int(record.inputs.content_N[index])]
        expect(tip).to_contain_text(record.suite.sets[int(record.inputs.set_N[index])].name)
        expect(tip).to_contain_text(name)
        expect(page.locator("#picture-name")).to_contain_text(name)
        # The middle of the picture on the canvas is the middle of the patch, to the bit.
        shown = page.evaluate(
            """() => {
                const pen = document.createElement('canvas').getContext(
                    '2d', { willReadFrequently: true });
                pen.drawImage(document.getElementById('picture'), 0, 0);
                return [...pen.getImageData(66, 70, 1, 1).data.slice(0, 3)];
            }"""
        )
        assert shown == record.inputs.patches_NHW3[index, 70 // 4, 66 // 4].tolist()
        assert page.locator("#large circle.ring").count() == 1
        assert page.locator("#large circle.twin").count() == 2
        assert page.locator(f"{small(1)} circle.ring").count() == 1
    page.mouse.move(2, 2)
    expect(page.locator("#tip")).to_be_hidden()


def test_a_box_selects_the_same_points_in_every_layer(open_page: Open, report: Path) -> None:
    page = open_page(report)
    expect(page.locator("#selection-status")).to_contain_text("Nothing selected.")
    drag(page, "#large", [(0.02, 0.02), (0.98, 0.5)])
    status = page.locator("#selection-status").inner_text()
    chosen = int(status.split()[0])
    assert 0 < chosen < 60
    assert page.locator("#selected canvas").count() == min(24, chosen)
    data = page.evaluate("JSON.parse(document.getElementById('data').textContent)")
    # Of the grid's y, the upper half of the plot.
    ys = data["layers"][-1]["points"][0][1::2]
    assert chosen == sum(0.045 + 0.91 * y / 9999 < 0.5 for y in ys)
    for depth in range(5):
        assert browsers.points_drawn(page.locator(small(depth))) == chosen, f"panel {depth}"
    page.click("#clear")
    assert dimmed(page, small(2)) == ""
    expect(page.locator("#selection-status")).to_contain_text("Nothing selected.")


def test_a_selection_begun_in_a_small_panel_reaches_the_large_one(
    open_page: Open, report: Path
) -> None:
    page = open_page(report)
    drag(page, small(4), [(0.02, 0.02), (0.98, 0.5)])
    assert dimmed(page, "#large") != ""
    kept = dimmed(page, small(2))
    page.locator("#multiples button").nth(2).click()
    assert dimmed(page, small(2)) == kept
    assert dimmed(page, "#large") != ""


def test_a_lasso_catches_only_what_it_surrounds(open_page: Open, report: Path) -> None:
    page = open_page(report)
    triangle = [(0.02, 0.02), (0.98, 0.02), (0.02, 0.98)]
    page.check("input[name=tool][value=lasso]")
    drag(page, "#large", triangle)
    data = page.evaluate("JSON.parse(document.getElementById('data').textContent)")
    grid = data["layers"][-1]["points"][0]
    unit = [0.045 + 0.91 * v / 9999 for v in grid]
    expected = sum(x + y < 1 for x, y in zip(unit[::2], unit[1::2], strict=True))
    expect(page.locator("#selection-status")).to_contain_text(f"{expected} of 60 selected")


def test_clicks_choose_add_and_take_away(open_page: Open, report: Path) -> None:
    page = open_page(report)
    status = page.locator("#selection-status")
    page.mouse.click(*point(page, 5))
    expect(status).to_contain_text("3 of 60 selected, 1 content")
    page.keyboard.down("Shift")
    page.mouse.click(*point(page, 46))
    expect(status).to_contain_text("6 of 60 selected, 2 contents")
    page.mouse.click(*point(page, 5))
    expect(status).to_contain_text("3 of 60 selected, 1 content")
    page.keyboard.up("Shift")
    page.locator("#legend button").nth(1).click()
    expect(status).to_contain_text("20 of 60 selected, 20 contents: 20 blur")


def test_the_plot_is_driven_by_keyboard_alone(open_page: Open, report: Path) -> None:
    page = open_page(report)
    page.focus("#large")
    page.keyboard.press("ArrowRight")
    first = page.locator("#picture-name").inner_text()
    page.keyboard.press("ArrowLeft")
    assert page.locator("#picture-name").inner_text() != first
    page.keyboard.press("Enter")
    expect(page.locator("#selection-status")).to_contain_text("3 of 60 selected")
    page.keyboard.press("Escape")
    expect(page.locator("#selection-status")).to_contain_text("Nothing selected.")


def test_runs_and_the_untrained_control_can_be_drawn(open_page: Open, report: Path) -> None:
    page = open_page(report)
    outline = page.locator("#large path").first.get_attribute("d")
    page.select_option("#run", "2")
    assert page.locator("#large path").first.get_attribute("d") != outline
    expect(page.locator("#run-note")).to_contain_text("run 3 of 5 (seed 2)")
    page.select_option("#source", "untrained")
    expect(page.locator("#depth-name")).to_have_text("ResBlock16, layer 4 of 4, untrained")
    expect(page.locator("#large-caption")).to_contain_text("CHI 0.04")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_scheme_is_the_readers_and_the_toggle_overrules_it(
    open_page: Open, report: Path, scheme: str
) -> None:
    page = open_page(report, color_scheme=scheme)

    def is_dark() -> bool:
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(v) for v in colour[4:-1].split(",")) < 300

    assert is_dark() == (scheme == "dark")
    page.click("#theme")
    assert not is_dark()
    page.click("#theme")
    assert is_dark()
    expect(page.locator("#theme")).to_have_attribute("aria-label", "Colours: dark")
    page.click("#theme")
    assert is_dark() == (scheme == "dark")


LONG = "layers.3.residual_group.blocks.5.attention.projection_of_a_very_long_name"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1280])
def test_nothing_runs_off_the_page(
    open_page: Open, tmp_path: Path, width: int, scheme: str
) -> None:
    names = [(f"{LONG}.{i}",) * 2 for i in range(17)]
    record = studies.make(
        layers=names,
        sets=("clean", "a set whose name is far longer than it need be", "x" * 60),
        contents=["content_" * 12 + str(i) for i in range(9)],
        network="/checkpoints/" + "very_long_name" * 12 + ".safetensors",
        skipped=(("folder/" * 30 + "file.jpg", "not an image"),),
    )
    write_report(record, tmp_path / "long.html")
    page = open_page(
        tmp_path / "long.html", viewport={"width": width, "height": 844}, color_scheme=scheme
    )
    page.locator("#large").scroll_into_view_if_needed()
    drag(page, "#large", [(0.1, 0.1), (0.9, 0.6)])
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert browsers.running_off(page) == []


def test_a_print_on_a4_is_light_and_loses_nothing_at_the_right(
    open_page: Open, tmp_path: Path
) -> None:
    sets = ("clean", "blur", "noise", "jpeg", "mild")
    write_report(studies.make(layers=17, sets=sets, contents=8), tmp_path / "report.html")
    # 180 mm at 96 pixels an inch: A4 with margins of 15 mm.
    page = open_page(tmp_path / "report.html", viewport={"width": 680, "height": 900})
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 680
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    expect(page.locator(".controls")).to_be_hidden()


def test_a_finger_selects_and_sees_the_picture(open_page: Open, report: Path) -> None:
    page = open_page(report, viewport={"width": 390, "height": 844}, has_touch=True)
    page.touchscreen.tap(*point(page, 7))
    expect(page.locator("#selection-status")).to_contain_text("3 of 60 selected")
    expect(page.locator("#picture")).to_be_visible()
    expect(page.locator("#tip")).to_be_hidden()


def test_names_stay_text_wherever_they_come_from(open_page: Open, tmp_path: Path) -> None:
    record = studies.make(
        layers=[(HOSTILE + "1", HOSTILE + "1"), (HOSTILE + "2", HOSTILE + "2")],
        sets=(HOSTILE, "</style><b>b</b>"),
        contents=[f"{HOSTILE}{i}.png" for i in range(6)],
        network=HOSTILE,
        source=HOSTILE,
        skipped=((HOSTILE, HOSTILE),),
        environment={HOSTILE: HOSTILE},
    )
    write_report(record, tmp_path / "hostile.html")
    page = open_page(tmp_path / "hostile.html")
    drag(page, "#large", [(0.02, 0.02), (0.98, 0.98)])
    page.mouse.move(*point(page, 3))
    expect(page.locator("#tip")).to_contain_text("<script>window.pwned=1")
    page.select_option("#photograph", index=1)
    expect(page.locator("#skipped td").first).to_have_text(HOSTILE)
    assert page.evaluate("window.pwned") is None
    assert page.locator("img[src=x]").count() == 0
    assert page.locator("script").count() == 2


def test_the_policy_refuses_scripts_that_are_not_ours(browser: Browser, report: Path) -> None:
    page = browser.new_page()
    page.goto(report.as_uri())
    refused = page.evaluate(
        """() => new Promise(done => {
            document.addEventListener('securitypolicyviolation', e => done(e.violatedDirective));
            const script = document.createElement('script');
            script.textContent = 'window.pwned = 1';
            document.body.append(script);
            setTimeout(() => done('nothing'), 2000);
        })"""
    )
    assert refused.startswith("script-src")
    assert page.evaluate("window.pwned") is None
    page.close()


def test_undefined_layers_are_said_so_and_break_nothing(open_page: Open, tmp_path: Path) -> None:
    record = studies.make(contents=6)
    gone = studies.without_chi(record.layers[-1])
    record = dataclasses.replace(record, layers=(*record.layers[:-1], gone), untrained=())
    write_report(record, tmp_path / "undefined.html")
    page = open_page(tmp_path / "undefined.html")
    expect(page.locator("#large text")).to_have_text("undefined")
    expect(page.locator("label:has(#source)")).to_be_hidden()
    page.focus("#large")
    page.keyboard.press("ArrowRight")
    drag(page, "#large", [(0.1, 0.1), (0.9, 0.9)])
    expect(page.locator("#selection-status")).to_contain_text("Nothing selected.")


def test_without_script_the_numbers_are_still_there(browser: Browser, report: Path) -> None:
    with browsers.without_script(browser, report) as plain:
        expect(plain.locator("h1")).to_contain_text("separates")
        expect(plain.locator("noscript p")).to_be_visible()
        record = studies.make()
        parts = [record.layers, *(entries for _, _, entries in controls_of(record))]
        rows = sum(1 + len(part) for part in parts)  # each part has a head
        assert plain.locator("#scores details .scroll tbody tr").count() == rows
        expect(plain.locator("#scores > .scroll tbody").first).to_contain_text("ResBlock16")
