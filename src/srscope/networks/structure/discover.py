"""Find the repeated blocks of an unknown network, and propose where to tap it.

Goes by what one example pass did (:mod:`~srscope.networks.structure.trace`), not by names:

1. The calls that the network makes are the first candidates. A plain ``nn.Sequential`` of blocks
   stands for what is in it.
2. A candidate that holds more than half of all the modules called is replaced by what it calls.
   So is, while there are fewer than :data:`LEAST` candidates, the largest one; always together
   with all candidates of its class. Its own output stays a candidate, unless it only hands on
   what a call inside returned. What holds no weights is none.
3. Single modules are joined: a convolution or linear map with the normalisation and activation
   that follow it is one candidate, tapped after the last of them.
4. What cannot be a feature is left out: no tensor, finer than the input (behind the
   magnification) or about to be shuffled into that, or of the shape of the network's input or
   output.
5. A network without any blocks, all of its layers side by side as in ncnn and ONNX files, may have
   residual blocks all the same. Where there are :data:`LEAST` sums behind convolutions or more,
   these are the candidates, with the first layer: a sum ends a block. And what has one value a
   channel, before layers with places, only weights these: it is none.
6. Of more than :data:`MOST` candidates, :data:`SHOWN` are proposed: the first, the last, those
   after which the size changes, and between these as many more, evenly spread.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from srscope.networks.description import TapPoint
from srscope.networks.structure.trace import LayerCall, Trace

LEAST, MOST, SHOWN = 6, 10, 8
_NAMELESS = ("InterpreterModule", "ScriptModule", "Module", "Sequential")
"""Classes that do not say what a module is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Discovery:
    """Where a network can be tapped.

    Args:
        taps: The candidates, in depth order.
        proposed: Names of those analysed by default, in depth order.
        layers: Every layer whose output can be recorded, in depth order, the taps with their
            labels.
    """

    taps: tuple[TapPoint, ...]
    proposed: tuple[str, ...]
    layers: tuple[TapPoint, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Unit:
    """A candidate: the call that is tapped, and the one that it is named after."""

    call: LayerCall
    named: LayerCall
    leaf: bool
    sums: bool  # the call is a sum behind a convolution
    block: bool = False  # it ends a residual block of a network that has no modules for blocks


def discover(trace: Trace) -> Discovery:
    """Propose tap points from an example pass.

    Args:
        trace: The pass.

    Returns:
        The tap points; without any where no layer's output can be recorded.
    """
    tree = _Tree(trace)
    units = tree.units()
    labels = _labels(units, {call.name for call in trace.calls})
    taps = tuple(_tap(unit.call, trace, labels[unit.call.name]) for unit in units)
    usable = [call for call in trace.calls if call.end >= 0 and not call.why_not]
    layers = [
        _tap(call, trace, labels.get(call.name, call.name))
        for call in sorted(usable, key=lambda call: call.end)
    ]
    return Discovery(taps=taps, proposed=_proposed(taps), layers=tuple(layers))


class _Tree:
    """The calls of a pass by what they call, and the search for candidates in it."""

    def __init__(self, trace: Trace) -> None:
        self.trace, self.calls = trace, trace.calls
        self.children: dict[int | None, list[int]] = defaultdict(list)
        for index, call in enumerate(self.calls):
            self.children[call.parent].append(index)
        self.leaves = [0] * len(self.calls)
        self.weighted = [call.weighted for call in self.calls]
        for index in reversed(range(len(self.calls))):
            inside = self.children.get(index, [])
            self.leaves[index] = sum(self.leaves[i] for i in inside) if inside else 1
            self.weighted[index] |= any(self.weighted[i] for i in inside)
        self.all_leaves = sum(self.leaves[i] for i in self.children[None])
        # Sequences that hold blocks stand for these; one of single modules may be a block itself.
        self.lists: set[int] = set()
        for index in reversed(range(len(self.calls))):
            inside = self.children.get(index, [])
            if self.calls[index].sequence and any(
                i in self.lists or (self.children.get(i) and not self.calls[i].sequence)
                for i in inside
            ):
                self.lists.add(index)

    def units(self) -> list[_Unit]:
        """Return the candidates in depth order."""
        opened: set[int] = set()
        while True:
            front = self._front(None, opened)
            units = self._joined(front, opened)
            closed = [i for i in front if self.children.get(i) and i not in opened]
            if not closed:
                return units if opened else _of_blocks(_without_gates(units))
            largest = max(closed, key=lambda i: self.leaves[i])
            if len(units) >= LEAST and self.leaves[largest] * 2 <= self.all_leaves:
                return units
            kind = self._kind(largest)
            opened.update(i for i in closed if self._kind(i) == kind)

    def _kind(self, index: int) -> object:
        """Return what two blocks must share to be of one kind: their class, or their structure."""
        kind = self.calls[index].kind
        if kind in _NAMELESS:
            inside = self.children.get(index, [])
            return (kind, *(self._kind(i) for i in inside))
        return kind

    def _front(self, parent: int | None, opened: set[int]) -> list[int]:
        """Return the calls inside ``parent``, opened ones and sequences replaced by theirs."""
        front: list[int] = []
        for index in self.children.get(parent, []):
            if index in opened or index in self.lists:
                front += self._front(index, opened)
            if index not in self.lists:
                front.append(index)
        return front

    def _joined(self, front: Sequence[int], opened: set[int]) -> list[_Unit]:
        """Join single modules to the weight before them, and leave out what is no candidate."""
        groups: list[list[int]] = [[]]
        for index in front:
            call, group = self.calls[index], groups[-1]
            if self.children.get(index):
                groups += [[index] if self.weighted[index] else [], []]
            elif call.weighted:
                groups.append([index])
            elif group and self.calls[group[-1]].shape == call.shape:
                group.append(index)
            else:
                if group and _shuffles(self.calls[group[-1]], call):
                    group.clear()  # the convolution of a sub-pixel magnification
                groups.append([])
        units: list[_Unit] = []
        for group in groups:
            tapped = next((i for i in reversed(group) if self._is_candidate(i, opened)), None)
            if tapped is not None:
                call, named = self.calls[tapped], self.calls[group[0]]
                leaf, sums = not self.children.get(tapped), self.calls[tapped].joins
                units.append(_Unit(call=call, named=named, leaf=leaf, sums=sums))
        return sorted(units, key=lambda unit: unit.call.end)

    def _is_candidate(self, index: int, opened: set[int]) -> bool:
        call = self.calls[index]
        if call.end < 0 or call.why_not or self._is_whole(call):
            return False
        if index in opened and call.same_as_inner:
            return False
        return not _is_finer(call, self.trace.given_HW)

    def _is_whole(self, call: LayerCall) -> bool:
        """Tell an image, or what has the shape of the network's output."""
        channels = {shape[0] for shape in (self.trace.input, self.trace.output) if len(shape) == 3}
        if len(call.shape) == 3 and call.shape[call.channel_axis - 1] in channels & {1, 3}:
            return True
        return call.shape == self.trace.output


def _without_gates(units: list[_Unit]) -> list[_Unit]:
    """Leave out vectors before the last layer that has places: the gates of channel attention."""
    placed = [at for at, unit in enumerate(units) if len(unit.call.shape) > 1]
    return [unit for at, unit in enumerate(units) if at in placed or at > max(placed, default=-1)]


def _of_blocks(units: list[_Unit]) -> list[_Unit]:
    """Return the first layer and the ends of residual blocks, where there are enough of these."""
    ends = [replace(unit, block=True) for unit in units[1:] if unit.sums]
    return [units[0], *ends] if len(ends) >= LEAST else units


def _space(call: LayerCall) -> tuple[int, ...]:
    """Return the axes of an output that count places, without those of images and channels."""
    return tuple(n for axis, n in enumerate(call.shape, start=1) if axis != call.channel_axis)


def _is_finer(call: LayerCall, size_HW: tuple[int, int]) -> bool:
    """Tell a magnified output; one of a padded image has a few more places than the image."""
    return math.prod(_space(call)) > 3 * math.prod(size_HW)


def _shuffles(call: LayerCall, after: LayerCall) -> bool:
    """Tell whether ``after`` makes places of channels, as ``nn.PixelShuffle`` does."""
    more = math.prod(_space(after)) > math.prod(_space(call))
    return more and math.prod(after.shape) == math.prod(call.shape)


def _labels(units: Sequence[_Unit], names: Collection[str]) -> dict[str, str]:
    """Return name to label: a block's class and number, ``Conv1``, or the dotted name.

    No label is the name of another layer, of which ``names`` are all.
    """
    blocks = Counter(unit.call.kind for unit in units if not unit.leaf)
    plain = blocks.total() < LEAST - 2  # a chain of single layers rather than of blocks
    numbers: Counter[str] = Counter()
    labels: dict[str, str] = {}
    for unit in units:
        kind = unit.call.kind
        if unit.block:
            kind = "Block"
        elif unit.leaf:
            kind = unit.named.kind.removesuffix("1d").removesuffix("2d").removesuffix("3d")
        numbers[kind] += 1
        label = f"{kind}{numbers[kind]}"
        first = unit is units[0] and kind == "Conv"
        if unit.leaf:
            numbered = plain or first or unit.block
        else:
            numbered = blocks[kind] > 1 and kind not in _NAMELESS
        if not numbered or label in labels.values() or label in names:
            label = unit.named.name
        labels[unit.call.name] = label
    return labels


def _tap(call: LayerCall, trace: Trace, label: str) -> TapPoint:
    places = math.prod(_space(call))
    return TapPoint(
        name=call.name,
        label=label,
        channels=call.shape[call.channel_axis - 1],
        stride=max(1, round(math.sqrt(math.prod(trace.given_HW) / places))),
        channel_axis=call.channel_axis,
        shape=call.shape,
    )


def _proposed(taps: Sequence[TapPoint]) -> tuple[str, ...]:
    """Return the names of the taps that are analysed by default."""
    count = len(taps)
    if count <= MOST:
        return tuple(tap.name for tap in taps)
    sizes = [(tap.channels, math.prod(tap.shape)) for tap in taps]
    ends = {i for i in range(count - 1) if sizes[i] != sizes[i + 1]}
    chosen = sorted({0, count - 1, *ends})
    if len(chosen) > SHOWN:
        last = len(chosen) - 1
        chosen = [chosen[round(i * last / (SHOWN - 1))] for i in range(SHOWN)]
    return tuple(taps[i].name for i in _filled(chosen))


def _filled(chosen: Sequence[int]) -> list[int]:
    """Add to ``chosen``, in order, so many that there are :data:`SHOWN`, evenly between them."""
    gaps = [after - before for before, after in itertools.pairwise(chosen)]
    parts = [1] * len(gaps)
    for _ in range(SHOWN - len(chosen)):
        widest = max(range(len(gaps)), key=lambda i: gaps[i] / parts[i])
        parts[widest] += 1
    filled = [chosen[0]]
    for start, gap, count in zip(chosen, gaps, parts, strict=False):
        filled += [start + round(gap * (i + 1) / count) for i in range(count)]
    return filled
