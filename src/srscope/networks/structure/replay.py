"""TorchScript networks as plain modules, so that their layers can be tapped.

TorchScript runs a network's modules without Python, and so without hooks. Here the network's graph
is carried out from Python instead, node by node, down to modules that hold no others; those run as
they are. A module whose graph has a node that this file does not know (a loop, a list that is
changed in place) runs as it is as well, and what is inside it cannot be tapped.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_TORCH: Any = vars(torch)["_C"]  # where PyTorch keeps its operators by name
_KNOWN = {
    "prim::Constant",
    "prim::GetAttr",
    "prim::CallMethod",
    "prim::CallFunction",
    "prim::If",
    "prim::RaiseException",
    "prim::ListConstruct",
    "prim::ListUnpack",
    "prim::TupleConstruct",
    "prim::TupleUnpack",
    "prim::TupleIndex",
    "prim::NumToTensor",
    "prim::unchecked_cast",
    "prim::Uninitialized",
}
_IN_PLACE_ON_LISTS = {
    f"aten::{name}"
    for name in ("append", "extend", "insert", "pop", "clear", "remove", "reverse", "_set_item")
}


def _slice(values: list[Any], first: int | None, last: int | None, step: int) -> list[Any]:
    return values[first:last:step]


_ON_LISTS: dict[str, Callable[..., Any]] = {
    "aten::__getitem__": operator.getitem,
    "aten::__contains__": operator.contains,
    "aten::len": len,
    "aten::list": list,
    "aten::add": operator.add,
    "aten::slice": _slice,
}
"""Operators on lists of anything, which PyTorch does not offer to Python."""


class Replayed(nn.Module):
    """A module of a TorchScript network, with the names of the network it was made from.

    Args:
        script: The module.

    Example:
        >>> import warnings
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     script = torch.jit.script(nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU()))
        >>> [name for name, _ in Replayed(script).named_modules()]
        ['', '0', '1']
    """

    def __init__(self, script: torch.jit.ScriptModule) -> None:
        super().__init__()
        self.script = (script,)  # in a tuple, so that it is no layer itself
        self.inside: dict[str, Replayed] = {}
        self.original_name = str(script.original_name)
        self.training = script.training
        for name, child in script.named_children():
            self.inside[name] = Replayed(child)  # pyright: ignore[reportArgumentType]
            self.add_module(name, self.inside[name])
        for name, tensor in script.named_parameters(recurse=False):
            # For counting and hashing; the numbers are the script's own.
            self.register_parameter(name, nn.Parameter(tensor.detach(), requires_grad=False))
        self._graphs: dict[str, Any] = {}  # method -> its graph, None where that is not known

    def forward(self, *inputs: Any, method: str = "forward") -> Any:
        """Carry out the graph, or the module itself where its graph is not known.

        A module that is traced in several calls has a method for each: ``forward1``, ...
        """
        return self.run(method, *inputs)

    def run(self, name: str, *inputs: Any) -> Any:
        """Carry out a method."""
        if name not in self._graphs:
            graph: Any = getattr(self.script[0], name).graph if self.inside else None
            known = graph is not None and all(map(_is_known, _all_nodes(graph)))
            self._graphs[name] = graph if known else None
        graph = self._graphs[name]
        if graph is None:
            return getattr(self.script[0], name)(*inputs)
        names = [value.debugName() for value in graph.inputs()]
        values: dict[str, Any] = dict(zip(names, (self, *inputs), strict=True))
        results = _carry_out(graph, values)
        return results[0] if len(results) == 1 else tuple(results)

    def train(self, mode: bool = True) -> Replayed:
        """Set the mode here and in the script."""
        self.script[0].train(mode)
        return super().train(mode)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Replayed:
        self.script[0]._apply(fn)
        return super()._apply(fn, recurse)


def _all_nodes(block: Any) -> Iterator[Any]:
    for node in block.nodes():
        yield node
        for inner in node.blocks():
            yield from _all_nodes(inner)


def _is_known(node: Any) -> bool:
    kind = node.kind()
    if kind == "prim::Constant" and "name" in node.attributeNames():  # a function
        return hasattr(F, node.s("name"))
    return kind in _KNOWN or (kind.startswith("aten::") and kind not in _IN_PLACE_ON_LISTS)


def _carry_out(block: Any, values: dict[str, Any]) -> list[Any]:
    """Carry out the nodes of a graph or block; return the values of its outputs."""
    for node in block.nodes():
        results = _result(node, values)
        names = [output.debugName() for output in node.outputs()]
        values.update(zip(names, results, strict=True))
    return [values[output.debugName()] for output in block.outputs()]


def _result(node: Any, values: dict[str, Any]) -> list[Any]:
    """Return the values of a node's outputs."""
    kind: str = node.kind()
    inputs = [values[value.debugName()] for value in node.inputs()]
    if kind == "prim::Constant":
        named = "name" in node.attributeNames()
        return [getattr(F, node.s("name")) if named else node.output().toIValue()]
    if kind == "prim::GetAttr":
        return [_attribute(inputs[0], node.s("name"))]
    if kind == "prim::CallMethod":
        return [_method(inputs[0], node.s("name"))(*inputs[1:])]
    if kind == "prim::CallFunction":
        return [inputs[0](*inputs[1:])]
    if kind == "prim::If":
        blocks = list(node.blocks())
        return _carry_out(blocks[0] if inputs[0] else blocks[1], values)
    if kind == "prim::RaiseException":
        raise RuntimeError(str(inputs[0]))
    if kind == "prim::ListConstruct":
        return [inputs]
    if kind == "prim::TupleConstruct":
        return [tuple(inputs)]
    if kind in ("prim::ListUnpack", "prim::TupleUnpack"):
        return list(inputs[0])
    if kind == "prim::TupleIndex":
        return [inputs[0][inputs[1]]]
    if kind == "prim::NumToTensor":
        return [torch.tensor(inputs[0])]
    if kind == "prim::unchecked_cast":
        return inputs
    if kind == "prim::Uninitialized":
        return [None]
    return _operator(node, inputs)


def _attribute(owner: Any, name: str) -> Any:
    """Return a module inside a replayed one, or whatever else the script holds."""
    if not isinstance(owner, Replayed):
        return getattr(owner, name)
    inner = owner.inside.get(name)
    return getattr(owner.script[0], name) if inner is None else inner


def _method(owner: Any, name: str) -> Callable[..., Any]:
    if not isinstance(owner, Replayed):
        return getattr(owner, name)
    if re.fullmatch(r"forward\d*", name):  # by a call of the module, so that hooks see it
        return functools.partial(owner, method=name)
    return functools.partial(owner.run, name)


def _operator(node: Any, inputs: list[Any]) -> list[Any]:
    """Call one of PyTorch's operators as the node does."""
    kind = node.kind()
    if isinstance(inputs[0], list) and kind in _ON_LISTS:
        return [_ON_LISTS[kind](*inputs)]
    schema = _TORCH.parse_schema(node.schema())
    call = _TORCH._get_operation_overload(kind, schema.overload_name)
    function = call[0] if isinstance(call, tuple) else call
    named = {a.name: v for a, v in zip(schema.arguments, inputs, strict=True) if a.kwarg_only}
    placed = [v for a, v in zip(schema.arguments, inputs, strict=True) if not a.kwarg_only]
    result = function(*placed, **named)
    return list(result) if len(schema.returns) > 1 else [result][: len(schema.returns)]
