"""What the keys and names in a checkpoint say: average, generator, discriminator, counter.

A key is taken apart into words: ``netG_ema`` is net, g and ema.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from torch import Tensor

Parts = tuple[str, ...]
"""Of a name: the keys of the file, then what its dots part."""
TECHNICAL = frozenset(
    {"module", "_orig_mod", "_checkpoint_wrapped_module", "_fsdp_wrapped_module", "_forward_module"}
)
"""Parts of names that wrappers of networks add."""
_AVERAGE = {"ema", "average", "averaged", "averaging", "avg", "swa", "shadow", "polyak"}
_RAW = {"raw", "online", "current", "original", "backup", "replaced", "collected"}
_OTHER = {"discriminator", "disc", "critic", "d", "dis", "perceptual", "vgg", "lpips", "loss"}
_GENERATOR = {"generator", "gen", "g", "sr", "upscaler"}
_PLAIN = {
    "params",
    "param",
    "state",
    "dict",
    "model",
    "models",
    "net",
    "nets",
    "network",
    "weights",
}
_ROLES = _AVERAGE | _RAW | _OTHER | _GENERATOR | _PLAIN
OPTIMIZER = {"optimizer", "optimizers", "optim", "scheduler", "schedulers", "scaler"}
_COUNTERS = {"n", "averaged", "step", "steps", "counter", "num", "updates", "decay", "initted"}


def stripped(parts: Parts) -> Parts:
    """Return a name's parts without those of wrappers.

    Example:
        >>> stripped(("_orig_mod", "body", "module", "0", "weight"))
        ('body', '0', 'weight')
    """
    return tuple(part for part in parts if part not in TECHNICAL) or parts


def words_of(name: str) -> set[str]:
    """Return the words that a key is made of: ``netG_ema`` is net, g, ema."""
    found = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+", name)
    return {word.lower() for word in found} or {name}


def is_optimizer(name: str, value: Mapping[Any, Any]) -> bool:
    """Tell whether a mapping under a key is the state of an optimizer."""
    return bool(words_of(name) & OPTIMIZER) or {"state", "param_groups"} <= set(value)


def is_role(prefix: Parts, head: str, nodes: Collection[Parts]) -> bool:
    """Tell whether a part of a name is called like a network or its keeper, or is a key."""
    return (*prefix, head) in nodes or words_of(head) <= _ROLES


def is_counter(parts: Parts, tensor: Tensor) -> bool:
    """Tell a number that counts steps, and is no weight."""
    counts = not tensor.is_floating_point() or words_of(parts[0]) <= _COUNTERS
    return len(parts) == 1 and tensor.numel() == 1 and counts


def rank_of(prefix: Parts, *, averaged: bool) -> tuple[bool, ...]:
    """Return the place of a group in the order: see :mod:`~srscope.networks.loading.weights`."""
    words: set[str] = set().union(*map(words_of, prefix))
    other = any(words_of(part) & _OTHER and words_of(part) <= _ROLES for part in prefix)
    return (
        other,
        bool(words & _RAW),
        not (averaged or words & _AVERAGE),
        not words & _GENERATOR,
    )


def is_named(prefix: Parts, key: str | None) -> bool:
    """Tell whether a key means what stands at a place, or around it."""
    if key is None:
        return True
    place = f".{'.'.join(prefix)}."
    return f".{key}." in place


def is_inside(key: str, other: str) -> bool:
    """Tell whether one of two keys stands inside the other, or is the same."""
    return f"{key}.".startswith(f"{other}.") or f"{other}.".startswith(f"{key}.")
