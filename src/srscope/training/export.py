"""Turn a finished run into what the zoo ships: weights, a card for programs, a card for people."""

from __future__ import annotations

import hashlib
import json
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from srscope.files import atomic_path, write_text
from srscope.images.bundled import load_bundled
from srscope.networks.description import weights_sha256
from srscope.training.config import recipe_dict
from srscope.training.data import load_pairs, make_pair
from srscope.training.loop import Trained
from srscope.training.quality import quality

LICENSE = "Apache-2.0"


def export(trained: Trained, out: str | Path) -> Path:
    """Write ``NAME.safetensors``, ``NAME.json`` and ``NAME.md``.

    Quality is measured on the bundled test photographs, which no recipe trains on.

    Args:
        trained: The finished run.
        out: Folder to write into.

    Returns:
        The path of the weights.
    """
    from safetensors.torch import save_file

    recipe = trained.recipe
    path = Path(out) / f"{recipe.name}.safetensors"
    state = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in trained.network.state_dict().items()
    }
    text = {"format": "pt", "global_residual": str(recipe.network.global_residual).lower()}
    with atomic_path(path) as temporary:
        save_file(state, temporary, metadata=text)
    facts = card(trained)
    write_text(path.with_suffix(".json"), json.dumps(facts, indent=2) + "\n")
    write_text(path.with_suffix(".md"), _card_for_people(facts))
    return path


def card(trained: Trained) -> dict[str, Any]:
    """Collect what is known of a trained network, as plain JSON values."""
    recipe = trained.recipe
    scale = recipe.network.scale
    test = [make_pair(photograph, scale) for photograph in load_bundled("test").photographs]
    reached = quality(trained.network, test, scale=scale)
    bicubic = quality(None, test, scale=scale)
    training, _ = load_pairs(recipe.data.folder, scale, recipe.data.validation)
    digest = hashlib.sha256()
    for pair in training:
        digest.update(pair.name.encode() + pair.hr_HW3.tobytes())
    return {
        "name": recipe.name,
        "parameters": sum(p.numel() for p in trained.network.parameters()),
        "sha256": weights_sha256(trained.network),
        "license": LICENSE,
        "iterations": trained.iterations,
        "seed": recipe.seed,
        "seconds": round(trained.seconds),
        "data": {
            "photographs": len(training),
            "names": [pair.name for pair in training],
            "sha256": digest.hexdigest(),
        },
        "quality": {
            "photographs": f"bundled test set, {len(test)} photographs, 8-bit RGB, border {scale}",
            "psnr": round(reached.psnr, 4),
            "ssim": round(reached.ssim, 5),
            "bicubic_psnr": round(bicubic.psnr, 4),
            "bicubic_ssim": round(bicubic.ssim, 5),
            "validation_psnr": trained.validation_psnr,
        },
        "recipe": recipe_dict(recipe),
        "commit": trained.commit,
        "init": trained.init,
        "environment": {
            "python": platform.python_version(),
            "torch": metadata.version("torch"),
            "threads": torch.get_num_threads(),
            "machine": f"{platform.system()} {platform.machine()}",
        },
    }


def _card_for_people(facts: dict[str, Any]) -> str:
    measured, recipe, data = facts["quality"], facts["recipe"], facts["data"]
    residual = "with" if recipe["network"]["global_residual"] else "without"
    photographs = ", ".join(Path(name).stem for name in data["names"])
    return f"""# {facts["name"]}

SRResNet {residual} image-level global residual, x{recipe["network"]["scale"]},
{recipe["network"]["blocks"]} blocks of {recipe["network"]["channels"]} channels,
{facts["parameters"]:,} parameters. Trained with L1 loss on bicubic reductions only: it has never
seen a blurred or noisy input.

| | |
| --- | --- |
| iterations | {facts["iterations"]:,} |
| batch, LR patch | {recipe["data"]["batch_size"]}, {recipe["data"]["patch"]} px |
| seed | {facts["seed"]} |
| weights | running average, decay {recipe["ema_decay"]} |
| precision | {recipe["precision"]} |
| PSNR, SSIM | {measured["psnr"]:.2f} dB, {measured["ssim"]:.4f} |
| bicubic | {measured["bicubic_psnr"]:.2f} dB, {measured["bicubic_ssim"]:.4f} |
| measured on | {measured["photographs"]} |
| recipe | `recipes/small/{facts["name"]}.yaml`, commit `{facts["commit"]}` |
| training data | {data["photographs"]} photographs, SHA-256 `{data["sha256"]}` |
| licence of the weights | {facts["license"]} |

Training photographs, rebuilt by `python tools/build_photos.py train`: {photographs}.

The budget is small beside the paper's 600,000 iterations on DIV2K; use
`recipes/paper/{facts["name"]}.yaml` on a GPU for weights to compare with published ones.
"""
