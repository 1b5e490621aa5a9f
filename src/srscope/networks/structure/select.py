"""Which layers the user's words stand for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from srscope.errors import NetworkError, UnknownNameError
from srscope.networks.adapter import layer_modules
from srscope.networks.description import LoadedNetwork, TapPoint
from srscope.networks.structure.discover import discover
from srscope.networks.structure.probe import PATCH
from srscope.networks.structure.trace import Trace, trace_network


def select_layers(network: LoadedNetwork, wanted: str | Sequence[str]) -> tuple[TapPoint, ...]:
    """Return the tap points that the user's words stand for, in depth order.

    Args:
        network: The network.
        wanted: Dotted names, labels, or patterns of them; empty for the layers analysed by
            default, ``("all",)`` for all tap points. In a pattern ``*`` stands for any text
            without a dot, ``**`` for any text, ``?`` for one character. A name may be that of any
            layer in the network, a tap point or not, with ``":1"`` for its second call.

    Raises:
        UnknownNameError: If a word stands for nothing; near matches are named.
        NetworkError: If it stands for a layer whose output is no features, or that is not run.

    Example:
        >>> from srscope.networks.zoo import load_network
        >>> network = load_network("srresnet-wgr")
        >>> [tap.label for tap in select_layers(network, ["ResBlock1?", "body.0.conv*"])][:3]
        ['body.0.conv1', 'body.0.conv2', 'ResBlock10']
    """
    wanted = [wanted] if isinstance(wanted, str) else wanted or network.default_layers
    if list(wanted) == ["all"]:
        return network.taps
    by_word = {word: tap for tap in network.taps for word in (tap.name, tap.label)}
    if all(word in by_word for word in wanted):  # spares an example pass
        chosen = {by_word[word].name for word in wanted}
        return tuple(tap for tap in network.taps if tap.name in chosen)
    layers = all_layers(network)
    chosen: set[str] = set()
    for word in wanted:
        pattern = _pattern(word)
        found = [t.name for t in layers if pattern.fullmatch(t.name) or pattern.fullmatch(t.label)]
        if not found:
            _refuse_unusable(network, pattern)
            words = dict.fromkeys([*by_word, *(layer.name for layer in layers)])
            raise UnknownNameError("layer", word, words)
        chosen.update(found)
    return tuple(layer for layer in layers if layer.name in chosen)


def all_layers(network: LoadedNetwork) -> tuple[TapPoint, ...]:
    """Return every layer whose output can be recorded, in depth order, tap points among them.

    An example pass is made unless that was done when the network was loaded.
    """
    if network.layers:
        return network.layers
    own = {tap.name: tap for tap in network.taps}
    found = discover(example_pass(network))
    return tuple(
        replace(own[layer.name], shape=layer.shape) if layer.name in own else layer
        for layer in found.layers
    )


def example_pass(network: LoadedNetwork) -> Trace:
    """Trace a network on images of about 32 pixels a side, as when a foreign one was loaded."""
    side = network.fitted(PATCH)
    return trace_network(network.module, (side, side), wider=(side, 2 * side))


def _refuse_unusable(network: LoadedNetwork, pattern: re.Pattern[str]) -> None:
    """Raise if the pattern fits a layer that is there, but whose output cannot be recorded."""
    remedy = "name one inside it or after it, of those that srscope layers lists"
    for call in example_pass(network).calls:
        if call.why_not and pattern.fullmatch(call.name):
            raise NetworkError(
                f"layer {call.name!r} cannot be analysed: its output is {call.why_not}; {remedy}"
            )
    for name in layer_modules(network.module):
        if pattern.fullmatch(name):
            raise NetworkError(
                f"layer {name!r} cannot be analysed: no pass of the network calls it; {remedy}"
            )


def depths_of(network: LoadedNetwork, layers: Sequence[TapPoint]) -> tuple[float, ...]:
    """Return how deep layers lie: 0 at the first tap point, 1 at the last, in equal steps.

    A layer that is no tap point lies half a step from those it stands between.
    """
    last = max(1, len(network.taps) - 1)
    depth = {tap.name: place / last for place, tap in enumerate(network.taps)}
    if any(layer.name not in depth for layer in layers):
        passed = 0
        for layer in all_layers(network):
            if layer.name in depth:
                passed += 1
            else:
                depth[layer.name] = min(1.0, max(0.0, (passed - 0.5) / last))
    return tuple(depth[layer.name] for layer in layers)


def _pattern(word: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*|\*|\?)", word)
    meant = {"**": ".*", "*": "[^.]*", "?": "[^.]"}
    return re.compile("".join(meant.get(part) or re.escape(part) for part in parts))
