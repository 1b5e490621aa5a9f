"""Networks that other packages know: checkpoints that spandrel detects, classifiers of timm.

The only place where these packages are imported, and only when asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from srscope.errors import CheckpointError, NetworkError, UnknownNameError, reason_of
from srscope.networks.description import LoadedNetwork
from srscope.networks.loading.checkpoints import read_state_dict
from srscope.networks.loading.factory import load_into
from srscope.networks.loading.imports import without_dynamo
from srscope.networks.loading.limits import Building
from srscope.networks.loading.spec import Value, file_options, split_options
from srscope.networks.loading.weights import Contents, Weights, checked
from srscope.networks.structure.describe import Known, Treatment, describe

_NOISE = 15 / 255
"""Standard deviation told to denoisers that take it as a further channel, as spandrel does."""


def load_detected(contents: Contents, options: Mapping[str, Value]) -> LoadedNetwork:
    """Build the network that a state dict belongs to, as detected by spandrel.

    Magnification, channels and sizes are the descriptor's; the range is [0, 1], and the call is
    the descriptor's, by spandrel's contract.

    Args:
        contents: What the file holds.
        options: What follows the path: :data:`~srscope.networks.loading.spec.WORDS` but
            ``checkpoint``.

    Raises:
        CheckpointError: If no architecture is detected, or the weights do not fit it.
        UnknownNameError: If an option does not exist.
    """
    treatment = Treatment.of(file_options(options))
    descriptor, taken = detected(contents)
    return describe_detected(
        descriptor,
        name=contents.path.stem,
        source=f"checkpoint {contents.source(taken)}",
        treatment=treatment,
        remarks=contents.remark(taken),
    )


def describe_detected(
    descriptor: Any,
    *,
    name: str,
    source: str,
    treatment: Treatment,
    remarks: tuple[str, ...] = (),
) -> LoadedNetwork:
    """Describe the network of a descriptor of spandrel.

    Args:
        descriptor: What spandrel's ``ModelLoader`` returns.
        name: As the user knows it.
        source: Where the weights come from, in words.
        treatment: What the user says of how it is fed.
        remarks: What was chosen when the weights were read.

    Raises:
        CheckpointError: If it takes more than an image.
    """
    inner: nn.Module = descriptor.model
    channels, requirements = descriptor.input_channels, descriptor.size_requirements
    if type(descriptor).__name__ == "MaskedImageModelDescriptor":
        problem = "is an inpainting network, which needs a mask beside the image"
        raise CheckpointError(name, problem, "give one that takes the image alone")
    if channels not in (1, 3):
        raise CheckpointError(name, f"takes {channels} channels; srscope feeds RGB or grey")
    architecture = descriptor.architecture
    wide = architecture.id in ("DnCNN", "DRUNet") and _first_channels(inner) == channels + 1
    return describe(
        inner,
        name=name,
        source=f"{source}, detected by spandrel as {architecture.name}",
        known=Known(
            by="spandrel",
            scale=descriptor.scale,
            channels=channels,
            mean_std=((0.0,), (1.0,)),
            multiple=requirements.multiple_of,
            smallest=max(1, requirements.minimum),
        ),
        treatment=treatment,
        call=_with_noise_level if wide else _Described(descriptor),
        fresh=lambda: type(inner)(**_hyperparameters(inner)).state_dict(),
        remarks=remarks,
    )


class _Described:
    """Calls a network through its descriptor, which may be more than ``network(image)``.

    But not in inference mode, as the descriptor does: a network that sets weights in its pass, as
    SPAN does, would keep tensors that cannot be used outside.
    """

    def __init__(self, descriptor: Any) -> None:
        self.descriptor = descriptor

    def __call__(self, inner: nn.Module, x_NCHW: Tensor) -> Any:
        assert self.descriptor.model is inner
        call = getattr(type(self.descriptor).__call__, "__wrapped__", None)
        return self.descriptor(x_NCHW) if call is None else call(self.descriptor, x_NCHW)


def _with_noise_level(inner: nn.Module, x_NCHW: Tensor) -> Any:
    """Add the channel that spandrel's descriptor adds, but for any number of images."""
    return inner(torch.cat([x_NCHW, torch.full_like(x_NCHW[:, :1], _NOISE)], dim=1))


def detected(contents: Contents) -> tuple[Any, Weights]:
    """Return spandrel's descriptor of the first network in a file that it knows."""
    contents.refuse_others()
    misfit: CheckpointError | None = None
    for each in contents.candidates:
        if (each.sure or contents.key is not None) and (contents.key or not each.rank[0]):
            try:
                descriptor = _described(contents, each)
            except CheckpointError as error:
                misfit = misfit or error
                continue
            if descriptor is not None:
                contents.refuse_alike(each)
                return descriptor, each
    if misfit is not None:
        raise misfit
    best = max(contents.candidates, key=lambda each: len(each.tensors))
    problem = (
        f"is of no architecture that srscope or spandrel knows (it begins "
        f"{', '.join(list(best.tensors)[:4])})"
    )
    if contents.groups[0].key:
        problem += f"; it holds {contents.found}"
    if _is_discriminator(contents.path, best):
        problem += "; by name or by its single output it is a discriminator"
    remedy = "name the code that builds the network: package.module:factory?checkpoint=FILE"
    part = next((each.key for each in contents.groups if not each.sure), None)
    remedy += f"; or take a part of it, e.g. ?key={part}" if part else ""
    raise CheckpointError(contents.path, problem, remedy)


def _described(contents: Contents, weights: Weights) -> Any:
    """Return spandrel's descriptor of some weights; ``None`` where it knows no such network.

    Raises:
        CheckpointError: If they nearly are of an architecture, or are no plain tensors.
    """
    with without_dynamo():
        from spandrel import ModelLoader, UnsupportedModelError

    state = checked(contents, weights)
    try:
        with Building(contents.path, state):
            return ModelLoader("cpu").load_from_state_dict(dict(state))
    except CheckpointError:
        raise
    except UnsupportedModelError:
        return None
    except Exception as error:
        reason = reason_of(error)
        raise CheckpointError(
            contents.path, f"resembles a network that spandrel knows, but does not fit it: {reason}"
        ) from error


def _is_discriminator(path: Path, weights: Weights) -> bool:
    """Tell a discriminator by the name of its file, or by one output of several inputs."""
    if re.search(r"net_?d(?![a-z])|discriminator", path.name, re.IGNORECASE):
        return True
    shapes = [tuple(tensor.shape) for tensor in weights.tensors.values() if tensor.ndim in (2, 4)]
    return len(shapes) > 1 and shapes[-1][0] == 1 and shapes[0][1:2] >= (3,)


def _hyperparameters(inner: nn.Module) -> dict[str, Any]:
    """Return what spandrel built a network with."""
    found: Any = inner.hyperparameters
    return dict(found)


def _first_channels(inner: nn.Module) -> int:
    convs = (module for module in inner.modules() if isinstance(module, nn.Conv2d))
    return next((conv.in_channels for conv in convs), 0)


def load_timm(name: str, options: Mapping[str, Value]) -> LoadedNetwork:
    """Build a network of timm, with weights that are on this machine.

    Args:
        name: timm's name of it, with or without the weights' tag: ``resnet18``,
            ``vit_tiny_patch16_224.augreg_in21k``.
        options: ``pretrained=false`` for random weights (seed 0); ``checkpoint=FILE`` for weights
            of your own; others of :data:`~srscope.networks.loading.spec.WORDS`; the rest goes to
            ``timm.create_model``. Without any, the weights that timm has downloaded earlier.

    Raises:
        UnknownNameError: If timm has no such network.
        NetworkError: If it cannot be built, or its weights are not on this machine.
        CheckpointError: If ``checkpoint`` is given and does not fit.
    """
    import timm

    if not timm.is_model(name):
        raise UnknownNameError("timm network", name, timm.list_models())
    own, rest = split_options(options)
    treatment, arguments = Treatment.of(own), dict[str, Any](rest)
    pretrained = arguments.pop("pretrained", None)

    def build(**more: Any) -> nn.Module:
        try:
            return timm.create_model(name, **more, **arguments)
        except Exception as error:
            reason = reason_of(error)
            raise NetworkError(f"timm cannot build {name!r}: {reason}") from error

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build()
    remarks: tuple[str, ...] = ()
    if treatment.checkpoint is not None:
        weights, remarks = load_into(network, treatment.checkpoint, treatment.key)
        source = f"timm {name}, weights of {weights}"
    elif pretrained is False:
        source = f"timm {name}, random weights"
    else:
        local = _downloaded(name, network)
        network = build(
            pretrained=True, pretrained_cfg_overlay={"state_dict": read_state_dict(local)}
        )
        source = f"timm {name}, its pretrained weights"
    return describe(
        network,
        name=f"timm:{name}",
        source=source,
        known=known_of_timm(network, arguments) or Known(by="timm"),
        treatment=treatment,
        fresh=lambda: build().state_dict(),
        remarks=remarks,
    )


def known_of_timm(network: nn.Module, arguments: Mapping[str, Any] | None = None) -> Known | None:
    """Return what timm knows of a network it made; ``None`` of any other.

    Args:
        network: The network.
        arguments: What it was made with, where that is known.
    """
    if not isinstance(getattr(network, "pretrained_cfg", None), Mapping):
        return None
    from timm.data.config import resolve_model_data_config

    config: dict[str, Any] = resolve_model_data_config(network)
    given = arguments or {}
    channels, side, _ = config["input_size"]
    channels, side = given.get("in_chans", channels), given.get("img_size", side)
    return Known(
        by="timm",
        channels=channels,
        mean_std=(tuple(config["mean"]), tuple(config["std"])),
        sides=(side,) if isinstance(side, int) else (),
    )


def _downloaded(name: str, network: nn.Module) -> Path:
    """Return the file of timm's own weights in the caches of Hugging Face and of torch."""
    from huggingface_hub import try_to_load_from_cache

    config: Any = network.pretrained_cfg
    repository = config.get("hf_hub_id")
    wanted = config.get("hf_hub_filename")
    for file in (wanted,) if wanted else ("model.safetensors", "pytorch_model.bin"):
        found = try_to_load_from_cache(repository, file) if repository else None
        if isinstance(found, str):
            return Path(found)
    url = config.get("url")
    local = Path(torch.hub.get_dir()) / "checkpoints" / str(url).rpartition("/")[2]
    if url and local.is_file():
        return local
    raise NetworkError(
        f"the pretrained weights of timm's {name!r} ({repository or url or 'it has none'}) are not "
        "on this machine, and srscope downloads none; download them once with timm, or give "
        "?checkpoint=FILE, or ?pretrained=false for random weights"
    )
