"""Records from JSON values of older and newer versions."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Literal

import pytest

from srscope.runtime.records import record_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inner:
    """A record within another."""

    name: str
    size: int = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outer:
    """One field of every kind that records have."""

    share: float
    kind: Literal["a", "b"] = "a"
    inner: Inner | None
    several: tuple[Inner, ...] = ()
    pair: tuple[str, int] = ("x", 1)
    own: Mapping[str, float | None] = dataclasses.field(default_factory=dict[str, float | None])
    sure: bool = True
    anything: Any = None


def test_every_kind_of_field_comes_back() -> None:
    plain = {
        "share": 1,
        "kind": "b",
        "inner": {"name": "one"},
        "several": [{"name": "two", "size": 4}, {"name": "three"}],
        "pair": ["y", 2],
        "own": {"mine": 0.5, "gone": None},
        "sure": False,
        "anything": [1, {"a": 2}],
    }
    found = record_of(Outer, plain)
    assert found == Outer(
        share=1.0,
        kind="b",
        inner=Inner(name="one"),
        several=(Inner(name="two", size=4), Inner(name="three")),
        pair=("y", 2),
        own={"mine": 0.5, "gone": None},
        sure=False,
        anything=[1, {"a": 2}],
    )
    assert isinstance(found.share, float)


def test_what_an_older_version_lacks_takes_its_default() -> None:
    assert record_of(Outer, {"share": 0.5}) == Outer(share=0.5, inner=None)


def test_what_a_newer_version_adds_is_ignored() -> None:
    newer = {"share": 0.5, "colour": "red", "inner": {"name": "x", "weight": 2}}
    assert record_of(Outer, newer) == Outer(share=0.5, inner=Inner(name="x"))


def test_what_is_given_is_not_looked_up() -> None:
    assert record_of(Outer, {"share": "no number"}, share=2.0, inner=None).share == 2.0


def test_an_undefined_number_stands_as_null() -> None:
    assert math.isnan(record_of(Outer, {"share": None}).share)
    assert record_of(Outer, {"share": 1, "own": {"x": None}}).own == {"x": None}


@pytest.mark.parametrize("plain", [{}, {"inner": {"name": "x"}}])
def test_a_field_without_default_must_be_there(plain: Any) -> None:
    with pytest.raises(KeyError, match=r"Outer\.share"):
        record_of(Outer, plain)
    with pytest.raises(KeyError, match=r"Inner\.name"):
        record_of(Outer, {"share": 1, "inner": {}})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"share": "0.5"}, "share is '0.5'"),
        ({"share": True}, "share is True"),
        ({"kind": "c"}, "kind is 'c'"),
        ({"inner": 3}, "inner is 3"),
        ({"inner": {"name": 3}}, "inner is {'name': 3}"),
        ({"inner": {"name": "x", "size": 1.5}}, "inner is .*1.5"),
        ({"inner": {"name": "x", "size": True}}, "inner is .*True"),
        ({"inner": {"name": "x", "size": None}}, "inner is .*None"),
        ({"several": {"name": "x"}}, "several is"),
        ({"several": [{"name": "x"}, 3]}, "Inner is 3"),
        ({"pair": ["x"]}, "pair is"),
        ({"pair": ["x", 1, 2]}, "pair is"),
        ({"pair": [1, "x"]}, "pair is 1"),
        ({"own": [1]}, "own is"),
        ({"own": {"x": "y"}}, "own is"),
        ({"sure": 1}, "sure is 1"),
    ],
)
def test_values_of_another_kind_are_refused_by_name(changes: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message.replace("[", "\\[")):
        record_of(Outer, {"share": 0.5, "inner": None, **changes})


@pytest.mark.parametrize("plain", [None, 3, "x", [1], [("share", 1)]])
def test_what_is_no_object_is_refused(plain: Any) -> None:
    with pytest.raises(TypeError, match="Outer is"):
        record_of(Outer, plain)
