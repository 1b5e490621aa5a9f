"""The parameters of a dose-response, and its grid of levels."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from srscope.analyses.runner import ImagesConfig
from srscope.degradations.degree import is_number
from srscope.degradations.family import Degradation
from srscope.degradations.registry import build
from srscope.degradations.suite import DegradedSet, Suite
from srscope.errors import ParameterError

GRIDS: Mapping[str, tuple[str, float, float]] = {
    "gaussian-noise": ("sigma", 0.5, 50.0),
    "gaussian-blur": ("sigma", 0.25, 4.0),
    "jpeg": ("quality", 95.0, 5.0),
}
"""By family: its degree, and the weakest and the strongest level of its grid."""
UNITS = {"gaussian-noise": "of 255", "gaussian-blur": "LR px", "jpeg": ""}
CLEAN = "clean"


@dataclass(frozen=True, kw_only=True)
class Config(ImagesConfig):
    """How the levels are chosen, and how often photographs are drawn.

    Args:
        family: Name of a degradation, or ``module:Class`` of your own.
        degree: Which of its numbers is the level; known for gaussian-noise, gaussian-blur, jpeg.
        weakest: First level of the grid, in the family's unit; known likewise.
        strongest: Last level; below ``weakest`` where a smaller number is stronger.
        steps: Levels of the grid, evenly spaced on a logarithmic scale.
        levels: The levels themselves, weakest first, in place of a grid.
        draws: Of photographs, for the intervals; each fits every probe anew.

    Raises:
        ParameterError: If a number is out of its range, or a level of the family is not known.
    """

    family: str = "gaussian-noise"
    degree: str | None = None
    weakest: float | None = None
    strongest: float | None = None
    steps: int = 10
    levels: tuple[float, ...] = ()
    draws: int = 200

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("steps", 3), ("draws", 20)):
            if getattr(self, name) < least:
                raise ParameterError(name, f"{least} or more", getattr(self, name))
        if self.family not in GRIDS:
            for name in ("degree", *(() if self.levels else ("weakest", "strongest"))):
                if getattr(self, name) is None:
                    known = ", ".join(GRIDS)
                    remedy = f"only for {known} it is known"
                    raise ParameterError(name, f"given for {self.family}", None, remedy)

    @property
    def grid(self) -> tuple[float, ...]:
        """The levels, weakest first; of a whole-numbered degree, whole and each once."""
        if self.levels:
            return self.levels
        _, weakest, strongest = GRIDS.get(self.family, ("", math.nan, math.nan))
        ends = (self.weakest or weakest, self.strongest or strongest)
        if not (ends[0] > 0 and ends[1] > 0 and ends[0] != ends[1]):
            raise ParameterError("weakest and strongest", "different and above 0", ends)
        levels = np.geomspace(*ends, self.steps)
        if _is_whole(self.family):
            return tuple(dict.fromkeys(float(round(level)) for level in levels))
        return tuple(float(f"{level:.3g}") for level in levels)

    @property
    def degree_name(self) -> str:
        """Which number of the family is the level."""
        return self.degree or GRIDS[self.family][0]

    def suite(self) -> Suite:
        """Return the clean set and one set a level, all made of the same contents."""
        sets = [DegradedSet(name=CLEAN)]
        for number, level in enumerate(self.grid, start=1):
            step = at_level(self.family, self.degree_name, level)
            sets.append(DegradedSet(name=f"level{number}", steps=(step,)))
        return Suite(name="dose", sets=tuple(sets))


def _is_whole(family: str) -> bool:
    return family == "jpeg"


def at_level(family: str, degree: str, level: float) -> Degradation:
    """Return a degradation of one degree, which must be a number of it.

    Raises:
        UnknownNameError: If there is no such family or parameter.
        ParameterError: If the family does not take that level.

    Example:
        >>> at_level("jpeg", "quality", 50.0)
        Jpeg(quality=50, subsampling='4:2:0')
    """
    value: Any = int(level) if float(level).is_integer() and _is_whole(family) else level
    made = build(family, {degree: value})
    if dataclasses.is_dataclass(made) and not is_number(getattr(made, degree, None)):
        raise ParameterError("degree", f"a number of {family}", degree)
    return made
