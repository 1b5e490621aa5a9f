"""Degradations: one family a file, named suites of them, and the images they make.

>>> from srscope.degradations import GaussianNoise, load_suite
>>> load_suite("noise-10-20").sets[0].steps
(GaussianNoise(sigma=10),)
"""

from srscope.degradations.blur import GaussianBlur
from srscope.degradations.clean import Clean
from srscope.degradations.degrade import DegradedImages, degrade
from srscope.degradations.family import Degradation, Family, register, registered
from srscope.degradations.jpeg import Jpeg
from srscope.degradations.mild import Mild
from srscope.degradations.noise import GaussianNoise
from srscope.degradations.resize import imresize
from srscope.degradations.suite import (
    DegradedSet,
    Suite,
    list_suites,
    load_suite,
    register_suite,
)
from srscope.degradations.write import WrittenSuite, write_degraded

__all__ = [
    "Clean",
    "Degradation",
    "DegradedImages",
    "DegradedSet",
    "Family",
    "GaussianBlur",
    "GaussianNoise",
    "Jpeg",
    "Mild",
    "Suite",
    "WrittenSuite",
    "degrade",
    "imresize",
    "list_suites",
    "load_suite",
    "register",
    "register_suite",
    "registered",
    "write_degraded",
]
