"""Features that were made elsewhere, scored as an analysis scores its own.

Suffixes: N images, C channels, H/W height and width, D dimensions of a feature vector.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.analyses.separability import write_outputs
from srscope.degradations.record import SetInfo, SuiteInfo
from srscope.errors import ParameterError
from srscope.features.held import HeldFeatures
from srscope.features.store import StoredArray, hash_of
from srscope.images.given import as_array
from srscope.images.sources import load_photographs
from srscope.networks.record import NetworkInfo
from srscope.runtime.files import writing_to
from srscope.scores.variance import is_crossed
from srscope.study.assembly import study_of
from srscope.study.cache import opened
from srscope.study.config import AnalysisConfig, configured
from srscope.study.extraction import Progress, require_enough
from srscope.study.record import Study


def score(
    features: Any,
    labels: Any,
    *,
    contents: Any = None,
    photographs: Any = None,
    images: Any = None,
    name: str = "features",
    out: str | Path | None = None,
    config: AnalysisConfig | None = None,
    progress: Progress | None = None,
    cache: str | Path | None = None,
    **options: Any,
) -> Study:
    """Score features that were made elsewhere, with the verdict and the report of an analysis.

    Args:
        features: (N, D) or (N, C, H, W): an array, a memory map or a tensor; or several layers by
            name, in depth order.
        labels: The set of each image, N names or numbers: its degradation, say.
        contents: What each image shows. Images that show the same in different sets have the same
            content. Without it each image is a content of its own.
        photographs: The photograph each image was cut from. The intervals are over photographs, so
            that patches of one photograph must not count as several. Without it each content is a
            photograph of its own.
        images: The images themselves, N of one size, as for
            :func:`~srscope.images.sources.load_photographs`. With them raw pixels and simple
            statistics are scored as controls, and the report shows the images.
        name: Of the network, for the report.
        out: Folder for ``report.html``, ``scores.json`` and figures; ``None`` writes nothing.
        config: The parameters; alternatively give its fields as keywords.
        progress: Called as t-SNE runs are done.
        cache: Folder of finished stages; ``None`` keeps nothing.
        options: Fields of :class:`AnalysisConfig` that concern scores: ``pca``, ``tsne``, ``runs``,
            ``seed``, ``permutations``.

    Returns:
        The study.

    Raises:
        ParameterError: If the parts do not fit together.
        SrscopeError: If a score is undefined for these features.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> labels, photographs = ["sharp"] * 20 + ["blurred"] * 20, [*range(20), *range(20)]
        >>> features = rng.normal(size=(40, 16)) + 3 * (np.arange(40)[:, None] < 20)
        >>> study = score(
        ...     features,
        ...     labels,
        ...     contents=photographs,
        ...     pca=8,
        ...     runs=1,
        ...     tsne={"perplexity": 5, "iterations": 250},
        ... )
        >>> study.verdict.separates
        'yes'
    """
    settings = configured(config or AnalysisConfig(), options)
    layers = _layers(features, name)
    count = len(next(iter(layers.values())))
    sets, set_N = _numbered("labels", labels, count)
    if len(sets) < 2:
        raise ParameterError(
            "labels", "of two sets or more", sets, "there is nothing to tell apart"
        )
    shown, content_N = _numbered("contents", range(count) if contents is None else contents, count)
    origins: tuple[str, ...] = ()
    if photographs is not None:
        origins = _origins(photographs, content_N, shown, count)
    require_enough(count, settings)
    arrays: dict[str, NDArray[Any]] = {"set_N": set_N, "content_N": content_N}
    if images is not None:
        arrays["images_NCHW"] = _images(images, count)
    about = NetworkInfo(
        name=name, source="features made elsewhere", parameters=0, sha256="", scale=1
    )
    infos = tuple(
        SetInfo(name=each, count=int((set_N == k).sum()), definition="as given")
        for k, each in enumerate(sets)
    )
    suite = SuiteInfo(
        name="given sets",
        sets=infos,
        blur_applied_to="lr",
        quantized=False,
        crossed=is_crossed(set_N, content_N),
    )
    last = max(1, len(layers) - 1)
    held = HeldFeatures(
        reducer="flatten",
        layers=tuple(
            StoredArray(
                name=layer,
                file="",
                shape=(count, int(np.prod(array.shape[1:]))),
                dtype="<f4",
                sha256="" if cache is None else hash_of(_vectors(array)),
                feature_shape=array.shape[1:],
            )
            for layer, array in layers.items()
        ),
        features={layer: _vectors(array) for layer, array in layers.items()},
        arrays=arrays,
        metadata={
            "network": dataclasses.asdict(about),
            "suite": dataclasses.asdict(suite),
            "contents": shown,
            "photographs": origins,
            "source": "given by the program",
            "skipped": (),
            "taps": [
                {"name": layer, "label": layer, "depth": place / last}
                for place, layer in enumerate(layers)
            ],
            "patch": 0,
            "device": "cpu",
            "no_images": images is None,
            "no_untrained": "the features were made elsewhere",
        },
        provenance={"extraction": {"autocast": None}},
    )
    with writing_to(out):
        with opened(cache) as stages:
            study = study_of({"network": held}, settings, stages, progress=progress)
        study = dataclasses.replace(study, reader=held.read)
        if out is not None:
            write_outputs(study, out, progress=progress)
    return study


def _layers(features: Any, name: str) -> dict[str, NDArray[Any]]:
    """Return the features of every layer as finite arrays of equal length; memory maps stay so."""
    named = features if isinstance(features, Mapping) else {name: features}
    layers = {str(layer): as_array(value) for layer, value in named.items()}
    if not layers:
        raise ParameterError("features", "of one layer or more", "{}")
    counts = {layer: len(array) if array.ndim else 0 for layer, array in layers.items()}
    if len(set(counts.values())) > 1:
        raise ParameterError("features", "of the same images in every layer", counts)
    for layer, array in layers.items():
        if array.ndim < 2 or 0 in array.shape or not np.issubdtype(array.dtype, np.number):
            rule, told = "numbers of shape (N, D) or (N, C, H, W)", f"{array.dtype} {array.shape}"
            raise ParameterError(f"features of {layer}", rule, told)
        for index, row in enumerate(array):
            if not np.isfinite(row).all():
                raise ParameterError(f"features of {layer}", "finite", f"NaN or inf in row {index}")
    return layers


def _vectors(array: NDArray[Any]) -> NDArray[np.float32]:
    return array.reshape(len(array), -1).astype(np.float32, copy=False)


def _numbered(what: str, values: Any, count: int) -> tuple[list[str], NDArray[np.int64]]:
    """Return different values as names, in the order in which they come, and each image's index."""
    items: Any = list(values) if isinstance(values, range) else as_array(values).tolist()
    if not isinstance(items, list) or len(items) != count:
        found = len(items) if isinstance(items, list) else items
        raise ParameterError(what, f"one for each of the {count} images", found)
    if not all(isinstance(each, Hashable) for each in items):
        raise ParameterError(what, "names or numbers, one an image", type(items[0]).__name__)
    number = {each: index for index, each in enumerate(dict.fromkeys(items))}
    return [str(each) for each in number], np.array([number[each] for each in items], np.int64)


def _origins(
    photographs: Any, content_N: NDArray[np.int64], contents: list[str], count: int
) -> tuple[str, ...]:
    """Return the photograph of each content."""
    names, photograph_N = _numbered("photographs", photographs, count)
    origins: dict[int, int] = {}
    for content, photograph in zip(content_N.tolist(), photograph_N.tolist(), strict=True):
        if origins.setdefault(content, photograph) != photograph:
            rule, told = "one photograph for each content", f"two for {contents[content]}"
            raise ParameterError("photographs", rule, told)
    return tuple(names[origins[content]] for content in range(len(contents)))


def _images(images: Any, count: int) -> NDArray[np.float32]:
    pixels = [photo.pixels_HW3 for photo in load_photographs(images).photographs]
    sizes = {each.shape[:2] for each in pixels}
    if len(pixels) != count or len(sizes) > 1:
        told = f"{len(pixels)} of {len(sizes)} sizes"
        raise ParameterError("images", f"{count} of one size, one for each row of features", told)
    return np.stack(pixels).transpose(0, 3, 1, 2)
