"""Pages made of records whose every text is hostile: nothing of it becomes markup or script."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from srscope.analyses.comparison import page as comparison_page
from srscope.analyses.course import page as course_page
from srscope.report import html as report_page
from srscope.reproduction import page as reproduction_page
from srscope.reproduction.lab import LabConfig
from srscope.reproduction.outcome import Failure, LeftOut, Reproduction
from srscope.reproduction.records import Finding, Table
from support import browser as browsers
from support import several, studies
from support.markup import Balanced, policy_of
from support.trials import Tally

ATTACKS = {
    "script": "</script><script>window.pwned=1</script>",
    "quotes": "\" onload='window.pwned=1' x=\"",
    "element": "<img src=x onerror=window.pwned=1>",
    "comment": "<!--<script>",
    "style": "</style><style>@import url(http://example.org/x)</style>",
    "link": "javascript:window.pwned=1",
    "lines": "a\nb\r\n\u2028c\0",
    "template": "${style} $script $$ %(x)s {0}",
    "emoji and bytes": "\N{GRINNING FACE}\udcff\u202e",
    "entity": "&lt;script&gt;&#x27;",
    "CDATA": "]]><![CDATA[<svg onload=window.pwned=1>",
}
POLICY = {
    "default-src": "'none'",
    "img-src": "data:",
    "base-uri": "'none'",
    "form-action": "'none'",
}
KEPT = {"grade", "blur_applied_to", "created"}
"""Fields that srscope itself chooses among a few words."""


def poisoned(value: Any, attack: str) -> Any:
    """Put an attack before and after every text of a record."""
    if isinstance(value, str):
        return f"{attack}{value}{attack}"
    if isinstance(value, tuple):
        return tuple(poisoned(each, attack) for each in value)
    if isinstance(value, Mapping):
        return {
            poisoned(key, attack): poisoned(each, attack)
            for key, each in value.items()  # pyright: ignore[reportUnknownVariableType]
        }
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changes = {
            field.name: poisoned(getattr(value, field.name), attack)
            for field in dataclasses.fields(value)
            if field.init and field.name not in KEPT
        }
        return dataclasses.replace(value, **changes)
    return value


def study(attack: str) -> str:
    record = studies.make(layers=2, contents=4, skipped=(("a.png", "is damaged"),))
    return report_page.render(poisoned(record, attack))


def comparison(attack: str) -> str:
    return comparison_page.render(poisoned(several.comparison(contents=4), attack))


def course(attack: str) -> str:
    return course_page.render(poisoned(several.course(tops=(3, 30), contents=4), attack))


def reproduction(attack: str) -> str:
    table = Table(name="t", title="CHI", columns=("layer", "here"), rows=(("Conv1", 1.0),))
    finding = Finding(id="fig2b", title="T", where="Fig. 2", tables=(table,), notes=("Measured.",))
    done = Reproduction(
        findings=poisoned((finding,), attack),
        judgements=(),
        second=(),
        left_out=poisoned((LeftOut(id="fig3", title="T", networks=("n",)),), attack),
        failures=poisoned((Failure(id="fig4", title="T", problem="p", details="d"),), attack),
        config=LabConfig(),
        networks=poisoned((studies.make(layers=2, contents=4).network,), attack),
        seconds={},
        out=Path(),
    )
    return reproduction_page.render(done)


PAGES: dict[str, Callable[[str], str]] = {
    each.__name__: each for each in (study, comparison, course, reproduction)
}


@pytest.mark.tallied
@pytest.mark.parametrize("name", PAGES)
def test_no_text_becomes_markup(name: str, tally: Tally) -> None:
    plain = PAGES[name]("")
    rules = policy_of(plain)
    assert POLICY.items() <= rules.items()
    for kind in ("script-src", "style-src"):
        assert re.fullmatch(r"'sha256-[\w+/=]+'", rules.get(kind, "'sha256-none'"))
    assert set(rules) <= {*POLICY, "script-src", "style-src"}
    for attack in ATTACKS.values():
        page = PAGES[name](attack)
        page.encode("utf-8")
        assert policy_of(page) == rules
        for tag in ("script", "style", "img", "svg", "iframe", "link", "meta"):
            assert page.count(f"<{tag}") == plain.count(f"<{tag}"), (tag, attack)
        read = Balanced()
        read.feed(page)
        assert read.open == []
        assert read.handlers == []
        assert len(read.ids) == len(set(read.ids))
        for source in read.sources:
            assert re.match(r"data:image/|data:,$|#|[\w./-]+$", source), source
    tally(f"Hostile texts in every field, page of a {name}", {"shown as text": len(ATTACKS)})


@pytest.mark.browser
def test_a_browser_runs_and_loads_nothing_of_it(tmp_path: Path) -> None:
    attack = "".join(ATTACKS.values())
    with browsers.chromium() as browser, browsers.opener(browser, "h1") as opened:
        for name, make in PAGES.items():
            path = tmp_path / f"{name}.html"
            path.write_text(make(attack), "utf-8")
            page = opened(path)
            assert page.evaluate("window.pwned") is None, name
            outside = page.locator("script[src], iframe, object, embed, link:not([href^='data:'])")
            assert outside.count() == 0
