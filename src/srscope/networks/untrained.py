"""The control for any network: the same architecture with fresh weights."""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import remove_spectral_norm, remove_weight_norm
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

from srscope.errors import NetworkError, reason_of
from srscope.networks.adapter import inner_network
from srscope.networks.structure.kept import found_again
from srscope.networks.structure.trace import constant_layers

State = Mapping[str, Any]


def untrained_maker(
    network: nn.Module,
    *,
    layers: Sequence[str],
    size_HW: tuple[int, int],
    fresh: Callable[[], State] | None = None,
) -> Callable[[int], nn.Module]:
    """Return what builds an untrained copy of a network from a seed: see :func:`reinitialised`.

    Args:
        network: Takes RGB in [0, 1].
        layers: Names of calls that must put out something that depends on the image. Where the
            constructor's weights do not (those of a normalisation may start at 0), the modules'
            own resets are taken instead.
        size_HW: Of images that the network takes.
        fresh: As for :func:`reinitialised`.

    Returns:
        The builder; it raises :class:`NetworkError` if no control can be made.
    """

    def untrained(seed: int) -> nn.Module:
        dead: list[str] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the network's constructor
            for way in dict.fromkeys((fresh, None)):
                control = reinitialised(network, seed, fresh=way)
                inputs = {"layers": list(layers), "size": list(size_HW)}
                look = partial(constant_layers, control, layers, size_HW)
                dead = list(found_again("constant", control, inputs, look))
                if not dead:
                    return control
        raise NetworkError(
            f"with fresh weights its layer {dead[0]!r} puts out the same for every image, or no "
            "finite numbers"
        )

    return untrained


def reinitialised(
    network: nn.Module, seed: int, *, fresh: Callable[[], State] | None = None
) -> nn.Module:
    """Return a copy of a network with fresh weights.

    Where the network's constructor can be called again, its weights are taken. Where it cannot, or
    where it loads trained weights by itself:

    - every module that has ``reset_parameters`` (or ``_reset_parameters``) is told to reset, from
      the outside in;
    - a parameter that this leaves as it was, such as a bare ``nn.Parameter``, has its values
      shuffled: they keep their distribution and lose their places. One whose values are all alike
      stays, and so does one that is not trained (``requires_grad=False``) while others are.

    Args:
        network: Is not changed.
        seed: Of every random choice; torch's own random state is left as it is.
        fresh: Calls the constructor and returns the state dict.

    Raises:
        NetworkError: If the network cannot be copied, or has no weights to reset.
    """
    try:
        control = copy.deepcopy(network)
    except Exception as error:
        reason = reason_of(error)
        raise NetworkError(f"the network cannot be copied: {reason}") from error
    inner = inner_network(control)
    trained = {name: p.detach().clone() for name, p in inner.named_parameters()}
    if not trained:
        raise NetworkError("the network has no parameters to start afresh")
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        if fresh is not None:
            with contextlib.suppress(Exception):  # the constructor wants what is not known
                inner.load_state_dict(fresh())
        same = _unchanged(inner, trained)
        kept = sum(p.numel() for p in same)
        if kept * 2 > sum(p.numel() for p in inner.parameters()):
            _reset(inner)
            for parameter in _unchanged(inner, trained):
                _shuffle(parameter)
    return control.eval()


def _unchanged(inner: nn.Module, trained: Mapping[str, Tensor]) -> list[nn.Parameter]:
    """Return the trainable parameters that are as they were and whose values are not all alike."""
    parameters = dict(inner.named_parameters())
    frozen = any(p.requires_grad for p in parameters.values())
    return [
        parameter
        for name, parameter in parameters.items()
        if torch.equal(parameter, trained[name])
        and parameter.numel() > 1
        and bool(parameter.min() != parameter.max())
        and (parameter.requires_grad or not frozen)
    ]


def _reset(inner: nn.Module) -> None:
    for module in inner.modules():
        for name in ("reset_parameters", "_reset_parameters"):
            method = getattr(module, name, None)
            if callable(method):
                try:
                    method()
                except TypeError:  # wants arguments: what it would set is shuffled
                    continue
                break


def _shuffle(parameter: nn.Parameter) -> None:
    values = parameter.detach().flatten()
    order = torch.randperm(values.numel()).to(values.device)
    parameter.copy_(values[order].view_as(parameter))


def at_random(network: nn.Module, seed: int, *, side: int) -> nn.Module:
    """Return a copy of a network at random, as unlike training and as active as can be.

    All weights of convolutions and linear layers are drawn by He's rule, so that branches which a
    constructor scales down act in full; biases are 0, and weight or spectral norms are left out.
    The filters that see the image first have a mean of 0: they pass on no brightness. What else
    the network holds stays as it is. A network whose features separate degradations no better
    than this has learnt nothing that chance does not give.

    Args:
        network: Is not changed.
        seed: Of the draws; torch's own random state is left as it is.
        side: Of an image that the network takes, in pixels.

    Raises:
        NetworkError: If the network cannot be copied, or has no such weights.

    Source: He et al. 2015, equation 10.
    """
    try:
        control = copy.deepcopy(network)
    except Exception as error:
        reason = reason_of(error)
        raise NetworkError(f"the network cannot be copied: {reason}") from error
    drawn: dict[nn.Module, Tensor] = {}
    for module in inner_network(control).modules():
        _unnormalise(module)
        weight = getattr(module, "weight", None)
        if isinstance(weight, Tensor) and weight.ndim >= 2 and not isinstance(module, nn.Embedding):
            drawn[module] = weight
    if not drawn:
        raise NetworkError("the network has no filters to draw at random")
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for module, weight in drawn.items():
            nn.init.kaiming_normal_(weight, nonlinearity="relu")
            if isinstance(bias := getattr(module, "bias", None), Tensor):
                bias.zero_()
        first = _called_first(control.eval(), drawn, side)
        first -= first.mean(dim=tuple(range(1, first.ndim)), keepdim=True)
    return control.eval()


def _unnormalise(module: nn.Module) -> None:
    """Make plain parameters of weights that weight or spectral normalisation computes."""
    if is_parametrized(module, "weight"):
        remove_parametrizations(module, "weight")
    for remove in (remove_weight_norm, remove_spectral_norm):
        with contextlib.suppress(ValueError):  # it has none
            remove(module)


def _called_first(network: nn.Module, weights: Mapping[nn.Module, Tensor], side: int) -> Tensor:
    """Return the weight of the module that a pass reaches first; modules keep no such order."""

    def leave(called: nn.Module, _: object) -> None:
        raise _ReachedError(called)

    handles = [module.register_forward_pre_hook(leave) for module in weights]
    try:
        network(torch.rand(1, 3, side, side))
    except _ReachedError as reached:
        return weights[reached.module]
    finally:
        for handle in handles:
            handle.remove()
    return next(iter(weights.values()))


class _ReachedError(BaseException):
    """Leaves a pass; a ``BaseException``, so that no network takes it for a failure of its own."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        super().__init__()
