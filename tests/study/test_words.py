from __future__ import annotations

import math

import pytest

from srscope.scores.record import Runs
from srscope.study import words


@pytest.mark.parametrize("bad", ["a\nb", "a\x07b", "a\udcffb", "a\N{RIGHT-TO-LEFT OVERRIDE}b"])
def test_what_cannot_be_printed_is_replaced(bad: str) -> None:
    assert words.printable(bad) == "a\N{REPLACEMENT CHARACTER}b"


def test_joiners_of_other_scripts_stay() -> None:
    assert words.printable("می\N{ZERO WIDTH NON-JOINER}خواهم") == "می\N{ZERO WIDTH NON-JOINER}خواهم"


@pytest.mark.parametrize("limit", range(3, 30))
def test_shortened_names_fit_and_keep_both_ends(limit: int) -> None:
    short = words.shorten("abcdefghijklmnopqrstuvwxyz", limit)
    assert len(short) <= limit
    assert short[0] == "a"
    assert short[-1] == "z"


@pytest.mark.parametrize(
    ("names", "limit", "expected"),
    [
        (["Conv1", "ResBlock4"], 9, ["Conv1", "ResBlock4"]),
        (["net.0.mlp.fc2", "net.1.mlp.fc2"], 9, ["net.0…", "net.1…"]),
        (["network.body.a", "network.body.b"], 6, ["…a", "…b"]),
        (["network.body.a.xyz", "network.body.b.xyz"], 5, ["…a…", "…b…"]),
        (["net.0", "network_with_a_long_name"], 9, ["net.0", "netw…name"]),
        (["x" * 30], 9, ["xxxx…xxxx"]),
        (["same"] * 2, 9, ["same"] * 2),
        ([], 9, []),
    ],
)
def test_labels_lose_first_what_all_have_in_common(
    names: list[str], limit: int, expected: list[str]
) -> None:
    assert words.distinct(names, limit) == expected


def test_labels_that_become_alike_are_numbered() -> None:
    names = [f"aaaaaaaaaa{i}aaaaaaaaaa" for i in range(3)]
    short = words.distinct(names, 10)
    assert len(set(short)) == 3
    assert all(len(s) <= 10 for s in short)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "0.00"),
        (9.999, "10.00"),
        (99.96, "100.0"),
        (1688.6, "1\N{THIN SPACE}689"),
        (2.5e9, "2.50e+09"),
        (-0.0421, "\N{MINUS SIGN}0.04"),
        (math.nan, "undefined"),
        (math.inf, "undefined"),
        (None, "undefined"),
    ],
)
def test_numbers(value: float | None, expected: str) -> None:
    assert words.number(value) == expected


def test_an_undefined_score_has_no_spread() -> None:
    assert words.with_spread(Runs(mean=math.nan, std=math.nan, runs=(1.0, 2.0))) == "undefined"


@pytest.mark.parametrize("share", [None, math.nan])
def test_an_undefined_share_is_said(share: float | None) -> None:
    assert words.percent(share) == "undefined"
