"""The probe: can a linear rule, learnt on some photographs, tell the sets apart on others?

Shrinkage linear discriminant analysis, tested on whole photographs that were left out. It needs no
t-SNE, and its accuracy does not depend on the number of images as CHI does. A layer is probed three
ways: through PCA of the flattened features, channel means, and channel log standard deviations.

Suffixes: N images, T images learnt from, D dimensions, C components or channels, K sets, Q pairs of
sets, P photographs, F folds.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.photographs import Interval, balanced, indices, share_interval

COMPONENTS = 50
"""Principal components of flattened features, fitted anew in every fold."""
WIDEST = 256
"""Dimensions up to which vectors are probed as they are; wider ones go through PCA."""
MOST_ONE_BY_ONE = 12
"""Photographs up to which each is left out alone."""
FOLDS = 10
"""Folds of whole photographs where there are more of them than that."""
_RIDGE = 1e-10  # of a coordinate's variance, so that sets without spread of their own can be told


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """What the probe found.

    Args:
        accuracy: Balanced accuracy (every set counts alike), with its interval over photographs.
        chance: 1 / K.
        folds: How many groups of whole photographs were left out in turn.
        told_N: Whether the set of each image was told when its photograph was left out.
        predicted_N: The set that each image was taken for.
        decision_NK: Discriminant values; the largest of an image decides.
        axis_NQ: Place of each image on the probe's axis of each pair of sets, in standard
            deviations within a set as learnt; above 0 on the side of the pair's first set.
        pairs: The pairs of sets, one a column of ``axis_NQ``.
        photographs_P: The photographs, in ascending order.
        images_P: Images of each.
        right_P: Images of each whose set was told.
    """

    accuracy: Interval
    chance: float
    folds: int
    told_N: NDArray[np.bool_]
    predicted_N: NDArray[np.int64]
    decision_NK: NDArray[np.float64]
    axis_NQ: NDArray[np.float64]
    pairs: tuple[tuple[int, int], ...]
    photographs_P: NDArray[np.int64]
    images_P: NDArray[np.int64]
    right_P: NDArray[np.int64]


def probe_of_gram(
    gram_NN: NDArray[np.float64],
    set_N: NDArray[np.integer[Any]],
    photograph_N: NDArray[np.integer[Any]],
    *,
    components: int = COMPONENTS,
    name: str = "features",
) -> Probe:
    """Probe features through PCA, from the inner products of the images alone.

    The axes of PCA are those of the images learnt from: their block of the products is centred on
    its own mean and its eigenvectors taken; the images left out are then projected. That is exact,
    however wide the features are.

    Args:
        gram_NN: Inner products of the images; centred or not.
        set_N: The set of each image.
        photograph_N: The photograph of each image.
        components: Principal components; fewer where the images learnt from have fewer.
        name: What the features are, for messages.

    Raises:
        ParameterError: If the shapes do not fit.
        DegenerateError: If a product is not finite, all images are alike, there is one set only,
            or a set is of one photograph alone.

    Source: Ledoit and Wolf 2004 (shrinkage).

    Example:
        >>> random, set_N = np.random.default_rng(0), np.arange(60) % 3
        >>> features_ND = random.normal(size=(60, 500)) + 9 * np.eye(3, 500)[set_N]
        >>> result = probe_of_gram(features_ND @ features_ND.T, set_N, np.arange(60) // 6)
        >>> result.accuracy.value > 0.9, result.folds
        (True, 10)
    """
    if components < 1:
        raise ParameterError("components", "1 or more", components)
    if gram_NN.shape != (len(gram_NN),) * 2:
        raise ParameterError(f"the inner products of {name}", "square", gram_NN.shape)
    _check_finite(gram_NN, name)
    return _probe(_Gram(gram_NN, components), len(gram_NN), set_N, photograph_N, name)


def probe_of_vectors(
    vectors_ND: NDArray[np.floating[Any]],
    set_N: NDArray[np.integer[Any]],
    photograph_N: NDArray[np.integer[Any]],
    *,
    components: int = COMPONENTS,
    name: str = "vectors",
) -> Probe:
    """Probe vectors as they are, or through PCA in each fold where D is above ``WIDEST``.

    Args:
        vectors_ND: One row an image.
        set_N: The set of each image.
        photograph_N: The photograph of each image.
        components: Principal components of wide vectors.
        name: What the vectors are, for messages.

    Raises:
        ParameterError: If the shapes do not fit.
        DegenerateError: As :func:`probe_of_gram`.

    Example:
        >>> set_N = np.arange(60) % 3
        >>> probe_of_vectors(np.eye(3)[set_N], set_N, np.arange(60) // 6).accuracy.value
        1.0
    """
    if vectors_ND.ndim != 2 or 0 in vectors_ND.shape:
        raise ParameterError(name, "a non-empty array (images, dimensions)", vectors_ND.shape)
    vectors_ND = vectors_ND.astype(np.float64)
    _check_finite(vectors_ND, name)
    if vectors_ND.shape[1] > WIDEST:
        centred_ND = vectors_ND - vectors_ND.mean(axis=0)
        gram_NN = centred_ND @ centred_ND.T
        return probe_of_gram(gram_NN, set_N, photograph_N, components=components, name=name)
    return _probe(_Vectors(vectors_ND), len(vectors_ND), set_N, photograph_N, name)


def channel_moments(
    features_ND: NDArray[np.floating[Any]], channels: int, *, name: str = "features"
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return the mean and the log standard deviation of every channel of every image.

    Args:
        features_ND: One row an image: its (C, H, W) activation flattened, channel by channel.
        channels: C; divides D.
        name: What the features are, for messages.

    Returns:
        The means, shape (N, C), and the log standard deviations over positions, shape (N, C), or
        ``None`` where a channel has one position only. A thousandth of a channel's mean standard
        deviation is added before the logarithm, for images in which the channel is silent.

    Raises:
        ParameterError: If ``channels`` does not divide D.

    Example:
        >>> mean_NC, log_std_NC = channel_moments(np.array([[0.0, 2.0, 5.0, 5.0]]), 2)
        >>> mean_NC.tolist(), log_std_NC.round(3).tolist()
        ([[1.0, 5.0]], [[0.001, 0.0]])
    """
    if channels < 1 or features_ND.ndim != 2 or features_ND.shape[1] % channels:
        rule = f"a divisor of the {features_ND.shape[-1]} features of {name}"
        raise ParameterError("channels", rule, channels)
    images, positions = len(features_ND), features_ND.shape[1] // channels
    mean_NC, std_NC = np.empty((images, channels)), np.empty((images, channels))
    for image, row_D in enumerate(features_ND):  # a row at a time: features may be on the disk
        values_CP = np.asarray(row_D).reshape(channels, positions).astype(np.float64)
        mean_NC[image], std_NC[image] = values_CP.mean(axis=1), values_CP.std(axis=1)
    if positions == 1:
        return mean_NC, None
    usual_C = std_NC.mean(axis=0)
    # A channel that never varies has logarithm 0 in all images: it tells nothing and does no harm.
    return mean_NC, np.log(std_NC + np.where(usual_C > 0, 1e-3 * usual_C, 1.0))


def photograph_folds(
    set_N: NDArray[np.integer[Any]], photograph_N: NDArray[np.integer[Any]], *, name: str
) -> NDArray[np.int64]:
    """Return the fold of each image, from 0: whole photographs, none in two folds.

    Each photograph is a fold of its own up to ``MOST_ONE_BY_ONE`` of them, beyond that they are
    dealt out in order to ``FOLDS``. Where the sets do not share photographs, a fold takes one of
    each set, so that what is left to learn from stays balanced, and there are no more folds than
    the smallest set has photographs.

    Raises:
        DegenerateError: If a set is of one photograph alone, or a fold would leave a set without
            two images to learn from.
    """
    index_N = indices(photograph_N)
    class_N = np.unique(set_N, return_inverse=True)[1].reshape(-1)
    photographs = int(index_N.max()) + 1
    member_PK = np.zeros((photographs, int(class_N.max()) + 1), dtype=bool)
    member_PK[index_N, class_N] = True
    what, fewest = f"the probe of {name}", int(member_PK.sum(axis=0).min())
    if fewest < 2:
        why = "a set is of one photograph alone, which cannot be left out and learnt from as well"
        raise DegenerateError(what, why, "give two photographs a set, better eight")
    folds = min(fewest, photographs if photographs <= MOST_ONE_BY_ONE else FOLDS)
    group_P = np.unique(member_PK, axis=0, return_inverse=True)[1].reshape(-1)
    fold_P = np.empty(photographs, dtype=np.int64)
    fold_P[np.argsort(group_P, kind="stable")] = np.arange(photographs) % folds
    fold_N = fold_P[index_N]
    for fold in range(folds):
        if np.bincount(class_N[fold_N != fold], minlength=member_PK.shape[1]).min() < 2:
            why = "without some photographs, a set has fewer than two images to learn from"
            raise DegenerateError(what, why, "give more photographs a set")
    return fold_N


@dataclass(frozen=True, slots=True)
class _Vectors:
    """Vectors that are probed as they are."""

    vectors_ND: NDArray[np.float64]

    def split(
        self, learn_T: NDArray[np.int64], left_N: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.vectors_ND[learn_T], self.vectors_ND[left_N]


@dataclass(frozen=True, slots=True)
class _Gram:
    """Inner products whose principal components are probed."""

    gram_NN: NDArray[np.float64]
    components: int

    def split(
        self, learn_T: NDArray[np.int64], left_N: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        block_TT = self.gram_NN[np.ix_(learn_T, learn_T)]
        mean_T, size = block_TT.mean(axis=0), len(block_TT)
        block_TT = block_TT - mean_T - (mean_T - mean_T.mean())[:, None]
        count = min(self.components, size - 1)
        value_C, axes_TC = eigh(block_TT, subset_by_index=(size - count, size - 1))
        # What is left of a zero eigenvalue after rounding is no variance.
        kept_C = value_C > size * np.finfo(np.float64).eps * max(float(value_C[-1]), 0.0)
        root_C, axes_TC = np.sqrt(value_C[kept_C]), axes_TC[:, kept_C]
        left_NT = self.gram_NN[np.ix_(left_N, learn_T)]
        left_NT = left_NT - left_NT.mean(axis=1, keepdims=True) - (mean_T - mean_T.mean())
        return axes_TC * root_C, left_NT @ axes_TC / root_C


def _probe(
    source: _Vectors | _Gram,
    images: int,
    set_N: NDArray[np.integer[Any]],
    photograph_N: NDArray[np.integer[Any]],
    name: str,
) -> Probe:
    for what, labels_N in (("sets", set_N), ("photographs", photograph_N)):
        if labels_N.shape != (images,):
            raise ParameterError(
                f"the {what} of {name}", f"one an image, shape {(images,)}", labels_N.shape
            )
    sets_K, class_N = np.unique(set_N, return_inverse=True)
    class_N, count = class_N.reshape(-1), len(sets_K)
    if count < 2:
        raise DegenerateError(
            f"the probe of {name}", "there is one set only", "give two sets or more"
        )
    fold_N = photograph_folds(set_N, photograph_N, name=name)
    folds = int(fold_N.max()) + 1
    pairs = tuple(itertools.combinations(range(count), 2))
    decision_NK, axis_NQ = np.empty((images, count)), np.empty((images, len(pairs)))
    for fold in range(folds):
        left_N, learn_T = np.flatnonzero(fold_N == fold), np.flatnonzero(fold_N != fold)
        learn_TC, left_NC = source.split(learn_T, left_N)
        if not learn_TC.size or not (learn_TC != learn_TC[0]).any():
            remedy = "choose another layer, or images that differ"
            raise DegenerateError(f"the probe of {name}", "all images are alike", remedy)
        decision_NK[left_N], axis_NQ[left_N] = _discriminate(
            learn_TC, class_N[learn_T], left_NC, count, pairs
        )
    predicted_N = decision_NK.argmax(axis=1)
    told_N = predicted_N == class_N
    photographs_P, index_N = np.unique(photograph_N, return_inverse=True)
    return Probe(
        accuracy=share_interval(balanced(told_N, set_N, photograph_N), folds=folds),
        chance=1 / count,
        folds=folds,
        told_N=told_N,
        predicted_N=sets_K[predicted_N].astype(np.int64),
        decision_NK=decision_NK,
        axis_NQ=axis_NQ,
        pairs=tuple((int(sets_K[a]), int(sets_K[b])) for a, b in pairs),
        photographs_P=photographs_P.astype(np.int64),
        images_P=np.bincount(index_N.reshape(-1)),
        right_P=np.bincount(index_N.reshape(-1), weights=told_N).astype(np.int64),
    )


def _discriminate(
    learn_TC: NDArray[np.float64],
    class_T: NDArray[np.int64],
    left_NC: NDArray[np.float64],
    count: int,
    pairs: tuple[tuple[int, int], ...],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the discriminant values of images left out, and their places on the pairs' axes."""
    centre_C, variance_C = learn_TC.mean(axis=0), learn_TC.var(axis=0)
    learn_TC, left_NC = learn_TC - centre_C, left_NC - centre_C
    members = [learn_TC[class_T == k] for k in range(count)]
    mean_KC = np.stack([each.mean(axis=0) for each in members])
    covariance_CC = np.mean([shrunk_covariance(each) for each in members], axis=0)
    diagonal = np.diag_indices(len(covariance_CC))
    covariance_CC[diagonal] += np.where(variance_C > 0, _RIDGE * variance_C, 1.0)
    slope_KC = np.linalg.solve(covariance_CC, mean_KC.T).T
    decision_NK = left_NC @ slope_KC.T - 0.5 * np.einsum("kc,kc->k", mean_KC, slope_KC)
    axis_NQ = np.zeros((len(left_NC), len(pairs)))
    for q, (a, b) in enumerate(pairs):
        square = float((mean_KC[a] - mean_KC[b]) @ (slope_KC[a] - slope_KC[b]))
        if square > 0:  # coinciding means have no axis: all images stand at 0 on it
            axis_NQ[:, q] = (decision_NK[:, a] - decision_NK[:, b]) / np.sqrt(square)
    return decision_NK, axis_NQ


def shrunk_covariance(members_TC: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Ledoit and Wolf's covariance of one set, with every coordinate at unit variance.

    The same as scikit-learn's discriminant analysis takes; a test compares them.
    """
    offset_TC = members_TC - members_TC.mean(axis=0)
    scale_C = offset_TC.std(axis=0)
    scale_C = np.where(scale_C > 0, scale_C, 1.0)
    offset_TC = offset_TC / scale_C
    size, width = offset_TC.shape
    raw_CC = offset_TC.T @ offset_TC / size
    trace, squares = float(np.trace(raw_CC)), float(np.square(raw_CC).sum())
    spread = (squares - trace**2 / width) / width
    fourth = float(np.square(np.square(offset_TC).sum(axis=1)).sum())
    error = min((fourth / size - squares) / (width * size), spread)
    shrinkage = error / spread if error > 0 else 0.0
    shrunk_CC = (1 - shrinkage) * raw_CC
    shrunk_CC[np.diag_indices(width)] += shrinkage * trace / width
    return scale_C[:, None] * shrunk_CC * scale_C


def _check_finite(values: NDArray[np.float64], name: str) -> None:
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        why = f"{bad} of {values.size} values are NaN or infinite"
        raise DegenerateError(f"the probe of {name}", why, "check the network's weights")
