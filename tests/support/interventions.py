"""Small networks whose use of a degradation is known, as it was put in, and images for them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from srscope.degradations.degrade import DegradedImages
from srscope.degradations.record import SetInfo, SuiteInfo
from srscope.networks.description import LoadedNetwork, TapPoint

PHOTOGRAPHS, EACH, SIDE = 10, 2, 8


def originals(*, seed: int = 0, photographs: int = PHOTOGRAPHS) -> NDArray[np.float32]:
    """Return smooth contents (M, 3, H, W), alike within a photograph, around the middle grey."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(photographs, 3, 2, 2, generator=generator).repeat_interleave(EACH, dim=0)
    coarse = coarse + 0.2 * torch.rand(len(coarse), 3, 2, 2, generator=generator)
    smooth = F.interpolate(coarse, size=(SIDE, SIDE), mode="bilinear", align_corners=True)
    return (0.35 + 0.25 * smooth).numpy()


def suite_images(sets: Mapping[str, NDArray[np.float32]]) -> DegradedImages:
    """Return images as ``degrade`` makes them, from one array (M, C, H, W) a set."""
    contents = len(next(iter(sets.values())))
    infos = tuple(SetInfo(name=name, count=contents, definition=name) for name in sets)
    return DegradedImages(
        images_NCHW=np.concatenate(list(sets.values())).astype(np.float32),
        set_N=np.repeat(np.arange(len(sets)), contents),
        content_N=np.tile(np.arange(contents), len(sets)),
        suite=SuiteInfo(
            name="test", sets=infos, blur_applied_to="lr", quantized=False, crossed=True
        ),
        contents=tuple(f"content {m}" for m in range(contents)),
        photographs=tuple(f"photograph {m // EACH:02}" for m in range(contents)),
        source="a test",
        skipped=(),
        parameters=({},) * (contents * len(sets)),
    )


def noisy_images(*, seed: int = 0) -> tuple[DegradedImages, NDArray[np.float32]]:
    """Return a clean and a noisy set, and their originals."""
    clean_MCHW = originals(seed=seed)
    noise = np.random.default_rng(seed + 1).standard_normal(clean_MCHW.shape)
    sets = {"clean": clean_MCHW, "noise": (clean_MCHW + 0.05 * noise).astype(np.float32)}
    return suite_images(sets), clean_MCHW


class Gate(nn.Module):
    """Passes the image on, and adds ``weight`` times the strength of the noise it sees.

    Its layer ``code`` holds the image in channels 0 to 2, the strength in channel 3, and two more
    mixtures of the image that nothing uses.
    """

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = weight
        self.code = nn.Identity()
        kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])
        self.register_buffer("laplacian", kernel.expand(3, 1, 3, 3) / 4)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        edges = F.conv2d(x_NCHW, self.laplacian, groups=3).abs().mean(dim=(1, 2, 3))
        strength = edges.view(-1, 1, 1, 1).expand_as(x_NCHW[:, :1])
        unused = torch.cat([x_NCHW[:, :1] - x_NCHW[:, 1:2], x_NCHW[:, 1:2] * x_NCHW[:, 2:]], dim=1)
        features = self.code(torch.cat([x_NCHW, strength, unused], dim=1))
        return 0.99 * features[:, :3] + self.weight * features[:, 3:4]


def described(module: nn.Module, layer: str, *, channels: int = 8, scale: int = 1) -> LoadedNetwork:
    """Return a module as a loaded network with one tap point."""
    tap = TapPoint(name=layer, label=layer, channels=channels, stride=1)
    return LoadedNetwork(
        module=module.eval(),
        name="small",
        source="a test",
        scale=scale,
        taps=(tap,),
        default_layers=(layer,),
        sha256="",
        untrained=None,
    )
