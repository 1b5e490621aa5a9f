"""What CinCGAN is judged by: patch discriminators, and the losses of its two cycles.

Suffixes: N images, C channels, H/W height and width, h/w those of a map of verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from srscope.errors import ParameterError

SLOPE = 0.2
"""Negative slope of the LeakyReLUs."""
BLOCK = 8
"""Side of the squares whose mean colour a result must keep, in pixels of the degraded image."""


@dataclass(frozen=True, kw_only=True)
class CycleLossConfig:
    """Weights of one cycle's losses, of images in [0, 1].

    Args:
        adversarial: Of the discriminator's verdict, squared distance to "real".
        cycle: Of the squared distance between the degraded input and what the way back makes of
            the result.
        identity: Of the L1 distance between what goes in clean and what comes out.
        total_variation: Of the squared differences between neighbouring pixels of the result.
        colour: Of the L1 distance between mean colours of squares of the degraded input and of the
            result; 0, as in CinCGAN's paper, lets a generator shift colours that the way back
            shifts again.

    Raises:
        ParameterError: If a weight is negative.

    Source: Yuan et al. 2018 (arXiv 1809.00437): 1, 10, 5, 0.5 for the inner cycle; a colour loss on
        blurred images is that of Ignatov et al. 2018, WESPE (arXiv 1709.01118).
    """

    adversarial: float = 1.0
    cycle: float = 10.0
    identity: float = 5.0
    total_variation: float = 0.5
    colour: float = 0.0

    def __post_init__(self) -> None:
        for name in ("adversarial", "cycle", "identity", "total_variation", "colour"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ParameterError(f"losses.{name}", "0 or more", getattr(self, name))

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """Return the weighted sum of losses named as the fields are."""
        return sum(
            (getattr(self, name) * loss for name, loss in losses.items()),
            start=next(iter(losses.values())).new_zeros(()),
        )


class PatchDiscriminator(nn.Module):
    """Five 4x4 convolutions that judge every patch of an image by itself.

    Without padding no verdict sees a border, and without batch normalisation none depends on the
    other images of the batch.

    Args:
        channels: Channels of the first convolution; they double three times.
        stride: Of the first three convolutions: 1 (patches of 16x16) or 2 (70x70).

    Source: Isola et al. 2017, the 70x70 PatchGAN; Yuan et al. 2018, with stride 1 for the
        low-resolution images.

    Example:
        >>> import torch
        >>> PatchDiscriminator(channels=2, stride=1)(torch.rand(3, 3, 20, 24)).shape
        torch.Size([3, 1, 5, 9])
    """

    def __init__(self, *, channels: int, stride: int) -> None:
        super().__init__()
        widths = [3, channels, channels * 2, channels * 4, channels * 8, 1]
        strides = (stride, stride, stride, 1, 1)
        self.convs = nn.ModuleList(
            nn.Conv2d(before, width, 4, stride=step)
            for before, width, step in zip(widths, widths[1:], strides, strict=False)
        )
        for conv in self.convs:
            assert isinstance(conv, nn.Conv2d)
            nn.init.kaiming_normal_(conv.weight, a=SLOPE)
            if conv.bias is not None:
                nn.init.zeros_(conv.bias)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Judge.

        Args:
            x_NCHW: RGB near [0, 1], (N, 3, H, W), sides at least the patch's.

        Returns:
            Verdicts (N, 1, h, w): towards 1 for real, towards 0 for made.
        """
        x_NCHW = x_NCHW * 2.0 - 1.0  # He initialisation expects values round zero
        for conv in self.convs[:-1]:
            x_NCHW = F.leaky_relu(conv(x_NCHW), SLOPE)
        return self.convs[-1](x_NCHW)


def smallest_side(stride: int) -> int:
    """Return the side of the patch that one verdict looks at, in pixels.

    Example:
        >>> smallest_side(1), smallest_side(2)
        (16, 70)
    """
    side = 1
    for step in (1, 1, stride, stride, stride):
        side = (side - 1) * step + 4
    return side


def fooled(verdict_N1hw: Tensor) -> Tensor:
    """Return the generator's least-squares loss: how far the verdicts are from "real".

    Source: Mao et al. 2017, LSGAN.
    """
    return (verdict_N1hw.float() - 1.0).square().mean()


def judged(real_N1hw: Tensor, fake_N1hw: Tensor) -> Tensor:
    """Return the discriminator's least-squares loss; 0.25 is what guessing costs.

    Source: Mao et al. 2017, LSGAN.
    """
    real = (real_N1hw.float() - 1.0).square().mean()
    return 0.5 * (real + fake_N1hw.float().square().mean())


def total_variation(x_NCHW: Tensor) -> Tensor:
    """Return the mean squared difference of neighbours, across plus down.

    Example:
        >>> import torch
        >>> float(total_variation(torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])))
        1.0
    """
    across = (x_NCHW[..., 1:] - x_NCHW[..., :-1]).square().mean()
    return across + (x_NCHW[..., 1:, :] - x_NCHW[..., :-1, :]).square().mean()


def colour_distance(made_NCHW: Tensor, given_NChw: Tensor) -> Tensor:
    """Return the mean absolute difference of mean colours, square by square.

    Args:
        made_NCHW: A generator's result, sides a multiple of the input's.
        given_NChw: What it was made from; squares are :data:`BLOCK` of its pixels wide, what is
            left over at the right and below is not looked at.

    Example:
        >>> import torch
        >>> given = torch.rand(1, 3, 16, 16)
        >>> brighter = torch.nn.functional.interpolate(given, scale_factor=2) + 0.25
        >>> round(float(colour_distance(brighter, given)), 4)
        0.25
    """
    side = BLOCK * made_NCHW.shape[-1] // given_NChw.shape[-1]
    return F.l1_loss(F.avg_pool2d(made_NCHW.float(), side), F.avg_pool2d(given_NChw.float(), BLOCK))
