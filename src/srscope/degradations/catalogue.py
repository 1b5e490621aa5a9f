"""The suites that come with the package.

Source: Liu et al. 2021, sections 4.1, 4.2 and 5.2, Table 1, figures 2, 7 to 11.
"""

from __future__ import annotations

from srscope.degradations.blur import GaussianBlur
from srscope.degradations.jpeg import Jpeg
from srscope.degradations.mild import Mild
from srscope.degradations.noise import GaussianNoise
from srscope.degradations.suite import BUNDLED, DegradedSet, Suite

_CLEAN = DegradedSet(name="clean")
_MILD = DegradedSet(name="mild", steps=(Mild(),))


def _noise(sigma: int) -> DegradedSet:
    return DegradedSet(name=f"noise{sigma}", steps=(GaussianNoise(sigma=sigma),))


def _blur(sigma: int) -> DegradedSet:
    return DegradedSet(name=f"blur{sigma}", steps=(GaussianBlur(sigma=sigma),))


def _jpeg(quality: int) -> DegradedSet:
    return DegradedSet(name=f"jpeg{quality}", steps=(Jpeg(quality=quality),))


SUITES: tuple[Suite, ...] = (
    Suite(
        name="clean-blur-noise",
        sets=(
            _CLEAN,
            DegradedSet(name="blur", steps=(GaussianBlur(sigma=(2.0, 4.0)),)),
            DegradedSet(name="noise", steps=(GaussianNoise(sigma=(5.0, 30.0)),)),
        ),
    ),
    Suite(name="noise-5-10-30", sets=(_noise(5), _noise(10), _noise(30))),
    Suite(name="noise-10-30", sets=(_noise(10), _noise(30))),
    Suite(name="noise-10-20", sets=(_noise(10), _noise(20))),
    Suite(name="blur-1-4", sets=(_blur(1), _blur(4))),
    Suite(
        name="real",
        sets=(_MILD, _noise(20), DegradedSet(name="historic", folder=f"{BUNDLED}historic")),
    ),
    Suite(name="clean-mild-noise20", sets=(_CLEAN, _MILD, _noise(20))),
    Suite(name="clean-noise20", sets=(_CLEAN, _noise(20))),
    Suite(name="clean-blur4-noise20", sets=(_CLEAN, _blur(4), _noise(20))),
    Suite(name="noise-spectrum", sets=(_CLEAN, *(_noise(s) for s in (5, 10, 15, 20, 25, 30)))),
    Suite(name="blur-spectrum", sets=(_CLEAN, *(_blur(s) for s in (1, 2, 3, 4)))),
    Suite(name="jpeg-20-50-90", sets=(_jpeg(20), _jpeg(50), _jpeg(90))),
    Suite(name="clean", sets=(_CLEAN,)),  # for contents that have classes of their own
)
