"""What stands in a recipe's YAML, held against the record it is to become.

The parser that makes the record would say the same, but in many lines and in its own terms.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, Union, cast

from srscope.errors import ParameterError, UnknownNameError

LARGEST = 2**53
"""Largest number of anything, in size: whole numbers beyond are no numbers of images or steps."""
_RULES: dict[Any, str] = {
    int: "a whole number", float: "a number", str: "text", bool: "true or false",
}  # fmt: skip


def check_recipe(record: type, content: object) -> None:
    """Check a recipe's keys and the types of its values; their ranges are the record's own matter.

    Args:
        record: The recipe's class, a dataclass of plain values and of such dataclasses.
        content: What the file holds.

    Raises:
        UnknownNameError: If a key is unknown.
        ParameterError: If a value is of another type, naming key, rule and value.

    Example:
        >>> from srscope.training.config import OptimizerConfig
        >>> check_recipe(OptimizerConfig, {"beta1": "high"})
        Traceback (most recent call last):
        srscope.errors.ParameterError: beta1 must be a number, but is 'high'
    """
    _check_record(record, content, "")


def _check_record(record: type, content: object, at: str) -> None:
    if not isinstance(content, Mapping):
        raise ParameterError(at or "the recipe", "a mapping (key: value)", content)
    kinds = typing.get_type_hints(record)
    known = [field.name for field in dataclasses.fields(record)]
    for key, value in cast(Mapping[object, object], content).items():
        if not isinstance(key, str):
            raise ParameterError(f"a key of {at or 'the recipe'}", "text", key)
        if key not in known:
            raise UnknownNameError(f"key of {at or 'the recipe'}", key, known)
        _check_value(kinds[key], value, f"{at}.{key}" if at else key)


def _check_value(kind: Any, value: object, at: str) -> None:
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        assert isinstance(kind, type)
        _check_record(kind, value, at)
    elif origin is Literal:
        if value not in parts:
            raise ParameterError(at, "one of " + ", ".join(map(repr, parts)), value)
    elif origin in (Union, types.UnionType):
        _check_union(parts, value, at)
    elif origin is tuple:
        if not isinstance(value, list | tuple):
            raise ParameterError(at, "a list", value)
        for number, each in enumerate(cast(list[object], value)):
            _check_value(parts[0], each, f"{at}[{number}]")
    elif kind in _RULES and not _fits(kind, value):
        raise ParameterError(at, _RULES[kind], value)
    if isinstance(value, int | float) and abs(value) > LARGEST:
        raise ParameterError(at, f"at most {LARGEST} in size", value)


def _check_union(parts: tuple[Any, ...], value: object, at: str) -> None:
    """Accept what any of the kinds accepts; complain in the words of the first."""
    problems: list[ParameterError | UnknownNameError] = []
    for part in parts:
        if part is type(None) and value is None:
            return
        try:
            _check_value(part, value, at)
            return
        except (ParameterError, UnknownNameError) as error:
            problems.append(error)
    raise problems[0]


def _fits(kind: Any, value: object) -> bool:
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    if kind is float:
        return isinstance(value, int | float) or (isinstance(value, str) and _is_number(value))
    return isinstance(value, kind)


def _is_number(text: str) -> bool:
    """Tell whether text is a number that YAML 1.1 takes for text, as 2e-4."""
    try:
        float(text)
    except ValueError:
        return False
    return True
