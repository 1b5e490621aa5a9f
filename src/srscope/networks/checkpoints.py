"""Checkpoint files of SRResNet's structure: safetensors, or pickles read without executing code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from srscope.errors import CheckpointError
from srscope.networks.srresnet import SRResNet, SRResNetConfig

_WRAPPERS = ("params_ema", "params", "state_dict", "model")
"""Keys under which training tools keep the weights, best first."""


def read_state_dict(path: str | Path) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint; nothing in the file is executed.

    Args:
        path: ``.safetensors``, or a PyTorch file with tensors only. BasicSR's wrappers
            (``params_ema``, ``params``) and ``module.`` prefixes are taken off.

    Returns:
        Parameter name to tensor, on the CPU.

    Raises:
        CheckpointError: If the file is absent, unreadable, carries code, or holds no weights.
    """
    file = Path(path)
    if not file.is_file():
        raise CheckpointError(file, "no such file", "give a bundled name or a checkpoint's path")
    content: Any
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            content = load_file(file)
        else:
            content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        if "GLOBAL" in str(error):  # torch's word for a pickled reference to a function or class
            problem = "carries Python objects besides tensors, which could run code: refused"
            remedy = "save the state dict alone, or convert it to safetensors"
        else:
            problem = f"is not a readable checkpoint ({type(error).__name__})"
            remedy = "give a .safetensors file or a PyTorch state dict"
        raise CheckpointError(file, problem, remedy) from error
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not all(isinstance(v, Tensor) for v in content.values()):
        raise CheckpointError(file, "holds no plain state dict", "save network.state_dict()")
    tensors = cast("Mapping[str, Tensor]", content)
    return {name.removeprefix("module."): tensor for name, tensor in tensors.items()}


def read_metadata(path: str | Path) -> dict[str, str]:
    """Return the text metadata of a safetensors file; empty for other files."""
    file = Path(path)
    if file.suffix != ".safetensors":
        return {}
    from safetensors import safe_open

    with safe_open(file, framework="pt") as opened:
        return dict(opened.metadata() or {})


def srresnet_config(state: Mapping[str, Tensor], *, global_residual: bool) -> SRResNetConfig | None:
    """Read an SRResNet's structure off its weights.

    Args:
        state: Parameter name to tensor.
        global_residual: Whether the bilinear residual is added; weights do not tell.

    Returns:
        The structure, or ``None`` if these are not an SRResNet's weights.
    """
    blocks = [int(m[1]) for key in state if (m := re.fullmatch(r"body\.(\d+)\.conv1\.weight", key))]
    needed = ("conv_first.weight", "upconv1.weight", "conv_hr.weight", "conv_last.weight")
    if not blocks or any(key not in state or state[key].ndim != 4 for key in needed):
        return None
    channels = state["conv_first.weight"].shape[0]
    if "upconv2.weight" in state:
        scale = 4
    else:
        scale = 3 if state["upconv1.weight"].shape[0] == 9 * channels else 2
    return SRResNetConfig(
        global_residual=global_residual, blocks=max(blocks) + 1, channels=channels, scale=scale
    )


def load_srresnet(path: str | Path, *, global_residual: bool | None = None) -> SRResNet:
    """Build an SRResNet from a checkpoint of BasicSR's ``MSRResNet`` structure.

    Args:
        path: The checkpoint.
        global_residual: Whether the bilinear residual is added to the output. ``None`` takes what
            the file's metadata says, and BasicSR's structure (with residual) where it says nothing.

    Returns:
        The network in evaluation mode.

    Raises:
        CheckpointError: If the file is unreadable or its weights do not fit.
    """
    state = read_state_dict(path)
    if global_residual is None:
        global_residual = read_metadata(path).get("global_residual", "true") != "false"
    config = srresnet_config(state, global_residual=global_residual)
    if config is None:
        raise CheckpointError(
            path,
            "is not an SRResNet checkpoint (keys conv_first, body.N.conv1, upconv1, conv_hr, "
            "conv_last)",
            "name a network of this structure",
        )
    network = SRResNet(config)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(path, f"does not fit SRResNet: {reason}") from error
    return network.eval()
