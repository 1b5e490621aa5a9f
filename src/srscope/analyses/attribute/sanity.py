"""Copies of a network whose weights are random from the output inwards, layer after layer.

A map that stays as it is when the weights go is a map of the image, not of the network.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator

import numpy as np
import torch

from srscope.errors import NetworkError, ParameterError
from srscope.networks.adapter import inner_network
from srscope.networks.description import LoadedNetwork
from srscope.networks.structure.select import example_pass
from srscope.networks.untrained import reinitialised


def randomized(
    network: LoadedNetwork, *, stages: int, seed: int
) -> Iterator[tuple[str, float, LoadedNetwork]]:
    """Yield copies with ever more layers at random: the last ones first, all in the end.

    Weights are those of the untrained control where there is one, else drawn anew as
    :func:`~srscope.networks.untrained.reinitialised` says. Running statistics of normalisations
    stay. The network is not changed.

    Args:
        network: The trained network.
        stages: How many copies, evenly over the layers that have weights; fewer if there are
            fewer such layers.
        seed: Of the weights.

    Yields:
        The first layer, in the order of a pass, that is at random; the share of layers that are;
        and the copy, which is the same one each time: use it before the next is asked for.

    Raises:
        ParameterError: If ``stages`` is below 1.
        NetworkError: If the network has no weights, or cannot be copied.

    Source: Adebayo et al. 2018, section 3 (cascading randomization).

    Example:
        >>> from srscope.networks.zoo import load_network
        >>> [name for name, _, _ in randomized(load_network("srresnet-wgr"), stages=3, seed=0)]
        ['body.11.conv2', 'body.5.conv2', 'conv_first']
    """
    if stages < 1:
        raise ParameterError("stages", "1 or more", stages)
    fresh = (
        reinitialised(network.module, seed)
        if network.untrained is None
        else network.untrained(seed)
    )
    weights = dict(inner_network(fresh).named_parameters())
    order = {call.module: call.end for call in example_pass(network).calls}
    by_layer: dict[str, list[str]] = {}
    for name in weights:
        by_layer.setdefault(name.rpartition(".")[0], []).append(name)
    # A weight that no module of the pass owns, such as that of a branch not taken, goes first.
    layers = sorted(by_layer, key=lambda layer: order.get(layer, len(order)), reverse=True)
    if not layers:
        raise NetworkError(f"{network.name} has no weights that could be drawn at random")
    changed = copy.deepcopy(network.module)
    own = dict(inner_network(changed).named_parameters())
    done = 0
    for group in np.array_split(np.array(layers, dtype=object), min(stages, len(layers))):
        with torch.no_grad():
            for name in (name for layer in group for name in by_layer[layer]):
                own[name].copy_(weights[name])
        done += len(group)
        copied = dataclasses.replace(network, module=changed, untrained=None)
        yield str(group[-1]), done / len(layers), copied
