"""A network's layers as a table: what is called inside what, what it puts out, what is tapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from srscope.networks.description import LoadedNetwork, TapPoint
from srscope.networks.structure.select import example_pass
from srscope.networks.structure.trace import LayerCall


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerRow:
    """One call of one module.

    Args:
        name: As it is given to ``--layers``.
        depth: Calls that it is inside of.
        kind: The module's class.
        output: Its shape for one image, with what the axes are; or why it cannot be tapped.
        label: Of a tap point; empty for other layers.
        is_default: It is analysed unless layers are named.
        hidden: Calls inside that are not listed, as those of an earlier block of the same class
            are.
    """

    name: str
    depth: int
    kind: str
    output: str
    label: str
    is_default: bool
    hidden: int


def layer_rows(network: LoadedNetwork, *, full: bool = False) -> tuple[tuple[LayerRow, ...], int]:
    """Return the layers in the order in which they are called, and the image's side in pixels.

    Args:
        network: The network; an example pass is made.
        full: List what is inside every block, not only of the first of each class.
    """
    trace = example_pass(network)
    calls = trace.calls
    taps = {tap.name: tap for tap in network.taps}
    rows: list[LayerRow] = []
    depths: list[int] = []
    shown: set[tuple[str, str]] = set()  # classes, and lists they stand in, that have been listed
    skipped: set[int] = set()  # calls of which nothing inside is listed
    listed: dict[int, int] = {}  # call -> its row
    for index, call in enumerate(calls):
        depths.append(0 if call.parent is None else depths[call.parent] + 1)
        if call.parent in skipped:
            skipped.add(index)
            owner = _owner(calls, index, listed)
            rows[owner] = replace(rows[owner], hidden=rows[owner].hidden + 1)
            continue
        listed[index] = len(rows)
        rows.append(_row(call, depths[index], taps, network.default_layers))
        alike = (call.kind, call.module.rpartition(".")[0])
        if not full and alike in shown and not _tapped_inside(calls, index, taps):
            skipped.add(index)
        shown.add(alike)
    return tuple(rows), trace.size_HW[0]


def _row(
    call: LayerCall, depth: int, taps: dict[str, TapPoint], default: Sequence[str]
) -> LayerRow:
    tap = taps.get(call.name)
    return LayerRow(
        name=call.name,
        depth=depth,
        kind=call.kind,
        output=call.why_not or _shape_words(call),
        label="" if tap is None else tap.label,
        is_default=call.name in default,
        hidden=0,
    )


def _shape_words(call: LayerCall) -> str:
    """Return e.g. ``60 × 32 × 32 (C H W)``."""
    axes = {1: ("C",), 2: ("L",), 3: ("H", "W")}.get(len(call.shape), ("?",) * len(call.shape))
    if len(call.shape) in (2, 3):
        names = list(axes)
        names.insert(call.channel_axis - 1, "C")
        axes = tuple(names)
    return f"{' × '.join(map(str, call.shape))} ({' '.join(axes)})"


def _tapped_inside(calls: Sequence[LayerCall], index: int, taps: dict[str, TapPoint]) -> bool:
    inside = {index}
    for later in range(index + 1, len(calls)):
        if calls[later].parent not in inside:
            break
        inside.add(later)
        if calls[later].name in taps:
            return True
    return False


def _owner(calls: Sequence[LayerCall], index: int, listed: dict[int, int]) -> int:
    """Return the row of the innermost listed call around this one."""
    parent = calls[index].parent
    while parent is not None and parent not in listed:
        parent = calls[parent].parent
    assert parent is not None, "a call that is skipped is inside a listed one"
    return listed[parent]
