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
    reached, bicubic = (quality(method, test, scale=scale) for method in (network, None))
    return {
        "photographs": f"bundled test set, {len(test)} photographs, 8-bit RGB, border {scale}",
        "psnr": round(reached.psnr, 4),
        "ssim": round(reached.ssim, 5),
        "detail": round(reached.detail, 4),
        "bicubic_psnr": round(bicubic.psnr, 4),
        "bicubic_ssim": round(bicubic.ssim, 5),
        "bicubic_detail": round(bicubic.detail, 4),
    }
