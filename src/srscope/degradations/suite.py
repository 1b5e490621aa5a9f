"""Suites: which degraded sets are made of the same contents, and how."""

from __future__ import annotations

import dataclasses
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from srscope.degradations.family import Degradation, definition_of
from srscope.errors import ParameterError, UnknownNameError
from srscope.files import check_name

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
            >>> load_suite("clean-mild-noise20").with_folder("mild", "DIV2K_mild").crossed
            False
        """
        if name not in (known := [degraded_set.name for degraded_set in self.sets]):
            raise UnknownNameError(f"set of suite {self.name}", name, known)
        taken = DegradedSet(name=name, folder=str(folder))
        sets = tuple(taken if each.name == name else each for each in self.sets)
        return dataclasses.replace(self, sets=sets)


_REGISTER: dict[str, Suite] = {}


def register_suite(suite: Suite) -> Suite:
    """Let a suite of the user's be called by its name, as those of the package are.

    Args:
        suite: Replaces an earlier one of that name, as a cell that is run again does.

    Returns:
        The same suite.

    Raises:
        ParameterError: If a suite of the package has the name.

    Example:
        >>> mine = register_suite(Suite(name="doctest", sets=(DegradedSet(name="clean"),)))
        >>> load_suite("doctest") is mine
        True
        >>> unregister_suite("doctest")
    """
    from srscope.degradations.catalogue import SUITES  # it is made of this module's classes

    if suite.name in {known.name for known in SUITES}:
        rule = "another than those of the package's suites"
        raise ParameterError("suite name", rule, suite.name, "rename yours")
    _REGISTER[suite.name] = suite
    return suite


def unregister_suite(name: str) -> None:
    """Forget the user's suite ``name``; nothing happens when there is none."""
    _REGISTER.pop(name, None)


def list_suites() -> tuple[Suite, ...]:
    """Return the suites: the package's, in the order of the documentation, then the user's.

    Example:
        >>> [suite.name for suite in list_suites()][:2]
        ['clean-blur-noise', 'noise-5-10-30']
    """
    from srscope.degradations.catalogue import SUITES  # it is made of this module's classes

    return (*SUITES, *_REGISTER.values())


def load_suite(name_or_path: str | Path) -> Suite:
    """Return a suite of the package, or a registered one, by name; or read one from a YAML file.

    Args:
        name_or_path: A name of :func:`list_suites`, or a path that ends in .yaml or .yml.

    Raises:
        UnknownNameError: If there is no suite of that name; near matches are suggested.
        FileProblem: If the file is missing, too large, not YAML, or breaks a rule; the message
            names key, rule and value.

    Example:
        >>> [each.name for each in load_suite("noise-10-30").sets]
        ['noise10', 'noise30']
    """
    from srscope.degradations.suite_file import read_suite  # it is made of this module's classes

    known = {suite.name: suite for suite in list_suites()}
    if isinstance(name_or_path, str) and name_or_path in known:
        return known[name_or_path]
    if Path(name_or_path).suffix.lower() in (".yaml", ".yml"):
        return read_suite(Path(name_or_path))
    raise UnknownNameError("suite", str(name_or_path), [*known, "a .yaml file of your own"])
