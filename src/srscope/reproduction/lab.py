"""What experiments ask for: networks, images, layers after PCA, t-SNE maps; all of it cached.

Suffixes: N images, C channels or components, R runs, D dimensions.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from srscope.analysis_features import MARGIN, load_photographs
from srscope.degradations.degrade import DegradedImages, degrade
from srscope.degradations.suite import load_suite
from srscope.errors import NetworkError, ParameterError, UnknownNameError
from srscope.features.extract import extract
from srscope.files import scratch_folder
from srscope.images.contents import crop_contents
from srscope.images.digits import PER_CLASS, digits_test
from srscope.networks.description import LoadedNetwork, TapPoint
from srscope.networks.select import select_layers
from srscope.networks.zoo import load_network
from srscope.projection.config import TsneConfig
from srscope.projection.pca import pca
from srscope.projection.tsne import embed_many
from srscope.reproduction.estimate import chi_estimate
from srscope.reproduction.records import (
    Estimate,
    ImageSpec,
    LabelledImages,
    LayerPoints,
    Maps,
    Unit,
)
from srscope.scores.variance import is_crossed, two_way_variance, two_way_variance_by_channel
from srscope.stage_cache import Entry, StageCache, hash_of_arrays, pack, values_of
from srscope.study import SuiteInfo, VarianceShares

COMPONENTS = 50
"""Principal components kept, as in the paper."""
IMAGES_VERSION, LAYER_VERSION, MAPS_VERSION = 3, 1, 2


@dataclass(frozen=True, kw_only=True)
class LabConfig:
    """How the reproduction measures.

    Args:
        networks: Folder of checkpoints that stand in for bundled networks of the same name
            (``srresnet-wgr.pth``, ...); empty for the bundled ones alone.
        images: Folder of photographs, or ``div2k``; empty for the bundled ones.
        contents: Contents in every set.
        runs: t-SNE runs a layer.
        seed: Of degradations, t-SNE and bootstrap.

    Raises:
        ParameterError: If a number is out of its range.
    """

    networks: str = ""
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
        cache: Where stages are kept.
        config: How to measure.
        tsne: Parameters of t-SNE, the paper's unless an experiment varies them.
    """

    cache: StageCache
    config: LabConfig = field(default_factory=LabConfig)
    tsne: TsneConfig = field(default_factory=TsneConfig)

    def network(self, name: str) -> LoadedNetwork:
        """Load a network: the user's of this name if there is one, else the bundled one.

        Raises:
            UnknownNameError: If there is neither.
            CheckpointError: If the user's file cannot be used.
        """
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
        entry = self.cache.get("images", IMAGES_VERSION, inputs, lambda: self._make_images(spec))
        return LabelledImages(
            images_NCHW=entry["images_NCHW"],
            set_N=entry["set_N"],
            content_N=entry["content_N"],
            class_N=entry.get("class_N"),
            photograph_N=entry["photograph_N"],
            suite=SuiteInfo.of_plain(values_of(entry)["suite"]),
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
            images = self._photographic(spec)
        _, photograph_M = np.unique(images.photographs, return_inverse=True)
        arrays = {
            "images_NCHW": images.images_NCHW,
            "set_N": images.set_N,
            "content_N": images.content_N,
            "photograph_N": photograph_M.reshape(-1)[images.content_N],
            **classes,
        }
        return pack(arrays, suite=dataclasses.asdict(images.suite))

    def _photographic(self, spec: ImageSpec) -> DegradedImages:
        contents = crop_contents(
            load_photographs(self.config.images or None),
            count=spec.contents,
            patch=spec.patch,
            scale=spec.scale,
            margin=MARGIN,
        )
        suite = load_suite(spec.suite)
        return degrade(contents, suite, patch=spec.patch, scale=spec.scale, seed=spec.seed)

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
        inputs = {tap.name: self._layer_inputs(loaded, tap, images, untrained) for tap in taps}
        if self._missing(taps, inputs):
            common = {name: inputs[taps[0].name][name] for name in ("weights", "images")}
            with self.cache.alone("layers", common):  # others may want the same pass
                missing = self._missing(taps, inputs)
                if missing:
                    self._extract(loaded, missing, images, inputs, untrained=untrained)
        return [self._layer(loaded, tap, images, inputs[tap.name]) for tap in taps]

    def _missing(
        self, taps: Sequence[TapPoint], inputs: Mapping[str, Mapping[str, Any]]
    ) -> list[TapPoint]:
        return [t for t in taps if not self.cache.has("layer", LAYER_VERSION, inputs[t.name])]

    def _layer_inputs(
        self, loaded: LoadedNetwork, tap: TapPoint, images: LabelledImages, untrained: bool
    ) -> dict[str, Any]:
        return {
            # Networks of one structure share an untrained control, whatever they were trained for.
            "weights": _shapes(loaded.module) if untrained else loaded.sha256,
            "structure": repr(getattr(loaded.module, "config", type(loaded.module).__name__)),
            "layer": tap.name,
            "images": images.key,
            "components": COMPONENTS,
            "untrained": self.config.seed if untrained else None,
        }

    def _extract(
        self,
        loaded: LoadedNetwork,
        taps: Sequence[TapPoint],
        images: LabelledImages,
        inputs: Mapping[str, Mapping[str, Any]],
        *,
        untrained: bool,
    ) -> None:
        module = loaded.module
        if untrained:
            if loaded.untrained is None:
                raise NetworkError(f"{loaded.name} has no untrained control: {loaded.no_untrained}")
            module = loaded.untrained(self.config.seed)
        with scratch_folder() as folder:
            store = extract(
                module, images.images_NCHW, [tap.name for tap in taps], store=folder / "f"
            )
            for tap in taps:
                features_ND, shape = store.read(tap.name), store.layer(tap.name).feature_shape
                entry = _layer_entry(features_ND, shape, images, f"{loaded.name} {tap.label}")
                self.cache.put("layer", LAYER_VERSION, inputs[tap.name], entry)

    def _layer(
        self,
        loaded: LoadedNetwork,
        tap: TapPoint,
        images: LabelledImages,
        inputs: Mapping[str, Any],
    ) -> LayerPoints:
        def absent() -> dict[str, NDArray[Any]]:
            raise AssertionError("the layer was made a moment ago")

        entry = self.cache.get("layer", LAYER_VERSION, inputs, absent)
        values = values_of(entry)
        shares = values["variance"]
        return LayerPoints(
            network=loaded.name,
            layer=tap.name,
            label=tap.label,
            shape=tuple(values["shape"]),
            points_NC=entry["points_NC"],
            images=images,
            variance=None if shares is None else VarianceShares(**shares),
            channel_content_C=entry.get("channel_content_C"),
            key=hash_of_arrays(entry["points_NC"]),
        )

    def pixels(self, spec: ImageSpec) -> LayerPoints:
        """Return the raw pixels of the images, after PCA: the control beside every layer."""
        images = self.images(spec)
        inputs = {"images": images.key, "components": COMPONENTS}
        flat_ND = images.images_NCHW.reshape(len(images.images_NCHW), -1)
        shape = images.images_NCHW.shape[1:]
        entry = self.cache.get(
            "pixels", LAYER_VERSION, inputs, lambda: _layer_entry(flat_ND, shape, images, "pixels")
        )
        shares = values_of(entry)["variance"]
        return LayerPoints(
            network="",
            layer="pixels",
            label="raw pixels",
            shape=shape,
            points_NC=entry["points_NC"],
            images=images,
            variance=None if shares is None else VarianceShares(**shares),
            channel_content_C=None,
            key=hash_of_arrays(entry["points_NC"]),
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
        found: list[Maps] = []
        for layer in layers:
            inputs = {
                "points": layer.key,
                "components": components,
                "tsne": dataclasses.asdict(config),
                "runs": runs,
                "seed": seed,
            }

            def compute(layer: LayerPoints = layer) -> Entry:
                (embeddings,) = embed_many(
                    [layer.points_NC[:, :components]], config, runs=runs, seed=seed, jobs=1,
                    names=[f"{layer.network} {layer.label}"],
                )  # fmt: skip
                return {
                    "points_RND": np.stack([e.points_ND for e in embeddings]),
                    "kl_R": np.array([e.kl for e in embeddings]),
                }

            entry = self.cache.get("maps", MAPS_VERSION, inputs, compute)
            found.append(Maps(layer=layer, points_RND=entry["points_RND"], kl_R=entry["kl_R"]))
        return found

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


def _shapes(module: nn.Module) -> list[list[Any]]:
    """Return what tells two structures apart: their weights' names and shapes."""
    return [[name, list(tensor.shape)] for name, tensor in sorted(module.state_dict().items())]


def identity_of_images(images: str) -> list[list[Any]] | str:
    """Return what tells one state of a folder of photographs from another."""
    if not images or images == "div2k":
        return images
    files = sorted(path for path in Path(images).rglob("*") if path.is_file())
    return [[str(f), f.stat().st_size, f.stat().st_mtime_ns] for f in files]


def _definition(suite: str) -> str:
    """Return what identifies a suite's content, also where it is a file that may change."""
    return repr(load_suite(suite))


def _layer_entry(
    features_ND: NDArray[np.float32],
    shape: Sequence[int],
    images: LabelledImages,
    name: str,
) -> dict[str, NDArray[Any]]:
    components = min(COMPONENTS, len(features_ND) - 1, features_ND.shape[1])
    arrays: dict[str, NDArray[Any]] = {
        "points_NC": pca(features_ND, components=components, name=name).points_NC
    }
    shares = None
    if is_crossed(images.set_N, images.content_N):
        split = two_way_variance(features_ND, images.set_N, images.content_N, name=name)
        shares = dataclasses.asdict(split)
        by_channel = two_way_variance_by_channel(
            features_ND, images.set_N, images.content_N, shape[0], name=name
        )
        arrays["channel_content_C"] = by_channel.content_C
    return pack(arrays, shape=list(shape), variance=shares)
