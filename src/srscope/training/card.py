"""The model card for people, from the facts of the card for programs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

Facts = Mapping[str, Any]
_LARGER = """The budget is small beside the paper's; use `recipes/paper/{}.yaml` on a GPU for
weights to compare with published ones.
"""


def card_for_people(facts: Facts) -> str:
    """Return a model card in Markdown.

    Args:
        facts: What `export.card` collects.
    """
    describe, measured = _KINDS[facts["task"]]
    folder = "adapt" if facts["task"] in ("restorer", "transfer") else "small"
    rows = [
        ("iterations", f"{facts['iterations']:,}"),
        *_recipe_rows(facts["recipe"]),
        ("seed", str(facts["seed"])),
        ("started from", _start(facts["init"])),
        *measured(facts["quality"]),
        ("recipe", f"`recipes/{folder}/{facts['name']}.yaml`, commit `{facts['commit']}`"),
        ("training data", _data(facts["data"])),
        ("stored as", facts["stored_as"]),
        ("licence of the weights", facts["license"]),
    ]
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    names = facts["data"].get("names", [])
    photographs = ", ".join(Path(name).stem for name in names)
    rebuilt = "Training photographs, rebuilt by `python tools/build_photos.py train`: "
    return f"""# {facts["name"]}

{describe(facts)}
{facts["parameters"]:,} parameters.

| | |
| --- | --- |
{table}

{rebuilt + photographs + "." if names else ""}

{_LARGER.format(facts["name"]) if folder == "small" else ""}"""


def _start(init: Mapping[str, str] | None) -> str:
    return "random weights" if init is None else f"`{init['name']}`, SHA-256 `{init['sha256']}`"


def _data(data: Facts) -> str:
    noun = "photographs" if "photographs" in data else "images"
    return f"{data.get('photographs', data.get('images')):,} {noun}, SHA-256 `{data['sha256']}`"


def _recipe_rows(recipe: Facts) -> list[tuple[str, str]]:
    data = recipe["data"]
    batch = str(data["batch_size"]) + (f", {data['patch']} px" if "patch" in data else "")
    average = f"running average, decay {recipe['ema_decay']}" if recipe["ema_decay"] else "last"
    return [
        ("batch, LR patch" if "patch" in data else "batch", batch),
        ("weights", average),
        ("precision", recipe["precision"]),
    ]


def _structure(facts: Facts) -> str:
    network = facts["recipe"]["network"]
    residual = "with" if network["global_residual"] else "without"
    return (
        f"{network['blocks']} blocks of {network['channels']} channels, x{network['scale']}, "
        f"{residual} image-level global residual."
    )


def _sr(facts: Facts) -> str:
    noise = facts["recipe"]["data"]["noise_sigma"]
    inputs = (
        f"bicubic reductions that carried Gaussian noise of sigma {noise:g} (of 255)."
        if noise
        else "bicubic reductions only: it has never seen a blurred or noisy input."
    )
    return f"Super-resolution network: {_structure(facts)}\nTrained with L1 loss on {inputs}"


def _gan(facts: Facts) -> str:
    recipe = facts["recipe"]
    losses, noise = recipe["losses"], recipe["data"]["noise_sigma"]
    features = {
        "vgg19": "VGG19's conv5_4 before ReLU",
        "discriminator": "the discriminator's own features (feature matching), not VGG19's",
    }[losses["perceptual_features"]]
    seen = (
        f"Its LR inputs carried Gaussian noise of sigma {noise:g} (of 255)."
        if noise
        else "It has never seen a blurred or noisy input."
    )
    return (
        f"Super-resolution network trained adversarially: {_structure(facts)}\n"
        f"Losses: {losses['pixel']:g} L1, {losses['perceptual']:g} perceptual, "
        f"{losses['adversarial']:g} adversarial. The perceptual loss compares {features}.\n{seen}"
    )


def _restoration(quality: Facts) -> list[tuple[str, str]]:
    rows = [
        ("PSNR, SSIM", f"{quality['psnr']:.2f} dB, {quality['ssim']:.4f}"),
        ("bicubic", f"{quality['bicubic_psnr']:.2f} dB, {quality['bicubic_ssim']:.4f}"),
        (
            "detail beyond the input's Nyquist frequency",
            f"{quality['detail']:.2f} of the original's energy "
            f"(bicubic {quality['bicubic_detail']:.2f})",
        ),
    ]
    return [*rows, ("measured on", quality["photographs"])]


def _cincgan(facts: Facts) -> str:
    network, stages = facts["recipe"]["network"], ("inner", "outer", "joint")
    lengths = ", ".join(f"{stage} {facts['recipe'][stage]['iterations']:,}" for stage in stages)
    return (
        f"CinCGAN: G1 ({network['g_blocks']} blocks of {network['g_channels']} channels) cleans "
        f"the low-resolution image, a super-resolution network ({network['sr_blocks']} blocks of "
        f"{network['sr_channels']} channels) magnifies it x{network['scale']}.\n"
        f"Trained on unpaired images: degraded ones of half the photographs (`mild`), clean ones "
        f"of the other half. Iterations by stage: {lengths}."
    )


def _cincgan_rows(quality: Facts) -> list[tuple[str, str]]:
    return [
        *_restoration(quality),
        ("without G1", f"{quality['without_g1_psnr']:.2f} dB, {quality['without_g1_ssim']:.4f}"),
        (
            "G1's output against the clean LR image",
            f"{quality['g1_psnr']:.2f} dB (its input {quality['g1_input_psnr']:.2f} dB)",
        ),
    ]


def _classifier(facts: Facts) -> str:
    network, data = facts["recipe"]["network"], facts["data"]
    structure = {
        "resnet18": "ResNet18 with a 3x3 stem and no max-pool",
        "unified-classifier": f"{network['blocks']} residual channel attention blocks and three "
        "max-pools",
    }[network["kind"]]
    digits = f" ({data['digits']:,} digits)" if "digits" in data else ""
    return (
        f"Classifier: {structure}.\nTrained with cross-entropy on {data['source']}{digits}; "
        "it has never seen a blurred or noisy input."
    )


def _accuracy(quality: Facts) -> list[tuple[str, str]]:
    reached = ", ".join(f"{100 * quality[f'accuracy_{s}']:.1f} %" for s in quality["sets"])
    return [
        (f"accuracy, {', '.join(quality['sets'])}", reached),
        ("measured on", f"{quality['count']:,} test images: {quality['images']}"),
    ]


def _restorer(facts: Facts) -> str:
    return f"Restoration network of the input's own size.\n{_told(facts)}"


def _transfer(facts: Facts) -> str:
    return (
        "Transfer network: gives the content of one image the degradation of another.\n"
        f"{_told(facts)}"
    )


def _told(facts: Facts) -> str:
    network, data = facts["recipe"]["network"], facts["recipe"]["data"]
    guide = {
        "none": "Nothing tells it the degradation",
        "statistics": "Told the degradation by simple statistics of the input",
        "representations": f"Told the degradation by {network['layer']} of `{network['guide']}`: "
        "means and log standard deviations of its channels",
        "oracle": "Told the true levels, which nobody has but in a test",
    }[network["guidance"]]
    return (
        f"{network['blocks']} blocks of {network['channels']} channels. {guide}.\nTrained with L1 "
        f"loss on a mixture of Gaussian blur (width to {data['blur']:g} px) and Gaussian noise "
        f"(sigma to {data['noise']:g} of 255), each left out with chance {data['absent']:g}."
    )


def _mixed(quality: Facts) -> list[tuple[str, str]]:
    psnr = f"{quality['psnr']:.2f} dB (the inputs {quality['input_psnr']:.2f} dB)"
    return [("PSNR", psnr), ("measured on", quality["photographs"])]


_KINDS = {
    "sr": (_sr, _restoration),
    "gan": (_gan, _restoration),
    "cincgan": (_cincgan, _cincgan_rows),
    "unified-sr": (_sr, _restoration),
    "classification": (_classifier, _accuracy),
    "restorer": (_restorer, _mixed),
    "transfer": (_transfer, _mixed),
}
