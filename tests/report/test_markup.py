from __future__ import annotations

import json

import pytest

from srscope.report import markup


@pytest.mark.parametrize("value", ["<b>", "'\"", "&amp;", "a\udcffb", "a\nb"])
def test_text_holds_no_markup_and_can_be_encoded(value: str) -> None:
    safe = markup.text(value)
    assert not set("<>\"'\n") & set(safe)
    safe.encode("utf-8")


def test_script_json_is_json_without_an_opening_bracket() -> None:
    value = {"</script>": ["<!--", "\N{LINE SEPARATOR}"]}
    written = markup.script_json(value)
    assert "<" not in written
    assert written.isascii()
    assert json.loads(written) == value


def test_script_json_refuses_what_is_no_json() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        markup.script_json(float("nan"))


def test_nested_settings_become_dotted_names() -> None:
    settings = {"a": 1, "b": {"c": None, "d": {"e": False}}, "f": "x"}
    assert markup.flat(settings) == [("a", "1"), ("b.c", "none"), ("b.d.e", "no"), ("f", "x")]


def test_definitions_escape_both_sides() -> None:
    assert "<dt>&lt;a&gt;</dt><dd>&lt;b&gt;</dd>" in markup.definitions([("<a>", "<b>")])
