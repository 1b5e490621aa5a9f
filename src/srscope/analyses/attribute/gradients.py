"""How the detail in a window of a network's output depends on the pixels of its input.

Suffixes: N images, C channels, H/W height and width.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from srscope.errors import DegenerateError, NetworkError, ParameterError
from srscope.networks.adapter import LUMA
from srscope.networks.description import LoadedNetwork


@contextmanager
def frozen(module: nn.Module) -> Generator[None]:
    """Let gradients reach the input and no parameter; leave the module as it was.

    Within the block the module is in evaluation mode and its parameters require no gradients, so
    that their ``.grad`` stays what it was. Modes and parameters are put back on leaving, also by
    an exception.
    """
    modes = [(each, each.training) for each in module.modules()]
    required = [(each, each.requires_grad) for each in module.parameters()]
    try:
        module.eval()
        for parameter, _ in required:
            parameter.requires_grad_(False)
        with torch.enable_grad():
            yield
    finally:
        for parameter, wanted in required:
            parameter.requires_grad_(wanted)
        for each, training in modes:
            each.training = training


def detail(image_NCHW: Tensor) -> Tensor:
    """Return the length of the grey gradient at every pixel but those of the last row and column.

    Grey is ITU-R BT.601 luma; the gradient is the difference to the next pixel on either axis.
    Where it is 0, so is the derivative of its length.

    Args:
        image_NCHW: RGB.

    Returns:
        (N, H - 1, W - 1).

    Source: Gu and Dong 2021, section 3.3, and their script.

    Example:
        >>> flat = torch.full((1, 3, 4, 4), 0.5, requires_grad=True)
        >>> detail(flat).sum().backward()
        >>> float(flat.grad.abs().max())
        0.0
    """
    luma_C11 = image_NCHW.new_tensor(LUMA).view(3, 1, 1)
    grey_NHW = (image_NCHW * luma_C11).sum(dim=1)
    corner_NHW = grey_NHW[:, :-1, :-1]
    right_NHW, below_NHW = grey_NHW[:, :-1, 1:] - corner_NHW, grey_NHW[:, 1:, :-1] - corner_NHW
    squared_NHW = right_NHW.square() + below_NHW.square()
    there_NHW = squared_NHW > 0
    # The root of a 1 in the place of a 0, whose derivative would be infinite times 0.
    return torch.where(there_NHW, torch.where(there_NHW, squared_NHW, 1.0).sqrt(), 0.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """A square of a network's output.

    Args:
        top: Its first row.
        left: Its first column.
        side: Its side, in output pixels.
    """

    top: int
    left: int
    side: int = 16

    def of(self, detail_NHW: Tensor) -> Tensor:
        """Cut the window out of :func:`detail` of the output."""
        rows, columns = (slice(at, at + self.side) for at in (self.top, self.left))
        return detail_NHW[:, rows, columns]


class WindowDetail:
    """D, the sum of :func:`detail` over a window of the output, and its gradient by the input.

    Where it is known how far an output pixel looks, only that part of the input is run: the
    gradient is exactly 0 elsewhere, and memory does not grow with the image. Images are mirrored at
    the right and lower border where the network needs more pixels.

    Args:
        network: A network that puts out images.
        window: The window.
        size_HW: Of the input.
        device: Where to compute.

    Raises:
        ParameterError: If the window does not lie in the output, with a row and a column to spare.
    """

    def __init__(
        self,
        network: LoadedNetwork,
        window: Window,
        size_HW: tuple[int, int],
        *,
        device: str = "cpu",
    ) -> None:
        self.network, self.window, self.device = network, window, device
        network.module.to(device)
        scale = network.scale
        first: list[int] = []
        self._index: list[Tensor] = []
        for name, at, side in zip(("top", "left"), (window.top, window.left), size_HW, strict=True):
            most = side * scale - window.side - 1
            if not 0 <= at <= most:
                rule = f"from 0 to {most}, so that the window lies in the output"
                raise ParameterError(name, rule, at)
            places = np.pad(np.arange(side), (0, network.fitted(side) - side), mode="symmetric")
            start, stop = self._seen(at, len(places))
            first.append(start)
            self._index.append(torch.from_numpy(places[start:stop]).to(device))
        self._shown = Window(
            top=window.top - first[0] * scale, left=window.left - first[1] * scale, side=window.side
        )

    def _seen(self, at: int, whole: int) -> tuple[int, int]:
        """Return from where to where along one axis the input is run."""
        network = self.network
        if network.receptive_radius is None:
            return 0, whole
        multiple, radius = network.multiple, network.receptive_radius
        start = max(0, at // network.scale - radius) // multiple * multiple
        last = (at + self.window.side) // network.scale + radius + 1
        stop = min(whole, max(-(-last // multiple) * multiple, start + network.fitted(1)))
        return min(start, stop - network.fitted(1)), stop

    def value(self, image_1CHW: Tensor) -> Tensor:
        """Return D, as part of the graph that the image is part of."""
        rows, columns = self._index
        seen_1CHW = image_1CHW.index_select(2, rows).index_select(3, columns)
        output_1CHW = output_of(self.network, seen_1CHW)
        return self._shown.of(detail(output_1CHW)).sum()

    def gradient(self, image_1CHW: Tensor) -> tuple[float, Tensor]:
        """Return D and its gradient by the image.

        Raises:
            NetworkError: If the network puts out no image, or computes no gradients.
            DegenerateError: If D or a gradient is not finite.
        """
        with frozen(self.network.module):
            asked_1CHW = image_1CHW.detach().to(self.device, torch.float32, copy=True)
            asked_1CHW.requires_grad_()
            value = self.value(asked_1CHW)
            (gradient_1CHW,) = torch.autograd.grad(check_graph(value, self.network), asked_1CHW)
        if not bool(value.isfinite() & gradient_1CHW.isfinite().all()):
            remedy = "check the network's weights"
            raise DegenerateError("the gradient by the input", "it is not finite", remedy)
        return float(value.detach()), gradient_1CHW


def check_graph(value: Tensor, network: LoadedNetwork) -> Tensor:
    """Return a value if it can be derived.

    Raises:
        NetworkError: If the network's own code switches gradients off.
    """
    if not value.requires_grad:
        raise NetworkError(
            f"{network.name} computes no gradients by its input, as its own code switches them "
            "off or rounds; attribution needs them"
        )
    return value


def output_of(network: LoadedNetwork, image_NCHW: Tensor) -> Tensor:
    """Run a network and return its image.

    Raises:
        NetworkError: If it puts out anything but RGB, magnified as it says.
    """
    output: object = network.module(image_NCHW)
    wanted = (len(image_NCHW), 3, *(side * network.scale for side in image_NCHW.shape[2:]))
    if not isinstance(output, Tensor) or tuple(output.shape) != wanted:
        found = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise NetworkError(
            f"{network.name} puts out {found} where an image is {wanted}; attribution asks what an "
            "output image depends on, so give a network that restores images"
        )
    return output


def size_of(image_1CHW: Tensor) -> tuple[int, int]:
    """Return height and width."""
    return image_1CHW.shape[2], image_1CHW.shape[3]


def batch_of(image_HW3: NDArray[np.float32]) -> Tensor:
    """Return an image as a batch of one, in double precision."""
    return torch.from_numpy(image_HW3.transpose(2, 0, 1)[None].astype(np.float64))
