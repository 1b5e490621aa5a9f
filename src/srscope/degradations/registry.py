"""Looking up families by the names that suite files use.

Importing this module registers the families of the package.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from srscope.degradations.blur import GaussianBlur
from srscope.degradations.clean import Clean
from srscope.degradations.family import REGISTER, Degradation
from srscope.degradations.jpeg import Jpeg
from srscope.degradations.mild import Mild
from srscope.degradations.noise import GaussianNoise
from srscope.errors import ParameterError, SrscopeError, UnknownNameError
from srscope.runtime.user_code import one_line, searched

BUILT_IN = (Clean, GaussianBlur, GaussianNoise, Jpeg, Mild)
"""The families of the package."""


def registered() -> tuple[str, ...]:
    """Return the registered names, sorted."""
    return tuple(sorted(REGISTER))


def kind_of(degradation: Degradation) -> str:
    """Return the registered name of a degradation's class, else ``module:Class``."""
    for name, family in REGISTER.items():
        if family is type(degradation):
            return name
    return f"{type(degradation).__module__}:{type(degradation).__qualname__}"


def build(kind: str, parameters: Mapping[str, object]) -> Degradation:
    """Make a degradation from its name and parameters, as a suite file gives them.

    Args:
        kind: A registered name, or ``package.module:Class`` of the user's own.
        parameters: Keyword arguments; a list of a YAML file becomes a tuple.

    Raises:
        UnknownNameError: If there is no such kind or parameter; near matches are suggested.
        ParameterError: If a parameter is missing or breaks its rule.
        SrscopeError: If the user's own class cannot be imported or made.
    """
    family = _imported(kind) if ":" in kind else REGISTER.get(kind)
    if family is None:
        raise UnknownNameError("degradation", kind, registered())
    accepted = inspect.signature(family).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in accepted.values())
    for name in parameters:
        if name not in accepted and not takes_any:
            raise UnknownNameError(f"parameter of {kind}", name, accepted)
    for name, parameter in accepted.items():
        required = parameter.default is parameter.empty and parameter.kind in (
            parameter.KEYWORD_ONLY,
            parameter.POSITIONAL_OR_KEYWORD,
        )
        if required and name not in parameters:
            raise ParameterError(name, "given", None, f"add it to {kind}")
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in parameters.items()}
    try:
        degradation = family(**values)
    except SrscopeError:
        raise
    except Exception as error:  # a user's own class may raise anything
        raise SrscopeError(f"{kind} cannot be made: {one_line(error)}") from error
    if not callable(degradation):
        raise SrscopeError(f"{kind} makes no degradation: its instances cannot be called")
    return degradation


def _imported(reference: str) -> Callable[..., Degradation]:
    """Import ``package.module:Class``, looking in the working directory too, as python does."""
    module_name, _, class_name = reference.partition(":")
    try:
        with searched(Path.cwd()):
            found: object = importlib.import_module(module_name)
            for part in class_name.split("."):
                found = getattr(found, part)
    except Exception as error:  # importing runs the user's code, which may raise anything
        raise SrscopeError(
            f"degradation {reference!r} cannot be imported: {one_line(error)}; "
            "write package.module:Class, and install the package or work in its folder"
        ) from error
    if not callable(found):
        raise SrscopeError(f"degradation {reference!r} is no class, so it cannot be made")
    return cast(Callable[..., Degradation], found)
