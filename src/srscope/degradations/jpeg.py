"""JPEG compression and decompression."""

from __future__ import annotations

import dataclasses
import io
from dataclasses import dataclass
from typing import Literal, Self, get_args

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from srscope.degradations.degree import check_degree, describe, draw_whole, fixed
from srscope.degradations.family import Family, register
from srscope.errors import ParameterError

Subsampling = Literal["4:4:4", "4:2:2", "4:2:0"]


@register("jpeg")
@dataclass(frozen=True, kw_only=True, slots=True)
class Jpeg(Family):
    """Compress as JPEG and read it back; clips and rounds to 8 bits, as JPEG does.

    The 8x8 blocks start at the corner of the image it is given: in patches cut from the centre
    of a crop all images of a set have their block grid at the same place.

    Args:
        quality: From 1 (worst) to 100, on the scale of libjpeg; fixed, or a range of whole numbers.
        subsampling: How the chroma is thinned out.

    Raises:
        ParameterError: If ``quality`` is not whole or out of range, or ``subsampling`` is unknown.

    Example:
        >>> images = torch.full((1, 3, 16, 16), 0.5)
        >>> Jpeg(quality=20)(images, generator=torch.Generator()).shape
        torch.Size([1, 3, 16, 16])
    """

    quality: int | tuple[int, int]
    subsampling: Subsampling = "4:2:0"

    def __post_init__(self) -> None:
        check_degree("quality", self.quality, low=1, high=100, whole=True)
        if self.subsampling not in get_args(Subsampling):
            rule = "one of " + ", ".join(get_args(Subsampling))
            raise ParameterError("subsampling", rule, self.subsampling, "put it in quotes")

    def drawn(self, generator: torch.Generator) -> Self:
        """Return a copy with the quality fixed."""
        return dataclasses.replace(self, quality=draw_whole(self.quality, generator))

    def apply(self, image_1CHW: Tensor, generator: torch.Generator) -> Tensor:
        """Compress one image of 1 or 3 channels."""
        channels = image_1CHW.shape[1]
        if channels not in (1, 3):
            raise ParameterError("channels", "1 or 3 for JPEG", channels)
        levels = (image_1CHW[0].clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
        picture = Image.fromarray(levels[0] if channels == 1 else levels.transpose(1, 2, 0))
        file = io.BytesIO()
        quality = int(fixed(self.quality))
        picture.save(file, "JPEG", quality=quality, subsampling=self.subsampling)
        with Image.open(file) as opened:
            decoded = np.asarray(opened, dtype=np.float32)
        decoded_HWC = decoded.reshape(*decoded.shape[:2], channels)
        return (torch.from_numpy(decoded_HWC).permute(2, 0, 1)[None] / 255).to(image_1CHW)

    def definition(self, unit: str) -> str:
        """Return the description."""
        return f"JPEG, {describe('quality', self.quality)}, chroma {self.subsampling}"
