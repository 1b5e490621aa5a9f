"""YAML files that people write by hand or download, read strictly.

Plain values only: no tags, which can name Python objects; no key twice; bounded size and depth,
also with aliases written out, by which a few lines could become gigabytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import yaml

from srscope.errors import FileProblem

LARGEST_FILE = 64 * 1024
"""Bytes; a suite or a recipe needs a hundredth of it."""
_DEEPEST = 20
_MOST_VALUES = 10_000
"""With aliases written out."""


def read_yaml(path: Path, *, what: str, absent: str = "", aliases: bool = False) -> object:
    """Return what a YAML file holds.

    Args:
        path: The file.
        what: What it should be, for messages: ``suite`` or ``recipe``.
        absent: What to do where there is no such file.
        aliases: Whether ``*name`` may stand for what ``&name`` marks.

    Raises:
        FileProblem: If it cannot be read, or is more than plain values.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():  # a pipe would wait forever
            raise FileProblem(path, "is not a regular file")
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise FileProblem(path, "does not exist", absent) from None
    except OSError as error:
        raise FileProblem(path, f"cannot be read ({error.strerror})") from error
    if len(data) > LARGEST_FILE:
        raise FileProblem(path, f"is larger than {LARGEST_FILE} bytes, so no {what} file")
    try:
        text = data.decode("utf-8-sig")
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent) and not aliases:
                raise FileProblem(path, f"line {_line(event)} uses an alias (*)", "write it out")
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                raise FileProblem(path, f"is nested more than {_DEEPEST} levels deep")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if _values(node, {}, ()) > _MOST_VALUES:
            raise FileProblem(path, f"comes to more than {_MOST_VALUES:,} values", "write less")
        _refuse_repeated_keys(node, path, set())
        return yaml.safe_load(text)
    except _Endless:
        raise FileProblem(path, "holds a value that contains itself", "write it out") from None
    except UnicodeDecodeError as error:
        raise FileProblem(path, "is not UTF-8 text") from error
    except yaml.YAMLError as error:
        raise FileProblem(path, f"is not plain YAML: {_summary(error)}") from error
    except (ValueError, OverflowError, TypeError) as error:  # a date that is none, a list as key
        raise FileProblem(path, f"holds a value that cannot be read: {error}") from error


class _Endless(Exception):
    """A value contains itself."""


def _parts(node: object) -> list[Any]:
    """Return what stands directly in a mapping or list."""
    if isinstance(node, yaml.MappingNode):
        return [part for pair in cast(list[tuple[Any, Any]], node.value) for part in pair]
    return cast(list[Any], node.value) if isinstance(node, yaml.SequenceNode) else []


def _values(node: object, counted: dict[int, int], way: tuple[int, ...]) -> int:
    """Return how many values there are with aliases written out, each node looked at once."""
    if id(node) in way or len(way) > 2 * _DEEPEST:
        raise _Endless
    if id(node) not in counted:
        inner = (*way, id(node))
        counted[id(node)] = 1 + sum(_values(part, counted, inner) for part in _parts(node))
    return counted[id(node)]


def _refuse_repeated_keys(node: object, path: Path, done: set[int]) -> None:
    """Raise if a mapping has a key twice, of which YAML would quietly keep the last."""
    if id(node) in done:
        return
    done.add(id(node))
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, _ in cast(list[tuple[Any, Any]], node.value):
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise FileProblem(path, f"line {_line(key)} repeats the key {key.value!r}")
                seen.add(key.value)
    for part in _parts(node):
        _refuse_repeated_keys(part, path, done)


def _line(marked: Any) -> int:
    return marked.start_mark.line + 1


def _summary(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    mark = getattr(error, "problem_mark", None)
    return f"{problem} (line {mark.line + 1})" if mark is not None else str(problem)
