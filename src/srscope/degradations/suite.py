"""Suites: which degraded sets are made of the same contents, and how."""

from __future__ import annotations

import dataclasses
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from srscope.degradations.family import Degradation, definition_of
from srscope.errors import ParameterError, UnknownNameError
from srscope.runtime.files import check_name

BUNDLED = "bundled:"
"""Start of a set's ``folder`` that means photographs of this package, e.g. bundled:historic."""

BlurPlace = Literal["lr", "hr"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DegradedSet:
    """One set of a suite: degradations of the suite's contents, or images that are as they are.

    Args:
        name: Letters, digits, ``.``, ``_`` and ``-``; it names a folder when sets are written.
        steps: Degradations in the order they act; none gives the clean set.
        folder: A folder of degraded images to feed as they are, or ``bundled:historic``.

    Raises:
        ParameterError: If the name does not fit, a step cannot be called, or both steps and a
            folder are given.

    Example:
        >>> DegradedSet(name="clean").definition(scale=4, blur_applied_to="lr")
        'bicubic x4 downsampling'
    """

    name: str
    steps: tuple[Degradation, ...] = ()
    folder: str | None = None

    def __post_init__(self) -> None:
        check_name("set name", self.name)
        for step in self.steps:
            if isinstance(step, type) or not callable(step):
                rule = "degradations such as GaussianNoise(sigma=20)"
                raise ParameterError(f"steps of set {self.name!r}", rule, step)
        if self.folder is not None and self.steps:
            rule = "left out of a set with a folder, whose images are taken as they are"
            raise ParameterError("steps", rule, self.steps, "make a second set for them")
        if self.folder is not None and not self.folder.strip():
            raise ParameterError("folder", "a path", self.folder)

    def definition(self, *, scale: int, blur_applied_to: BlurPlace) -> str:
        """Describe how the set is made, with units."""
        if self.folder is not None:
            return f"images of {self.folder}, as they are"
        before, after = self.split(blur_applied_to)
        parts = [definition_of(step, "HR px") for step in before]
        parts.append(f"bicubic x{scale} downsampling" if scale > 1 else "images as they are")
        parts += [definition_of(step, "LR px" if scale > 1 else "px") for step in after]
        return ", then ".join(parts)

    def split(
        self, blur_applied_to: BlurPlace
    ) -> tuple[tuple[Degradation, ...], tuple[Degradation, ...]]:
        """Return the steps before and after downsampling."""
        if blur_applied_to == "lr":
            return (), self.steps
        blurs = tuple(step for step in self.steps if getattr(step, "blurs", False))
        others = tuple(step for step in self.steps if not getattr(step, "blurs", False))
        return blurs, others


@dataclass(frozen=True, kw_only=True, slots=True)
class Suite:
    """Named sets that are compared with each other.

    Args:
        name: Its name in lists and results.
        sets: Two sets or more make sense; one is allowed. Names differ, also without case.
        blur_applied_to: Whether blurs act on the downsampled image (``"lr"``, as the paper), or
            before downsampling (``"hr"``, as its authors' later code): very different at x4.
        quantized: Whether images are clipped and rounded to 8 bits, as files on disk would be,
            after downsampling and after all degradations; else they stay float and unclipped.

    Raises:
        ParameterError: If a field breaks its rule.

    Example:
        >>> Suite(name="only-clean", sets=(DegradedSet(name="clean"),)).crossed
        True
    """

    name: str
    sets: tuple[DegradedSet, ...]
    blur_applied_to: BlurPlace = "lr"
    quantized: bool = True

    def __post_init__(self) -> None:
        check_name("suite name", self.name)
        if not self.sets:
            raise ParameterError("sets", "a list of one set or more", self.sets)
        seen: set[str] = set()
        for degraded_set in self.sets:
            folded = unicodedata.normalize("NFC", degraded_set.name).casefold()
            if folded in seen:
                raise ParameterError("set name", "used once, capitals or not", degraded_set.name)
            seen.add(folded)
        if self.blur_applied_to not in get_args(BlurPlace):
            raise ParameterError("blur_applied_to", "'lr' or 'hr'", self.blur_applied_to)
        if not isinstance(self.quantized, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ParameterError("quantized", "true or false", self.quantized)

    @property
    def crossed(self) -> bool:
        """Whether every content appears in every set: no set is a folder of its own."""
        return all(degraded_set.folder is None for degraded_set in self.sets)

    def with_folder(self, name: str, folder: str | Path) -> Suite:
        """Return the suite with the images of ``folder``, as they are, in place of one set.

        Args:
            name: The set to replace, e.g. ``"mild"``.
            folder: Its images, e.g. the official ones.

        Raises:
            UnknownNameError: If the suite has no such set.

        Example:
            >>> sets = (DegradedSet(name="clean"), DegradedSet(name="mild"))
            >>> Suite(name="two", sets=sets).with_folder("mild", "DIV2K_mild").crossed
            False
        """
        if name not in (known := [degraded_set.name for degraded_set in self.sets]):
            raise UnknownNameError(f"set of suite {self.name}", name, known)
        taken = DegradedSet(name=name, folder=str(folder))
        sets = tuple(taken if each.name == name else each for each in self.sets)
        return dataclasses.replace(self, sets=sets)
