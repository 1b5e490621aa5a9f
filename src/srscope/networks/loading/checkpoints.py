"""Weight files of srscope's own architectures, and the state dict of any file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from srscope.errors import CheckpointError, ParameterError, reason_of
from srscope.networks.architectures.build import from_metadata
from srscope.networks.architectures.srresnet import SRResNet, SRResNetConfig
from srscope.networks.loading.limits import Building
from srscope.networks.loading.weights import checked, read_weights


def read_state_dict(path: str | Path) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint; nothing in the file is executed.

    Args:
        path: As for :func:`~srscope.networks.loading.weights.read_weights`, whose best network is
            taken.

    Returns:
        Parameter name to tensor, on the CPU.

    Raises:
        CheckpointError: If the file is absent, unreadable, carries code, or holds no weights.
    """
    contents = read_weights(path)
    contents.refuse_others()
    return checked(contents, contents.candidates[0])


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


def load_weights(
    path: str | Path,
    *,
    global_residual: bool | None = None,
    state: Mapping[str, Tensor] | None = None,
) -> nn.Module:
    """Build a network from a weight file: one of srscope's own, or of ``MSRResNet`` structure.

    Half-precision weights become float32.

    Args:
        path: The file. If its metadata names an architecture (as srscope's own do), that is built;
            else it must have the keys of BasicSR's ``MSRResNet``.
        global_residual: Whether the bilinear residual is added to the output, for a file that names
            no architecture. ``None`` takes what its metadata says of that alone, and BasicSR's
            structure (with residual) where it says nothing.
        state: Its weights, where they were read already.

    Returns:
        The network in evaluation mode.

    Raises:
        CheckpointError: If the file is unreadable or its weights do not fit.
        ParameterError: If ``global_residual`` contradicts the file's metadata.
    """
    state = read_state_dict(path) if state is None else state
    metadata = read_metadata(path)
    try:
        with Building(path, state):
            network = from_metadata(metadata)
    except CheckpointError:
        raise
    except Exception as error:  # whatever absurd numbers lead to
        reason = reason_of(error)
        raise CheckpointError(path, f"describes no network of srscope: {reason}") from error
    if network is None:
        said = metadata.get("global_residual", "true") != "false"
        with Building(path, state):
            network = _msrresnet(path, state, said if global_residual is None else global_residual)
    elif global_residual is not None:
        said = getattr(getattr(network, "config", None), "global_residual", None)
        if said is not global_residual:
            raise ParameterError("global_residual", f"what the file says ({said})", global_residual)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reason = reason_of(error)
        kind = type(network).__name__
        raise CheckpointError(path, f"does not fit {kind}: {reason}") from error
    return network.eval()


def _msrresnet(path: str | Path, state: Mapping[str, Tensor], residual: bool) -> SRResNet:
    config = srresnet_config(state, global_residual=residual)
    if config is None:
        raise CheckpointError(
            path,
            "is not an SRResNet checkpoint (keys conv_first, body.N.conv1, upconv1, conv_hr, "
            "conv_last)",
            "name a network of this structure",
        )
    return SRResNet(config)
