"""The reproduction's page: safe, self-contained, readable in a browser, light, dark and narrow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from srscope.reproduction.page import _table
from srscope.reproduction.records import Cell, Table
from srscope.reproduction.reproduce import reproduce
from srscope.reproduction.write import csv_text, table_dict
from support.browser import chromium
from support.experiments import failing, needing, planted

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    these = [planted("fig2b"), planted("fig8", chi=3.0, network="srgan-wogr")]
    reproduce(
        out=folder, cache=folder / "cache", jobs=1,
        experiments=[*these, needing("fig11", "no-such-network"), failing("fig3")],
    )  # fmt: skip
    return folder / "report.html"


def test_it_asks_nothing_of_the_network_and_runs_no_script(page: Path) -> None:
    html = page.read_text("utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "script-src" not in policy[1]
    assert "<script" not in html
    assert not re.search(r'(?:src|href)="(?:https?:)?//', html)
    assert "style=" not in html.replace("<style>", "")


def test_what_experiments_say_is_text(page: Path) -> None:
    html = page.read_text("utf-8")
    assert "Planted fig2b &lt;script&gt;" in html
    assert "&lt;b&gt;Conv1" in html


def test_everything_stands_in_its_place(page: Path) -> None:
    html = page.read_text("utf-8")
    places = [html.index(f'id="{name}"') for name in ("scorecard", "C1", "C18", "fig2b", "fig8")]
    assert places == sorted(places)
    assert html.count("data:image/") == 2
    for told in ("no-such-network", "CHI of nothing is undefined", "figures/fig2b.svg", "626"):
        assert told in html


def test_claims_that_were_not_run_are_shown_as_such_and_not_counted(page: Path) -> None:
    html = page.read_text("utf-8")
    told = "2 of the 3 judged hold, 1 does not hold, 0 are inconclusive, 15 not run"
    assert f'<h1 id="headline">{told}</h1>' in html
    assert html.count("not run</span>") == 15 + 18  # and all of the second edition
    assert "<details><summary>15 claims were not run</summary>" in html
    judged = html.partition("<details>")[0]
    assert "not run</span>" not in judged
    assert 'id="C3"' in judged
    assert "</span><b>15</b> not run</li>" in html


def test_undefined_numbers_are_empty_in_files() -> None:
    table = Table(name="a", title="", columns=("x",), rows=((float("inf"),), (2,)))
    assert csv_text(table) == "x\n\n2\n".replace("\n\n", '\n""\n')
    assert table_dict(table)["rows"] == [[None], [2]]


def finding_of(*rows: tuple[Cell, ...], columns: tuple[str, ...] = ("network", "p-value")) -> str:
    made = Table(name="t", title="A table", columns=columns, rows=rows)
    return _table(made)


def test_a_small_p_value_is_not_shown_as_none() -> None:
    assert "<td>0.001</td>" in finding_of(("srgan-wgr", 0.001))


def test_a_long_table_is_folded_and_tells_its_length() -> None:
    row = ("srgan-wgr", 0.5)
    assert "<details>" not in finding_of(*[row] * 40)
    assert "<details><summary>A table: 41 rows</summary>" in finding_of(*[row] * 41)


def test_short_words_of_a_table_stay_on_one_line() -> None:
    assert '<td class="text short">unified-classifier</td>' in finding_of(("unified-classifier", 1))
    assert '<td class="text">' in finding_of(
        ("a", 1), ("one word after the other", 1), ("x" * 25, 1)
    )


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1180, "light"), (1180, "dark"), (390, "dark")])
def test_a_browser_shows_it_whole(page: Path, width: int, scheme: str) -> None:
    said: list[str] = []
    with chromium() as browser:
        view = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        view.on("console", lambda message: said.append(message.text))
        view.goto(page.as_uri())
        assert view.evaluate("document.documentElement.scrollWidth") <= width
        images = "Array.from(document.images).map(i => i.naturalWidth)"
        assert min(view.evaluate(images)) > 1000
        # A small figure is not blown up to the page's width.
        shrunk = "(i => { i.width = 240; return i.clientWidth; })(document.images[0])"
        assert view.evaluate(shrunk) == (240 if width > 760 else 720)
        dark = view.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (dark == "rgb(255, 255, 255)") == (scheme == "light")
        assert view.locator("#C3 .said").inner_text().endswith("holds")
        head = view.locator("#scorecard > .claims thead")
        assert head.is_visible() == (width > 760)
    assert said == []
