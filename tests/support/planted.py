"""Networks planted so that it is known what their features show."""

import torch
from torch import Tensor, nn


class Laplacian(nn.Module):
    """A fixed Laplacian of every channel, rectified; edges are reflected."""

    def __init__(self) -> None:
        super().__init__()
        kernel = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
        self.first = nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect", groups=3, bias=False)
        self.first.weight.data = kernel.expand(3, 1, 3, 3).clone()
        self.body = Magnitude()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.body(self.first(x_NCHW))


class Magnitude(nn.Module):
    """Takes absolute values."""

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return x_NCHW.abs()


class RandomFilters(nn.Module):
    """Filters drawn at random, each with a mean of 0, rectified."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.first = nn.Conv2d(3, 16, 3, padding=1, padding_mode="reflect", bias=False)
        weight = self.first.weight.data
        self.first.weight.data = weight - weight.mean(dim=(1, 2, 3), keepdim=True)
        self.body = nn.ReLU()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.body(self.first(x_NCHW))


class Parity(nn.Module):
    """Shows whether the first pixel's red value of 255 is odd, under noise of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Identity()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        odd_N = (x_NCHW[:, 0, 0, 0] * 255).round() % 2
        return self.body(4 * odd_N[:, None, None, None] + noise_like(x_NCHW))


class NoiseAlone(nn.Module):
    """Shows nothing: noise that depends on the image, and not on its set."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Identity()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.body(noise_like(x_NCHW))


def noise_like(x_NCHW: Tensor) -> Tensor:
    """Return noise (N, 8, 4, 4), which any change of an image draws anew."""
    seeds_N = (x_NCHW.double().flatten(1) * 255).round() @ torch.arange(
        1, x_NCHW[0].numel() + 1, dtype=torch.float64
    )
    return torch.stack(
        [
            torch.randn(8, 4, 4, generator=torch.Generator().manual_seed(int(seed)))
            for seed in seeds_N
        ]
    )
