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

from srscope.degradations.family import Degradation
from srscope.degradations.registry import build
from srscope.degradations.suite import BUNDLED, DegradedSet, Suite
from srscope.errors import FileProblem, ParameterError, SrscopeError, UnknownNameError
from srscope.runtime.yaml_file import read_yaml


def read_suite(path: Path) -> Suite:
    """Read and check a suite file.

    Args:
        path: The YAML file. Relative folders in it are looked for beside it.

    Raises:
        FileProblem: With the key, the rule and the value, if anything in it is wrong.
    """
    document = read_yaml(path, what="suite", absent="give a suite's name or a YAML file")
    try:
        return _suite(document, path)
    except FileProblem as problem:
        if problem.path == path:
            raise
        raise FileProblem(path, str(problem)) from problem
    except SrscopeError as error:
        raise FileProblem(path, str(error)) from error


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
