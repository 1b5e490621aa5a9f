"""Checkpoints as training tools write them, with the weights that are right, by the generator.

Every file holds a small network once, and where it has them an average of it, a discriminator, an
optimizer and counters; all have other values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

State = dict[str, Tensor]
Held = tuple[dict[str, Any], tuple[str, ...]]


def small() -> nn.Module:
    """Return a network of spandrel's Compact architecture with random weights."""
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact

    return SRVGGNetCompact(num_feat=4, num_conv=2, upscale=2)


def shifted(state: State, by: float) -> State:
    """Return the same names with other values."""
    return {name: tensor + by for name, tensor in state.items()}


def discriminator() -> State:
    """Return the weights of a discriminator."""
    return {"conv0.weight": torch.ones(8, 3, 3, 3), "linear.weight": torch.ones(1, 8)}


def optimizer(state: State) -> dict[str, Any]:
    """Return the state of Adam."""
    moments = {n: {"step": torch.tensor(3.0), "exp_avg": t} for n, t in enumerate(state.values())}
    return {"state": moments, "param_groups": [{"lr": 1e-4, "params": list(moments)}]}


@dataclass(frozen=True)
class Odd:
    """A checkpoint.

    Args:
        name: How it was made.
        content: What is saved.
        right: The weights, by the network's own names.
        key: Where they stand, as it is to be told; empty for a plain state dict.
    """

    name: str
    content: dict[str, Any]
    right: State
    key: str


def _prefixed(prefix: str) -> Callable[[State], State]:
    return lambda state: {prefix + name: tensor for name, tensor in state.items()}


def _inside(state: State) -> State:
    """Return names as of blocks that were wrapped one by one, and then the whole."""
    wrapped = {n.replace("body.", "body._checkpoint_wrapped_module."): t for n, t in state.items()}
    return {
        f"_fsdp_wrapped_module.{n}".replace("0.", "0._orig_mod.", 1): t for n, t in wrapped.items()
    }


WRAPPERS: dict[str, tuple[Callable[[State], State], str]] = {
    "plain": (_prefixed(""), ""),
    "module": (_prefixed("module."), ""),
    "compiled parallel": (_prefixed("_orig_mod.module."), ""),
    "parallel compiled net": (_prefixed("module._orig_mod.net."), "net"),
    "inside names": (_inside, ""),
}
"""What is done to names, and what of it is part of the key."""

NESTINGS: dict[str, Callable[[dict[str, Any], State], Held]] = {
    "bare": lambda held, state: (held, ()),
    "with optimizer": lambda held, state: (
        {"epoch": 3, "optimizer_state_dict": optimizer(state), "model": held},
        ("model",),
    ),
    "two deep": lambda held, state: (
        {"checkpoint": {"network": held, "iter": 5}, "arch": "x"},
        ("checkpoint", "network"),
    ),
    "beside a discriminator": lambda held, state: (
        {"netD": discriminator(), "step": torch.tensor(7), "netG": held},
        ("netG",),
    ),
}
"""What the weights stand in, and the keys down to them."""


def _only(raw: State, average: State) -> Held:
    return {"state_dict": raw}, ("state_dict",)


def _beside(raw: State, average: State) -> Held:
    held = {"state_dict": raw, "state_dict_ema": average}
    return held, ("state_dict_ema",)


def _lightning(raw: State, average: State) -> Held:
    callback = {"ema_state_dict": average, "updates": 9}
    held = {"callbacks": {"EMA{'decay': 0.99}": callback}, "state_dict": raw}
    return held, ("callbacks", "EMA{'decay': 0.99}", "ema_state_dict")


def _swapped(raw: State, average: State) -> Held:
    held = {"current_model_state": raw, "state_dict": average}
    return held, ("state_dict",)


def _in_names(raw: State, average: State) -> Held:
    held = {
        "initted": torch.tensor(True),
        "step_counter": torch.zeros(1),
        **_prefixed("generator.")(raw),
        **_prefixed("generator_ema.")(average),
        **_prefixed("discriminator.")(discriminator()),
    }
    return held, ("generator_ema",)


def _averaged_model(raw: State, average: State) -> Held:
    held = {
        "raw": raw,
        "swa": {"n_averaged": torch.tensor(4), **_prefixed("module.")(average)},
    }
    return held, ("swa",)


AVERAGES = {
    "no average": _only,
    "beside": _beside,
    "in a callback": _lightning,
    "swapped": _swapped,
    "in names": _in_names,
    "averaged model": _averaged_model,
}


def odd_checkpoints(state: State) -> Iterator[Odd]:
    """Yield every wrapper in every nesting with every kind of average.

    Args:
        state: The raw weights.
    """
    average = shifted(state, 0.25)
    for wrapper, (wrap, extra) in WRAPPERS.items():
        for nesting, nest in NESTINGS.items():
            for kind, make in AVERAGES.items():
                held, keys = make(wrap(state), wrap(average))
                content, around = nest(held, state)
                plain = state if kind == "no average" else average
                key = ".".join((*around, *keys, *([extra] if extra else [])))
                name = f"{wrapper}, {nesting}, {kind}"
                yield Odd(name=name, content=content, right=plain, key=key)
