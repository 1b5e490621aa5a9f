from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from srscope.analyses.attribute.filters import (
    CHANCE,
    CHANGE,
    FAIG,
    GRADIENTS,
    SHARES,
    _Pair,
    filters_of,
    top_filters,
)
from srscope.errors import DegenerateError, NetworkError, ParameterError
from support.interventions import described, noisy_images


class Denoiser(nn.Module):
    """Smooths by ``smooth`` after ``spread``; what comes out of ``idle`` counts for nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.smooth = nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect", bias=False)
        self.idle = nn.Conv2d(3, 3, 3, padding=1, bias=False)
        with torch.no_grad():
            self.smooth.weight.zero_()
            self.smooth.weight[range(3), range(3), 1, 1] = 0.98

    def forward(self, x: Tensor) -> Tensor:
        return self.smooth(x) + 0 * self.idle(x)


def pair() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    baseline = Denoiser()
    target = copy.deepcopy(baseline)
    with torch.no_grad():
        target.smooth.weight[range(3), range(3)] = 0.98 / 9
        target.idle.weight += 10
    return baseline, target


def made(baseline: nn.Module, target: nn.Module, *, seed: int = 0, steps: int = 4):
    images, originals = noisy_images()
    names = [
        dataclasses.replace(described(module, "smooth"), name=name)
        for name, module in (("before", baseline), ("after", target))
    ]
    return filters_of(*names, images, originals, degraded=1, other=0, steps=steps, seed=seed)


def test_filters_that_denoise_are_found_and_those_that_only_changed_are_not():
    baseline, target = pair()
    before = [copy.deepcopy(each.state_dict()) for each in (baseline, target)]
    found = made(baseline, target)
    assert (found.baseline, found.target) == ("before", "after")
    assert (found.degraded, found.other) == ("noise", "clean")
    assert found.filters == 18
    assert found.photographs == 5
    assert found.gain.low > 1
    assert found.by_layer == (("smooth.weight", 1.0),)
    for share in SHARES:
        faig, change = found.at(FAIG, share), found.at(CHANGE, share)
        assert faig.lost.low > 0.2
        assert faig.beyond_chance.low > 0
        assert (change.lost.mean, change.lost_other.mean) == (0, 0)
        assert found.at(CHANCE, share).beyond_chance is None
        assert found.at(GRADIENTS, share).lost.mean >= 0
    assert found.beyond_change == found.at(FAIG, SHARES[0]).lost
    for state, module in zip(before, (baseline, target), strict=True):
        assert all(torch.equal(state[name], p) for name, p in module.named_parameters())
        assert all(p.requires_grad and p.grad is None for p in module.parameters())


def test_scores_are_the_plain_formula_in_double_precision():
    torch.manual_seed(4)
    make = lambda: nn.Sequential(  # noqa: E731
        nn.Conv2d(3, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 3, 3, padding=1)
    )
    baseline, target = make(), make()
    image, original = torch.rand(2, 2, 3, 5, 5)
    networks = (described(baseline, "0"), described(target, "0"))
    found = _Pair(*networks, "cpu")
    scores = found.scores(image, original, found.between, 7, lambda: None)
    expected = dict.fromkeys(("0.weight", "2.weight"), 0.0)
    ends = [dict(each.named_parameters()) for each in (target, baseline)]
    for x, wanted in zip(image.double(), original.double(), strict=True):
        total = dict.fromkeys(expected, 0.0)
        for step in range(7):
            place = (step + 0.5) / 7
            module = make().double()
            with torch.no_grad():
                for name, p in module.named_parameters():
                    p.copy_(ends[0][name] * (1 - place) + ends[1][name] * place)
            ((module(x[None])[0] - wanted) ** 2).mean().backward()
            for name in total:
                gradient = module.get_parameter(name).grad
                assert gradient is not None
                total[name] = total[name] + gradient / 7
        for name in expected:
            change = ends[1][name].double() - ends[0][name].double()
            expected[name] = expected[name] + (total[name] * change).abs().sum(dim=(2, 3)) / 2
    for name, value in expected.items():
        most = float(value.detach().max())
        torch.testing.assert_close(scores[name].double(), value.detach(), rtol=0, atol=1e-5 * most)
    straight = found.scores(image, original, found.from_nothing, 3, lambda: None)
    assert not torch.allclose(straight["0.weight"], scores["0.weight"])


def test_the_seed_decides_the_filters_by_chance():
    one, same, other = (made(*pair(), seed=seed, steps=1) for seed in (0, 0, 3))
    assert one == same
    lost = [each.at(CHANCE, SHARES[-1]).lost.mean for each in (one, other)]
    assert lost[0] != lost[1]


def test_as_many_filters_as_the_share_says_are_put_back():
    scores = {"a": torch.rand(5, 8), "b": torch.rand(10, 6)}
    assert sum(int(each.sum()) for each in top_filters(scores, 0.1).values()) == 10
    assert sum(int(each.sum()) for each in top_filters(scores, 1e-9).values()) == 1


def test_pairs_that_are_none_are_refused():
    baseline, target = pair()
    with pytest.raises(NetworkError, match="after is not fine-tuned from before: weight"):
        made(baseline, nn.Sequential(nn.Conv2d(3, 3, 3, padding=1)))
    with pytest.raises(DegenerateError, match="after has before's weights"):
        made(baseline, baseline)
    images, originals = noisy_images()
    few = dataclasses.replace(images, photographs=tuple("abc"[m % 3] for m in range(20)))
    with pytest.raises(ParameterError, match="photographs must be 4 or more"):
        filters_of(
            described(baseline, ""), described(target, ""), few, originals, degraded=1, other=0
        )
    assert np.isfinite(originals).all()
