"""Reading a suite from a YAML file, strictly.

Example of a file::

    name: my-suite
    blur_applied_to: lr
    quantized: true
    sets:
      - name: clean
      - name: blur-noise
        steps:
          - kind: gaussian-blur
            sigma: [2, 4]
          - kind: gaussian-noise
            sigma: 10
      - name: salt
        steps:
          - kind: my_package.salt:Salt
            share: 0.02
      - name: films
        folder: frames/old
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from srscope.degradations.family import Degradation, build
from srscope.degradations.suite import BUNDLED, DegradedSet, Suite
from srscope.errors import FileProblem, ParameterError, SrscopeError, UnknownNameError

LARGEST_FILE = 64 * 1024
"""Bytes; a suite needs a hundredth of it."""
_DEEPEST = 20


def read_suite(path: Path) -> Suite:
    """Read and check a suite file.

    Args:
        path: The YAML file. Relative folders in it are looked for beside it.

    Raises:
        FileProblem: With the key, the rule and the value, if anything in it is wrong.
    """
    document = _load_yaml(path)
    try:
        return _suite(document, path)
    except FileProblem as problem:
        if problem.path == path:
            raise
        raise FileProblem(path, str(problem)) from problem
    except SrscopeError as error:
        raise FileProblem(path, str(error)) from error


def _load_yaml(path: Path) -> object:
    """Read plain values only: no tags, no aliases, no key twice, bounded size and depth."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise FileProblem(path, "does not exist", "give a suite's name or a YAML file") from None
    except OSError as error:
        raise FileProblem(path, f"cannot be read ({error.strerror})") from error
    if len(data) > LARGEST_FILE:
        raise FileProblem(path, f"is larger than {LARGEST_FILE} bytes, so no suite file")
    try:
        text = data.decode("utf-8-sig")
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise FileProblem(path, f"line {_line(event)} uses an alias (*)", "write it out")
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                raise FileProblem(path, f"is nested more than {_DEEPEST} levels deep")
        _refuse_repeated_keys(yaml.compose(text, Loader=yaml.SafeLoader), path)
        return yaml.safe_load(text)
    except UnicodeDecodeError as error:
        raise FileProblem(path, "is not UTF-8 text") from error
    except yaml.YAMLError as error:
        raise FileProblem(path, f"is not plain YAML: {_yaml_summary(error)}") from error
    except (ValueError, OverflowError) as error:  # e.g. a date that is none, a number too long
        raise FileProblem(path, f"holds a value that cannot be read: {error}") from error


def _refuse_repeated_keys(node: object, path: Path) -> None:
    """Raise if a mapping has a key twice, of which YAML would quietly keep the last."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in cast(list[tuple[Any, Any]], node.value):
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise FileProblem(path, f"line {_line(key)} repeats the key {key.value!r}")
                seen.add(key.value)
            _refuse_repeated_keys(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for value in cast(list[Any], node.value):
            _refuse_repeated_keys(value, path)


def _line(marked: Any) -> int:
    return marked.start_mark.line + 1


def _yaml_summary(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    mark = getattr(error, "problem_mark", None)
    return f"{problem} (line {mark.line + 1})" if mark is not None else str(problem)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Key:
    """What a key's value must be."""

    rule: str
    fits: Callable[[object], bool]
    required: bool = False


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_list(value: object) -> bool:
    return isinstance(value, list)


_SUITE_KEYS = {
    "name": _Key(rule="text", fits=_is_text),
    "blur_applied_to": _Key(rule="lr or hr", fits=lambda value: value in ("lr", "hr")),
    "quantized": _Key(rule="true or false", fits=lambda value: isinstance(value, bool)),
    "sets": _Key(rule="a list of sets", fits=_is_list, required=True),
}
_SET_KEYS = {
    "name": _Key(rule="text", fits=_is_text, required=True),
    "steps": _Key(rule="a list of degradations", fits=_is_list),
    "folder": _Key(rule="a path", fits=_is_text),
}


def _checked(value: object, keys: dict[str, _Key], where: str) -> dict[str, Any]:
    """Return ``value`` as a mapping with these keys only, each of its type."""
    mapping = _mapping(value, where)
    for name in mapping:
        if name not in keys:
            raise UnknownNameError(f"key of {where}", name, keys)
    for name, key in keys.items():
        if name not in mapping:
            if key.required:
                raise ParameterError(f"{name} of {where}", key.rule, None, "it is missing")
        elif not key.fits(mapping[name]):
            raise ParameterError(f"{name} of {where}", key.rule, mapping[name])
    return mapping


def _mapping(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ParameterError(where, "a mapping (key: value)", value)
    mapping = cast(dict[object, Any], value)
    for name in mapping:
        if not isinstance(name, str):
            raise ParameterError(f"a key of {where}", "text", name, "put it in quotes")
    return cast(dict[str, Any], mapping)


def _suite(document: object, path: Path) -> Suite:
    top = _checked(document, _SUITE_KEYS, "the suite")
    sets = [_set(each, number, path) for number, each in enumerate(top["sets"], start=1)]
    options = {name: top[name] for name in ("blur_applied_to", "quantized") if name in top}
    return Suite(name=top.get("name", path.stem), sets=tuple(sets), **options)


def _set(value: object, number: int, path: Path) -> DegradedSet:
    where = f"set {number}"
    keys = _checked(value, _SET_KEYS, where)
    where = f"set {keys['name']!r}"
    steps = [_step(each, f"step {n} of {where}") for n, each in enumerate(keys.get("steps", []), 1)]
    folder = keys.get("folder")
    if folder is not None and folder.strip() and not folder.startswith(BUNDLED):
        folder = str(path.parent / Path(folder).expanduser())
    return DegradedSet(name=keys["name"], steps=tuple(steps), folder=folder)


def _step(value: object, where: str) -> Degradation:
    mapping = _mapping(value, where)
    kind = mapping.get("kind")
    if not isinstance(kind, str):
        rule = "the name of a degradation"
        raise ParameterError(f"kind of {where}", rule, kind, "e.g. kind: gaussian-noise")
    try:
        return build(kind, {name: each for name, each in mapping.items() if name != "kind"})
    except ParameterError as error:
        name = f"{error.name} of {where}"
        raise ParameterError(name, error.rule, error.value, error.remedy) from error
    except SrscopeError as error:
        raise SrscopeError(f"{where}: {error}") from error
