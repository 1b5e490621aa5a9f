"""Feature maps of one image: what a layer makes of it, channel by channel.

Suffixes: N images, C channels, H/W height and width, 3 red, green and blue, K sets.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from srscope.analyses.maps.figures import all_channels, chosen_channels, shaded
from srscope.analyses.maps.page import write_maps_page
from srscope.degradations.catalogue import load_suite
from srscope.degradations.degrade import (
    degrade_image,
    downsample,
    generator_for,
    quantize,
)
from srscope.degradations.suite import Suite
from srscope.degradations.write import SMALLEST_LR_SIDE
from srscope.errors import DegenerateError, NetworkError, ParameterError, SrscopeError, reason_of
from srscope.features.channels import FeatureMaps, rank_channels
from srscope.features.extract import extract
from srscope.features.reduce import as_maps
from srscope.features.tap import FeatureTap
from srscope.figures.save import save_figure
from srscope.images.io import read_image
from srscope.images.png_write import write_png
from srscope.networks.description import LoadedNetwork, TapPoint
from srscope.networks.structure.select import select_layers
from srscope.networks.upscale import padded
from srscope.networks.zoo import load_network
from srscope.runtime.files import csv_text, scratch_folder, write_text, writing_to
from srscope.scores.variance import two_way_variance, two_way_variance_by_channel
from srscope.study.extraction import Progress, staged
from srscope.study.inputs import MARGIN, fed_with

SUITE = "clean-blur4-noise20"
"""The versions of an image that the paper shows."""
CROP = 256
"""Side of the part shown, in input pixels."""
AS_IS = "as-is"
_PICTURE = re.compile(r"\d+-\d+\.png")  # of a channel, as it is written
_PATCH = 32  # of the contents that shares are measured on, as everywhere


def feature_maps(
    network: str | LoadedNetwork,
    image: str | Path | NDArray[np.float32],
    *,
    layer: str = "",
    suite: str = SUITE,
    as_is: bool = False,
    crop: int = CROP,
    contents: int = 20,
    seed: int = 0,
    progress: Progress | None = None,
) -> FeatureMaps:
    """Return a layer's channels for one image in every version of a suite.

    The channels are ranked by :func:`~srscope.features.channels.rank_channels` from all versions
    together, so that each version shows the same channels. How much content a channel holds is not
    judged from this one image, but measured on ``contents`` patches of the bundled photographs.

    Args:
        network: A bundled name, a checkpoint's path, or what ``load_network`` returned.
        image: A file, or RGB values (H, W, 3) in [0, 1].
        layer: Dotted name or label; by default the deepest that the paper shows.
        suite: A suite's name or YAML file: the image is reduced by the network's magnification and
            degraded.
        as_is: Feed the image neither reduced nor degraded; the suite then only serves the shares.
        crop: Side of the middle of the image that is taken, in pixels of the network's input; 0
            for the whole. Memory grows with it: 4 bytes a value, channels x height x width.
        contents: Contents that the shares of content are measured on, in every version of the
            suite; 0 leaves the shares out.
        seed: Of every random choice.
        progress: Called as the contents are done.

    Returns:
        The activations, the order of the channels and their shares of content.

    Raises:
        UnknownNameError: If there is no such network, suite or layer.
        ImageError: If the image cannot be read.
        ParameterError: If a number is out of range, the image too small, or the suite has sets
            that are folders of other images.
        NetworkError: If the layer does not put out channels of height and width.
        DegenerateError: If the layer puts out NaN or infinity, or never changes.

    Source: Liu et al. 2021, section 5.3.
    """
    if contents != 0 and contents < 2:
        raise ParameterError("contents", "0 for none, or 2 or more", contents)
    loaded = load_network(network)
    tap = select_layers(loaded, [layer or loaded.default_layers[-1]])[-1]
    degradations = load_suite(suite)
    _refuse_folders(degradations)
    if isinstance(image, np.ndarray):
        name, image_HW3 = "image", image
    else:
        name, image_HW3 = Path(image).name, read_image(image)
    if as_is:
        versions = {AS_IS: middle(image_HW3, crop, 1, 0)}
    else:
        versions = degraded_versions(
            image_HW3, degradations, scale=loaded.scale, crop=crop, seed=seed
        )
    maps = maps_of(loaded, tap, versions, image=name)
    if not contents:
        return maps
    return _with_shares(maps, loaded, tap, degradations, contents, seed, progress)


def write_maps(maps: FeatureMaps, out: str | Path, *, channels: int = 8) -> list[Path]:
    """Write the channels as pictures, and their numbers as a table.

    ``report.html``; ``maps`` (the first channels) and ``maps-all`` as PNG, SVG and PDF;
    ``channels.csv`` by rank; and every channel of every version as a grey image of its own size in
    ``channels/SET/RANK-CHANNEL.png``. Grey scales are those of :func:`.figures.maps.shaded`.

    Args:
        maps: The channels.
        out: The folder; created when absent. What an earlier call wrote there goes, pictures of
            another layer's channels too.
        channels: How many are the first ones.

    Returns:
        The files: figures, table, page, then pictures.

    Raises:
        ParameterError: If ``channels`` is below 1.
        FileProblem: If ``out`` is a file, or cannot be written.
    """
    if channels < 1:
        raise ParameterError("channels", "1 or more", channels)
    with writing_to(out, parts=("channels/*",)):
        return _written(maps, Path(out), channels)


def _written(maps: FeatureMaps, folder: Path, channels: int) -> list[Path]:
    written = save_figure(chosen_channels(maps, channels=channels), folder / "maps")
    written += save_figure(all_channels(maps), folder / "maps-all")
    write_text(folder / "channels.csv", _table(maps))
    written.append(folder / "channels.csv")
    written.append(write_maps_page(maps, channel_rows(maps), folder))
    digits = len(str(len(maps.ranking.order_C)))
    for rank, channel in enumerate(maps.ranking.order_C.tolist(), start=1):
        grey_SHW = shaded(maps.maps_SCHW[:, channel])
        for name, grey_HW in zip(maps.sets, grey_SHW, strict=True):
            file = f"{rank:0{digits}}-{channel:0{digits}}.png"
            path = folder / "channels" / name / file
            height, width = grey_HW.shape
            write_png(path, [grey_HW[..., None]], size_HW=(height, width), channels=1, bits=8)
            written.append(path)
    for path in set(folder.glob("channels/*/*.png")) - set(written):
        if _PICTURE.fullmatch(path.name):
            path.unlink(missing_ok=True)
    return written


def channel_rows(maps: FeatureMaps) -> list[tuple[int, int, float, float, float | None]]:
    """Return (rank, channel, eigenvalue, variance, share of content) by rank, from 1."""
    ranking, shares_C = maps.ranking, maps.content_C
    rows: list[tuple[int, int, float, float, float | None]] = []
    for rank, channel in enumerate(ranking.order_C.tolist()):
        share = math.nan if shares_C is None else float(shares_C[channel])
        eigenvalue, variance = (
            float(ranking.eigenvalue_C[rank]),
            float(ranking.variance_C[channel]),
        )
        row = (rank + 1, channel, eigenvalue, variance, share if math.isfinite(share) else None)
        rows.append(row)
    return rows


def _table(maps: FeatureMaps) -> str:
    columns = ("rank", "channel", "eigenvalue", "variance", "content")
    return csv_text(columns, channel_rows(maps))


def degraded_versions(
    image_HW3: NDArray[np.float32], suite: Suite, *, scale: int, crop: int = CROP, seed: int = 0
) -> dict[str, NDArray[np.float32]]:
    """Return the middle of an image reduced and degraded, by the names of the suite's sets.

    Args:
        image_HW3: A photograph, RGB in [0, 1].
        suite: The degradations; no set is a folder.
        scale: Reduction before degrading.
        crop: Side of the middle that is taken, in pixels after the reduction; 0 for the whole.
            It is degraded with a margin where the image has one.
        seed: Of every random choice.

    Raises:
        ParameterError: If the image is too small, or a set is a folder.
    """
    _refuse_folders(suite)
    taken_HW3 = middle(image_HW3, crop, scale, MARGIN)
    size = min(taken_HW3.shape[:2]) // scale
    if size < SMALLEST_LR_SIDE:
        least = SMALLEST_LR_SIDE * scale
        raise ParameterError(
            "image",
            f"at least {least}x{least} pixels to be reduced by {scale} and degraded",
            f"{image_HW3.shape[1]}x{image_HW3.shape[0]}",
            "give a larger one, or feed it as it is (--as-is)",
        )
    hr_1CHW = torch.from_numpy(taken_HW3.transpose(2, 0, 1)[None].copy())
    clean_1CHW = downsample(hr_1CHW, scale=scale, quantized=suite.quantized)
    versions: dict[str, NDArray[np.float32]] = {}
    for each in suite.sets:
        generator = generator_for(seed, each.name, 0)
        version_1CHW, _ = degrade_image(
            hr_1CHW, each, suite, scale=scale, generator=generator, clean_1CHW=clean_1CHW
        )
        if suite.quantized:
            version_1CHW = quantize(version_1CHW)
        versions[each.name] = middle(version_1CHW[0].permute(1, 2, 0).numpy(), crop, 1, 0)
    return versions


def maps_of(
    network: LoadedNetwork,
    tap: TapPoint,
    versions: dict[str, NDArray[np.float32]],
    *,
    image: str = "image",
) -> FeatureMaps:
    """Return a layer's channels for images of one size, ranked from all of them together.

    Images are mirrored at the right and lower border where the network needs more; what it makes
    of that is cut off again.

    Args:
        network: What to run.
        tap: The layer.
        versions: RGB images (H, W, 3) in [0, 1] by name, at least one.
        image: Their common name.

    Raises:
        NetworkError: If the layer does not put out (N, C, H, W).
        DegenerateError: If it puts out NaN or infinity.
    """
    maps_SCHW = np.stack([_run(network, tap, image_HW3) for image_HW3 in versions.values()])
    return FeatureMaps(
        network=network.name,
        layer=tap.name,
        label=tap.label,
        image=image,
        sets=tuple(versions),
        inputs_SHW3=np.stack(list(versions.values())),
        maps_SCHW=maps_SCHW,
        ranking=rank_channels(maps_SCHW, name=tap.label),
    )


def _run(
    network: LoadedNetwork, tap: TapPoint, image_HW3: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the layer's activation (C, H, W) for one image of any size."""
    fed_HW3 = padded(network, image_HW3)
    fed_1CHW = torch.from_numpy(np.ascontiguousarray(fed_HW3.transpose(2, 0, 1))[None])
    parameter = next(network.module.parameters(), None)
    if parameter is not None:
        fed_1CHW = fed_1CHW.to(parameter.device)
    with FeatureTap(network.module, [tap.name]) as recorder:
        try:
            output = recorder.run(fed_1CHW)[tap.name]
        except SrscopeError:
            raise
        except Exception as error:
            reason = reason_of(error)
            raise NetworkError(
                f"{network.name} fails on an image of {fed_HW3.shape[1]}x{fed_HW3.shape[0]} "
                f"pixels: {reason}"
            ) from error
    output = as_maps(output, tap.channel_axis, (fed_HW3.shape[0], fed_HW3.shape[1]))
    if output.ndim != 4 or len(output) != 1:
        raise NetworkError(
            f"layer {tap.name!r} puts out shape {tuple(output.shape)} for one image, not channels "
            "of height and width; choose another layer"
        )
    maps_CHW = output[0].float().cpu().numpy()
    if not np.isfinite(maps_CHW).all():
        raise DegenerateError(
            f"the feature map of layer {tap.name!r}",
            "it holds NaN or infinity",
            "check the network's weights",
        )
    height, width = (
        math.ceil(side * got / fed)
        for side, fed, got in zip(
            image_HW3.shape[:2], fed_HW3.shape[:2], maps_CHW.shape[1:], strict=True
        )
    )
    return maps_CHW[:, :height, :width]


def _with_shares(
    maps: FeatureMaps,
    network: LoadedNetwork,
    tap: TapPoint,
    suite: Suite,
    contents: int,
    seed: int,
    progress: Progress | None,
) -> FeatureMaps:
    """Measure the shares of content on crops of the bundled photographs."""
    kind = (network.scale, network.fitted(_PATCH))
    images = fed_with(suite, None, kind, contents=contents, seed=seed).images
    with scratch_folder() as folder:
        store = extract(
            network.module,
            images.images_NCHW,
            [tap.name],
            store=folder / "features",
            channel_axes={tap.name: tap.channel_axis},
            progress=staged(progress, "content of channels"),
        )
        labels: Sequence[NDArray[Any]] = (images.set_N, images.content_N)
        features_ND, channels = store.read(tap.name), len(maps.ranking.order_C)
        by_channel = two_way_variance_by_channel(features_ND, *labels, channels, name=tap.label)
        whole = two_way_variance(features_ND, *labels, name=tap.label)
    return dataclasses.replace(
        maps,
        content_C=by_channel.content_C,
        content=whole.content,
        measured_on=f"{len(images.contents)} contents of {images.source} in {suite.name}",
    )


def _refuse_folders(suite: Suite) -> None:
    folders = [each.name for each in suite.sets if each.folder is not None]
    if folders:
        raise ParameterError(
            "suite",
            "one that degrades the image",
            suite.name,
            f"its set {folders[0]!r} is a folder of other images",
        )
    if len(suite.sets) < 2:
        raise ParameterError("suite", "one of two sets or more", suite.name)


def middle(
    image_HW3: NDArray[np.float32], crop: int, scale: int, margin: int
) -> NDArray[np.float32]:
    """Return the middle, ``crop`` times ``scale`` pixels a side or less, with its margin.

    Sides become multiples of ``scale``; the margin is ``margin`` times ``scale`` or what there is,
    and equal on both sides.
    """
    if crop < 0:
        raise ParameterError("crop", "0 (the whole image) or more", crop)
    if image_HW3.ndim != 3 or image_HW3.shape[2] != 3 or 0 in image_HW3.shape:
        raise ParameterError("image", "an RGB array (H, W, 3)", image_HW3.shape)
    parts: list[slice] = []
    for side in image_HW3.shape[:2]:
        units = side // scale
        taken = min(crop or units, units)
        taken += 2 * min(margin, (units - taken) // 2)
        first = (units - taken) // 2 * scale
        parts.append(slice(first, first + taken * scale))
    return np.ascontiguousarray(image_HW3[tuple(parts)], dtype=np.float32)
