"""The parameters of a comparison of feature shift and loss of quality."""

from __future__ import annotations

from dataclasses import dataclass

from srscope.analyses.runner import ImagesConfig
from srscope.degradations.blur import GaussianBlur
from srscope.degradations.catalogue import load_suite
from srscope.degradations.jpeg import Jpeg
from srscope.degradations.mild import Mild
from srscope.degradations.noise import GaussianNoise
from srscope.degradations.suite import DegradedSet, Suite
from srscope.errors import ParameterError, UnknownNameError

DEFAULT = Suite(
    name="generalize",
    sets=(
        DegradedSet(name="clean"),
        *(DegradedSet(name=f"noise{s}", steps=(GaussianNoise(sigma=s),)) for s in (5, 10, 20, 30)),
        *(DegradedSet(name=f"blur{s}", steps=(GaussianBlur(sigma=s),)) for s in (1, 2, 4)),
        *(DegradedSet(name=f"jpeg{q}", steps=(Jpeg(quality=q),)) for q in (80, 50, 20)),
        DegradedSet(name="mild", steps=(Mild(),)),
    ),
)
"""Eleven degradations and the clean set, made of the same contents."""


@dataclass(frozen=True, kw_only=True)
class Config(ImagesConfig):
    """Which sets are compared with the clean one, and how often photographs are drawn.

    Args:
        suite: Name or YAML file of a suite whose sets are made of the same contents, with a set
            named as ``clean``; eleven degradations if absent.
        clean: Name of the set that the others are compared with.
        layer: The layer that is read; that before the output convolution if absent, as SRGA asks.
        components: Principal components of SRGA.
        draws: Of photographs, for the intervals.
        splits: Halvings of the clean photographs, for the network's own null.

    Raises:
        ParameterError: If a number is out of its range, or the suite does not fit.
        UnknownNameError: If there is no such suite, or no set of the clean set's name in it.
    """

    suite: str | None = None
    clean: str = "clean"
    layer: str | None = None
    components: int = 300
    draws: int = 200
    splits: int = 200

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layers:
            rule = "left out: one layer is read"
            raise ParameterError("layers", rule, self.layers, "name it with layer")
        for name, least in (("components", 2), ("draws", 20), ("splits", 20)):
            if getattr(self, name) < least:
                raise ParameterError(name, f"{least} or more", getattr(self, name))
        found = self.sets
        names = [each.name for each in found.sets]
        if self.clean not in names:
            raise UnknownNameError("set", self.clean, names)
        if not found.crossed or len(names) < 2:
            rule = "two sets or more that are made of the same contents"
            raise ParameterError("suite", rule, found.name)

    @property
    def sets(self) -> Suite:
        """The suite."""
        return DEFAULT if self.suite is None else load_suite(self.suite)
