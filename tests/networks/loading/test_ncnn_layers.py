"""Every operator against plain PyTorch, and against the package ncnn where it is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from srscope.errors import NetworkError
from srscope.networks.loading.ncnn_graph import read_ncnn
from srscope.networks.loading.ncnn_layers import WEIGHTED
from srscope.networks.loading.ncnn_operators import OPERATORS
from support.ncnn_files import BFLOAT16, FLOAT16, FLOAT32, RAW32, NcnnWriter, ncnn_output, weights

W43, B4 = weights(4, 3, 3, 3, seed=1), weights(4, seed=2)
W44 = weights(4, 4, 3, 3, seed=3)


@dataclass(frozen=True)
class Case:
    """One small network, and what it computes."""

    label: str
    write: Callable[[NcnnWriter], NcnnWriter]
    expected: Callable[[Tensor], Tensor]
    operators: tuple[str, ...]


def one(kind: str, expected: Callable[[Tensor], Tensor], label: str = "", **keys: Any) -> Case:
    """An operator of one input without weights."""
    label = f"{kind} {label or keys}"
    return Case(label, lambda w: w.add(kind, "op", "in", **keys), expected, (kind,))


def two(
    kind: str, expected: Callable[[Tensor, Tensor], Tensor], label: str = "", **keys: Any
) -> Case:
    """An operator of the input and a convolution of it."""

    def write(w: NcnnWriter) -> NcnnWriter:
        w.add("Split", "s", "in", "a b").conv("c", "b", W43[:3], B4[:3], k4=1)
        return w.add(kind, "op", "a c", **keys)

    def result(x: Tensor) -> Tensor:
        return expected(x, F.conv2d(x, W43[:3], B4[:3], padding=1))

    return Case(f"{kind} {label or keys}", write, result, (kind, "Split"))


def conv(label: str, expected: Callable[[Tensor], Tensor], **keys: Any) -> Case:
    """A convolution of 3 to 4 channels."""
    return Case(label, lambda w: w.conv("op", "in", W43, B4, **keys), expected, ("Convolution",))


def plain(x: Tensor, **more: Any) -> Tensor:
    """The convolution that most cases hold."""
    return F.conv2d(x, W43, B4, **more)


def weighted(label: str, kind: str, arrays: Any, expected: Any, **keys: Any) -> Case:
    """A layer with weights."""
    return Case(label, lambda w: w.add(kind, "op", "in", "", *arrays, **keys), expected, (kind,))


GROUPED = weights(6, 1, 3, 3, seed=4)
UP = weights(4, 3, 4, 4, seed=5)  # as ncnn stores it: outputs, inputs
UP_GROUPED = weights(3, 2, 1, 3, 3, seed=6)  # groups, outputs, inputs
FULL = weights(5, 3 * 9 * 7, seed=7)
SCALES, SHIFTS, MEANS = weights(3, seed=8), weights(3, seed=9), weights(3, seed=10)
VARIANCES = weights(3, seed=11).abs() + 0.1


def gated(w: NcnnWriter, kind: str, **keys: Any) -> NcnnWriter:
    """Channel attention, as waifu2x (Scale) and Real-CUGAN (BinaryOp) have it."""
    w.add("Split", "s", "in", "a b").add("Pooling", "p", "b", k0=1, k4=1)
    w.add("InnerProduct", "i", "p", "", (0, FULL[:3, :3]), B4[:3], k0=3, k1=1, k2=9, k9=4)
    return w.add(kind, "op", "a i", **keys)


def gate(x: Tensor) -> Tensor:
    """What that computes."""
    pooled = x.mean(dim=(2, 3))
    return x * torch.sigmoid(pooled @ FULL[:3, :3].T + B4[:3])[..., None, None]


def mirrored(x: Tensor) -> Tensor:
    """Border of 1, 2, 2, 1 (left, right, top, bottom), reflected."""
    return F.pad(x, (1, 2, 2, 1), mode="reflect")


def outermost(x: Tensor) -> Tensor:
    """Border of 1, 1, 2, 2, of the outermost values."""
    return F.pad(x, (1, 1, 2, 2), mode="replicate")


def means(x: Tensor) -> Tensor:
    """Means of windows of 3 in steps of 2, the border not counted."""
    return F.avg_pool2d(x, 3, 2, padding=1, ceil_mode=True, count_include_pad=False)


def depth_last(x: Tensor) -> Tensor:
    """Depth to space with the result's channel counted fastest."""
    n, c, h, w = x.shape
    return x.view(n, 2, 2, c // 4, h, w).permute(0, 3, 4, 1, 5, 2).reshape(n, c // 4, 2 * h, 2 * w)


def by_scale(scale: float, mode: str, **more: Any) -> Callable[[Tensor], Tensor]:
    """Resize by a factor."""
    return lambda x: F.interpolate(x, scale_factor=scale, mode=mode, **more)


CASES = (
    conv("valid", plain),
    conv("padded", lambda x: plain(x, padding=1), k4=1),
    conv("stride, dilation", lambda x: plain(x, stride=2, dilation=2), k2=2, k3=2),
    conv("uneven border", lambda x: plain(F.pad(x, (1, 2, 0, 3))), k4=1, k15=2, k14=0, k16=3),
    conv("border of ones", lambda x: plain(F.pad(x, (1,) * 4, value=1.0)), k4=1, k18="1.0"),
    conv("same", lambda x: plain(F.pad(x, (1, 1, 1, 1)), stride=2), k4=-233, k3=2),
    conv("relu", lambda x: F.relu(plain(x)), k9=1),
    conv("leaky", lambda x: F.leaky_relu(plain(x), 0.1), k9=2, k10=[0.1]),
    conv("clip", lambda x: plain(x).clamp(-0.2, 0.3), k9=3, k10=[-0.2, 0.3]),
    conv("sigmoid", lambda x: torch.sigmoid(plain(x)), k9=4),
    conv("mish", lambda x: F.mish(plain(x)), k9=5),
    conv(
        "hardswish",
        lambda x: plain(x) * (plain(x) * 0.2 + 0.5).clamp(0, 1),
        k9=6,
        k10=[0.2, 0.5],
    ),
    Case(
        "no bias, half",
        lambda w: w.conv("op", "in", W43[:, :, :1, :1], tag=FLOAT16),
        lambda x: F.conv2d(x, W43[:, :, :1, :1].half().float()),
        ("Convolution",),
    ),
    Case(
        "odd number of halves",
        lambda w: w.conv("op", "in", W43[:1, :, :3, :3], tag=FLOAT16).conv(
            "op2", "op", weights(1, 1, 1, 1)
        ),
        lambda x: F.conv2d(x, W43[:1].half().float()) * weights(1),
        ("Convolution",),
    ),
    Case(
        "single pixel of a pooled blob",
        lambda w: w.add("Pooling", "p", "in", k0=1, k4=1).conv(
            "op", "p", W43[:, :, :1, :1], B4
        ),
        lambda x: x.mean(dim=(2, 3)) @ W43[:, :, 0, 0].T + B4,
        ("Convolution", "Pooling"),
    ),
    weighted(
        "groups",
        "ConvolutionDepthWise",
        [(FLOAT32, GROUPED), weights(6, seed=2)],
        lambda x: F.conv2d(x, GROUPED, weights(6, seed=2), padding=1, groups=3),
        k0=6, k1=3, k4=1, k5=1, k6=GROUPED.numel(), k7=3,
    ),
    weighted(
        "x2",
        "Deconvolution",
        [(FLOAT16, UP), B4],
        lambda x: F.leaky_relu(
            F.conv_transpose2d(x, UP.half().float().transpose(0, 1), B4, 2)[:, :, 3:-3, 3:-3], 0.1
        ),
        k0=4, k1=4, k3=2, k4=3, k5=1, k6=UP.numel(), k9=2, k10=[0.1],
    ),
    weighted(
        "output padding",
        "Deconvolution",
        [(FLOAT32, UP), B4],
        lambda x: F.conv_transpose2d(x, UP.transpose(0, 1), B4, 2, 1, output_padding=1),
        k0=4, k1=4, k3=2, k4=1, k5=1, k6=UP.numel(), k18=1,
    ),
    weighted(
        "groups",
        "DeconvolutionDepthWise",
        [(FLOAT32, UP_GROUPED)],
        lambda x: F.conv_transpose2d(
            x, UP_GROUPED.transpose(1, 2).flatten(0, 1), stride=2, groups=3
        ),
        k0=6, k1=3, k3=2, k6=UP_GROUPED.numel(), k7=3,
    ),
    weighted(
        "of an image",
        "InnerProduct",
        [(FLOAT32, FULL)],
        lambda x: F.relu(x.flatten(1) @ FULL.T),
        k0=5, k2=FULL.numel(), k9=1,
    ),
    weighted("a channel", "PReLU", [SCALES], lambda x: F.prelu(x, SCALES), k0=3),
    weighted("one", "PReLU", [SCALES[:1]], lambda x: F.prelu(x, SCALES[:1]), k0=1),
    weighted(
        "scale and shift",
        "Scale",
        [SCALES, SHIFTS],
        lambda x: x * SCALES[:, None, None] + SHIFTS[:, None, None],
        k0=3, k1=1,
    ),
    weighted(
        "normalised",
        "BatchNorm",
        [SCALES, MEANS, VARIANCES, SHIFTS],
        lambda x: F.batch_norm(x, MEANS, VARIANCES, SCALES, SHIFTS, eps=0.01),
        k0=3, k1="1e-2",
    ),
    Case("gate", lambda w: gated(w, "Scale", k0=-233), gate, ("Scale", "InnerProduct")),
    Case("gate", lambda w: gated(w, "BinaryOp", k0=2), gate, ("BinaryOp", "Pooling")),
    one("Sigmoid", torch.sigmoid),
    one("TanH", torch.tanh),
    one("Swish", F.silu),
    one("Mish", F.mish),
    one("Noop", lambda x: x),
    one("Dropout", lambda x: x * 0.5, k0="0.5"),
    one("ReLU", F.relu),
    one("ReLU", lambda x: F.leaky_relu(x, 0.2), k0="0.2"),
    one("Clip", lambda x: x.clamp(0.1, 0.4), k0="0.1", k1="0.4"),
    *(
        one("BinaryOp", expected, k0=number, k1=1, k2="0.25")
        for number, expected in enumerate(
            (
                lambda x: x + 0.25, lambda x: x - 0.25, lambda x: x * 0.25, lambda x: x / 0.25,
                lambda x: x.clamp(min=0.25), lambda x: x.clamp(max=0.25), lambda x: x**0.25,
                lambda x: 0.25 - x, lambda x: 0.25 / x,
            )
        )
    ),
    two("BinaryOp", torch.sub, k0=1),
    two("BinaryOp", torch.maximum, k0=4),
    two("Eltwise", torch.mul, k0=0),
    two("Eltwise", torch.add, k0=1),
    two("Eltwise", lambda a, b: 0.2 * a + 1.5 * b, k0=1, k1=[0.2, 1.5]),
    two("Eltwise", torch.maximum, k0=2),
    two("Concat", lambda a, b: torch.cat([a, b], 1)),
    two("Concat", lambda a, b: torch.cat([a, b], 3), k0=-1),
    two("Concat", lambda a, b: torch.cat([a, b], 2), k0=1),
    Case(
        "to another blob's size",
        lambda w: w.add("Split", "s", "in", "a b")
        .conv("c", "b", W43[:3], B4[:3])
        .add("Crop", "d", "a c", k0=2, k1=1)
        .add("Noop", "op", "d"),
        lambda x: x[:, :, 1 : x.shape[2] - 1, 2 : x.shape[3]],
        ("Crop",),
    ),
    one("Crop", lambda x: x[:, :, 4:-4, 2:-1], k9=[4, 2], k10=[-4, -1], k11=[-2, -1]),
    one("Crop", lambda x: x[:, 1:, :5, :], k9=[1, 0], k10=[3, 5], k11=[0, 1]),
    one(
        "Crop",
        lambda x: x[:, 1:3, 2:6, 1:-1],
        k0=1, k1=2, k2=1, k3=-233, k4=4, k5=2, k6=1,
    ),
    one("Padding", lambda x: F.pad(x, (3, 4, 1, 2), value=0.5), k0=1, k1=2, k2=3, k3=4, k5="0.5"),
    one("Padding", outermost, k0=2, k1=2, k2=1, k3=1, k4=1),
    one("Padding", mirrored, k0=2, k1=1, k2=1, k3=2, k4=2),
    one("Interp", by_scale(2, "nearest"), k0=1, k1="2.0", k2="2.0"),
    one("Interp", by_scale(1.5, "bilinear"), k0=2, k1="1.5", k2="1.5"),
    one("Interp", by_scale(2, "bilinear", align_corners=True), k0=2, k1="2.0", k2="2.0", k6=1),
    two(
        "Interp",
        lambda a, b: F.interpolate(a, size=b.shape[2:], mode="bilinear", align_corners=False),
        "to another blob's size",
        k0=2,
        k5=1,
    ),
    one("Interp", by_scale(0.5, "bicubic"), k0=3, k1="0.5", k2="0.5"),
    one("Pooling", lambda x: x.amax(dim=(2, 3)), k0=0, k4=1),
    one("Pooling", lambda x: F.max_pool2d(x, 2, 2, ceil_mode=True), k0=0, k1=2, k2=2),
    one("Pooling", lambda x: F.max_pool2d(x, 2, 2), k0=0, k1=2, k2=2, k5=1),
    one("Pooling", means, k0=1, k1=3, k2=2, k3=1),
    Case(
        "CRD",
        lambda w: w.conv("c", "in", W44[:, :3], k4=1).add("PixelShuffle", "op", "c", k0=2),
        lambda x: F.pixel_shuffle(F.conv2d(x, W44[:, :3], padding=1), 2),
        ("PixelShuffle",),
    ),
    Case(
        "DCR",
        lambda w: w.conv("c", "in", weights(8, 3, 1, 1)).add(
            "PixelShuffle", "op", "c", k0=2, k1=1
        ),
        lambda x: depth_last(F.conv2d(x, weights(8, 3, 1, 1))),
        ("PixelShuffle",),
    ),
)  # fmt: skip
LABELS = [f"{case.operators[0]}: {case.label}" for case in CASES]


def image() -> Tensor:
    """One image of odd sides that differ, above 0 so that powers are defined."""
    return torch.rand(1, 3, 9, 7, generator=torch.Generator().manual_seed(12)) + 0.01


@pytest.mark.parametrize("case", CASES, ids=LABELS)
def test_operators_compute_what_pytorch_does(case: Case, tmp_path: Path) -> None:
    param = case.write(NcnnWriter()).write(tmp_path)
    with torch.no_grad():
        found = read_ncnn(param, param.with_suffix(".bin")).eval()(image())
    torch.testing.assert_close(found, case.expected(image()), rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(importlib.util.find_spec("ncnn") is None, reason="needs the package ncnn")
@pytest.mark.parametrize("case", CASES, ids=LABELS)
def test_operators_compute_what_ncnn_does(case: Case, tmp_path: Path) -> None:
    param = case.write(NcnnWriter()).write(tmp_path)
    with torch.no_grad():
        found = read_ncnn(param, param.with_suffix(".bin")).eval()(image())[0]
    expected = ncnn_output(param, image()[0])
    torch.testing.assert_close(found, expected.view(found.shape), rtol=1e-4, atol=1e-5)


def test_every_operator_has_a_case() -> None:
    tested = {operator for case in CASES for operator in case.operators}
    assert tested >= {*WEIGHTED, *OPERATORS}


@pytest.mark.parametrize("tag", [FLOAT32, RAW32, FLOAT16, BFLOAT16])
def test_weights_are_read_in_every_float_format(tag: int, tmp_path: Path) -> None:
    exact = W43.bfloat16().float() if tag == BFLOAT16 else W43.half().float()
    param = NcnnWriter().conv("op", "in", exact, B4, tag=tag).write(tmp_path)
    network = read_ncnn(param, param.with_suffix(".bin"))
    assert torch.equal(network.get_submodule("op").weight, exact)


def refused(tmp_path: Path, kind: str, **keys: Any) -> str:
    param = NcnnWriter().add(kind, "op", "in", **keys).write(tmp_path)
    with pytest.raises(NetworkError) as caught:
        read_ncnn(param, param.with_suffix(".bin"))
    return str(caught.value)


def test_another_operator_is_refused_by_name(tmp_path: Path) -> None:
    message = refused(tmp_path, "MultiHeadAttention")
    assert "'op' is a MultiHeadAttention, an operator that srscope does not run" in message
    assert "Convolution, ConvolutionDepthWise" in message
    assert "convert the network to ONNX or TorchScript instead" in message


@pytest.mark.parametrize(
    ("kind", "keys", "said"),
    [
        ("PixelShuffle", {"k0": 2, "k7": 5}, "parameter 7 of PixelShuffle must be left out"),
        ("PixelShuffle", {"k0": 400}, "parameter 0 of PixelShuffle must be a magnification from 1"),
        ("Interp", {"k0": 1, "k3": 64}, "must be 0 (one fixed size is not supported), but is 64"),
        ("Interp", {"k0": 1, "k1": "90.0"}, "a magnification above 0 and up to 16"),
        ("Interp", {"k0": 1, "k5": 1}, "0 where no second blob gives the size"),
        ("Interp", {"k0": 4}, "must be 1 (nearest), 2 (bilinear) or 3 (bicubic)"),
        ("Pooling", {"k0": 2}, "must be 0 (maximum) or 1 (mean)"),
        ("Pooling", {"k1": 2, "k5": 2}, "must be 0 (windows beyond the border) or 1"),
        ("Padding", {"k4": 3}, "must be 0 (constant), 1 (outermost values) or 2 (mirrored)"),
        ("Padding", {"k0": 5000}, "a border of 0 to 256 on each side"),
        ("BinaryOp", {"k0": 11}, "an operation from 0 to 8"),
        ("Eltwise", {"k0": 7}, "0 (product), 1 (sum) or 2 (maximum)"),
        ("Eltwise", {"k0": 1, "k1": [1.0, 2.0]}, "must be an array of 1"),
        ("Crop", {"k9": [1], "k10": [2, 3]}, "must be an array of 1"),
        ("Crop", {"k9": [1], "k10": [2], "k11": [4]}, "an array of axes from -3 to 2"),
        ("Convolution", {"k0": 4, "k1": 3, "k6": 100}, "parameter 6 of Convolution must be a mult"),
        ("Convolution", {"k0": 4, "k1": 0, "k6": 108}, "1 or more, and so must be dilation"),
        ("Deconvolution", {"k0": 4, "k1": 3, "k6": 108, "k4": -233}, "a border of 0 or more"),
        ("Deconvolution", {"k0": 4, "k1": 3, "k6": 108, "k3": 99}, "a stride of 64 or less"),
        (
            "ConvolutionDepthWise",
            {"k0": 4, "k1": 1, "k6": 4, "k7": 3},
            "a multiple of its 3 groups",
        ),
        ("InnerProduct", {"k0": 4, "k2": 7}, "a multiple of its 4 outputs"),
        ("InnerProduct", {"k0": 4, "k2": 8, "k9": 9}, "an activation from 0 to 6"),
        ("InnerProduct", {"k0": 4, "k2": 8, "k9": 2}, "must be an array of 1"),
        ("Convolution", {"k0": "x", "k1": 3}, "parameter 0 of Convolution must be a whole number"),
        ("Clip", {"k0": "x"}, "parameter 0 of Clip must be a number"),
        ("Eltwise", {"k1": 3}, "parameter 1 of Eltwise must be an array"),
        ("PReLU", {"k0": 0}, "a number of channels"),
        ("Scale", {"k0": -233, "k1": 1}, "0 where a second tensor holds the factors"),
        ("Convolution", {"k0": 4, "k1": 1, "k6": 4, "k4": 999}, "a border of 256 or less"),
    ],
)
def test_parameters_that_cannot_be_used_are_refused(
    kind: str, keys: dict[str, Any], said: str, tmp_path: Path
) -> None:
    assert said in refused(tmp_path, kind, **keys)


@pytest.mark.parametrize(
    ("kind", "key"), [("Convolution", "k8"), ("Convolution", "k19"), ("Deconvolution", "k20")]
)
def test_options_with_weights_that_are_not_supported_are_refused(
    kind: str, key: str, tmp_path: Path
) -> None:
    keys = {"k0": 4, "k1": 3, "k6": W43.numel(), key: 1}
    param = NcnnWriter().add(kind, "op", "in", "", (FLOAT32, W43), **keys).write(tmp_path)
    with pytest.raises(NetworkError, match=rf"parameter {key[1:]} of {kind} must be 0 \("):
        read_ncnn(param, param.with_suffix(".bin"))
