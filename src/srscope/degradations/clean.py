"""No degradation: the clean set, and the neutral element to compare with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from srscope.degradations.family import Family, register


@register("clean")
@dataclass(frozen=True, kw_only=True, slots=True)
class Clean(Family):
    """Leave the images as they are.

    Example:
        >>> image_1CHW = torch.rand(1, 3, 8, 8)
        >>> bool((Clean()(image_1CHW, generator=torch.Generator()) == image_1CHW).all())
        True
    """

    def apply(self, image_1CHW: Tensor, generator: torch.Generator) -> Tensor:
        """Return a copy."""
        return image_1CHW.clone()

    def definition(self, unit: str) -> str:
        """Return the description."""
        return "nothing more"
