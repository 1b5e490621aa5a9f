from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from srscope.errors import DegenerateError, NetworkError, ParameterError, UnknownNameError
from srscope.features.extract import extract
from srscope.features.known import FeatureCache
from srscope.features.reduce import list_reducers
from srscope.features.store import FeatureStore
from srscope.features.tap import FeatureTap
from support.networks import ARCHITECTURES, Counted, TinySRResNet, assert_no_hooks, build

IMAGES_NCHW = np.random.default_rng(0).random((7, 3, 8, 8), np.float32)
IDENTITY = nn.Sequential(Counted())


def whole_pass(network, layer, images_NCHW):
    with FeatureTap(network, [layer], stop_after_last=False) as tap:
        return tap.run(torch.from_numpy(images_NCHW))[layer].flatten(1).numpy()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_features_are_bitwise_those_of_a_whole_pass(tmp_path, architecture):
    network, layer = build(architecture), ARCHITECTURES[architecture][1]
    store = extract(network, IMAGES_NCHW, [layer], store=tmp_path, batch_size=7)
    np.testing.assert_array_equal(store.read(layer), whole_pass(network, layer, IMAGES_NCHW))
    assert store.count == 7
    store.verify()
    assert_no_hooks(network)


def test_the_network_stops_after_the_last_layer(tmp_path):
    network = TinySRResNet()
    store = extract(network, IMAGES_NCHW, ["conv_first", "body.2"], store=tmp_path, batch_size=2)
    assert network.tail.calls == 0
    assert [entry.feature_shape for entry in store.layers] == [(8, 8, 8)] * 2


def test_images_stay_in_order_whatever_the_batch(tmp_path):
    for batch_size in (1, 2, 7, 100):
        store = extract(IDENTITY, IMAGES_NCHW, ["0"], store=tmp_path, batch_size=batch_size)
        np.testing.assert_array_equal(store.read("0"), IMAGES_NCHW.reshape(7, -1))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_batch_size_changes_rounding_only(tmp_path, architecture):
    network, layer = build(architecture), ARCHITECTURES[architecture][1]
    stores = [
        extract(network, IMAGES_NCHW, [layer], store=tmp_path / str(size), batch_size=size)
        for size in (1, 3, 7)
    ]
    features = [store.read(layer) for store in stores]
    for other_ND in features[1:]:
        np.testing.assert_allclose(other_ND, features[0], rtol=0, atol=2e-6 * np.ptp(features[0]))


def test_one_batch_size_gives_the_same_bits_twice(tmp_path):
    network = build("srresnet")
    one, two = (
        extract(network, IMAGES_NCHW, ["body.2"], store=tmp_path / name, batch_size=3)
        for name in ("1", "2")
    )
    assert one.sha256 == two.sha256


@pytest.mark.parametrize("reducer", list_reducers())
def test_the_reducer_is_applied_and_recorded(tmp_path, reducer):
    store = extract(IDENTITY, IMAGES_NCHW, ["0"], store=tmp_path, reducer=reducer)
    expected_ND = {
        "flatten": IMAGES_NCHW.reshape(7, -1),
        "mean-pool": IMAGES_NCHW.mean(axis=(2, 3)),
        "gram-diagonal": np.square(IMAGES_NCHW).mean(axis=(2, 3)),
    }[reducer]
    np.testing.assert_allclose(store.read("0"), expected_ND, rtol=1e-6)
    assert store.reducer == reducer
    assert store.layer("0").feature_shape == (3, 8, 8)


def test_channels_last_gives_the_same_features_in_the_same_order(tmp_path):
    network = build("srresnet")
    plain = extract(network, IMAGES_NCHW, ["body.2"], store=tmp_path / "1").read("body.2")
    last = extract(network, IMAGES_NCHW, ["body.2"], store=tmp_path / "2", channels_last=True)
    np.testing.assert_allclose(last.read("body.2"), plain, rtol=0, atol=2e-6 * np.ptp(plain))
    assert last.provenance["extraction"]["channels_last"] is True
    assert network.conv_first.weight.is_contiguous()


def test_the_layout_reaches_the_network(tmp_path):
    layouts = []
    network = nn.Sequential(Counted())
    network[0].register_forward_pre_hook(
        lambda _m, inputs: layouts.append(
            inputs[0].is_contiguous(memory_format=torch.channels_last)
        )
    )
    for channels_last in (False, True):
        extract(network, IMAGES_NCHW, ["0"], store=tmp_path, channels_last=channels_last)
    assert layouts == [False, True]


def test_autocast_computes_in_half_and_stores_float32(tmp_path):
    network = build("srresnet")
    plain = extract(network, IMAGES_NCHW, ["body.2"], store=tmp_path / "1").read("body.2")
    mixed = extract(network, IMAGES_NCHW, ["body.2"], store=tmp_path / "2", autocast="bfloat16")
    difference = np.abs(mixed.read("body.2") - plain).max() / np.ptp(plain)
    assert 1e-5 < difference < 0.05
    assert mixed.layer("body.2").dtype == "<f4"
    assert not torch.is_autocast_enabled("cpu")


def test_what_was_done_and_what_was_given_is_in_the_store(tmp_path):
    store = extract(
        IDENTITY,
        IMAGES_NCHW,
        ["0"],
        store=tmp_path,
        batch_size=3,
        arrays={"set_N": np.arange(7)},
        metadata={"suite": "clean-blur-noise"},
        provenance={"network": "identity"},
    )
    store = FeatureStore.open(store.path)
    assert store.array("set_N").tolist() == list(range(7))
    assert store.metadata == {"suite": "clean-blur-noise"}
    assert store.provenance == {
        "network": "identity",
        "extraction": {
            "batch_size": 3,
            "device": "cpu",
            "channels_last": False,
            "autocast": None,
            "torch": str(torch.__version__),
        },
    }


def test_progress_counts_images(tmp_path):
    seen = []
    extract(
        IDENTITY,
        IMAGES_NCHW,
        ["0"],
        store=tmp_path,
        batch_size=3,
        progress=lambda done, count: seen.append((done, count)),
    )
    assert seen == [(3, 7), (6, 7), (7, 7)]


def test_network_and_images_are_left_as_they_were(tmp_path):
    class Greedy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.part = nn.BatchNorm2d(3), Counted()

        def forward(self, x):
            return self.part(self.norm(x.mul_(0)))

    network, images_NCHW = Greedy().train(), IMAGES_NCHW.copy()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    extract(network, images_NCHW, ["part"], store=tmp_path)
    np.testing.assert_array_equal(images_NCHW, IMAGES_NCHW)
    assert all(module.training for module in network.modules())
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert_no_hooks(network)


def test_images_may_be_a_read_only_memory_map_of_double_precision(tmp_path):
    np.save(tmp_path / "images.npy", IMAGES_NCHW.astype(np.float64))
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    store = extract(IDENTITY, mapped, ["0"], store=tmp_path / "store")
    np.testing.assert_array_equal(store.read("0"), IMAGES_NCHW.reshape(7, -1))


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is reset through /proc")
def test_memory_is_bounded_by_the_batch_not_by_the_images(tmp_path):
    class Widen(nn.Module):
        def forward(self, x):
            return x.repeat(1, 64, 1, 1)

    network = nn.Sequential(Widen(), nn.Identity())  # 0.75 MB an image and layer
    images_NCHW = np.zeros((192, 3, 32, 32), np.float32)
    extract(network, images_NCHW[:8], ["0", "1"], store=tmp_path, batch_size=4)  # warm up
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    except OSError as error:
        pytest.skip(f"peak memory cannot be reset here: {error}")

    def status(field):
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024

    before = status("VmRSS")
    store = extract(network, images_NCHW, ["0", "1"], store=tmp_path, batch_size=4)
    assert sum((store.path / entry.file).stat().st_size for entry in store.layers) > 280e6
    assert status("VmHWM") - before < 60


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_feature_that_is_not_finite_names_layer_and_image(tmp_path, value):
    class Poison(nn.Module):
        def forward(self, x):
            return torch.where(x.amax(dim=(1, 2, 3), keepdim=True) > 2, value, x)

    images_NCHW = IMAGES_NCHW.copy()
    images_NCHW[[4, 6], 0, 0, 0] = 3
    network = nn.Sequential(nn.Identity(), Poison())
    with pytest.raises(DegenerateError, match=r"layer '1' is undefined: image 4 gives NaN or inf"):
        extract(network, images_NCHW, ["0", "1"], store=tmp_path, batch_size=3)
    assert not FeatureStore.is_complete(tmp_path)
    assert_no_hooks(network)


@pytest.mark.parametrize(
    ("images_NCHW", "message"),
    [
        (IMAGES_NCHW[0], r"images_NCHW must be a non-empty \(N, C, H, W\) array"),
        (IMAGES_NCHW[:0], r"images_NCHW must be a non-empty \(N, C, H, W\) array"),
        ((IMAGES_NCHW * 255).astype(np.uint8), "of a floating-point type.*scale it to"),
    ],
)
def test_images_must_be_a_batch_of_floats(tmp_path, images_NCHW, message):
    with pytest.raises(ParameterError, match=message):
        extract(IDENTITY, images_NCHW, ["0"], store=tmp_path)


def test_images_must_be_finite(tmp_path):
    images_NCHW = IMAGES_NCHW.copy()
    images_NCHW[5, 2, 1, 1] = np.nan
    with pytest.raises(ParameterError, match=r"images_NCHW\[5\] must be finite"):
        extract(IDENTITY, images_NCHW, ["0"], store=tmp_path)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"batch_size": 0}, ParameterError, "batch_size must be at least 1, but is 0"),
        ({"reducer": "meen-pool"}, UnknownNameError, "did you mean 'mean-pool'"),
        (
            {"autocast": "bfloat"},
            UnknownNameError,
            "autocast type 'bfloat'; did you mean 'bfloat16",
        ),
        ({"device": "gpu"}, ParameterError, "device must be one that PyTorch can use here"),
        ({"layers": ["1"]}, UnknownNameError, "unknown layer '1'"),
        ({"arrays": {"set_N": np.zeros(3)}}, ParameterError, "array 'set_N' must be of 7 rows"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_written(tmp_path, options, error, message):
    arguments = {"layers": ["0"], "store": tmp_path / "store"} | options
    with pytest.raises(error, match=message):
        extract(IDENTITY, IMAGES_NCHW, **arguments)
    assert not (tmp_path / "store").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA works here")
def test_a_device_this_machine_lacks_is_refused(tmp_path):
    with pytest.raises(ParameterError, match=r"device must be one .* 'cuda'; use 'cpu'"):
        extract(IDENTITY, IMAGES_NCHW, ["0"], store=tmp_path, device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_the_network_returns_to_its_device(tmp_path):
    network = build("srresnet")
    extract(network, IMAGES_NCHW, ["body.2"], store=tmp_path, device="cuda")
    assert {p.device.type for p in network.parameters()} == {"cpu"}


def test_the_network_is_moved_and_moved_back_also_after_a_failure(tmp_path, monkeypatch):
    network, sent = TinySRResNet(fail_at=1), []
    # It says that its weights are on another device, and notes where it is sent.
    monkeypatch.setattr(network, "parameters", lambda: iter([torch.empty(0, device="meta")]))
    monkeypatch.setattr(network, "to", lambda device: sent.append(str(device)))
    with pytest.raises(NetworkError, match="own failure"):
        extract(network, IMAGES_NCHW, ["conv_last"], store=tmp_path)
    assert sent == ["cpu", "meta"]


def test_a_network_on_several_devices_is_refused(tmp_path):
    network = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1, device="meta"))
    with pytest.raises(NetworkError, match="spread over devices cpu, meta; move it to one first"):
        extract(network, IMAGES_NCHW, ["0"], store=tmp_path)


def test_a_network_that_does_not_fit_the_images_is_one_clear_line(tmp_path):
    network = nn.Sequential(nn.Conv2d(1, 3, 1))
    with pytest.raises(NetworkError, match=r"fails on images of shape \(7, 3, 8, 8\): .*channels"):
        extract(network, IMAGES_NCHW, ["0"], store=tmp_path)


def test_too_little_memory_says_what_to_lower(tmp_path):
    class Huge(nn.Module):
        def forward(self, x):
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(NetworkError, match="batch of 7 images does not fit in memory; lower bat"):
        extract(nn.Sequential(Huge()), IMAGES_NCHW, ["0"], store=tmp_path)


def test_a_layer_whose_rows_are_not_images_is_refused(tmp_path):
    class Windows(nn.Module):
        def forward(self, x):
            return x.reshape(-1, 3, 4, 4)

    with pytest.raises(
        NetworkError, match=r"layer '0' puts out shape \(28, 3, 4, 4\) for 7 images"
    ):
        extract(nn.Sequential(Windows()), IMAGES_NCHW, ["0"], store=tmp_path)


def test_a_scalar_layer_is_refused(tmp_path):
    class Loss(nn.Module):
        def forward(self, x):
            return x.mean()

    with pytest.raises(NetworkError, match=r"layer '0' puts out shape \(\) for 7 images"):
        extract(nn.Sequential(Loss()), IMAGES_NCHW, ["0"], store=tmp_path)


@pytest.mark.parametrize("device", ["banana", "meta"])
def test_a_device_that_cannot_compute_is_refused_with_a_cache_too(tmp_path, device):
    cache = FeatureCache(folder=tmp_path / "cache", network="tiny")
    for kept in (None, cache):
        with pytest.raises(ParameterError, match="device must be one that PyTorch can use here"):
            extract(
                TinySRResNet(), IMAGES_NCHW, ["conv_first"],
                store=tmp_path / "out", device=device, cache=kept,
            )  # fmt: skip
