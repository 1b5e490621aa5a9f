"""The layer before a network's output convolution, as SRGA reads it."""

from __future__ import annotations

from srscope.errors import NetworkError
from srscope.networks.description import LoadedNetwork, TapPoint
from srscope.networks.structure.select import all_layers, example_pass


def last_feature_layer(network: LoadedNetwork) -> TapPoint:
    """Return the layer whose output the last weighted layer of a pass is given.

    That is the last recorded output before the last convolution or linear map. What a network does
    to it there outside of modules, such as an activation that is a function, is not in it.

    Raises:
        NetworkError: If nothing can be recorded before it.

    Example:
        >>> from srscope.networks.zoo import load_network
        >>> last_feature_layer(load_network("srgan-wgr")).name
        'conv_hr'
    """
    calls = example_pass(network).calls
    parents = {call.parent for call in calls}
    weighted = [
        (index, call)
        for index, call in enumerate(calls)
        if call.weighted and index not in parents and call.end >= 0
    ]
    if weighted:
        last, output = max(weighted, key=lambda pair: pair[1].end)
        before = [
            call
            for call in calls[:last]
            if call.end >= 0 and call.end < output.end and not call.why_not
        ]
        layers = {layer.name: layer for layer in all_layers(network)}
        for call in sorted(before, key=lambda call: call.end, reverse=True):
            if call.name in layers:
                return layers[call.name]
    raise NetworkError(
        f"{network.name} has no layer before its last convolution that can be recorded; "
        "name a layer of your own with layer"
    )
