from __future__ import annotations

import math

import pytest
import torch

from srscope.degradations.degree import (
    check_degree,
    check_number,
    describe,
    draw,
    draw_whole,
    fixed,
    largest,
)
from srscope.errors import ParameterError

TOO_LONG = 10**400


@pytest.mark.parametrize("degree", [0, 2, 2.5, 4, (0, 4), (2.0, 2.0)])
def test_allowed(degree: object) -> None:
    check_degree("sigma", degree, low=0, high=4)


@pytest.mark.parametrize(
    "degree",
    [
        *(-1, 4.1, math.nan, math.inf, "2", True, None, TOO_LONG, [1, 2], {"low": 1}),
        *((3, 1), (1,), (1, 2, 3), (), (1, "2"), (math.nan, 2), (1, TOO_LONG)),
    ],
)
def test_refused_with_one_clear_line(degree: object) -> None:
    rule = r"^sigma must be a number from 0 to 4, or a pair \[low, high\] of such numbers in rising"
    with pytest.raises(ParameterError, match=rule) as caught:
        check_degree("sigma", degree, low=0, high=4, remedy="use 2")
    assert str(caught.value).endswith("; use 2")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("degree", [2.5, (1, 2.5), 2.0])
def test_whole_numbers_only(degree: object) -> None:
    with pytest.raises(ParameterError, match="quality must be a whole number from 1 to 100"):
        check_degree("quality", degree, low=1, high=100, whole=True)
    check_degree("quality", (1, 100), low=1, high=100, whole=True)


@pytest.mark.parametrize("value", [0, 102, 3.0, True, "3", math.nan])
def test_number_refused(value: object) -> None:
    with pytest.raises(ParameterError, match=r"^size must be a whole number from 1 to 101, but is"):
        check_number("size", value, low=1, high=101, whole=True)


def test_draw_covers_its_range_evenly() -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = [draw((2, 4), generator) for _ in range(2000)]
    assert 2 <= min(drawn) < 2.01
    assert 3.99 < max(drawn) <= 4
    assert abs(sum(drawn) / 2000 - 3) < 4 * math.sqrt(4 / 12 / 2000)


def test_draw_whole_reaches_both_ends() -> None:
    generator = torch.Generator().manual_seed(0)
    assert {draw_whole((3, 5), generator) for _ in range(100)} == {3, 4, 5}
    assert draw_whole(7, generator) == 7


def test_fixed_degrees_leave_the_generator_alone() -> None:
    generator = torch.Generator().manual_seed(5)
    before = generator.get_state()
    assert draw(3, generator) == 3.0
    assert torch.equal(before, generator.get_state())


def test_small_helpers() -> None:
    assert fixed(3) == 3.0
    assert largest((-5.0, 2.0)) == 5
    assert largest(-2) == 2
    assert describe("sigma", 20, "of 255") == "sigma 20 of 255"
    assert describe("sigma", (0.5, 4.0)) == "sigma ~ U[0.5, 4]"
    with pytest.raises(AssertionError):
        fixed((1, 2))
