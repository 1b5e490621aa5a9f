from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from srscope.analyses.attribute.channels import channel_saliency, saliency_of
from srscope.analyses.attribute.config import Config
from srscope.analyses.attribute.gradients import detail
from srscope.analyses.intervene.passes import Passes
from srscope.errors import DegenerateError
from support.interventions import described, noisy_images
from support.networks import assert_no_hooks


class Head(nn.Module):
    """Its layer holds the image in channels 0 to 2, and five mixtures that hardly count."""

    def __init__(self, *, last: bool = False) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.code = nn.Linear(3, 8, bias=False) if last else nn.Conv2d(3, 8, 1, bias=False)
        self.out = nn.Conv2d(8, 3, 1, bias=False)
        self.last = last
        with torch.no_grad():
            self.code.weight[:3] = torch.eye(3).view_as(self.code.weight[:3])
            self.out.weight *= 0.01
            self.out.weight[:, :3] = 0.95 * torch.eye(3)[:, :, None, None]
            self.out.weight[:, 7] = 0

    def forward(self, x: Tensor) -> Tensor:
        y = self.code(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2) if self.last else self.code(x)
        return self.out(y)


@pytest.mark.parametrize("last", [False, True])
def test_saliency_is_the_summed_gradient_of_the_outputs_detail(last):
    module = Head(last=last)
    network = described(module, "code")
    (tap,) = network.taps
    if last:
        import dataclasses

        tap = dataclasses.replace(tap, channel_axis=3)
    picture = np.random.default_rng(0).random((6, 7, 3), np.float32)
    found = channel_saliency(network, tap, picture, device="cpu")
    image = torch.from_numpy(picture.transpose(2, 0, 1)[None].copy())
    features = Head().code(image).detach().requires_grad_()
    detail(module.out(features)).sum().backward()
    expected = features.grad.abs().sum(dim=(0, 2, 3)).numpy()
    np.testing.assert_allclose(found, expected / expected.max(), rtol=1e-4)
    assert found[7] == 0
    assert found.max() == 1
    assert_no_hooks(module)
    assert all(p.requires_grad for p in network.module.parameters())


def test_an_output_that_hangs_on_no_channel_is_undefined():
    network = described(Head(), "code")
    nn.init.zeros_(network.module.out.weight)
    with pytest.raises(DegenerateError, match="depends on no channel"):
        channel_saliency(network, network.taps[0], np.ones((4, 4, 3), np.float32), device="cpu")


def test_more_is_lost_without_the_most_salient_channels():
    network = described(Head(), "code")
    images, originals = noisy_images()
    passes = Passes(network, images, originals, batch_size=8, device="cpu")
    inputs = [images.images_NCHW[k].transpose(1, 2, 0) for k in (0, 20)]
    told: list[tuple[int, int]] = []

    def made(seed: int):
        return saliency_of(
            network, network.taps[0], inputs, passes, images.photographs,
            Config(orders=4, sanity=0, seed=seed), device="cpu",
            report=lambda done, total: told.append((done, total)),
        )  # fmt: skip

    found = made(0)
    assert found.saliency_VC.shape == (2, 8)
    assert set(np.argsort(-found.saliency_VC[0])[:3]) == {0, 1, 2}
    assert [each.channels for each in found.removals] == [1, 2, 4, 6]
    for each in found.removals:
        assert each.salient.mean > each.least.mean
        assert len(each.orders) == 4
        assert each.random.mean == pytest.approx(np.mean(each.orders))
        gap = each.salient.mean - each.random.mean
        assert each.beyond_random.mean == pytest.approx(gap)
    assert found.removals[1].beyond_random.low > 0
    assert told[-1] == (4 * 6, 4 * 6)
    assert made(0).removals == found.removals
    assert made(1).removals != found.removals
