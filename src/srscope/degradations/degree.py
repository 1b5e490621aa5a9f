"""Degrees of a degradation: one fixed number, or a range that a value is drawn from per image."""

from __future__ import annotations

import torch

from srscope.errors import ParameterError

Degree = float | tuple[float, float]
"""A number, or a pair (low, high) from which one value an image is drawn uniformly."""


def is_number(value: object) -> bool:
    """Whether ``value`` is an int or a float, and not a bool."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def check_number(
    name: str, value: object, *, low: float, high: float, whole: bool = False, remedy: str = ""
) -> None:
    """Raise unless ``value`` is a number from ``low`` to ``high``, both included.

    Raises:
        ParameterError: If it is not a number, not finite, out of range, or not whole though
            ``whole`` asks for it.
    """
    kind = "a whole number" if whole else "a number"
    fits = is_number(value) and low <= value <= high  # type: ignore[operator]
    if not fits or (whole and not isinstance(value, int)):
        raise ParameterError(name, f"{kind} from {low:g} to {high:g}", value, remedy)


def check_degree(
    name: str, degree: object, *, low: float, high: float, whole: bool = False, remedy: str = ""
) -> None:
    """Raise unless ``degree`` is a number from ``low`` to ``high``, or a pair of such in order.

    Args:
        name: The parameter, for the message.
        degree: What the user gave.
        low: Smallest number allowed, in the parameter's unit.
        high: Largest number allowed.
        whole: Whether only whole numbers are allowed.
        remedy: What to do instead, for the message.

    Raises:
        ParameterError: If it is neither.

    Example:
        >>> check_degree("sigma", (2, 4), low=0.01, high=100)
        >>> check_degree("sigma", (4, 2), low=0.01, high=100)
        Traceback (most recent call last):
        ...
        srscope.errors.ParameterError: sigma must be a number from 0.01 to 100, or a pair
        [low, high] of such numbers in rising order, but is (4, 2)
    """
    kind = "a whole number" if whole else "a number"
    pair = isinstance(degree, tuple)
    ends: tuple[object, ...] = degree if isinstance(degree, tuple) else (degree,)
    fits = all(
        is_number(end) and low <= end <= high and (isinstance(end, int) or not whole)  # type: ignore[operator]
        for end in ends
    )
    if not fits or (pair and (len(ends) != 2 or ends[0] > ends[1])):  # type: ignore[operator]
        raise ParameterError(
            name,
            f"{kind} from {low:g} to {high:g}, or a pair [low, high] of such numbers in "
            "rising order",
            degree,
            remedy,
        )


def fixed(degree: Degree) -> float:
    """Return a degree that is a number already; a range here is a mistake in the code."""
    assert not isinstance(degree, tuple), "draw the degree first"
    return float(degree)


def largest(degree: Degree) -> float:
    """Return the largest size, whatever its sign, that a degree can take."""
    return max(abs(degree[0]), abs(degree[1])) if isinstance(degree, tuple) else abs(degree)


def draw(degree: Degree, generator: torch.Generator) -> float:
    """Return ``degree`` itself when fixed, else one value drawn uniformly from its range."""
    if not isinstance(degree, tuple):
        return float(degree)
    low, high = degree
    return low + (high - low) * float(torch.rand((), generator=generator, dtype=torch.float64))


def draw_whole(degree: int | tuple[int, int], generator: torch.Generator) -> int:
    """Return ``degree`` itself when fixed, else a whole number of its range, both ends included."""
    if not isinstance(degree, tuple):
        return degree
    low, high = degree
    return int(torch.randint(low, high + 1, (), generator=generator))


def describe(name: str, degree: Degree, unit: str = "") -> str:
    """Return e.g. ``"sigma 20 of 255"`` or ``"sigma ~ U[2, 4] LR px"``.

    Example:
        >>> describe("sigma", (2, 4), "LR px")
        'sigma ~ U[2, 4] LR px'
    """
    if isinstance(degree, tuple):
        text = f"{name} ~ U[{degree[0]:g}, {degree[1]:g}]"
    else:
        text = f"{name} {degree:g}"
    return f"{text} {unit}" if unit else text
