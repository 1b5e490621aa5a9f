"""The table of stability says what is kept, and what is kept contradicts itself nowhere."""

import json

from support.tools import load_tool

tool = load_tool("write_stability")
YES = {"separates": "yes", "beyond_simple_statistics": "not decided"}
NO = {"separates": "no", "beyond_simple_statistics": "not compared"}


def kept() -> dict[str, dict[str, str]]:
    return json.loads(tool.KEPT.read_text("utf-8")) if tool.KEPT.is_file() else {}


def test_the_page_says_what_is_kept() -> None:
    page = tool.PAGE.read_text("utf-8")
    assert tool.with_table(page, tool.table(kept())) == page, "run tools/write_stability.py --keep"


def test_no_network_is_said_to_separate_and_not_to() -> None:
    assert tool.contradicted(kept()) == []


def test_a_contradiction_is_found_and_told() -> None:
    name = tool.NETWORKS[0]
    cases = {tool.key(name, 40, 0): YES, tool.key(name, 100, 0): NO}
    assert tool.contradicted(cases) == [name]
    assert f"Contradicted: {name}. 38 of 40 analyses are missing." in tool.table(cases)
    assert tool.contradicted({tool.key(name, 40, 0): YES, tool.key(name, 40, 1): YES}) == []


def test_answers_are_counted_over_seeds() -> None:
    name = tool.NETWORKS[0]
    cases = {tool.key(name, 40, seed): YES for seed in range(5)}
    assert f"| {name} | 40 | 5 yes | 5 not decided |" in tool.table(cases)
