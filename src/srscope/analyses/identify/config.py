"""The parameters of identification, and the bundled suite of types and levels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from srscope.analyses.dose.config import GRIDS, UNITS, at_level
from srscope.analyses.runner import ImagesConfig
from srscope.degradations.suite import DegradedSet, Suite
from srscope.errors import ParameterError, UnknownNameError
from srscope.study.config import AnalysisConfig

CLEAN = "clean"
LEVELS: Mapping[str, tuple[float, ...]] = {
    "gaussian-noise": (3, 5, 8, 13, 20, 32),
    "gaussian-blur": (0.7, 1.0, 1.4, 2.0, 2.8, 4.0),
    "jpeg": (80, 60, 40, 25, 15, 8),
}
"""Levels of each type, weakest first, about evenly spaced on a logarithmic scale."""


@dataclass(frozen=True, kw_only=True)
class Config(ImagesConfig):
    """What is told, and what it is learned from.

    Args:
        images: Folder of the images to tell, taken as they are; none are told if absent.
        training: Photographs to learn from, as ``images`` of other analyses; the bundled test
            photographs if absent.
        families: Types to learn, besides clean.
        unknown: Types that are held out as unknown.
        layers: As for other analyses; of these the one that tells most is used on your images.
        share: Share of known images, of photographs not learned from, that are not called unknown.
        stride: Step between the patches of an image, in pixels; the patch if absent.

    Raises:
        ParameterError: If a number is out of its range, or a family is given twice.
        UnknownNameError: If a family has no levels here.
    """

    training: str | None = None
    families: tuple[str, ...] = ("gaussian-noise", "gaussian-blur")
    unknown: tuple[str, ...] = ("jpeg",)
    share: float = 0.95
    stride: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.families:
            raise ParameterError("families", "one or more", self.families)
        together = (*self.families, *self.unknown)
        for name in together:
            if name not in LEVELS:
                raise UnknownNameError("family", name, LEVELS)
            if together.count(name) > 1:
                rule = "given once, as a type to learn or as unknown"
                raise ParameterError("families and unknown", rule, name)
        if not 0 < self.share < 1:
            raise ParameterError("share", "between 0 and 1", self.share)
        if self.stride is not None and self.stride < 1:
            raise ParameterError("stride", "1 or more", self.stride)

    def analysis_config(self, **changes: Any) -> AnalysisConfig:
        """Return the config of the session: its photographs are those to learn from."""
        return super().analysis_config(**{"images": self.training, **changes})

    @property
    def cells(self) -> tuple[tuple[str, float | None], ...]:
        """Type and level of every set; clean has none."""
        made: list[tuple[str, float | None]] = [(CLEAN, None)]
        for name in (*self.families, *self.unknown):
            made += [(name, float(level)) for level in LEVELS[name]]
        return tuple(made)

    def suite(self) -> Suite:
        """Return one set a cell, all made of the same contents."""
        sets = [
            DegradedSet(
                name=name if level is None else f"{name}-{level:g}",
                steps=() if level is None else (at_level(name, GRIDS[name][0], level),),
            )
            for name, level in self.cells
        ]
        return Suite(name="identify", sets=tuple(sets))


def unit_of(name: str) -> str:
    """Return the unit of a type's level, in words."""
    return f"{GRIDS[name][0]} {UNITS[name]}".strip() if name in GRIDS else ""
