"""Which pixels a window of the output depends on, beside the same with random weights.

Suffixes: N images, C channels, H/W height and width.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from srscope.analyses.attribute.config import Config
from srscope.analyses.attribute.gradients import Window, WindowDetail, detail, size_of
from srscope.analyses.attribute.paths import along, blur_path, straight_path
from srscope.analyses.attribute.record import LAM, STRAIGHT, PixelMap, RandomMap
from srscope.analyses.attribute.sanity import randomized
from srscope.errors import DegenerateError, ParameterError
from srscope.networks.description import LoadedNetwork
from srscope.scores.attribution import diffusion_index, rank_correlation

PATHS = {LAM: blur_path, STRAIGHT: straight_path}
RANDOM_STEPS = 10
"""Steps of a map by random weights: it is compared in its ranks, which take no fine steps."""
Report = Callable[[str, int], None]
"""Called with what is done, and how many gradients were taken for it."""


def chosen_window(output_1CHW: Tensor, config: Config) -> Window:
    """Return the window that the config names, or the most detailed one in the middle half.

    Raises:
        ParameterError: If the output is too small for the window.
    """
    side = config.window
    shortest = min(output_1CHW.shape[2:])
    if side >= shortest:
        raise ParameterError(
            "window", f"at most {shortest - 1}, as the output's shorter side is {shortest}", side,
            "choose a smaller window, or a larger crop",
        )  # fmt: skip
    if config.top is not None and config.left is not None:
        return Window(top=config.top, left=config.left, side=side)
    sums_HW = F.avg_pool2d(detail(output_1CHW)[:, None], side, stride=1)[0, 0]
    # Windows within the middle half, or the middle one where it is larger than that.
    first: list[int] = [min(length // 4, (length - side) // 2) for length in output_1CHW.shape[2:]]
    ends = [
        max(length - length // 4 - side, low)
        for length, low in zip(output_1CHW.shape[2:], first, strict=True)
    ]
    middle_HW = sums_HW[first[0] : ends[0] + 1, first[1] : ends[1] + 1]
    row, column = divmod(int(middle_HW.argmax()), middle_HW.shape[1])
    return Window(top=first[0] + row, left=first[1] + column, side=side)


def pixel_maps(
    network: LoadedNetwork,
    image_1CHW: Tensor,
    window: Window,
    config: Config,
    *,
    device: str,
    first: tuple[PixelMap, ...],
    report: Report,
) -> tuple[PixelMap, ...]:
    """Return one map a method.

    Args:
        network: The network.
        image_1CHW: One version of the image, in double precision.
        window: Of the output.
        config: How finely.
        device: Where to compute.
        first: Maps of the first version; empty for that itself.
        report: Called as gradients are taken.
    """
    gradient = WindowDetail(network, window, size_of(image_1CHW), device=device).gradient
    found: list[PixelMap] = []
    for index, (method, path) in enumerate(PATHS.items()):
        attribution = along(
            path(image_1CHW), gradient, steps=config.steps, tolerance=config.tolerance,
            most=config.most_steps, report=lambda done, name=method: report(name, done),
        )  # fmt: skip
        map_HW = attribution.map_HW
        found.append(
            PixelMap(
                method=method,
                map_HW=map_HW,
                diffusion_index=diffusion_index(map_HW),
                start=attribution.start,
                end=attribution.end,
                steps=attribution.steps,
                first_error=attribution.first_error,
                error=attribution.error,
                complete=attribution.error < config.tolerance,
                like_first=rank_correlation(first[index].map_HW, map_HW) if first else None,
            )
        )
    return tuple(found)


def random_maps(
    network: LoadedNetwork,
    image_1CHW: Tensor,
    window: Window,
    trained: tuple[PixelMap, ...],
    config: Config,
    *,
    device: str,
    report: Report,
) -> tuple[RandomMap, ...]:
    """Compare maps with those of the same network with ever more random weights.

    Args:
        network: The trained network.
        image_1CHW: As for :func:`pixel_maps`.
        window: Of the output.
        trained: The trained network's maps.
        config: How many networks, and the seed of their weights.
        device: Where to compute.
        report: Called as gradients are taken.
    """
    if not config.sanity:
        return ()
    found: list[RandomMap] = []
    copies = randomized(network, stages=config.sanity, seed=config.seed)
    for layer, share, copy in itertools.chain([("", 0.0, network)], copies):
        gradient = WindowDetail(copy, window, size_of(image_1CHW), device=device).gradient
        for method, path in PATHS.items():
            name = f"{method}, {f'random from {layer} on' if layer else 'few steps'}"
            correlation, why = None, ""
            try:
                attribution = along(
                    path(image_1CHW), gradient, steps=RANDOM_STEPS, most=RANDOM_STEPS,
                    report=lambda done, name=name: report(name, done),
                )  # fmt: skip
                of_method = next(each for each in trained if each.method == method)
                correlation = rank_correlation(of_method.map_HW, attribution.map_HW)
            except DegenerateError as error:  # random weights may pass nothing on
                why = str(error)
            found.append(
                RandomMap(method=method, layer=layer, share=share, correlation=correlation, why=why)
            )
    return tuple(found)
