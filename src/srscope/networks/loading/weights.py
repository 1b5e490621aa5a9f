"""From what a checkpoint holds to the weights of one network.

A file may hold them under any keys, nested in any order, beside averages of them, other networks,
optimizers and counters. Every group of tensors that may be a network is a candidate, named by its
keys (``state_dict.generator_ema``). What parallel training and compilation put into names
(:data:`~srscope.networks.loading.keys.TECHNICAL`) is taken out wherever it stands.

The order, best first: what the user names (``?key=``); then

1. networks before discriminators and losses,
2. others before weights that are called raw, current, online, original or a backup: beside these
   stands the average,
3. averages (``ema``, ``average``, ``swa``, ``shadow``; ``n_averaged`` beside them) before others,
4. generators before others,
5. the order in the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from srscope.errors import CheckpointError, UnknownNameError
from srscope.networks.loading.keys import (
    OPTIMIZER,
    Parts,
    is_counter,
    is_inside,
    is_named,
    is_optimizer,
    is_role,
    rank_of,
    stripped,
    words_of,
)
from srscope.networks.loading.limits import check_tensors
from srscope.networks.loading.reading import is_of_a_run, read_checkpoint, size_of

_DEEPEST = 12
_SHOWN = 6

Entries = dict[Parts, Tensor]


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """A group of tensors that may be a network's.

    Args:
        key: Where it stands in the file; empty for the whole file.
        tensors: By name, without the parts that wrappers add.
        sure: All that stands beside it are other networks, averages or counters.
        rank: Its place in the order, without that in the file.
        layer: Its key ends like the name of a layer, not of a network.
    """

    key: str
    tensors: dict[str, Tensor]
    sure: bool
    rank: tuple[bool, ...]
    layer: bool = False


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a checkpoint holds.

    Args:
        path: The file.
        candidates: Best first.
        entries: Every tensor by the parts of its name, keys of the file first.
        nodes: Where mappings stand in the file.
        key: What the user named.
    """

    path: Path
    candidates: tuple[Weights, ...]
    entries: Entries = field(repr=False)
    nodes: frozenset[Parts] = field(repr=False)
    key: str | None = None

    @property
    def groups(self) -> list[Weights]:
        """The candidates that are called like networks; the first where none is."""
        return [w for w in self.candidates if w.key and not w.layer] or list(self.candidates[:1])

    @property
    def found(self) -> str:
        """Words for what is in the file."""
        groups = self.groups
        told = [f"{w.key or 'one group'} ({_tensors(len(w.tensors))})" for w in groups[:_SHOWN]]
        more = len(groups) - len(told)
        return ", ".join(told) + (f" and {more} more" if more else "")

    def remark(self, taken: Weights) -> tuple[str, ...]:
        """Return words for which weights were taken; none for a file that is one state dict."""
        if not taken.key:
            return ()
        others = [w.key for w in self.groups if not is_inside(w.key, taken.key)]
        beside = f", beside {', '.join(others[:_SHOWN])} (?key= takes another)" if others else ""
        return (f"of {self.path.name} the weights {taken.key} are taken{beside}",)

    def source(self, taken: Weights) -> str:
        """Return the file's name with the key."""
        return f"{self.path.name} ({taken.key})" if taken.key else self.path.name

    def refuse_others(self) -> None:
        """Raise :class:`CheckpointError` if all that is there is a discriminator or a loss."""
        if self.key is None and all(each.rank[0] for each in self.candidates):
            raise CheckpointError(
                self.path,
                f"holds {self.found}: by name a discriminator or a loss, no network that makes "
                "images",
                "give the file of the generator; or, where this is one after all, "
                f"?key={self.candidates[0].key}",
            )

    def refuse_alike(self, taken: Weights) -> None:
        """Raise :class:`CheckpointError` if another network of the same structure ranks alike."""
        if self.key is not None:
            return
        for other in self.groups:
            apart = other.key != taken.key and not is_inside(other.key, taken.key)
            if apart and other.rank == taken.rank and _alike(other.tensors, taken.tensors):
                raise CheckpointError(
                    self.path,
                    f"holds several networks of one structure: {taken.key} and {other.key}",
                    f"choose one, e.g. ?key={taken.key}",
                )

    def fitted(self, target: Mapping[str, Any]) -> Weights | None:
        """Return the weights of a network of known names, under that network's own names.

        Args:
            target: Its state dict.

        Returns:
            The best group that has a tensor for each name and no other, but for averages, other
            networks and counters; one whose shapes fit, if there is one. ``None`` if no group has
            these names.
        """
        names = {stripped(tuple(name.split("."))): name for name in target}
        if len(names) != len(target) or not names:
            return None
        longest = max(names, key=len)
        found: list[tuple[bool, Weights]] = []
        for parts in self.entries:
            prefix = parts[: -len(longest)]
            if parts[-len(longest) :] != longest or not is_named(prefix, self.key):
                continue
            if self._holds(prefix, names):
                tensors = {real: self.entries[*prefix, *name] for name, real in names.items()}
                fits = all(
                    not isinstance(target[real], Tensor) or target[real].shape == tensor.shape
                    for real, tensor in tensors.items()
                )
                rank = rank_of(prefix, averaged=(*prefix, "n_averaged") in self.entries)
                weights = Weights(key=".".join(prefix), tensors=tensors, sure=True, rank=rank)
                found.append((not fits, weights))
        return min(found, key=lambda each: (each[0], each[1].rank))[1] if found else None

    def _holds(self, prefix: Parts, names: Mapping[Parts, str]) -> bool:
        """Tell whether a group has exactly these names, beside what is named as something else."""
        if not all((*prefix, *name) in self.entries for name in names):
            return False
        heads = {name[0] for name in names}
        more = [
            parts[len(prefix) :]
            for parts in self.entries
            if parts[: len(prefix)] == prefix and parts[len(prefix) :] not in names
        ]
        return all(
            (len(parts) > 1 and parts[0] not in heads and is_role(prefix, parts[0], self.nodes))
            or is_counter(parts, self.entries[*prefix, *parts])
            for parts in more
        )


def read_weights(path: str | Path, key: str | None = None) -> Contents:
    """Read a checkpoint, and find the networks in it; nothing in it is executed.

    Args:
        path: ``.safetensors``, or a PyTorch file with tensors and plain values; one of several
            parts (``-00001-of-00003``) or their index, with the others beside it.
        key: Where the weights stand, as :attr:`Weights.key` or its end or beginning.

    Raises:
        CheckpointError: If the file is absent, unreadable, carries code, holds no weights, or those
            of an optimizer or a discriminator alone.
        UnknownNameError: If nothing stands under ``key``.
    """
    return weights_in(path, read_checkpoint(path), key)


def weights_in(path: str | Path, content: Any, key: str | None = None) -> Contents:
    """Find the networks in what a checkpoint holds: see :func:`read_weights`."""
    file = Path(path)
    _refuse_others(file, content)
    entries: Entries = {}
    nodes: set[Parts] = set()
    for parts, tensor in _flattened(file, content, (), nodes, _DEEPEST):
        entries.setdefault(stripped(parts), tensor)
    nodes = set(map(stripped, nodes))
    if not entries:
        plain = "weights" if content == {} else "plain state dict"
        raise CheckpointError(file, f"holds no {plain}", "save network.state_dict()")
    _refuse_flat(file, entries)
    found = _networks(entries, (), nodes, sure=True)
    candidates = sorted(found, key=lambda each: (not each.sure, each.rank))
    candidates = candidates or [_all(entries, ())]  # nothing but counters, by name
    contents = Contents(
        path=file, candidates=tuple(candidates), entries=entries, nodes=frozenset(nodes), key=key
    )
    if key is None:
        return contents
    if not any(is_named(parts[:-1], key) for parts in entries):
        known = [each.key for each in contents.groups if each.key]
        if not known:
            raise CheckpointError(file, "holds one set of weights", "leave ?key= out")
        raise UnknownNameError(f"weights in {file.name}", key, known)
    chosen = [each for each in candidates if is_named(tuple(each.key.split(".")), key)]
    return replace(contents, candidates=tuple(chosen or [_under(entries, key)]))


def checked(contents: Contents, taken: Weights) -> dict[str, Tensor]:
    """Return the tensors of a group if they are plain ones that the file can hold.

    Raises:
        CheckpointError: If not.
    """
    return check_tensors(contents.path, taken.tensors, size_of(contents.path))


def _flattened(
    file: Path, content: Any, prefix: Parts, nodes: set[Parts], deep: int
) -> Iterator[tuple[Parts, Tensor]]:
    """Yield every tensor that stands in mappings, but for those of optimizers.

    Raises:
        CheckpointError: If the name of one is no text.
    """
    if not isinstance(content, Mapping):
        return
    nodes.add(prefix)
    for name, value in content.items():
        if isinstance(value, Tensor):
            if not isinstance(name, str):
                problem = f"has the name {name!r} for a tensor"
                raise CheckpointError(file, problem, "save a state dict")
            yield (*prefix, *name.split(".")), value
        elif isinstance(value, Mapping) and deep and not is_optimizer(str(name), value):
            yield from _flattened(file, value, (*prefix, str(name)), nodes, deep - 1)


def _networks(
    entries: Entries, prefix: Parts, nodes: set[Parts], *, sure: bool, layer: bool = False
) -> Iterator[Weights]:
    """Yield a group of tensors as a network, then those inside it that are named as networks."""
    averaged = any(parts == ("n_averaged",) for parts in entries)
    entries = {parts: each for parts, each in entries.items() if not is_counter(parts, each)}
    heads = list(dict.fromkeys(parts[0] for parts in entries))
    inside = {
        head: {p[1:]: each for p, each in entries.items() if p[0] == head and len(p) > 1}
        for head in heads
    }
    roles = [head for head in heads if inside[head] and is_role(prefix, head, nodes)]
    alone = len(heads) == 1 and bool(inside[heads[0]])
    if entries and not (alone and (*prefix, heads[0]) in nodes):
        yield Weights(
            key=".".join(prefix),
            tensors={".".join(parts): each for parts, each in entries.items()},
            sure=sure,
            rank=rank_of(prefix, averaged=averaged),
            layer=layer,
        )
    for head in heads if alone else roles:
        below = sure and (alone or len(roles) == len(heads))
        if averaged and alone:
            inside[head]["n_averaged",] = torch.ones(1)
        named = head in roles and not layer
        yield from _networks(inside[head], (*prefix, head), nodes, sure=below, layer=not named)


def _under(entries: Entries, key: str) -> Weights:
    """Return all that stands under a key that is no candidate's."""
    place = next(parts[:-1] for parts in entries if is_named(parts[:-1], key))
    while len(place) > 1 and is_named(place[:-1], key):
        place = place[:-1]
    return _all(entries, place)


def _all(entries: Entries, place: Parts) -> Weights:
    inside = {p[len(place) :]: each for p, each in entries.items() if p[: len(place)] == place}
    tensors = {".".join(parts): each for parts, each in inside.items()}
    rank = rank_of(place, averaged=False)
    return Weights(key=".".join(place), tensors=tensors, sure=True, rank=rank)


def _alike(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Tell whether two groups are of one structure, and not of the same values."""
    if one.keys() != other.keys() or any(one[n].shape != other[n].shape for n in one):
        return False
    try:
        return not all(torch.equal(one[name], other[name]) for name in one)
    except (RuntimeError, NotImplementedError):  # no plain tensors
        return True


def _tensors(count: int) -> str:
    return f"{count} tensor{'' if count == 1 else 's'}"


def _refuse_others(file: Path, content: Any) -> None:
    if is_of_a_run(content):
        raise CheckpointError(
            file,
            "is a checkpoint of srscope train, which holds a whole run",
            "give the .safetensors that the run wrote at its end; or the folder of two or more "
            "such checkpoints, to see the network over its training",
        )
    if not isinstance(content, Mapping):
        raise CheckpointError(file, "holds no plain state dict", "save network.state_dict()")
    if any(True for _ in _flattened(file, content, (), set(), _DEEPEST)) and not (
        {"state", "param_groups"} <= set(content)
    ):
        return
    states = [str(name) for name in content if words_of(str(name)) & OPTIMIZER]
    if states or {"state", "param_groups"} <= set(content):
        raise CheckpointError(
            file,
            f"holds the state of an optimizer ({', '.join(states) or 'param_groups'}), no weights",
            "give the file of weights that the training wrote beside it",
        )


def _refuse_flat(file: Path, entries: Entries) -> None:
    if any(part.startswith(("_flat_param", "flat_param")) for parts in entries for part in parts):
        raise CheckpointError(
            file,
            "holds the flattened parameters of FSDP, one process's part of them",
            "save the full state dict (StateDictType.FULL_STATE_DICT)",
        )
