"""Features found again: only what is new goes through the network, and the bits are the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from srscope.errors import DegenerateError
from srscope.features import known
from srscope.features.extract import extract
from srscope.features.known import FeatureCache
from srscope.features.store import FeatureStore
from support.networks import TinySRResNet, assert_no_hooks

IMAGES_NCHW = np.random.default_rng(0).random((7, 3, 8, 8), np.float32)


class Analysed:
    """A network with a cache; counts the images that go through its first layer."""

    def __init__(self, folder: Path) -> None:
        torch.manual_seed(0)
        self.network, self.folder, self.seen = TinySRResNet(), folder, 0
        self.cache = FeatureCache(folder=folder / "cache", network="tiny")
        self.network.conv_first.register_forward_pre_hook(self._count)

    def _count(self, _module, inputs):
        self.seen += len(inputs[0])

    def extract(self, *layers: str, images=IMAGES_NCHW, cached=True, **options) -> FeatureStore:
        cache = self.cache if cached else None
        options = {"batch_size": 2, **options}
        return extract(
            self.network, images, layers, store=self.folder / "out", cache=cache, **options
        )

    def passes(self, *layers: str, **options) -> int:
        """Extract, compare with an extraction without the cache, return the images computed."""
        before = self.seen
        store = self.extract(*layers, **options)
        computed = self.seen - before
        store.verify()
        found = {layer: np.array(store.read(layer)) for layer in layers}
        plain = self.extract(*layers, cached=False, **options)
        assert store.sha256 == plain.sha256
        for layer in layers:
            np.testing.assert_array_equal(found[layer], plain.read(layer))
        return computed


@pytest.fixture
def analysed(tmp_path: Path) -> Analysed:
    return Analysed(tmp_path)


def test_what_went_through_before_does_not_again(analysed):
    assert analysed.passes("body.0", "body.2") == 7
    assert analysed.passes("body.0", "body.2") == 0
    assert analysed.passes("body.2") == 0
    assert analysed.passes("body.2", "body.1", "body.0") == 7  # body.1 is new
    assert analysed.passes("body.1") == 0


def test_only_batches_that_changed_go_through(analysed):
    analysed.passes("body.0")
    other = IMAGES_NCHW.copy()
    other[4] += 0.25
    assert analysed.passes("body.0", images=other) == 2
    assert analysed.passes("body.0", images=IMAGES_NCHW[:4]) == 0
    assert analysed.passes("body.0", images=IMAGES_NCHW[4:6]) == 0
    assert analysed.passes("body.0", "body.1", images=other) == 7


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 4},
        {"reducer": "mean-pool"},
        {"channels_last": True},
        {"autocast": "bfloat16"},
        {"channel_axes": {"body.0": 2}},
    ],
    ids=lambda options: next(iter(options)),
)
def test_other_settings_find_nothing(analysed, options):
    analysed.extract("body.0")
    assert analysed.passes("body.0", **options) == 7


def test_another_network_thread_count_or_program_finds_nothing(analysed, monkeypatch):
    analysed.extract("body.0")
    analysed.cache = FeatureCache(folder=analysed.cache.folder, network="another")
    assert analysed.passes("body.0") == 7
    monkeypatch.setattr(torch, "get_num_threads", lambda: 77)
    assert analysed.passes("body.0") == 7
    monkeypatch.setattr(known, "machinery", lambda: {"program": "changed"})
    assert analysed.passes("body.0") == 7


def test_other_kernels_of_pytorchs_find_nothing(analysed, monkeypatch):
    analysed.extract("body.0")
    monkeypatch.setenv("UNRELATED", "1")
    assert analysed.passes("body.0") == 0
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert analysed.passes("body.0") == 7
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA")
    assert analysed.passes("body.0") == 0
    for switch in ("enabled", "allow_tf32", "benchmark", "deterministic"):
        before = getattr(torch.backends.cudnn, switch)
        monkeypatch.setattr(torch.backends.cudnn, switch, not before)
        assert analysed.passes("body.0") == 7, switch
        monkeypatch.setattr(torch.backends.cudnn, switch, before)
    with torch.backends.mkldnn.flags(enabled=False):
        assert analysed.passes("body.0") == 7


@pytest.mark.parametrize("text", ["[]", "null", "7", '{"sha256": 1}', "{"])
def test_what_was_put_in_a_records_place_is_made_anew(analysed, text):
    analysed.passes("body.0")
    (record,) = analysed.cache.folder.rglob("*.json")
    record.write_text(text)
    assert analysed.passes("body.0") == 7
    assert analysed.passes("body.0") == 0


@pytest.mark.parametrize("damage", ["array", "record", "cut", "gone"])
def test_damage_is_noticed_and_mended(analysed, damage):
    analysed.passes("body.0")
    (array,) = analysed.cache.folder.rglob("*.npy")
    record = array.with_suffix(".json")
    if damage == "array":  # written to in the output folder, say, that it is a link to
        np.load(array, mmap_mode="r+")[3, 5] += 1
    elif damage == "record":
        meta = json.loads(record.read_text("utf-8"))
        meta["batches"][0][1:] = [2, 4]
        record.write_text(json.dumps(meta), "utf-8")
    elif damage == "cut":
        array.write_bytes(array.read_bytes()[:-8])
    else:
        array.unlink()
    assert analysed.passes("body.0") == 7
    assert analysed.passes("body.0") == 0


def test_what_a_killed_process_left_without_its_record_is_not_trusted(analysed):
    analysed.extract("body.0")
    (kept,) = analysed.cache.folder.rglob("*.npy")
    content = bytearray(kept.read_bytes())
    content[-3] ^= 1
    kept.with_suffix(".json").unlink()
    kept.unlink()  # it is the output folder's as well
    kept.write_bytes(content)
    assert analysed.passes("body.0") == 7
    assert analysed.passes("body.0") == 0


def test_the_features_are_on_the_disk_once(analysed):
    store = analysed.extract("body.0")
    (kept,) = analysed.cache.folder.rglob("*.npy")
    assert kept.samefile(store.path / store.layer("body.0").file)


def test_where_there_are_no_links_features_are_copied(analysed, monkeypatch):
    def refuse(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(known.os, "link", refuse)
    store = analysed.extract("body.0")
    (kept,) = analysed.cache.folder.rglob("*.npy")
    assert not kept.samefile(store.path / store.layer("body.0").file)
    assert analysed.passes("body.0") == 0


def test_a_cache_that_cannot_be_written_is_no_failure(analysed):
    analysed.cache.folder.write_text("a file")
    assert analysed.passes("body.0") == 7
    assert analysed.passes("body.0") == 7


def test_a_failing_pass_keeps_nothing_and_leaves_the_network_alone(analysed):
    analysed.extract("body.0")
    broken = IMAGES_NCHW.copy()
    broken[4] = 3e38
    with torch.no_grad():
        analysed.network.conv_first.weight.mul_(1000)
    with pytest.raises(DegenerateError, match="image 4"):
        analysed.extract("body.0", images=broken)
    assert len(list(analysed.cache.folder.rglob("*.npy"))) == 1
    analysed.network.conv_first._forward_pre_hooks.clear()
    assert_no_hooks(analysed.network)
