"""What a model card says of training data and of restoration quality."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from srscope.images.bundled import load_bundled
from srscope.training.data import Pair, make_pair, pairs_sha256
from srscope.training.quality import quality


def data_facts(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Return number, names and hash of the training photographs."""
    return {
        "photographs": len(pairs),
        "names": [pair.name for pair in pairs],
        "sha256": pairs_sha256(pairs),
    }


def quality_facts(network: nn.Module, scale: int) -> dict[str, Any]:
    """Measure a network and bicubic on the bundled test photographs, which no recipe trains on."""
    test = [make_pair(photograph, scale) for photograph in load_bundled("test").photographs]
    told = f"bundled test set, {len(test)} photographs, 8-bit RGB, border {scale}"
    return {"photographs": told, **beside_bicubic(network, test, scale)}


def beside_bicubic(network: nn.Module, pairs: Sequence[Pair], scale: int) -> dict[str, float]:
    """Return what a network and bicubic magnification reach on pairs, rounded."""
    reached, bicubic = (quality(method, pairs, scale=scale) for method in (network, None))
    return {
        f"{of}{name}": round(getattr(found, name), digits)
        for of, found in (("", reached), ("bicubic_", bicubic))
        for name, digits in (("psnr", 4), ("ssim", 5), ("detail", 4))
    }
