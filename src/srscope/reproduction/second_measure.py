"""Measures the numbers that the second edition asks for, by their names, when they are asked for.

Numbers that are smooth in the photographs are drawn through the influence of each photograph on
them (:mod:`srscope.scores.influence`), the same draws of photographs for all of them.

Suffixes: N images, C components, K labels, P photographs, B draws, R runs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from srscope.errors import UnknownNameError
from srscope.features.trivial import TRIVIAL, describe
from srscope.networks.structure.select import select_layers
from srscope.projection.config import TsneConfig
from srscope.reproduction import restoration
from srscope.reproduction.estimate import DRAWS, chi_estimate, unit_counts
from srscope.reproduction.experiments.tsne_parameters import OTHER_SEEDS, variant_of
from srscope.reproduction.lab import Lab
from srscope.reproduction.population import checkpoints_of_population, is_of_population
from srscope.reproduction.records import Estimate, LabelledImages, LayerPoints, Maps
from srscope.reproduction.second_criteria import estimate_from, run_spread
from srscope.reproduction.second_evidence import PIXELS, SIMPLE
from srscope.reproduction.second_images import restricted, spec_of
from srscope.runtime.cache import hash_of_arrays
from srscope.scores.components import variance_components_of_gram
from srscope.scores.feature_space import told_by_neighbours
from srscope.scores.influence import Influenced, components_of, left_out, of_balanced
from srscope.scores.pairs import auc_of_places
from srscope.scores.photographs import balanced
from srscope.scores.probe import Probe, probe_of_gram, probe_of_vectors
from srscope.scores.products import inner_products, principal_points
from srscope.scores.seeds import matched
from srscope.scores.separability import separability
from srscope.study.readings import read_layers

SPREAD_RUNS = 20
PATCH = 48
"""LR pixels of the patches whose restoration is measured, along each side, of all contents."""
CHANNEL_STATISTICS = "channel-statistics"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A name of :func:`~srscope.reproduction.second_evidence.name_of`, taken apart."""

    quantity: str
    network: str
    images: str
    layer: str = ""
    by: str = ""
    variant: str = ""

    @classmethod
    def of(cls, key: str) -> Asked:
        """Take a name apart; parts that say nothing are left out of it.

        Example:
            >>> Asked.of("second/probe/pixels/clean-blur-noise/set").by
            'set'
            >>> Asked.of("second/content/srgan-wgr/clean-blur4-noise20/ResBlock16").layer
            'ResBlock16'
        """
        _, quantity, network, images, *rest = key.split("/")
        layer = rest.pop(0) if rest and rest[0] not in ("set", "class") else ""
        by, variant = (*rest, "", "")[:2]
        return cls(
            quantity=quantity, network=network, images=images, layer=layer, by=by, variant=variant
        )

    @property
    def pair(self) -> str:
        """The two sets that alone are looked at; empty for all."""
        return self.variant if ":" in self.variant else ""

    @property
    def patch(self) -> int:
        """Side of the patches."""
        return int(self.variant.removeprefix("patch")) if self.variant[:5] == "patch" else 32


class Measured(Mapping[str, Estimate]):
    """Numbers by name, each measured once, when it is asked for.

    What cannot be measured for want of a network, its checkpoints or a package is a missing key.
    """

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.found: dict[str, Estimate] = {}
        self.taken: dict[str, str] = {}
        """Which checkpoint stands for a network at matched PSNR."""

    def __getitem__(self, key: str) -> Estimate:
        if key not in self.found:
            asked = Asked.of(key)
            if "@" in asked.network and not self._has_state(asked.network):
                raise KeyError(key)
            if "@" in asked.network:
                asked = dataclasses.replace(asked, network=self.earlier(asked.network))
            try:
                self.found[key] = _QUANTITIES[asked.quantity](self.lab, asked)
            except (UnknownNameError, ModuleNotFoundError) as error:
                raise KeyError(key) from error
        return self.found[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def _has_state(self, pair: str) -> bool:
        one, _, other = pair.partition("@")
        if self.lab.has_network(pair):
            return True
        names = checkpoints_of_population(self.lab.config.population, one)
        return bool(names) and self.lab.has_network(other)

    def earlier(self, pair: str) -> str:
        """Return which network stands for ``A@B``: a file of that name, or a checkpoint of A.

        Raises:
            KeyError: If there is neither.
        """
        if self.lab.has_network(pair):
            return pair
        if pair not in self.taken:
            one, _, other = pair.partition("@")
            names = checkpoints_of_population(self.lab.config.population, one)
            if not names:
                raise KeyError(pair)
            wanted = self[f"second/psnr/{other}/clean"].value
            psnr_T = [self[f"second/psnr/{name}/clean"].value for name in names]
            self.taken[pair] = names[matched(psnr_T, wanted)]
        return self.taken[pair]


@dataclass(frozen=True, kw_only=True, slots=True)
class _View:
    """One layer, or the images themselves, as a score sees them."""

    name: str
    gram_NN: NDArray[np.float64]
    label_N: NDArray[np.int64]
    images: LabelledImages
    row_N: NDArray[np.intp]
    layer: LayerPoints | None

    @property
    def photograph_N(self) -> NDArray[np.int64]:
        return self.images.photograph_N[self.row_N]


def _label_of(lab: Lab, network: str, layer: str) -> str:
    return lab.network(network).default_layers[-1] if layer == "deepest" else layer


def _labels(images: LabelledImages, by: str) -> NDArray[np.int64]:
    if by != "class":
        return images.set_N
    assert images.class_N is not None
    return images.class_N


def _view(lab: Lab, asked: Asked) -> _View:
    spec = spec_of(lab, asked.images, patch=asked.patch)
    images = lab.images(spec)
    row_N = restricted(images, asked.pair)
    if asked.network == PIXELS:
        layer = lab.pixels(spec)
        gram_NN = inner_products(images.images_NCHW.reshape(len(images.set_N), -1), name=PIXELS)
    else:
        label = _label_of(lab, asked.network, asked.layer)
        (layer,) = lab.layers(asked.network, (label,), spec)
        loaded = lab.network(asked.network)
        (points,) = lab.session(images).points(loaded, select_layers(loaded, [label]), images)
        # Of fewer features than images, PCA has kept what there is.
        gram_NN = points.gram_NN
        if gram_NN is None:
            gram_NN = points.points_NC @ points.points_NC.T
    return _View(
        name=f"{asked.network} {asked.layer}".strip(),
        gram_NN=gram_NN[np.ix_(row_N, row_N)],
        label_N=_labels(images, asked.by)[row_N],
        images=images,
        row_N=row_N,
        layer=layer,
    )


def _drawn(lab: Lab, score: Influenced) -> Estimate:
    """Return an estimate over the lab's draws of photographs."""
    unit_P = np.arange(len(score.influence_P))
    count_BP = unit_counts(unit_P, np.random.default_rng(lab.config.seed), draws=DRAWS)
    return estimate_from(score.value, score.draws(count_BP))


def _accuracy(probe: Probe, label_N: NDArray[np.int64], photo_N: NDArray[np.int64]) -> Influenced:
    return of_balanced(balanced(probe.told_N, label_N, photo_N), folds=probe.folds)


def _probe(lab: Lab, asked: Asked) -> Estimate:
    if asked.network == SIMPLE:
        return _best_statistic(lab, asked)
    view = _view(lab, asked)
    found = probe_of_gram(view.gram_NN, view.label_N, view.photograph_N, name=view.name)
    return _drawn(lab, _accuracy(found, view.label_N, view.photograph_N))


def _best_statistic(lab: Lab, asked: Asked) -> Estimate:
    """Return the best of the simple statistics, chosen anew in every draw."""
    images = lab.images(spec_of(lab, asked.images))
    label_N = _labels(images, asked.by)
    found: list[Estimate] = []
    for name in (each for each in TRIVIAL if each != PIXELS):
        vectors_ND = describe(name, images.images_NCHW)
        probe = probe_of_vectors(vectors_ND, label_N, images.photograph_N, name=name)
        found.append(_drawn(lab, _accuracy(probe, label_N, images.photograph_N)))
    samples_B = np.max([each.samples for each in found], axis=0)
    return estimate_from(max(each.value for each in found), samples_B)


def _axis(lab: Lab, asked: Asked) -> tuple[_View, NDArray[np.float64], NDArray[np.bool_], int]:
    """Return the places of two sets' images on the probe's axis, out of fold."""
    view = _view(lab, asked)
    label_N, photograph_N = view.label_N, view.photograph_N
    if asked.variant == CHANNEL_STATISTICS:
        loaded = lab.network(asked.network)
        taps = select_layers(loaded, [_label_of(lab, asked.network, asked.layer)])
        session = lab.session(view.images)
        (reading,) = read_layers(session, loaded, taps, view.images.images_NCHW)
        parts = [reading.mean_NC]
        parts += [] if reading.log_std_NC is None else [reading.log_std_NC]
        vectors_ND = np.concatenate(parts, axis=1)[view.row_N]
        probe = probe_of_vectors(vectors_ND, label_N, photograph_N, name=view.name)
    else:
        probe = probe_of_gram(view.gram_NN, label_N, photograph_N, name=view.name)
    return view, probe.axis_NQ[:, 0], label_N == probe.pairs[0][0], probe.folds


def _auc(lab: Lab, asked: Asked) -> Estimate:
    view, place_N, first_N, folds = _axis(lab, asked)
    return _drawn(lab, of_balanced(auc_of_places(place_N, first_N, view.photograph_N), folds=folds))


def _d_prime(lab: Lab, asked: Asked) -> Estimate:
    view, place_N, first_N, _ = _axis(lab, asked)

    def score(there_N: NDArray[np.bool_]) -> float:
        one, other = place_N[there_N & first_N], place_N[there_N & ~first_N]
        spread = (one.var(ddof=1) + other.var(ddof=1)) / 2
        return float((one.mean() - other.mean()) / np.sqrt(spread))

    return _drawn(lab, left_out(score, view.photograph_N))


def _maps(lab: Lab, view: _View, asked: Asked, *, runs: int | None = None) -> NDArray[np.floating]:
    """Return maps of a view, or its principal components, (R, N, D)."""
    assert view.layer is not None
    variant, layer, seed = asked.variant, view.layer, lab.config.seed
    if asked.pair:  # PCA of these two sets alone
        row_N = np.arange(len(view.row_N))
        count = min(50, len(row_N) - 1)
        points_NC, _ = principal_points(view.gram_NN, row_N, row_N[:0], components=count)
        layer = dataclasses.replace(layer, points_NC=points_NC, key=hash_of_arrays(points_NC))
    if variant.startswith("pca"):
        return layer.points_NC[None, :, : int(variant.removeprefix("pca"))]
    tsne: TsneConfig = lab.tsne
    if variant == "tsne3":
        tsne = dataclasses.replace(tsne, dimensions=3)
    elif variant and not asked.pair and not variant.startswith(("patch", "tsne")):
        tsne = variant_of(tsne, variant)[0]
        seed += OTHER_SEEDS if variant == "seeds" else 0
    (maps,) = lab.maps([layer], tsne=tsne, runs=max(5, runs or lab.config.runs), seed=seed)
    found: Maps = maps
    return found.points_RND


def _chi(lab: Lab, asked: Asked) -> Estimate:
    view = _view(lab, asked)
    points_RND = _maps(lab, view, asked)
    return chi_estimate(
        points_RND, view.label_N, view.photograph_N, seed=lab.config.seed, name=view.name
    )


def _run_spread(lab: Lab, asked: Asked) -> Estimate:
    view = _view(lab, asked)
    points_RND = _maps(lab, view, asked, runs=SPREAD_RUNS)
    return run_spread([separability(p, view.label_N, name=view.name).chi for p in points_RND])


def _share(lab: Lab, asked: Asked) -> Estimate:
    view = _view(lab, asked)
    member_KN = (view.label_N == np.unique(view.label_N)[:, None]).astype(np.float64)

    def score(there_N: NDArray[np.bool_]) -> float:
        own_KN = member_KN[:, there_N]
        size_K = own_KN.sum(axis=1)
        gram_NN = view.gram_NN[np.ix_(there_N, there_N)]
        sums_K = np.einsum("kn,kn->k", own_KN @ gram_NN, own_KN) / size_K
        labels, images = len(size_K), int(size_K.sum())
        between = sums_K.sum() - gram_NN.sum() / images
        within = float(np.trace(gram_NN)) - sums_K.sum()
        f = (between / (labels - 1)) / (within / (images - labels))
        return float((f - 1) / (f - 1 + images / labels))

    return _drawn(lab, left_out(score, view.photograph_N))


def _content(lab: Lab, asked: Asked) -> Estimate:
    view = _view(lab, asked)
    content_N = view.images.content_N[view.row_N]
    found = variance_components_of_gram(
        view.gram_NN, view.images.set_N[view.row_N], content_N, view.photograph_N, name=view.name
    )
    return _drawn(lab, components_of(found)["content"])


def _knn(lab: Lab, asked: Asked) -> Estimate:
    view = _view(lab, asked)
    content_N = view.images.content_N[view.row_N]
    told_RN = [
        told_by_neighbours(points_ND, view.label_N, content_N, name=view.name)
        for points_ND in _maps(lab, view, asked)
    ]
    told_N = np.mean(told_RN, axis=0)
    return _drawn(lab, of_balanced(balanced(told_N, view.label_N, view.photograph_N)))


def _psnr(lab: Lab, asked: Asked) -> Estimate:
    """Return PSNR on the images of one set: the population's on the patches it is shown."""
    patch = asked.patch if is_of_population(asked.network) else PATCH
    spec = lab.spec("clean-noise20", patch=patch)
    images = lab.images(spec)
    own_N = restoration.members(images, asked.images)
    own = dataclasses.replace(
        images, images_NCHW=images.images_NCHW[own_N], key=hash_of_arrays(images.images_NCHW[own_N])
    )
    _, high_NCHW = restoration.references(lab, spec)
    large_NCHW = restoration.magnified(lab, own, asked.network, scale=spec.scale)
    border = spec.scale * restoration.LR_BORDER
    value_N = restoration.psnr(large_NCHW, high_NCHW[own_N], border=border)
    photograph_N = images.photograph_N[own_N]
    return restoration.mean_estimate(value_N, seed=lab.config.seed, photograph_N=photograph_N)


def _restored(lab: Lab, asked: Asked) -> Estimate:
    """Return the gain in PSNR, or the change, of the LR images of one set."""
    spec = lab.spec("real", patch=PATCH)
    images = lab.images(spec)
    if asked.network == "bm3d":
        if not restoration.has_bm3d():
            raise ModuleNotFoundError("bm3d")
        output_NCHW = restoration.by_bm3d(lab, images)
    else:
        output_NCHW = restoration.by_g1(lab, images)
    border, own_N = restoration.LR_BORDER, restoration.members(images, asked.images)
    if asked.quantity == "change":
        value_N = restoration.change(output_NCHW, images.images_NCHW, border=border)
    else:
        low_NCHW, _ = restoration.references(lab, spec)
        value_N = restoration.psnr(output_NCHW, low_NCHW, border=border)
        value_N = value_N - restoration.psnr(images.images_NCHW, low_NCHW, border=border)
    photograph_N = images.photograph_N[own_N]
    return restoration.mean_estimate(
        value_N[own_N], seed=lab.config.seed, photograph_N=photograph_N
    )


_QUANTITIES: Mapping[str, Callable[[Lab, Asked], Estimate]] = {
    "probe": _probe,
    "auc": _auc,
    "d_prime": _d_prime,
    "chi": _chi,
    "run_spread": _run_spread,
    "share": _share,
    "content": _content,
    "knn": _knn,
    "psnr": _psnr,
    "gain": _restored,
    "change": _restored,
}
