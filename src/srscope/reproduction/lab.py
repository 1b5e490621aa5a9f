"""What experiments ask for: networks, images, layers after PCA, t-SNE maps; all of it cached.

Suffixes: N images, C channels or components, R runs, D dimensions.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.degradations.catalogue import load_suite
from srscope.degradations.degrade import degrade
from srscope.degradations.record import SuiteInfo
from srscope.errors import ParameterError, UnknownNameError
from srscope.images.digits import PER_CLASS, digits_test
from srscope.images.record import Contents
from srscope.networks.description import LoadedNetwork
from srscope.networks.structure.select import select_layers
from srscope.networks.zoo import load_network
from srscope.projection.config import TsneConfig
from srscope.reproduction.estimate import chi_estimate
from srscope.reproduction.population import is_of_population, load_of_population
from srscope.reproduction.records import (
    Estimate,
    ImageSpec,
    LabelledImages,
    LayerPoints,
    Maps,
    Unit,
)
from srscope.runtime.cache import hash_of_arrays, pack, values_of
from srscope.runtime.records import record_of
from srscope.study.cache import Stages
from srscope.study.config import AnalysisConfig
from srscope.study.inputs import contents_of, fed_with
from srscope.study.scoring import maps_of, projected
from srscope.study.session import LayerPoints as Points
from srscope.study.session import Session
from srscope.study.sources import pixels_of

COMPONENTS = 50
"""Principal components kept, as in the paper."""


@dataclass(frozen=True, kw_only=True)
class LabConfig:
    """How the reproduction measures.

    Args:
        networks: Folder of checkpoints that stand in for bundled networks of the same name
            (``srresnet-wgr.pth``, ...); empty for the bundled ones alone.
        population: Folder of networks of several training seeds, as ``tools/train_population.py``
            leaves them, or of their weights alone; empty for the bundled ones, where there are any.
        images: Folder of photographs, or ``div2k``; empty for the bundled ones.
        contents: Contents in every set.
        runs: t-SNE runs a layer.
        seed: Of degradations, t-SNE and bootstrap.

    Raises:
        ParameterError: If a number is out of its range.
    """

    networks: str = ""
    population: str = ""
    images: str = ""
    contents: int = 100
    runs: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in {"contents": 2, "runs": 1, "seed": 0}.items():
            if getattr(self, name) < least:
                raise ParameterError(name, f"{least} or more", getattr(self, name))


@dataclass(frozen=True)
class Lab:
    """Measures what experiments ask for, or takes it from the cache.

    Args:
        stages: Finished stages.
        config: How to measure.
        tsne: Parameters of t-SNE, the paper's unless an experiment varies them.
    """

    stages: Stages
    config: LabConfig = field(default_factory=LabConfig)
    tsne: TsneConfig = field(default_factory=TsneConfig)

    def network(self, name: str) -> LoadedNetwork:
        """Load a network: the user's of this name if there is one, else the bundled one.

        Raises:
            UnknownNameError: If there is neither, or the population lacks it.
            CheckpointError: If the user's file cannot be used.
        """
        if is_of_population(name):
            return load_of_population(self.config.population, name)
        return _load(name, self.config.networks)

    def has_network(self, name: str) -> bool:
        """Tell whether there is a network of this name."""
        try:
            self.network(name)
        except UnknownNameError:
            return False
        return True

    def spec(self, suite: str = "clean-blur-noise", **changes: Any) -> ImageSpec:
        """Return a spec with the lab's contents and seed."""
        plain = ImageSpec(suite=suite, contents=self.config.contents, seed=self.config.seed)
        return dataclasses.replace(plain, **changes)

    def images(self, spec: ImageSpec) -> LabelledImages:
        """Return the images of a spec."""
        inputs = {
            **dataclasses.asdict(spec),
            "photographs": identity_of_images(self.config.images),
            "suite_definition": _definition(spec.suite),
        }
        entry = self.stages.get("images", inputs, lambda: self._make_images(spec))
        return LabelledImages(
            images_NCHW=entry["images_NCHW"],
            set_N=entry["set_N"],
            content_N=entry["content_N"],
            class_N=entry.get("class_N"),
            photograph_N=entry["photograph_N"],
            suite=record_of(SuiteInfo, values_of(entry)["suite"]),
            key=hash_of_arrays(entry["images_NCHW"], entry["set_N"], entry["content_N"]),
        )

    def _make_images(self, spec: ImageSpec) -> dict[str, NDArray[Any]]:
        suite = load_suite(spec.suite)
        classes: dict[str, NDArray[Any]] = {}
        if spec.source == "digits":
            each = min(spec.contents, PER_CLASS)
            labelled = digits_test(per_class=each, seed=spec.seed)
            images = degrade(labelled.contents, suite, patch=32, scale=1, seed=spec.seed)
            classes["class_N"] = labelled.labels_N[images.content_N]
        else:
            images = fed_with(
                suite, self.config.images or None, (spec.scale, spec.patch),
                contents=spec.contents, seed=spec.seed,
            ).images  # fmt: skip
        arrays = {
            "images_NCHW": images.images_NCHW,
            "set_N": images.set_N,
            "content_N": images.content_N,
            "photograph_N": images.photograph_M[images.content_N],
            **classes,
        }
        return pack(arrays, suite=dataclasses.asdict(images.suite))

    def contents(self, spec: ImageSpec) -> Contents:
        """Return the HR crops behind the images of a spec."""
        return contents_of(self.config.images or None, (spec.scale, spec.patch), spec.contents)

    def layers(
        self, network: str, words: Sequence[str], spec: ImageSpec, *, untrained: bool = False
    ) -> list[LayerPoints]:
        """Return layers of a network on images, after PCA; one pass makes all that are missing.

        Args:
            network: Its name.
            words: Labels or dotted names; empty for those shown by default.
            spec: The images.
            untrained: Take the same architecture with fresh weights.
        """
        loaded, images = self.network(network), self.images(spec)
        taps = select_layers(loaded, words)
        found = self.session(images).points(loaded, taps, images, untrained=untrained)
        return [self._layer(loaded.name, each, images) for each in found]

    def session(self, images: LabelledImages) -> Session:
        """Return the pipeline, with as many principal components as these images allow."""
        components = min(COMPONENTS, len(images.images_NCHW) - 1)
        return Session(AnalysisConfig(seed=self.config.seed, pca=components), stages=self.stages)

    def pixels(self, spec: ImageSpec) -> LayerPoints:
        """Return the raw pixels of the images, after PCA: the control beside every layer."""
        images = self.images(spec)
        source = pixels_of(images.images_NCHW)
        entry = projected(source, self.session(images).config.pca, self.stages)
        return LayerPoints(
            network="",
            layer=source.name,
            label=source.label,
            shape=source.shape,
            points_NC=entry["points_NC"],
            images=images,
            key=hash_of_arrays(entry["points_NC"]),
        )

    def _layer(self, network: str, points: Points, images: LabelledImages) -> LayerPoints:
        return LayerPoints(
            network=network,
            layer=points.tap.name,
            label=points.tap.label,
            shape=points.shape,
            points_NC=points.points_NC,
            images=images,
            key=hash_of_arrays(points.points_NC),
        )

    def maps(
        self,
        layers: Sequence[LayerPoints],
        *,
        components: int | None = None,
        tsne: TsneConfig | None = None,
        runs: int | None = None,
        seed: int | None = None,
    ) -> list[Maps]:
        """Return t-SNE maps of layers, made one after the other where they are missing.

        Args:
            layers: What to map.
            components: Principal components to start from; all that are kept if absent.
            tsne: Other parameters than the lab's.
            runs: Another number of runs than the lab's.
            seed: Another first seed than the lab's.
        """
        config = tsne or self.tsne
        runs, seed = runs or self.config.runs, self.config.seed if seed is None else seed
        maps = maps_of(
            [layer.points_NC[:, :components] for layer in layers],
            config,
            range(seed, seed + runs),
            self.stages,
            names=[f"{layer.network} {layer.label}" for layer in layers],
            jobs=1,
        )
        return [
            Maps(
                layer=layer,
                points_RND=np.stack([each.points_ND for each in own]),
                kl_R=np.array([each.kl for each in own]),
            )
            for layer, own in zip(layers, maps, strict=True)
        ]

    def chi(
        self, maps: Maps, labels_N: NDArray[np.int64] | None = None, *, unit: Unit = "content"
    ) -> Estimate:
        """Return CHI of maps by degradation, or by other labels, with its interval over units."""
        images = maps.layer.images
        return chi_estimate(
            maps.points_RND,
            images.set_N if labels_N is None else labels_N,
            images.content_N if unit == "content" else images.photograph_N,
            seed=self.config.seed,
            name=f"{maps.layer.network} {maps.layer.label}",
        )


@functools.lru_cache(maxsize=16)
def _load(name: str, folder: str) -> LoadedNetwork:
    if folder:
        for suffix in (".safetensors", ".pth", ".pt"):
            path = Path(folder) / f"{name}{suffix}"
            if path.is_file():
                plain = "?global_residual=false" if name.endswith("-wogr") else ""
                option = plain if suffix != ".safetensors" else ""
                return dataclasses.replace(load_network(f"{path}{option}"), name=name)
    return load_network(name)


def identity_of_images(images: str) -> list[list[Any]] | str:
    """Return what tells one state of a folder of photographs from another."""
    if not images or images == "div2k":
        return images
    files = sorted(path for path in Path(images).rglob("*") if path.is_file())
    return [[str(f), f.stat().st_size, f.stat().st_mtime_ns] for f in files]


def _definition(suite: str) -> str:
    """Return what identifies a suite's content, also where it is a file that may change."""
    return repr(load_suite(suite))
