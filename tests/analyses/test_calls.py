"""The Python calls hand on what they are given, to the analysis of their name."""

from __future__ import annotations

from typing import Any

import pytest

from srscope.analyses import ANALYSES, calls


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    given: list[tuple[Any, ...]] = []

    def run(name: str, networks: Any, **options: Any) -> str:
        given.append((name, networks, options))
        return "record"

    monkeypatch.setattr(calls, "run_analysis", run)
    return given


@pytest.mark.parametrize("name", ["dose", "generalize", "identify", "intervene"])
def test_networks_and_options_arrive(name: str, handed: list[tuple[Any, ...]]) -> None:
    assert name in ANALYSES
    assert getattr(calls, name)("net", out="there", contents=7) == "record"
    assert handed == [(name, "net", {"out": "there", "contents": 7})]


def test_the_image_of_an_attribution_is_an_option_of_it(handed: list[tuple[Any, ...]]) -> None:
    assert calls.attribute("net", "photo.png", steps=9) == "record"
    assert handed == [("attribute", "net", {"image": "photo.png", "steps": 9})]
