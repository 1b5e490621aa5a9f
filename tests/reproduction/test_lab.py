"""The reproduction measures through the pipeline, and never serves what an older program made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from srscope.images.digits import digits_test
from srscope.networks.architectures.srresnet import SRResNet
from srscope.reproduction.content import layer_content
from srscope.reproduction.evidence import DEEPEST
from srscope.reproduction.lab import Lab
from srscope.runtime import cache as module
from support.labs import CONTENTS, tiny_lab

WORDS = ("ResBlock16",)


def test_a_second_call_makes_no_pass(tmp_path: Path) -> None:
    lab = tiny_lab(tmp_path)
    first = lab.layers("srgan-wgr", WORDS, lab.spec())[0]
    before = lab.stages.computed
    again = lab.layers("srgan-wgr", WORDS, lab.spec())[0]
    assert lab.stages.computed == before
    np.testing.assert_array_equal(first.points_NC, again.points_NC)


def test_an_edited_forward_pass_serves_no_stale_layer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = tiny_lab(tmp_path)
    first = lab.layers("srgan-wgr", WORDS, lab.spec())[0]
    plain = SRResNet.forward

    def edited(self: SRResNet, x_NCHW: Tensor) -> Tensor:
        return plain(self, 1.0 - x_NCHW)

    monkeypatch.setattr(SRResNet, "forward", edited)
    monkeypatch.setattr(module, "program", lambda: "an edited program")
    module.machinery.cache_clear()
    try:
        again = lab.layers("srgan-wgr", WORDS, lab.spec())[0]
    finally:
        module.machinery.cache_clear()
    assert not np.allclose(first.points_NC, again.points_NC)


def test_every_key_holds_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = tiny_lab(tmp_path)
    seen: list[dict[str, object]] = []
    plain = module.key_of

    def key_of(stage: str, inputs: dict[str, object]) -> str:
        seen.append(inputs)
        return plain(stage, inputs)

    monkeypatch.setattr(module, "key_of", key_of)
    lab.maps(lab.layers("srresnet-wgr", WORDS, lab.spec()))
    lab.pixels(lab.spec())
    assert seen
    assert all(inputs["program"] == module.program() for inputs in seen)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return tiny_lab(tmp_path_factory.mktemp("lab"))


def test_every_image_knows_its_photograph(lab: Lab) -> None:
    images = lab.images(lab.spec())
    assert images.photograph_N.shape == images.content_N.shape
    _, first_M = np.unique(images.content_N, return_index=True)
    photograph_M = images.photograph_N[first_M]
    assert np.array_equal(photograph_M[images.content_N], images.photograph_N)
    assert 1 < len(np.unique(photograph_M)) < CONTENTS  # several contents of one photograph


def test_digits_know_the_photograph_behind_them(lab: Lab) -> None:
    images = lab.images(lab.spec("clean", source="digits", contents=4))
    names = digits_test(per_class=4, seed=lab.config.seed).contents.photographs
    for k in np.unique(images.photograph_N):
        assert len({names[c] for c in images.content_N[images.photograph_N == k]}) == 1
    assert len(np.unique(images.photograph_N)) == len(set(names))


def test_intervals_draw_contents_unless_photographs_are_asked_for(lab: Lab) -> None:
    (layer,) = lab.layers("srgan-wgr", [DEEPEST], lab.spec())
    (maps,) = lab.maps([layer])
    usual, contents, photographs = (
        lab.chi(maps), lab.chi(maps, unit="content"), lab.chi(maps, unit="photograph"),
    )  # fmt: skip
    assert np.array_equal(usual.samples, contents.samples)
    assert photographs.value == contents.value
    assert not np.array_equal(photographs.samples, contents.samples)


def test_content_has_intervals_over_photographs_too(lab: Lab) -> None:
    contents, photographs = (
        layer_content(lab, "srgan-wgr", DEEPEST, lab.spec(), unit=unit).share
        for unit in ("content", "photograph")
    )
    assert photographs.value == contents.value
    assert not np.array_equal(photographs.samples, contents.samples)
