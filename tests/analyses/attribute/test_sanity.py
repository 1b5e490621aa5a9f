from __future__ import annotations

import copy
import itertools

import pytest
import torch
from torch import nn

from srscope.analyses.attribute.sanity import randomized
from srscope.errors import NetworkError, ParameterError
from srscope.networks.zoo import load_network
from support.foreign import Transformer
from support.interventions import described


def changed(before: nn.Module, after: nn.Module) -> set[str]:
    pairs = zip(before.named_parameters(), after.parameters(), strict=True)
    return {name for (name, p), q in pairs if not torch.equal(p, q)}


def test_weights_go_from_the_output_inwards_and_the_network_keeps_its_own(network):
    loaded = load_network(network)
    own = copy.deepcopy(loaded.module)
    found: list[tuple[str, set[str]]] = []
    shares, last = list[float](), loaded
    for layer, share, each in randomized(loaded, stages=4, seed=3):
        found.append((layer, changed(own, each.module)))
        shares.append(share)
        last = each
    assert shares == sorted(shares)
    assert shares[-1] == 1
    names = [layer for layer, _ in found]
    assert names[-1] == "conv_first"
    for (_, fewer), (_, more) in itertools.pairwise(found):
        assert fewer < more
    assert "conv_last.weight" in found[0][1]
    assert not any(name.startswith(("conv_first", "body.0")) for name in found[0][1])
    assert changed(own, loaded.module) == set()
    assert loaded.untrained is not None
    fresh = loaded.untrained(3).state_dict()
    assert all(torch.equal(fresh[name], value) for name, value in last.module.state_dict().items())


def test_the_seed_decides_the_weights(network):
    loaded = load_network(network)
    made = []
    for seed in (0, 0, 1):
        ((_, _, each),) = randomized(loaded, stages=1, seed=seed)
        made.append(each.module)
    assert changed(made[0], made[1]) == set()
    assert "conv_last.weight" in changed(made[0], made[2])


def test_bare_parameters_of_a_transformer_go_too():
    torch.manual_seed(5)
    loaded = described(Transformer(blocks=2), "blocks.0")
    *_, (_, _, last) = randomized(loaded, stages=3, seed=0)
    assert {"blocks.0.gain", "embed.weight", "out.weight"} <= changed(loaded.module, last.module)


def test_what_cannot_be_put_at_random_is_refused():
    with pytest.raises(ParameterError, match="stages must be 1 or more"):
        next(randomized(described(nn.Conv2d(3, 3, 1), ""), stages=0, seed=0))
    with pytest.raises(NetworkError, match="no parameters to start afresh"):
        next(randomized(described(nn.Identity(), ""), stages=1, seed=0))
