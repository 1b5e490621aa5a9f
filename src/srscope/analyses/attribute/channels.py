"""Which channels of a layer the detail of the whole output depends on, and what is lost without.

Suffixes: V versions of the image, M contents, P photographs, C channels, H/W height and width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from srscope.analyses.attribute.config import Config
from srscope.analyses.attribute.gradients import batch_of, check_graph, detail, output_of
from srscope.analyses.attribute.sanity import randomized
from srscope.analyses.intervene.layer import by_photograph
from srscope.analyses.intervene.passes import Passes
from srscope.errors import DegenerateError
from srscope.features.edit import FeatureEdit
from srscope.features.edit_functions import remove_channels
from srscope.features.reduce import channels_first
from srscope.networks.description import LoadedNetwork, TapPoint
from srscope.networks.upscale import padded
from srscope.scores.attribution import rank_correlation
from srscope.scores.effects import Interval, interval, resampled

SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4)
"""Of the channels, removed at a time."""
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Removal:
    """What is lost on photographs, other than the image, without some channels.

    Args:
        channels: How many are removed.
        salient: PSNR lost in dB without the most salient ones.
        least: Without the least salient ones.
        random: Without channels by chance, mean over the orders.
        orders: Loss of each random order.
        beyond_random: Lost without the most salient ones, less that by chance.
    """

    channels: int
    salient: Interval
    least: Interval
    random: Interval
    orders: tuple[float, ...]
    beyond_random: Interval


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ChannelSaliency:
    """How much the output's detail depends on each channel of a layer.

    Args:
        layer: Its dotted name.
        label: The paper's name where it has one.
        saliency_VC: Of each version of the image, over its maximum.
        random_weights: Rank correlation of the first version's saliency with that of the network
            with all weights at random; ``None`` where that has none, or none was asked for.
        unedited: PSNR in dB with all channels.
        removals: By number of channels removed.
    """

    layer: str
    label: str
    saliency_VC: Floats
    random_weights: float | None
    unedited: float
    removals: tuple[Removal, ...]


def channel_saliency(
    network: LoadedNetwork, tap: TapPoint, input_HW3: NDArray[np.float32], *, device: str
) -> NDArray[np.float64]:
    """Return the summed absolute gradient of the output's detail by each channel, over its maximum.

    Args:
        network: The network.
        tap: The layer.
        input_HW3: What the network is fed.
        device: Where to compute.

    Raises:
        DegenerateError: If the detail depends on no channel.

    Source: Kong et al. 2022 (channel saliency map); the detail is that of Gu and Dong 2021.
    """
    fed_1CHW = batch_of(padded(network, input_HW3)).to(device, torch.float32)
    network.module.to(device)
    with FeatureEdit(network.module, {tap.name: lambda same: same}, gradients=True) as edit:
        value = detail(output_of(network, fed_1CHW)).sum()
        (gradient,) = torch.autograd.grad(check_graph(value, network), edit.edited[tap.name])
    by_channel = channels_first(gradient, tap.channel_axis).abs().transpose(0, 1)
    found_C = by_channel.flatten(1).sum(dim=1).double().cpu().numpy()
    if not found_C.max() > 0:
        why = "the output's detail depends on no channel"
        raise DegenerateError(f"the saliency of {tap.label}", why, "choose another layer")
    return found_C / found_C.max()


def saliency_of(
    network: LoadedNetwork,
    tap: TapPoint,
    inputs: Sequence[NDArray[np.float32]],
    passes: Passes,
    photographs: Sequence[str],
    config: Config,
    *,
    device: str,
    report: Callable[[int, int], None],
) -> ChannelSaliency:
    """Measure saliency on the image, and what is lost without channels on other photographs.

    Args:
        network: The network.
        tap: The layer.
        inputs: Versions of the image.
        passes: Of the network on contents of photographs; its first set is judged.
        photographs: That of each content.
        config: Random orders, seed and the like.
        device: Where to compute.
        report: Called with the passes done and in all.
    """
    saliency_VC = np.stack(
        [channel_saliency(network, tap, each_HW3, device=device) for each_HW3 in inputs]
    )
    random_weights: float | None = None
    if config.sanity:
        *_, (_, _, other) = randomized(network, stages=1, seed=config.seed)
        try:
            other_C = channel_saliency(other, tap, inputs[0], device=device)
            random_weights = rank_correlation(saliency_VC[0], other_C)
        except DegenerateError:  # random weights may pass nothing on
            random_weights = None
    channels = saliency_VC.shape[1]
    names, photograph_M = np.unique(np.array(photographs), return_inverse=True)
    samples_BP = resampled(len(names), seed=config.seed)
    counts = sorted({round(share * channels) for share in SHARES} - {0, channels})
    random = np.random.default_rng(config.seed)
    falling_C = np.argsort(-saliency_VC[0], kind="stable")
    by_chance = [random.permutation(channels) for _ in range(config.orders)]
    orders = [falling_C, falling_C[::-1], *by_chance]
    unedited_P = by_photograph(passes.unedited(0).psnr_M, photograph_M)
    removals: list[Removal] = []
    for index, count in enumerate(counts):
        losses: list[NDArray[np.float64]] = []
        for place, order_C in enumerate(orders):
            edit = remove_channels(order_C[:count].tolist(), channel_axis=tap.channel_axis)
            psnr_M = passes.edited(0, tap, lambda _, edit=edit: edit).psnr_M
            losses.append(unedited_P - by_photograph(psnr_M, photograph_M))
            report(index * len(orders) + place + 1, len(counts) * len(orders))
        salient_P, least_P, *by_order = losses
        random_P = np.mean(by_order, axis=0)
        removals.append(
            Removal(
                channels=count,
                salient=interval(salient_P, samples_BP),
                least=interval(least_P, samples_BP),
                random=interval(random_P, samples_BP),
                orders=tuple(float(each.mean()) for each in by_order),
                beyond_random=interval(salient_P - random_P, samples_BP),
            )
        )
    return ChannelSaliency(
        layer=tap.name,
        label=tap.label,
        saliency_VC=saliency_VC,
        random_weights=random_weights,
        unedited=float(unedited_P.mean()),
        removals=tuple(removals),
    )
