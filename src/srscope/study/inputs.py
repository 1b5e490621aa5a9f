"""What networks are fed: photographs, cut into contents, in every degraded version of a suite."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

from srscope.degradations.catalogue import load_suite
from srscope.degradations.degrade import DegradedImages, degrade
from srscope.degradations.suite import DegradedSet, Suite
from srscope.errors import ParameterError
from srscope.images.contents import crop_contents
from srscope.images.record import Contents
from srscope.images.sources import load_photographs
from srscope.networks.description import LoadedNetwork
from srscope.study.config import AnalysisConfig

MARGIN = 12
"""LR pixels kept round every patch while it is degraded: more than any bundled kernel reaches."""

Kind = tuple[int, int]
"""What decides which images a network is fed: its scale, and the patch it takes."""


def kind_of(network: LoadedNetwork, config: AnalysisConfig) -> Kind:
    """Return what decides which images a network is fed."""
    return network.scale, network.fitted(config.patch)


def suite_of(config: AnalysisConfig) -> Suite:
    """Return the suite that a config names, with what it overrides."""
    suite = suite_of_folders(config) if config.sets else load_suite(config.suite)
    if config.blur_applied_to is not None:
        suite = dataclasses.replace(suite, blur_applied_to=config.blur_applied_to)
    if config.quantized is not None:
        suite = dataclasses.replace(suite, quantized=config.quantized)
    return suite


def original_contents(kind: Kind, config: AnalysisConfig) -> Contents | None:
    """Return the HR crops that networks of this kind are fed reductions of.

    Returns:
        The crops with their margin; ``None`` where every set is a folder of images as they are.
    """
    if all(each.folder is not None for each in suite_of(config).sets):
        return None
    return contents_of(config.images, kind, config.contents)


def contents_of(images: str | None, kind: Kind, count: int) -> Contents:
    """Return HR crops with their margin, at most ``count``, for networks of this kind."""
    scale, patch = kind
    photos = load_photographs(images)
    return crop_contents(photos, count=count, patch=patch, scale=scale, margin=MARGIN)


def degraded_images(
    contents: Contents | None, kind: Kind, config: AnalysisConfig
) -> DegradedImages:
    """Return what networks of this kind are fed: every set of the suite, made of the contents."""
    scale, patch = kind
    count = config.contents if contents is None else None
    return degrade(
        contents, suite_of(config), count=count, patch=patch, scale=scale, seed=config.seed
    )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Fed:
    """The HR crops of one kind of network, and their degraded versions."""

    contents: Contents | None
    images: DegradedImages


def fed_with(suite: Suite, images: str | None, kind: Kind, *, contents: int, seed: int) -> Fed:
    """Make what networks of one kind are fed: the sets of a suite, all of the same contents.

    Args:
        suite: The sets.
        images: Photographs, as an analysis names them.
        kind: Of the networks.
        contents: How many, at most.
        seed: Of the degradations.
    """
    crops, (scale, patch) = contents_of(images, kind, contents), kind
    return Fed(contents=crops, images=degrade(crops, suite, patch=patch, scale=scale, seed=seed))


def fed_by_kind(kinds: set[Kind], config: AnalysisConfig) -> dict[Kind, Fed]:
    """Make what networks of each kind are fed, as many contents for one as for another.

    The larger scale and patch, the larger the crops, and the fewer fit into the photographs; CHI
    depends on their number.
    """
    contents = {kind: original_contents(kind, config) for kind in sorted(kinds)}
    counts = {len(each.names) for each in contents.values() if each is not None}
    if len(counts) > 1:
        fewer = dataclasses.replace(config, contents=min(counts))
        contents = {kind: original_contents(kind, fewer) for kind in contents}
    return {
        kind: Fed(contents=each, images=degraded_images(each, kind, config))
        for kind, each in contents.items()
    }


def suite_of_folders(config: AnalysisConfig) -> Suite:
    """Return the suite whose sets are the folders of ``config.sets``.

    Raises:
        ParameterError: If a name cannot name a set, or an image would be in two sets.
    """
    for (first, one), (second, other) in itertools.combinations(config.sets.items(), 2):
        inner, outer = sorted((Path(one).resolve(), Path(other).resolve()), reverse=True)
        if inner.is_relative_to(outer):
            rule = "different folders, none inside another"
            raise ParameterError(f"sets {first} and {second}", rule, f"{one} and {other}")
    sets = (DegradedSet(name=name, folder=folder) for name, folder in config.sets.items())
    return Suite(name=config.suite_name, sets=tuple(sets))
