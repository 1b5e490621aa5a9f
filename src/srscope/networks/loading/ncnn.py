"""Networks of ncnn, as chaiNNer, Upscayl and the ncnn-vulkan programs use them.

Those programs do more than run the network, and so does this module: what a network is fed beside
the image, what border it is given, and what its output is added to.

Suffixes: N images, C channels, H/W height and width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

from srscope.errors import NetworkError, ParameterError
from srscope.networks.description import LoadedNetwork
from srscope.networks.loading.borders import choose_feed, find_geometry, known_of
from srscope.networks.loading.ncnn_graph import NcnnNetwork, read_ncnn
from srscope.networks.loading.spec import Value, file_options
from srscope.networks.structure.describe import Treatment, describe
from srscope.networks.structure.trace import undisturbed

NO_BLUR = (
    0.0, 0.0, 0.0185637958, 0.0, 0.0335292965, 0.0, 0.0, -0.0316234976, -0.0135169253, 0.0,
    0.0384753793, 0.0, -0.244916752, -0.80221349, -0.540549755,
)  # fmt: skip
"""SRMD's code of a blur kernel that does nothing: its 15 principal components of a unit impulse.

Its length is 1.00, as that of an impulse is and of no other kernel that sums to 1. Source: what the
program srmd-ncnn-vulkan feeds at every place.
"""
_KERNEL = len(NO_BLUR)
_OPTIONS = ("sigma", "maps", "border")


def load_ncnn(param: Path, weights: Path, options: Mapping[str, Value]) -> LoadedNetwork:
    """Load an ncnn network.

    Magnification, border and sizes are found by running it. What the border holds is what the
    programs have: the outermost pixels (waifu2x); or the image mirrored, for networks that came
    from PyTorch by pnnx, which names its blobs ``in0``, ``in1``, ... (Real-CUGAN). Measured against
    the two programs on their CPU path: no value differs by more than rounding to 8 bits.

    A network whose first layer takes 18 or 19 channels is fed as SRMD is: RGB, the code of a blur
    kernel (:data:`NO_BLUR`), and for 19 the noise level.

    Args:
        param: The ``.param`` file.
        weights: The ``.bin`` file.
        options: What follows the path: :data:`~srscope.networks.loading.spec.WORDS` but
            ``checkpoint``; ``sigma``, the standard deviation of the noise that SRMD is told
            of, on the scale of [0, 255], 0 unless given; ``maps``, a list of numbers,
            one for each channel that the network takes beside the image; ``border``, one of
            :data:`~srscope.networks.loading.borders.BORDERS`.

    Raises:
        CheckpointError: If a file is damaged or quantised, or the two do not belong together.
        NetworkError: If an operator is not supported, or the network takes other channels.
        ParameterError: If an option has another form.
        UnknownNameError: If an option does not exist.
    """
    treatment = Treatment.of(file_options({k: v for k, v in options.items() if k not in _OPTIONS}))
    network = read_ncnn(param, weights).eval()
    channels, told = _add_maps(network, treatment, options)
    with undisturbed(network):
        geometry = find_geometry(network, channels)
    mode = "reflect" if network.is_from_pnnx else "replicate"
    feed, found = choose_feed(network, geometry, channels, mode, options.get("border"))
    return describe(
        network,
        name=param.stem,
        source=f"ncnn files {param.name} and {weights.name}",
        known=replace(known_of(geometry, channels, feed), channels=channels),
        treatment=treatment,
        call=feed,
        more_notes=(*told, *found),
    )


def _add_maps(
    network: NcnnNetwork, treatment: Treatment, options: Mapping[str, Value]
) -> tuple[int, list[str]]:
    """Set the channels fed beside the image; return how many the image has, and words for them."""
    taken = network.taken_channels or treatment.channels or 3
    maps, sigma = options.get("maps"), options.get("sigma")
    if maps is not None:
        numbers = _numbers(maps)
        if sigma is not None:
            raise ParameterError("sigma", "left out where maps is given", sigma)
        if taken - len(numbers) not in (1, 3):
            rule = f"a list of {taken - 1} or {taken - 3} numbers" if taken > 3 else "left out"
            raise ParameterError("maps", rule, maps, f"the network takes {taken} channels")
        words = f"its {len(numbers)} channels beside the image hold {_listed(numbers)}"
    elif taken in (3 + _KERNEL, 4 + _KERNEL):
        numbers = list(NO_BLUR)
        words = "is told of no blur, in the 15 channels that SRMD has for its kernel"
        if taken > 3 + _KERNEL:
            level = 0.0 if sigma is None else _level(sigma)
            numbers.append(level / 255)
            words += f", and of noise of deviation {level:g}/255 in the last (?sigma= sets it)"
        elif sigma is not None:
            raise ParameterError("sigma", "left out", sigma, "this network takes no noise level")
    elif taken in (1, 3):
        if sigma is not None:
            raise ParameterError("sigma", "left out", sigma, "this network takes an image alone")
        return taken, []
    else:
        remedy = f"give the values of the others, e.g. ?maps={[0] * max(1, taken - 3)}"
        raise NetworkError(f"the network takes {taken} channels, not 1 or 3; {remedy}")
    network.maps = torch.tensor(numbers)
    return taken - len(numbers), [words]


def _numbers(maps: Value) -> list[float]:
    values = list(maps) if isinstance(maps, list | tuple) else [maps]
    numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if not numbers or len(numbers) != len(values):
        raise ParameterError("maps", "a list of numbers, e.g. [0.1,0.2]", maps)
    return numbers


def _listed(numbers: list[float]) -> str:
    return ", ".join(f"{number:g}" for number in numbers)


def _level(sigma: Value) -> float:
    if not isinstance(sigma, int | float) or isinstance(sigma, bool) or not 0 <= sigma <= 255:
        raise ParameterError("sigma", "a number from 0 to 255", sigma, "SRMD was trained to 75")
    return float(sigma)
