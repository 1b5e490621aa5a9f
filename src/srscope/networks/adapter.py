"""One calling convention for every network: RGB in [0, 1] in, and for images the same out.

A network trained on grey images is given the luma of the RGB image; one trained on another range
is given that range. What it returns as an image is taken back to RGB in [0, 1].

Suffixes: N images, C channels, H/W height and width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from srscope.networks.outputs import image_of, is_image
from srscope.networks.randomness import seeded

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the luma of ITU-R BT.601, full range."""

Call = Callable[[nn.Module, Tensor], Any]
"""Runs a network on images as it expects them."""


class AdaptedNetwork(nn.Module):
    """A foreign network behind srscope's calling convention.

    The network itself is untouched: its layers keep their names (see :func:`layer_modules`), and
    an image in its own range and channels passes unchanged. Random numbers that it draws are those
    of one seed in every pass.

    Args:
        inner: The network.
        call: How to run it on what it expects, given the network and the image, where
            ``inner(image)`` is not the way. It must not hold another reference to the network
            than one that :func:`copy.deepcopy` follows.
        channels: 3 for RGB; 1 for a grey network, which gets ``0.299 R + 0.587 G + 0.114 B``, and
            whose output image is repeated in three channels.
        mean: Subtracted from the image in [0, 1], one value or one a channel.
        std: What it is divided by then. ``mean=0, std=1/255`` makes [0, 255] of it.
        output: Where the image is in what the network returns: see
            :func:`~srscope.networks.outputs.image_of`.

    Example:
        >>> grey = AdaptedNetwork(nn.Conv2d(1, 1, 1), channels=1)
        >>> grey(torch.rand(2, 3, 8, 8)).shape
        torch.Size([2, 3, 8, 8])
    """

    mean: Tensor
    std: Tensor
    luma: Tensor

    def __init__(
        self,
        inner: nn.Module,
        *,
        call: Call | None = None,
        channels: int = 3,
        mean: Sequence[float] = (0.0,),
        std: Sequence[float] = (1.0,),
        output: str = "",
    ) -> None:
        super().__init__()
        self.inner, self.call, self.grey = inner, call, channels == 1
        self.output, self.seed = output, 0
        self.normalised = (*mean,) != (0.0,) or (*std,) != (1.0,)
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(-1, 1, 1), persistent=False)
        self.register_buffer("luma", torch.tensor(LUMA).view(3, 1, 1), persistent=False)

    def forward(self, x_NCHW: Tensor) -> Any:
        """Run the network.

        Args:
            x_NCHW: RGB in [0, 1], (N, 3, H, W).

        Returns:
            An image as RGB near [0, 1]; anything else as the network returns it.
        """
        if self.grey:
            x_NCHW = (x_NCHW * self.luma).sum(dim=1, keepdim=True)
        x_NCHW = (x_NCHW - self.mean) / self.std if self.normalised else x_NCHW.clone()
        # A copy in any case: there are networks that scale their input in place.
        channels = x_NCHW.shape[1]
        with seeded(self.seed):
            output = self.inner(x_NCHW) if self.call is None else self.call(self.inner, x_NCHW)
        output = image_of(output, channels, self.output)
        if not is_image(output):
            return output
        assert isinstance(output, Tensor)
        if self.normalised:
            output = output * self.std + self.mean
        return output.repeat(1, 3, 1, 1) if output.shape[1] == 1 else output


def inner_network(network: nn.Module) -> nn.Module:
    """Return the network itself where it is adapted, and what was given otherwise."""
    return network.inner if isinstance(network, AdaptedNetwork) else network


def layer_modules(network: nn.Module) -> dict[str, nn.Module]:
    """Return every module inside a network by its dotted name there; one may have several names.

    Example:
        >>> list(layer_modules(AdaptedNetwork(nn.Sequential(nn.ReLU(), nn.ReLU()))))
        ['0', '1']
    """
    modules = dict(inner_network(network).named_modules(remove_duplicate=False))
    del modules[""]  # the network itself: its output is no inner layer's
    return modules
