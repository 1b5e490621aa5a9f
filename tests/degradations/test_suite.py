from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from srscope.degradations.blur import GaussianBlur
from srscope.degradations.catalogue import list_suites, load_suite
from srscope.degradations.jpeg import Jpeg
from srscope.degradations.noise import GaussianNoise
from srscope.degradations.suite import DegradedSet, Suite
from srscope.errors import FileProblem, ParameterError, UnknownNameError

BLUR, NOISE = GaussianBlur(sigma=(2, 4)), GaussianNoise(sigma=10)
CLEAN = DegradedSet(name="clean")


def test_steps_are_split_where_blur_is_applied() -> None:
    both = DegradedSet(name="both", steps=(NOISE, BLUR, Jpeg(quality=50)))
    assert both.split("lr") == ((), both.steps)
    assert both.split("hr") == ((BLUR,), (NOISE, Jpeg(quality=50)))


def test_definition_tells_order_and_units() -> None:
    both = DegradedSet(name="both", steps=(BLUR, NOISE))
    assert both.definition(scale=4, blur_applied_to="lr") == (
        "bicubic x4 downsampling, then Gaussian blur, 15x15, sigma ~ U[2, 4] LR px, "
        "then additive Gaussian noise, sigma 10 of 255"
    )
    assert both.definition(scale=2, blur_applied_to="hr") == (
        "Gaussian blur, 15x15, sigma ~ U[2, 4] HR px, then bicubic x2 downsampling, "
        "then additive Gaussian noise, sigma 10 of 255"
    )
    assert CLEAN.definition(scale=1, blur_applied_to="lr") == "images as they are"
    films = DegradedSet(name="films", folder="old films")
    assert films.definition(scale=4, blur_applied_to="lr") == "images of old films, as they are"


@pytest.mark.parametrize("name", ["a", "noise20", "Rauschen-größer", "v1.2_b", "雑音", "x" * 60])
def test_names_that_are_fine(name: str) -> None:
    assert DegradedSet(name=name).name == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a\\b", "-a", "a.", " a", "a b", "a\n", "<b>", "x" * 61, 3, None]
)
def test_names_that_are_unsafe(name: object) -> None:
    with pytest.raises(
        ParameterError, match=r"^set name must be 1 to 60 letters, digits, '.', '_'"
    ):
        DegradedSet(name=name)
    with pytest.raises(ParameterError, match=r"^suite name must be 1 to 60 letters"):
        Suite(name=name, sets=(CLEAN,))


def test_folder_or_steps() -> None:
    with pytest.raises(ParameterError, match="steps must be left out of a set with a folder"):
        DegradedSet(name="a", folder="x", steps=(NOISE,))
    with pytest.raises(ParameterError, match="folder must be a path, but is ' '"):
        DegradedSet(name="a", folder=" ")


@pytest.mark.parametrize("step", [GaussianNoise, "noise", None])
def test_steps_are_degradations(step: object) -> None:
    with pytest.raises(
        ParameterError, match=r"steps of set 'a' must be degradations such as Gauss"
    ):
        DegradedSet(name="a", steps=(step,))


def test_suite_rules() -> None:
    with pytest.raises(ParameterError, match="sets must be a list of one set or more"):
        Suite(name="a", sets=())
    with pytest.raises(ParameterError, match="set name must be used once, capitals or not, but is"):
        Suite(name="a", sets=(CLEAN, DegradedSet(name="CLEAN")))
    with pytest.raises(ParameterError, match="blur_applied_to must be 'lr' or 'hr', but is 'sr'"):
        Suite(name="a", sets=(CLEAN,), blur_applied_to="sr")
    with pytest.raises(ParameterError, match="quantized must be true or false, but is 1"):
        Suite(name="a", sets=(CLEAN,), quantized=1)


def test_folder_in_place_of_a_set(tmp_path: Path) -> None:
    suite = load_suite("clean-mild-noise20")
    official = suite.with_folder("mild", tmp_path)
    assert [each.name for each in official.sets] == ["clean", "mild", "noise20"]
    assert official.sets[1] == DegradedSet(name="mild", folder=str(tmp_path))
    assert suite.crossed
    assert not official.crossed
    with pytest.raises(UnknownNameError, match="unknown set of suite clean-mild-noise20 'milde'"):
        suite.with_folder("milde", tmp_path)


def test_paper_suites() -> None:
    suites = {suite.name: suite for suite in list_suites()}
    assert [set_.steps for set_ in suites["clean-blur-noise"].sets] == [
        (),
        (GaussianBlur(sigma=(2, 4), size=15),),
        (GaussianNoise(sigma=(5, 30)),),
    ]
    for name, degrees in {
        "noise-5-10-30": (5, 10, 30),
        "noise-10-30": (10, 30),
        "noise-10-20": (10, 20),
    }.items():
        assert suites[name].sets == tuple(
            DegradedSet(name=f"noise{d}", steps=(GaussianNoise(sigma=d),)) for d in degrees
        )
    assert suites["blur-1-4"].sets == tuple(
        DegradedSet(name=f"blur{d}", steps=(GaussianBlur(sigma=d),)) for d in (1, 4)
    )
    assert [set_.name for set_ in suites["real"].sets] == ["mild", "noise20", "historic"]
    assert suites["real"].sets[2].folder == "bundled:historic"


def test_defaults_of_every_suite() -> None:
    names = [suite.name for suite in list_suites()]
    assert len(set(names)) == len(names) >= 8
    for suite in list_suites():
        assert (suite.blur_applied_to, suite.quantized) == ("lr", True)
        assert suite.crossed == (suite.name != "real")
        assert load_suite(suite.name) is suite
        changed = dataclasses.replace(suite, blur_applied_to="hr", quantized=False)
        assert changed.name == suite.name


def test_unknown_suite() -> None:
    with pytest.raises(
        UnknownNameError, match="'clean-blur-nois'; did you mean 'clean-blur-noise'"
    ):
        load_suite("clean-blur-nois")
    with pytest.raises(
        UnknownNameError, match=r"known: clean-blur-noise, .*a .yaml file of your own"
    ):
        load_suite("zzz")
    with pytest.raises(FileProblem, match=r"no-such.yaml: does not exist; give a suite's name or"):
        load_suite("no-such.yaml")
