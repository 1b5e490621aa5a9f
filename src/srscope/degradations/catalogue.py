"""The suites that come with the package, and looking up suites by name.

Source: Liu et al. 2021, sections 4.1, 4.2 and 5.2, Table 1, figures 2, 7 to 11.
"""

from __future__ import annotations

from pathlib import Path

from srscope.degradations.blur import GaussianBlur
from srscope.degradations.jpeg import Jpeg
from srscope.degradations.mild import Mild
from srscope.degradations.noise import GaussianNoise
from srscope.degradations.suite import BUNDLED, DegradedSet, Suite
from srscope.degradations.suite_file import read_suite
from srscope.errors import ParameterError, UnknownNameError

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
    return (*SUITES, *_REGISTER.values())


def load_suite(name_or_path: object) -> Suite:
    """Return a suite of the package, or a registered one, by name; or read one from a YAML file.

    Args:
        name_or_path: A name of :func:`list_suites`, or a path that ends in .yaml or .yml. A suite
            is returned as it is.

    Raises:
        UnknownNameError: If there is no suite of that name; near matches are suggested.
        FileProblem: If the file is missing, too large, not YAML, or breaks a rule; the message
            names key, rule and value.

    Example:
        >>> [each.name for each in load_suite("noise-10-30").sets]
        ['noise10', 'noise30']
    """
    if isinstance(name_or_path, Suite):
        return name_or_path
    if not isinstance(name_or_path, str | Path):
        rule = "a name, a .yaml file or a Suite"
        raise ParameterError("suite", rule, type(name_or_path).__name__)
    known = {suite.name: suite for suite in list_suites()}
    if isinstance(name_or_path, str) and name_or_path in known:
        return known[name_or_path]
    if Path(name_or_path).suffix.lower() in (".yaml", ".yml"):
        return read_suite(Path(name_or_path))
    raise UnknownNameError("suite", str(name_or_path), [*known, "a .yaml file of your own"])
