"""How much content a layer holds, with its interval over contents (claim C13, Fig. 10).

The share is exact, over every feature of the layer, not over principal components. So is each
bootstrap sample: contents are drawn with all their degraded versions, and the two-way split is
taken anew of what was drawn, from inner products between contents; what repeated contents do to it
is taken back. The draws are those of :func:`~srscope.reproduction.estimate.chi_estimate` for the
same seed and contents, so that differences between networks are taken over the same contents.

Suffixes: S sets, M contents, C channels, B draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from srscope.errors import DegenerateError
from srscope.networks.structure.select import select_layers
from srscope.reproduction.estimate import DRAWS, estimate_of, unit_counts
from srscope.reproduction.lab import Lab
from srscope.reproduction.records import Estimate, ImageSpec, Unit
from srscope.scores.resampled import CrossedProducts, content_shares, crossed_products


@dataclass(frozen=True, kw_only=True)
class LayerContent:
    """Content in a layer.

    Args:
        share: Share of content in the layer's variance.
        channel_C: Share of content in each channel's variance; NaN where a channel never changes.
        noise: The share that features which are nothing but noise would have.
        contents: Contents it was measured on.
    """

    share: Estimate
    channel_C: NDArray[np.float64]
    noise: float
    contents: int


def layer_content(
    lab: Lab, network: str, word: str, spec: ImageSpec, *, unit: Unit = "content"
) -> LayerContent:
    """Measure how much of a layer's variance is content.

    Args:
        lab: Where images, networks and results are.
        network: The network's name.
        word: The layer's label or dotted name.
        spec: The images; of a crossed suite.
        unit: What the interval draws.

    Raises:
        UnknownNameError: If there is no such network or layer.
        DegenerateError: If the design is not crossed, or the layer never changes.
    """
    loaded, images = lab.network(network), lab.images(spec)
    taps = select_layers(loaded, [word])
    (layer,) = lab.session(images).points(loaded, taps, images, by_channel=True)
    assert layer.channel_content_C is not None
    name = f"{loaded.name} {layer.tap.label}"
    if layer.gram_NN is None:
        raise DegenerateError(f"the content of {name}", "it has fewer features than images")
    products = crossed_products(layer.gram_NN, images.set_N, images.content_N, name=name)
    sets, contents = products.set_SMM.shape[:2]
    photograph_M = None
    if unit == "photograph":
        _, first_M = np.unique(images.content_N, return_index=True)
        photograph_M = images.photograph_N[first_M]
    return LayerContent(
        share=content_estimate(products, seed=lab.config.seed, photograph_M=photograph_M),
        channel_C=layer.channel_content_C,
        noise=(contents - 1) / (sets * contents - 1),
        contents=contents,
    )


def content_estimate(
    products: CrossedProducts,
    *,
    seed: int,
    draws: int = DRAWS,
    photograph_M: NDArray[np.int64] | None = None,
) -> Estimate:
    """Return the share of content with its percentile interval over contents or photographs.

    Args:
        products: Of the contents.
        seed: Of the draws.
        draws: How many.
        photograph_M: The photograph of each content, in the order of the products; photographs are
            drawn then, not contents.

    Source: Efron and Tibshirani 1993, chapter 13 (percentile intervals).
    """
    contents = len(products.mean_MM)
    unit_M = np.arange(contents) if photograph_M is None else photograph_M
    count_BM = unit_counts(unit_M, np.random.default_rng(seed), draws=draws)
    samples_B = content_shares(products, count_BM, corrected=photograph_M is None)
    value = float(content_shares(products, np.ones((1, contents)))[0])
    samples_B = samples_B[np.isfinite(samples_B)]
    if photograph_M is not None:
        # The correction of repeated contents is one of single draws. Repeated photographs lower
        # the share too, by less than one part in their number: take back what they do on average.
        samples_B = samples_B + value - samples_B.mean()
    return estimate_of([value], samples_B)
