"""Weight files: safetensors, or pickles read without executing code."""

from __future__ import annotations

import pickletools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, cast

import torch
from torch import Tensor, nn

from srscope.errors import CheckpointError, ParameterError, reason_of
from srscope.networks.architectures.build import from_metadata
from srscope.networks.architectures.srresnet import SRResNet, SRResNetConfig
from srscope.networks.loading.limits import (
    Bounded,
    Building,
    check_archive,
    check_storages,
    check_tensors,
)

_WRAPPERS = (
    "params_ema", "params-ema", "ema", "params", "state_dict", "model_state_dict", "model",
    "generator", "net",
)  # fmt: skip
"""Keys under which training tools keep the weights, best first."""
_CALLS = {"GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "REDUCE"}
"""Instructions of a pickle that name or call Python objects."""
_PREFIXES = ("module.", "_orig_mod.", "netG.")
"""What data-parallel training, compilation and adversarial training put before names."""


def read_state_dict(path: str | Path) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint; nothing in the file is executed.

    Args:
        path: ``.safetensors``, or a PyTorch file with tensors only. BasicSR's wrappers
            (``params_ema``, ``params``) and others' are taken off, and so are prefixes
            (``module.``, ``_orig_mod.``, ``netG.``).

    Returns:
        Parameter name to tensor, on the CPU.

    Raises:
        CheckpointError: If the file is absent, unreadable, carries code, or holds no weights.
    """
    file, content = Path(path), read_checkpoint(path)
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if is_of_a_run(content):
        raise CheckpointError(
            file,
            "is a checkpoint of srscope train, which holds a whole run",
            "give the .safetensors that the run wrote at its end; or the folder of two or more "
            "such checkpoints, to see the network over its training",
        )
    if not isinstance(content, Mapping) or not all(isinstance(v, Tensor) for v in content.values()):
        raise CheckpointError(file, "holds no plain state dict", "save network.state_dict()")
    if not content:
        raise CheckpointError(file, "holds no weights", "save network.state_dict()")
    tensors = check_tensors(file, cast("Mapping[Any, Tensor]", content))
    return {_bare(name): tensor for name, tensor in tensors.items()}


def read_checkpoint(path: str | Path) -> Any:
    """Read whatever a checkpoint holds, tensors and plain values; nothing in it is executed.

    Args:
        path: As for :func:`read_state_dict`.

    Raises:
        CheckpointError: If the file is absent, unreadable, or carries code.
    """
    file = Path(path)
    if not file.is_file():
        raise CheckpointError(file, "no such file", "give a bundled name or a checkpoint's path")
    if file.suffix != ".safetensors":  # whose own reader holds it to its size
        check_archive(file)
        check_storages(file)
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(file)
        return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        # GLOBAL is torch's word for a pickled reference to a function or class.
        if "GLOBAL" in str(error) or _calls_something(file):
            named = re.search(r"GLOBAL ([\w.]+)", str(error))
            what = f" ({named[1]})" if named else ""
            problem = f"carries Python objects besides tensors{what}, which could run code: refused"
            remedy = "save the state dict alone, or convert it to safetensors"
        else:
            problem = f"is not a readable checkpoint ({type(error).__name__})"
            remedy = "if it is one, download it again; give a .safetensors file or a state dict"
        raise CheckpointError(file, problem, remedy) from error


def is_of_a_run(content: Any) -> bool:
    """Tell a checkpoint of ``srscope train``, by its recipe, from weights and other tools' files.

    Args:
        content: From :func:`read_checkpoint`.
    """
    recipe = content.get("recipe") if isinstance(content, Mapping) else None
    return isinstance(recipe, Mapping) and "network" in recipe and "done" in content


def _calls_something(file: Path) -> bool:
    """Tell whether a plain pickle names functions or classes, without unpickling it."""
    try:
        with file.open("rb") as opened:
            bounded = cast("IO[bytes]", Bounded(opened, file.stat().st_size))
            return any(op.name in _CALLS for op, _, _ in pickletools.genops(bounded))
    except (ValueError, EOFError, OverflowError, AttributeError):  # no pickle
        return False


def _bare(name: str) -> str:
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name


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


def load_weights(path: str | Path, *, global_residual: bool | None = None) -> nn.Module:
    """Build a network from a weight file: one of srscope's own, or of ``MSRResNet`` structure.

    Half-precision weights become float32.

    Args:
        path: The file. If its metadata names an architecture (as srscope's own do), that is built;
            else it must have the keys of BasicSR's ``MSRResNet``.
        global_residual: Whether the bilinear residual is added to the output, for a file that names
            no architecture. ``None`` takes what its metadata says of that alone, and BasicSR's
            structure (with residual) where it says nothing.

    Returns:
        The network in evaluation mode.

    Raises:
        CheckpointError: If the file is unreadable or its weights do not fit.
        ParameterError: If ``global_residual`` contradicts the file's metadata.
    """
    state, metadata = read_state_dict(path), read_metadata(path)
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
