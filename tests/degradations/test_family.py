"""Properties that every registered degradation has, and the register itself."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from srscope.degradations import catalogue
from srscope.degradations.blur import GaussianBlur
from srscope.degradations.clean import Clean
from srscope.degradations.degrade import quantize
from srscope.degradations.family import (
    Degradation,
    definition_of,
    drawn_degrees,
    register,
    unregister,
)
from srscope.degradations.jpeg import Jpeg
from srscope.degradations.mild import Mild
from srscope.degradations.noise import GaussianNoise
from srscope.degradations.registry import build, kind_of, registered
from srscope.errors import ParameterError, SrscopeError, UnknownNameError
from support.pictures import images_NCHW

EXAMPLES: dict[str, tuple[Degradation, ...]] = {
    "clean": (Clean(),),
    "gaussian-blur": (
        GaussianBlur(sigma=2),
        GaussianBlur(sigma=(2.0, 4.0)),
        GaussianBlur(sigma=0.01, size=1),
    ),
    "gaussian-noise": (
        GaussianNoise(sigma=0),
        GaussianNoise(sigma=20),
        GaussianNoise(sigma=(5, 30)),
    ),
    "jpeg": (Jpeg(quality=20), Jpeg(quality=(1, 100), subsampling="4:4:4")),
    "mild": (Mild(), Mild(length=3, angle=0, bend=0, width=0.5, shift_x=0.5, shift_y=0)),
}
EVERY = [example for examples in EXAMPLES.values() for example in examples]
RANDOM = [
    each
    for each in EVERY
    if any(isinstance(getattr(each, f.name), tuple) for f in dataclasses.fields(each))
    or each == GaussianNoise(sigma=20)
    or isinstance(each, Mild)
]
each_degradation = pytest.mark.parametrize("degradation", EVERY, ids=repr)


def run(degradation: Degradation, images: Tensor, seed: int = 0) -> Tensor:
    return degradation(images, generator=torch.Generator().manual_seed(seed))


def test_every_registered_family_is_tested_here() -> None:
    assert catalogue.SUITES  # it imports every family
    assert registered() == tuple(sorted(EXAMPLES))


@each_degradation
@settings(max_examples=8, deadline=None)
@given(count=st.integers(1, 3), height=st.integers(8, 40), width=st.integers(8, 40))
def test_keeps_shape_and_type_and_stays_finite(
    degradation: Degradation, count: int, height: int, width: int
) -> None:
    images = images_NCHW(count, height, width)
    before = images.clone()
    result = run(degradation, images)
    assert result.shape == images.shape
    assert result.dtype == images.dtype
    assert torch.isfinite(result).all()
    assert torch.equal(images, before), "it wrote into its input"
    levels = quantize(result) * 255
    assert 0 <= levels.min() <= levels.max() <= 255
    torch.testing.assert_close(levels, levels.round(), atol=1e-4, rtol=0)


@each_degradation
def test_double_precision_is_kept(degradation: Degradation) -> None:
    images = images_NCHW(1, 24, 24)
    result = run(degradation, images.double())
    assert result.dtype == torch.float64
    torch.testing.assert_close(result.float(), run(degradation, images), atol=1e-5, rtol=0)


@each_degradation
def test_same_seed_same_result(degradation: Degradation) -> None:
    images = images_NCHW(2, 24, 24)
    torch.manual_seed(1)
    first = run(degradation, images)
    torch.manual_seed(2)  # the global generator must not matter
    assert torch.equal(first, run(degradation, images))


@each_degradation
def test_batch_is_its_images_one_by_one(degradation: Degradation) -> None:
    images = images_NCHW(3, 24, 24)
    generator = torch.Generator().manual_seed(0)
    singles = [degradation(image, generator=generator) for image in images.split(1)]
    assert torch.equal(run(degradation, images), torch.cat(singles))


@pytest.mark.parametrize("degradation", RANDOM, ids=repr)
def test_another_seed_gives_another_result(degradation: Degradation) -> None:
    images = images_NCHW(1, 24, 24)
    assert not torch.equal(run(degradation, images, 0), run(degradation, images, 1))


@pytest.mark.parametrize("degradation", RANDOM, ids=repr)
def test_images_of_a_batch_are_degraded_differently(degradation: Degradation) -> None:
    first, second = run(degradation, images_NCHW(1, 24, 24).repeat(2, 1, 1, 1))
    assert not torch.equal(first, second)


@each_degradation
def test_drawing_first_is_the_same_as_calling(degradation: Degradation) -> None:
    images = images_NCHW(1, 24, 24)
    generator = torch.Generator().manual_seed(0)
    drawn = degradation.drawn(generator)
    assert torch.equal(drawn(images, generator=generator), run(degradation, images))
    assert set(drawn_degrees(degradation)) <= set(drawn_degrees(drawn))
    for field in dataclasses.fields(degradation):
        given_value, value = getattr(degradation, field.name), getattr(drawn, field.name)
        if isinstance(given_value, tuple):
            assert given_value[0] <= value <= given_value[1]
            assert type(drawn_degrees(drawn)[field.name]) in (int, float)
        else:
            assert value == given_value


@each_degradation
def test_empty_batch(degradation: Degradation) -> None:
    assert run(degradation, torch.zeros(0, 3, 16, 16)).shape == (0, 3, 16, 16)


@each_degradation
@pytest.mark.parametrize("images", [torch.zeros(3, 8, 8), torch.zeros(1, 3, 8, 8, dtype=torch.int)])
def test_wrong_images(degradation: Degradation, images: Tensor) -> None:
    with pytest.raises(ParameterError, match=r"images_NCHW must be a 4-D float tensor \(N, C"):
        run(degradation, images)


@each_degradation
def test_frozen_hashable_and_described(degradation: Degradation) -> None:
    assert hash(degradation) == hash(dataclasses.replace(degradation))
    with pytest.raises((dataclasses.FrozenInstanceError, TypeError, AttributeError)):
        degradation.sigma = 1
    text = definition_of(degradation, "LR px")
    assert text
    assert "\n" not in text
    assert kind_of(degradation) in EXAMPLES


def test_definitions_have_units() -> None:
    definitions = [definition_of(example, "LR px") for example in EVERY]
    assert definitions[:3] == [
        "nothing more",
        "Gaussian blur, 15x15, sigma 2 LR px",
        "Gaussian blur, 15x15, sigma ~ U[2, 4] LR px",
    ]
    assert "additive Gaussian noise, sigma ~ U[5, 30] of 255" in definitions
    assert "JPEG, quality 20, chroma 4:2:0" in definitions
    assert "length ~ U[1, 5] LR px" in definition_of(Mild(), "LR px")


@pytest.fixture
def salt() -> Iterator[type]:
    # The ten lines of a user's own degradation.
    @register("salt")
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Salt:
        share: float = 0.01

        def __call__(self, images_NCHW: Tensor, *, generator: torch.Generator) -> Tensor:
            noise_N1HW = torch.rand(images_NCHW[:, :1].shape, generator=generator)
            return torch.where(noise_N1HW < self.share, 1.0, images_NCHW)

    yield Salt
    unregister("salt")


def test_users_class_by_decorator(salt: type) -> None:
    degradation = build("salt", {"share": 0.5})
    assert isinstance(degradation, salt)
    assert kind_of(degradation) == "salt"
    assert drawn_degrees(degradation) == {"share": 0.5}
    assert definition_of(degradation, "px").endswith("Salt(share=0.5)")
    salted = run(degradation, torch.zeros(1, 3, 64, 64))
    assert 0.4 < float(salted.mean()) < 0.6


def test_a_name_is_given_once(salt: type) -> None:
    register("salt")(salt)  # again, as a reloaded module does
    with pytest.raises(
        ParameterError, match=r"name must be free, but .*Salt has it, but is 'salt'"
    ):
        register("salt")(Clean)


USERS_MODULE = """
import torch
class Invert:
    def __call__(self, images_NCHW, *, generator):
        return 1 - images_NCHW
class Fussy(Invert):
    def __init__(self, strength):
        if strength > 1:
            raise ValueError("too strong\\nand a second line")
class Inert:
    pass
CONSTANT = 3
"""


@pytest.fixture
def users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "users_own_module.py").write_text(USERS_MODULE)
    (tmp_path / "users_broken_module.py").write_text("raise RuntimeError('broken on import')")
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    yield tmp_path
    assert sys.path == before
    sys.modules.pop("users_own_module", None)


@pytest.mark.usefixtures("users_folder")
def test_users_class_by_module_in_the_working_directory() -> None:
    degradation = build("users_own_module:Invert", {})
    assert kind_of(degradation) == "users_own_module:Invert"
    assert float(run(degradation, torch.zeros(1, 3, 4, 4)).mean()) == 1
    assert build("users_own_module:Fussy", {"strength": 1}) is not None


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        (
            "gaussian-blurr",
            {},
            "unknown degradation 'gaussian-blurr'; did you mean 'gaussian-blur'",
        ),
        (
            "gaussian-blur",
            {"sigm": 2},
            "unknown parameter of gaussian-blur 'sigm'; did you mean 's",
        ),
        ("gaussian-blur", {}, "sigma must be given, but is None; add it to gaussian-blur"),
        ("gaussian-blur", {"sigma": [4, 2]}, "rising order, but is (4, 2)"),
        ("users_own_module:Inverse", {}, "cannot be imported: AttributeError: module 'users_own"),
        ("users_own_module:", {}, "cannot be imported"),
        ("users_own_module:CONSTANT", {}, "'users_own_module:CONSTANT' is no class"),
        ("users_own_module:Inert", {}, "its instances cannot be called"),
        ("users_own_module:Fussy", {}, "strength must be given"),
        ("users_own_module:Fussy", {"strength": 2}, "cannot be made: ValueError: too strong"),
        ("users_broken_module:X", {}, "RuntimeError: broken on import; write package.module:Class"),
        ("no_such_module:X", {}, "ModuleNotFoundError: No module named 'no_such_module'"),
    ],
)
@pytest.mark.usefixtures("users_folder")
def test_what_cannot_be_built(kind: str, parameters: dict[str, object], message: str) -> None:
    with pytest.raises(SrscopeError) as caught:
        build(kind, parameters)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_parameter_is_the_users_mistake() -> None:
    with pytest.raises(UnknownNameError):
        build("clean", {"sigma": 1})


def test_families_are_registered_by_the_package_itself() -> None:
    script = "from srscope.degradations.registry import registered; print(*registered())"
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == sorted(EXAMPLES)
