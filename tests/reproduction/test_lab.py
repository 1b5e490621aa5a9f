"""The reproduction measures through the pipeline, and never serves what an older program made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from srscope.networks.architectures.srresnet import SRResNet
from srscope.runtime import cache as module
from support.labs import tiny_lab

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
