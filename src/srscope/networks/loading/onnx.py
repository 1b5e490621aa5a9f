"""ONNX networks, by the converter onnx2pytorch: an optional extra.

The only place where ``onnx`` and ``onnx2pytorch`` are imported, and only when asked for. An ONNX
file holds a graph and weights; no code in it is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from srscope.errors import CheckpointError, NetworkError, reason_of
from srscope.networks.description import LoadedNetwork
from srscope.networks.loading.borders import choose_feed, find_geometry, known_of
from srscope.networks.loading.spec import Value, file_options
from srscope.networks.structure.describe import Treatment, describe
from srscope.networks.structure.trace import undisturbed

_OWN_WEIGHTS = frozenset(
    {"MatMul", "Gemm", "Einsum", "Add", "Sub", "Mul", "Div", "PRelu", "Conv", "ConvTranspose"}
    | {"LayerNormalization", "GroupNormalization", "InstanceNormalization"}
)
"""Operators whose constant inputs are weights; those of a resize, say, are sizes."""
_PROGRAM = "export it with dynamic batch, height and width, from the PyTorch network where you can"


def load_onnx(path: Path, options: Mapping[str, Value]) -> LoadedNetwork:
    """Load an ONNX network.

    Half precision becomes float32. Magnification, border, range and sizes are found by running it.

    Args:
        path: The file; large weights may stand in a second file beside it.
        options: What follows the path: :data:`~srscope.networks.loading.spec.WORDS` but
            ``checkpoint``, and ``border``, one of
            :data:`~srscope.networks.loading.borders.BORDERS`.

    Raises:
        NetworkError: If the extra is not installed, an operator cannot be converted, or the
            network takes no image.
        CheckpointError: If it is no ONNX file.
        ParameterError: If an option has another form.
        UnknownNameError: If an option does not exist.
    """
    treatment = Treatment.of(file_options({k: v for k, v in options.items() if k != "border"}))
    network = _converted(path).eval()
    channels = treatment.channels or _channels(network)
    with undisturbed(network):
        geometry = find_geometry(network, channels)
    feed, notes = choose_feed(network, geometry, channels, "replicate", options.get("border"))
    return describe(
        network,
        name=path.stem,
        source=f"ONNX file {path.name}",
        known=known_of(geometry, channels, feed),
        treatment=treatment,
        call=feed,
        more_notes=notes,
        batch=_PROGRAM,
    )


def _converted(path: Path) -> nn.Module:
    """Read and convert a file."""
    try:
        import onnx
        from onnx2pytorch import ConvertModel
    except ImportError as error:
        raise NetworkError(
            f"{path.name}: ONNX networks need the extra 'onnx': pip install 'srscope[onnx]'"
        ) from error
    try:
        model = onnx.load(path)
        _make_single(model)
    except Exception as error:  # protobuf's own, or an absent file of weights
        reason = reason_of(error)
        raise CheckpointError(path, f"is no ONNX file that can be read: {reason}") from error
    quantised = sorted({n.op_type for n in model.graph.node if "quantize" in n.op_type.lower()})
    if quantised:
        raise CheckpointError(
            path, f"is quantised ({', '.join(quantised)})", "export the network in float32"
        )
    try:
        network = ConvertModel(model)
    except Exception as error:
        reason = reason_of(error)
        raise NetworkError(
            f"{path.name} cannot be converted to PyTorch by onnx2pytorch: {reason}; give the "
            "network it was exported from"
        ) from error
    _own_weights(network, model)
    return network


def _make_single(model: Any) -> None:
    """Turn half precision into float32: weights, constants and casts."""
    import numpy as np
    from onnx import TensorProto, numpy_helper

    half = (TensorProto.FLOAT16, TensorProto.BFLOAT16)

    def widen(tensor: Any) -> None:
        if tensor.data_type in half:
            array = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))

    for tensor in model.graph.initializer:
        widen(tensor)
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                widen(attribute.t)
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i in half:
                attribute.i = TensorProto.FLOAT


def _own_weights(network: Any, model: Any) -> None:
    """Keep each weight once, as a parameter, so that it is counted, and drawn anew in a control.

    The converter keeps every constant of the file as a buffer, those of convolutions a second time.
    """
    users: dict[str, set[str]] = {}
    modules: dict[str, list[nn.Module]] = {}
    for node in model.graph.node:
        made: Any = getattr(network, network.mapping[node.output[0]])
        for name in node.input:
            users.setdefault(name, set()).add(node.op_type)
            if isinstance(made, nn.Module):
                modules.setdefault(name, []).append(made)
    for tensor in model.graph.initializer:
        buffer = "_initializer_" + tensor.name.replace(".", "_")
        value: Any = getattr(network, buffer, None)
        if not isinstance(value, torch.Tensor) or not value.is_floating_point():
            continue
        owners = modules.get(tensor.name, [])
        if any(isinstance(owner, nn.Identity) for owner in owners):
            continue  # of a normalisation that became part of the layer before it
        if tensor.name not in users or (owners and all(_holds(o, value) for o in owners)):
            delattr(network, buffer)
        elif value.numel() > 1 and users[tensor.name] <= _OWN_WEIGHTS:
            delattr(network, buffer)
            network.register_parameter(buffer, nn.Parameter(value))
    del model.graph.initializer[:]


def _holds(module: nn.Module, value: torch.Tensor) -> bool:
    """Tell whether a module has a tensor of these values of its own."""
    held = [*module.parameters(), *module.buffers()]
    if any(t.shape == value.shape and torch.equal(t, value) for t in held):
        return True
    alike = [t for t in held if t.numel() == value.numel()]  # turned round by the converter
    return any(torch.equal(t.flatten().sort()[0], value.flatten().sort()[0]) for t in alike)


def _channels(network: nn.Module) -> int:
    """Return 1 where the first convolution takes grey images, else 3."""
    first = next((m for m in network.modules() if isinstance(m, nn.Conv2d)), None)
    return 1 if first is not None and first.in_channels == 1 else 3
