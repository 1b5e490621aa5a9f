"""What a degradation is, and the register of the families that suites can name.

A degradation is any callable ``(images_NCHW, *, generator) -> images_NCHW``. The families of this
package derive from :class:`Family`, which adds drawing, recording and describing the degree;
a user's own class need not. Suffixes: N images, C channels, H height, W width.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any, ClassVar, Protocol, Self, TypeVar, cast

import torch
from torch import Tensor

from srscope.degradations.degree import draw, is_number
from srscope.errors import ParameterError


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


REGISTER: dict[str, Callable[..., Degradation]] = {}
"""Every registered family by its name; :mod:`~srscope.degradations.registry` looks them up."""

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
        >>> "doctest-invert" in REGISTER
        True
        >>> unregister("doctest-invert")
    """

    def add(family: FamilyClass) -> FamilyClass:
        taken = REGISTER.get(name)
        if taken is not None and _origin(taken) != _origin(family):
            raise ParameterError("name", f"free, but {_origin(taken)} has it", name, "rename yours")
        REGISTER[name] = family
        return family

    return add


def unregister(name: str) -> None:
    """Forget the family ``name``; nothing happens when there is none."""
    REGISTER.pop(name, None)


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


def _origin(family: Callable[..., Degradation]) -> str:
    return f"{family.__module__}:{getattr(family, '__qualname__', family)}"
