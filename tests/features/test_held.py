"""Features in memory are those of a store, and no more of them are held than allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor, nn

import srscope
from srscope.errors import DegenerateError, ParameterError
from srscope.features.extract import extract
from srscope.features.held import hold
from srscope.features.store import FeatureStore
from srscope.study import extraction as analysis_features
from srscope.study.record import scores_dict
from support.networks import ARCHITECTURES, TinySRResNet, assert_no_hooks, build
from support.tiny import FASTEST, photographs, tiny_checkpoint

IMAGES_NCHW = np.random.default_rng(0).random((7, 3, 8, 8), np.float32)
MUCH = 1 << 20


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_they_are_bitwise_those_of_a_store(tmp_path: Path, architecture: str) -> None:
    network, layer = build(architecture), ARCHITECTURES[architecture][1]
    about: dict[str, Any] = {
        "batch_size": 3,
        "arrays": {"set_N": np.arange(7)},
        "metadata": {"suite": "own"},
        "provenance": {"seed": 3},
        "channels_last": True,
    }
    store = extract(network, IMAGES_NCHW, [layer], store=tmp_path, **about)
    held = hold(network, IMAGES_NCHW, [layer], most=MUCH, **about)
    assert held is not None
    np.testing.assert_array_equal(held.read(layer), store.read(layer))
    np.testing.assert_array_equal(held.array("set_N"), store.array("set_N"))
    assert (held.metadata, held.provenance) == (store.metadata, store.provenance)
    assert held.reducer == store.reducer
    for mine, theirs in zip(held.layers, store.layers, strict=True):
        shown = ("name", "shape", "dtype", "feature_shape")
        assert [getattr(mine, key) for key in shown] == [getattr(theirs, key) for key in shown]


def test_too_many_are_noticed_after_one_batch() -> None:
    network, layers = TinySRResNet(), ["conv_first", "body.2"]
    whole = 2 * 7 * 8 * 8 * 8 * 4  # two layers of 8 channels, 4 bytes a value
    seen: list[int] = []
    network.register_forward_pre_hook(lambda *_: seen.append(1))
    how: dict[str, Any] = {"batch_size": 2}
    assert hold(network, IMAGES_NCHW, layers, most=whole - 1, **how) is None
    assert len(seen) == 1
    held = hold(network, IMAGES_NCHW, layers, most=whole, **how)
    assert held is not None
    assert sum(each.nbytes for each in held.features.values()) == whole


def test_what_is_wrong_is_said_as_by_a_store() -> None:
    with pytest.raises(ParameterError, match="batch_size"):
        hold(TinySRResNet(), IMAGES_NCHW, ["body.2"], most=MUCH, batch_size=0)
    network = TinySRResNet()
    nn.init.constant_(next(network.parameters()), float("nan"))
    with pytest.raises(DegenerateError, match=r"'conv_first'.*image 0"):
        hold(network, IMAGES_NCHW, ["conv_first"], most=MUCH)
    assert_no_hooks(network)


class Growing(nn.Module):
    """Puts out one channel more at every pass."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.passes = nn.Identity(), 0

    def forward(self, x: Tensor) -> Tensor:
        self.passes += 1
        return self.inner(x[:, :1].repeat(1, self.passes, 1, 1))


def test_batches_of_different_shapes_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"of the first batch's shapes.*give equal images"):
        hold(Growing(), IMAGES_NCHW, ["inner"], most=MUCH, batch_size=2)


def test_an_analysis_gives_the_same_whether_or_not_they_are_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = srscope.load_network(str(tiny_checkpoint(tmp_path / "tiny.safetensors", blocks=1)))
    options: dict[str, Any] = {**FASTEST, "images": str(photographs(tmp_path / "in"))}
    options |= {"untrained": True, "random": 0}
    stored = srscope.analyze(network, out=tmp_path / "out", **options)
    folder = tmp_path / "out" / "features" / "network"
    size = sum(4 * np.prod(entry.shape) for entry in FeatureStore.open(folder).layers)
    on_disk: list[str] = []

    def noted(*given: Any, store: Path, **how: Any) -> FeatureStore:
        on_disk.append(store.name)
        return extract(*given, store=store, **how)

    def numbers(study: srscope.Study) -> dict[str, Any]:
        return {k: v for k, v in scores_dict(study).items() if k not in ("timings", "created")}

    monkeypatch.setattr(analysis_features, "extract", noted)
    both = ["network", "untrained"]
    for most, available, written in (
        (size - 1, None, both),
        (size, None, both[1:]),
        (2 * size - 1, None, both[1:]),
        (2 * size, None, []),
        (2 * size, 2 * size - 1, both),  # half of the memory there is
        (2 * size, 4 * size, []),
        (2 * size, 0, both),
    ):
        on_disk.clear()
        monkeypatch.setattr(analysis_features, "HELD", most)
        monkeypatch.setattr(analysis_features, "available_memory", lambda a=available: a)
        held = srscope.analyze(network, **options)
        assert on_disk == written
        assert numbers(held) == numbers(stored)
        for mine, theirs in zip(held.layers, stored.layers, strict=True):
            np.testing.assert_array_equal(mine.points_RN2, theirs.points_RN2)


def test_where_there_is_no_such_memory_they_are_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("srscope.features.held.np.empty", refuse)
    assert hold(TinySRResNet(), IMAGES_NCHW, ["body.2"], most=MUCH) is None


def test_an_analysis_that_keeps_none_writes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a store was written")

    monkeypatch.setattr(analysis_features, "extract", refuse)
    network = srscope.load_network(str(tiny_checkpoint(tmp_path / "tiny.safetensors", blocks=1)))
    srscope.analyze(network, images=str(photographs(tmp_path / "in")), **FASTEST)
