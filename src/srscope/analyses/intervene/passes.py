"""Passes of a network with one layer edited, and what they are worth against the originals.

Suffixes: S sets, M contents, B a batch of them, C channels, H/W height and width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srscope.degradations.degrade import DegradedImages
from srscope.errors import DegenerateError, NetworkError, ParameterError
from srscope.features.edit import Edit, FeatureEdit
from srscope.features.edit_functions import add_offset, channel_statistics, replace_features
from srscope.features.tap import FeatureTap
from srscope.networks.description import LoadedNetwork, TapPoint
from srscope.scores.variance import is_crossed

EditOf = Callable[[slice], Edit]
"""Makes the edit for some of the contents."""
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Quality:
    """Of outputs, one value a content.

    Args:
        mse_M: Mean squared error against the original, pixels clipped to [0, 1].
        change_M: Mean squared difference from the unedited output.
    """

    mse_M: NDArray[np.float64]
    change_M: NDArray[np.float64]

    @property
    def psnr_M(self) -> NDArray[np.float64]:
        """PSNR in dB against the original."""
        return -10 * np.log10(self.mse_M)


@dataclass(frozen=True, kw_only=True, slots=True)
class Statistics:
    """Of one layer's features, set by set.

    Args:
        mean_SMC: Channel means.
        std_SMC: Channel standard deviations.
    """

    mean_SMC: NDArray[np.float64]
    std_SMC: NDArray[np.float64]


class Passes:
    """Runs a network on a suite's images, with and without an edit.

    Args:
        network: The network, on the device it is to be run on.
        images: A crossed design: every content in every set.
        originals_MCHW: What the outputs should be, content by content, in [0, 1].
        batch_size: Images at a time.
        device: Where to compute.

    Raises:
        ParameterError: If the images and the originals do not belong together.
        NetworkError: If the network does not put out images of the originals' shape.
    """

    def __init__(
        self,
        network: LoadedNetwork,
        images: DegradedImages,
        originals_MCHW: Floats,
        *,
        batch_size: int,
        device: str,
    ) -> None:
        if not is_crossed(images.set_N, images.content_N):
            remedy = "use a suite whose sets are made of the same contents"
            raise ParameterError("images", "every content once in every set", "others", remedy)
        self.contents = int(images.content_N.max()) + 1
        if len(originals_MCHW) != self.contents:
            rule = f"one for each of {self.contents} contents"
            raise ParameterError("originals_MCHW", rule, len(originals_MCHW))
        order_N = np.lexsort((images.content_N, images.set_N))
        sets = len(images.suite.sets)
        by_set = images.images_NCHW[order_N].reshape(
            sets, self.contents, *images.images_NCHW.shape[1:]
        )
        self.network, self.device = network, device
        self._images_SMCHW = torch.from_numpy(np.ascontiguousarray(by_set))
        self._originals_MCHW = torch.from_numpy(np.ascontiguousarray(originals_MCHW)).float()
        self._batches = [
            slice(start, min(start + batch_size, self.contents))
            for start in range(0, self.contents, batch_size)
        ]
        self._unedited: list[tuple[Tensor, Quality]] = []
        for index in range(sets):
            outputs = torch.cat([self._output(index, batch) for batch in self._batches])
            if outputs.shape != self._originals_MCHW.shape:
                raise NetworkError(
                    f"network {network.name!r} puts out {tuple(outputs.shape)} where the originals "
                    f"are {tuple(self._originals_MCHW.shape)}; edits are judged by restored "
                    "images, so give a network that restores them"
                )
            still_M = np.zeros(self.contents)
            self._unedited.append((outputs, Quality(mse_M=self._mse(outputs), change_M=still_M)))

    def unedited(self, index: int) -> Quality:
        """Return the quality of a set's outputs as they are."""
        return self._unedited[index][1]

    def edited(self, index: int, tap: TapPoint, edit_of: EditOf) -> Quality:
        """Return the quality of a set's outputs with a layer edited."""
        parts: list[Tensor] = []
        for batch in self._batches:
            with FeatureEdit(self.network.module, {tap.name: edit_of(batch)}):
                parts.append(self._output(index, batch))
        outputs = torch.cat(parts)
        difference = (outputs - self._unedited[index][0]).double()
        change_M = difference.square().mean(dim=(1, 2, 3)).numpy()
        return Quality(mse_M=self._mse(outputs), change_M=change_M)

    def offset(self, index: int, tap: TapPoint, offset_MC: Floats) -> Quality:
        """Return the quality of a set's outputs with offsets added to a layer's channels."""

        def edit_of(batch: slice) -> Edit:
            return add_offset(offset_MC[batch], channel_axis=tap.channel_axis)

        return self.edited(index, tap, edit_of)

    def replaced(self, index: int, tap: TapPoint, *, source: int) -> Quality:
        """Return the quality of a set's outputs with a layer's features those of another set."""
        return self.edited(
            index, tap, lambda batch: replace_features(self._features(source, tap, batch))
        )

    def statistics(self, tap: TapPoint) -> Statistics:
        """Return the channel statistics of a layer, for all sets."""
        found = [
            torch.cat(
                [
                    torch.stack(
                        channel_statistics(
                            self._features(index, tap, batch), channel_axis=tap.channel_axis
                        )
                    )
                    for batch in self._batches
                ],
                dim=1,
            )
            for index in range(len(self._unedited))
        ]
        both = torch.stack(found, dim=1).double().cpu().numpy()
        if not np.isfinite(both).all():
            raise DegenerateError(
                f"the channel statistics of {tap.label}", "a feature is not finite"
            )
        return Statistics(mean_SMC=both[0], std_SMC=both[1])

    def _features(self, index: int, tap: TapPoint, batch: slice) -> Tensor:
        with FeatureTap(self.network.module, [tap.name]) as recorder:
            return recorder.run(self._images_SMCHW[index, batch].to(self.device))[tap.name]

    def _output(self, index: int, batch: slice) -> Tensor:
        images_BCHW = self._images_SMCHW[index, batch].to(self.device)
        with torch.no_grad():
            output: object = self.network.module(images_BCHW)
        if not isinstance(output, Tensor) or output.ndim != 4:
            raise NetworkError(
                f"network {self.network.name!r} puts out no image; edits are judged by restored "
                "images, so give a network that restores them"
            )
        return output.float().clamp(0, 1).cpu()

    def _mse(self, outputs: Tensor) -> NDArray[np.float64]:
        error = (outputs.double() - self._originals_MCHW.double()).square().mean(dim=(1, 2, 3))
        if not bool((error > 0).all()):
            raise DegenerateError(
                "a gain in dB",
                "an output is the original to the bit",
                "give a network or a degradation that changes its images",
            )
        return error.numpy()
