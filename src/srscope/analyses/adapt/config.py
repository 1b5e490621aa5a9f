"""The parameters of an evaluation of guided networks."""

from __future__ import annotations

from dataclasses import dataclass

from srscope.analyses.runner import ImagesConfig
from srscope.degradations.blur import GaussianBlur
from srscope.degradations.jpeg import Jpeg
from srscope.degradations.noise import GaussianNoise
from srscope.degradations.suite import DegradedSet, Suite
from srscope.errors import ParameterError
from srscope.features.guide import TILE

SCALE = 4
"""Photographs are reduced by this factor first, as in the training."""
CLEAN = "clean"
UNSEEN = ("jpeg30", "jpeg60")
"""Sets of a family that no network here was trained on."""
SUITE = Suite(
    name="adapt",
    sets=(
        DegradedSet(name=CLEAN),
        *(DegradedSet(name=f"noise{s}", steps=(GaussianNoise(sigma=s),)) for s in (5, 15, 30)),
        DegradedSet(name="blur1", steps=(GaussianBlur(sigma=1),)),
        DegradedSet(name="blur2", steps=(GaussianBlur(sigma=2),)),
        DegradedSet(name="blur1-noise15", steps=(GaussianBlur(sigma=1), GaussianNoise(sigma=15))),
        DegradedSet(name="blur2-noise5", steps=(GaussianBlur(sigma=2), GaussianNoise(sigma=5))),
        DegradedSet(name="jpeg60", steps=(Jpeg(quality=60),)),
        DegradedSet(name="jpeg30", steps=(Jpeg(quality=30),)),
    ),
)
"""What restoration networks are judged on; all sets are made of the same contents."""


@dataclass(frozen=True, kw_only=True)
class Config(ImagesConfig):
    """On which photographs guided networks are judged.

    Args:
        patch: Side of the contents, in pixels, once the photographs are reduced by 4.
        pictures: Contents of each set that are shown.
        historic: Historic photographs that are restored and shown.

    Raises:
        ParameterError: If a number is out of its range, or layers are named.
    """

    patch: int = 64
    pictures: int = 1
    historic: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layers:
            rule = "left out: recipes say which layer guides"
            raise ParameterError("layers", rule, self.layers)
        if self.patch < TILE:
            rule = f"at least {TILE}: what is told of an image is told of tiles of that size"
            raise ParameterError("patch", rule, self.patch)
        for name in ("pictures", "historic"):
            if getattr(self, name) < 0:
                raise ParameterError(name, "0 or more", getattr(self, name))
