"""Frozen records from JSON values, whatever version wrote them.

Fields that a record does not know are ignored, and those that are missing take their default, so
that files of older and newer versions can be read.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

Record = TypeVar("Record")


@functools.cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def record_of(kind: type[Record], plain: Any, **given: Any) -> Record:
    """Return a record of this kind from JSON values.

    Args:
        kind: A dataclass.
        plain: Its fields by name; what it does not know is ignored.
        given: Fields that are at hand, not looked up in ``plain``.

    Raises:
        KeyError: If a field without a default is missing, and may not be ``None``.
        TypeError: If a value is of another kind than its field.

    Example:
        >>> @dataclasses.dataclass(frozen=True, kw_only=True)
        ... class Point:
        ...     x: float
        ...     name: str = "a point"
        >>> record_of(Point, {"x": 1, "colour": "red"})
        Point(x=1.0, name='a point')
    """
    if not isinstance(plain, Mapping):
        raise TypeError(f"{kind.__name__} is {plain!r}")
    values = dict(given)
    for field in dataclasses.fields(kind):  # pyright: ignore[reportArgumentType]
        if field.name in values:
            continue
        hint = _hints(kind)[field.name]
        if field.name in plain:
            values[field.name] = _value(hint, plain[field.name], field.name)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            if type(None) not in typing.get_args(hint):
                raise KeyError(f"{kind.__name__}.{field.name}")
            values[field.name] = None
    return kind(**values)


def _value(hint: Any, value: Any, name: str) -> Any:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in inner:
            return None
        errors: list[TypeError] = []
        for each in inner:
            try:
                return _value(each, value, name)
            except TypeError as error:
                errors.append(error)
        raise errors[-1]
    if hint is Any:
        return value
    if origin is typing.Literal:
        return _checked(value, value in inner, name)
    if origin is tuple:
        _checked(value, isinstance(value, (list, tuple)), name)
        if inner[1:] == (...,):
            return tuple(_value(inner[0], each, name) for each in value)
        _checked(value, len(value) == len(inner), name)
        return tuple(_value(kind, each, name) for kind, each in zip(inner, value, strict=True))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        _checked(value, isinstance(value, Mapping), name)
        return {key: _value(inner[1], each, name) for key, each in value.items()}
    if dataclasses.is_dataclass(hint):
        return record_of(typing.cast("type[Any]", hint), value)
    if hint is float:  # what is undefined stands as null
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return math.nan if value is None else float(_checked(value, number, name))
    if hint is int:
        return _checked(value, isinstance(value, int) and not isinstance(value, bool), name)
    return _checked(value, isinstance(value, hint), name)


def _checked(value: Any, fits: bool, name: str) -> Any:
    if not fits:
        raise TypeError(f"{name} is {value!r}")
    return value
