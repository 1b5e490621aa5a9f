"""A network one of whose layers puts out numbers that nothing can be computed from."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Spoilt(nn.Module):
    """Three convolutions; what the second one puts out is spoilt, and the third mends it.

    Args:
        how: ``constant``, ``nan``, ``half`` (overflows in float16), ``huge`` (squares overflow) or
            ``tiny`` (squares underflow).
    """

    def __init__(self, how: str = "constant") -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.middle = _Layer(how)
        self.last = nn.Conv2d(4, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        self.middle(y)
        return self.last(y)


class _Layer(nn.Module):
    def __init__(self, how: str) -> None:
        super().__init__()
        self.convolution, self.how = nn.Conv2d(4, 4, 1), how

    def forward(self, x: Tensor) -> Tensor:
        y = self.convolution(x)
        spoilt = {
            "constant": lambda: torch.ones_like(y),
            "nan": lambda: torch.where(y == y.amax((1, 2, 3), keepdim=True), torch.nan, y),
            "half": lambda: (y.abs().half() + 1) * 60_000 * 2,
            "huge": lambda: y.double() * 1e200,
            "tiny": lambda: y * 1e-30,
        }
        return spoilt[self.how]()
