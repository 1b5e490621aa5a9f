"""What a degradation is, and the register of the families that suites can name.

A degradation is any callable ``(images_NCHW, *, generator) -> images_NCHW``. The families of this
package derive from :class:`Family`, which adds drawing, recording and describing the degree;
a user's own class need not. Suffixes: N images, C channels, H height, W width.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, TypeVar, cast

import torch
from torch import Tensor

from srscope.degradations.degree import draw, is_number
from srscope.errors import ParameterError, SrscopeError, UnknownNameError
from srscope.user_code import one_line, searched


class Degradation(Protocol):
    """Anything that degrades a batch: float images in [0, 1] in, the same shape and dtype out."""

    def __call__(self, images_NCHW: Tensor, *, generator: torch.Generator) -> Tensor:
        """Return the degraded images; all randomness comes from ``generator``."""
        ...


class Family:
    """Base of the families here: draws one degree an image, then degrades that image alone.

    So a batch gives what its images give one after the other with the same generator. Fields that
    hold a pair are ranges; :meth:`drawn` fixes them.
    """

    __slots__ = ()
    blurs: ClassVar[bool] = False
    """Whether a suite with ``blur_applied_to="hr"`` applies it before downsampling."""

    def __call__(self, images_NCHW: Tensor, *, generator: torch.Generator) -> Tensor:
        """Degrade every image with a degree of its own.

        Args:
            images_NCHW: Float images, usually in [0, 1].
            generator: The only source of randomness.

        Returns:
            Images of the same shape and dtype, neither clipped nor rounded.

        Raises:
            ParameterError: If the images are not a 4-D float tensor, or too small for the kernel.
        """
        if images_NCHW.ndim != 4 or not images_NCHW.is_floating_point():
            found = (tuple(images_NCHW.shape), images_NCHW.dtype)
            raise ParameterError("images_NCHW", "a 4-D float tensor (N, C, H, W)", found)
        if len(images_NCHW) == 0:
            return images_NCHW.clone()
        return torch.cat(
            [
                self.drawn(generator).apply(image_1CHW, generator)
                for image_1CHW in images_NCHW.split(1)
            ]
        )

    def drawn(self, generator: torch.Generator) -> Self:
        """Return a copy whose ranges are replaced by values drawn from them."""
        fields = dataclasses.fields(cast(Any, self))
        ranges = {f.name: getattr(self, f.name) for f in fields}
        fixed = {k: draw(v, generator) for k, v in ranges.items() if isinstance(v, tuple)}
        return dataclasses.replace(cast(Any, self), **fixed) if fixed else self

    def apply(self, image_1CHW: Tensor, generator: torch.Generator) -> Tensor:
        """Degrade one image (1, C, H, W); every range is already fixed."""
        raise NotImplementedError

    def definition(self, unit: str) -> str:
        """Describe the degradation; ``unit`` is that of lengths, ``"LR px"`` or ``"HR px"``."""
        raise NotImplementedError


_REGISTER: dict[str, Callable[..., Degradation]] = {}
FamilyClass = TypeVar("FamilyClass", bound=Callable[..., Degradation])


def register(name: str) -> Callable[[FamilyClass], FamilyClass]:
    """Register a degradation class under ``name``, for the ``kind`` of a suite file.

    Args:
        name: Lower-case words joined by hyphens; must be free, or taken by this very class.

    Raises:
        ParameterError: If another class has the name.

    Example:
        >>> @register("doctest-invert")
        ... @dataclasses.dataclass(frozen=True, kw_only=True)
        ... class Invert:
        ...     strength: float = 1.0
        ...
        ...     def __call__(self, images_NCHW, *, generator):
        ...         return images_NCHW + self.strength * (1 - 2 * images_NCHW)
        >>> build("doctest-invert", {"strength": 0.5}).strength
        0.5
        >>> unregister("doctest-invert")
    """

    def add(family: FamilyClass) -> FamilyClass:
        taken = _REGISTER.get(name)
        if taken is not None and _origin(taken) != _origin(family):
            raise ParameterError("name", f"free, but {_origin(taken)} has it", name, "rename yours")
        _REGISTER[name] = family
        return family

    return add


def unregister(name: str) -> None:
    """Forget the family ``name``; nothing happens when there is none."""
    _REGISTER.pop(name, None)


def registered() -> tuple[str, ...]:
    """Return the registered names, sorted."""
    return tuple(sorted(_REGISTER))


def kind_of(degradation: Degradation) -> str:
    """Return the registered name of a degradation's class, else ``module:Class``."""
    for name, family in _REGISTER.items():
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
    family = _imported(kind) if ":" in kind else _REGISTER.get(kind)
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


def drawn_degrees(degradation: Degradation) -> dict[str, float]:
    """Return the numbers among a degradation's fields, by name; empty if it is no dataclass."""
    if not dataclasses.is_dataclass(degradation) or isinstance(degradation, type):
        return {}
    values = {f.name: getattr(degradation, f.name) for f in dataclasses.fields(degradation)}
    return {name: value for name, value in values.items() if is_number(value)}


def definition_of(degradation: Degradation, unit: str) -> str:
    """Return the degradation's own description, else its ``repr``.

    Where that would be an address in memory, another in every run, it is the kind and the values
    of its fields.

    Example:
        >>> class Invert:
        ...     def __init__(self, strength):
        ...         self.strength = strength
        >>> definition_of(Invert(0.5), "px")
        'Invert(strength=0.5)'
    """
    own = getattr(degradation, "definition", None)
    if callable(own):
        return str(own(unit))
    if type(degradation).__repr__ is not object.__repr__ and not inspect.isroutine(degradation):
        return repr(degradation)
    name = str(getattr(degradation, "__qualname__", type(degradation).__qualname__))
    fields: dict[str, object] = {} if inspect.isroutine(degradation) else vars(degradation)
    shown = ", ".join(f"{key}={value!r}" for key, value in fields.items())
    return f"{name.rpartition('.')[2]}({shown})" if shown else name.rpartition(".")[2]


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


def _origin(family: Callable[..., Degradation]) -> str:
    return f"{family.__module__}:{getattr(family, '__qualname__', family)}"
