"""The degradation code of a layer: where the degradations of a suite move its channel means.

A channel's mean over space tells much of the degradation and little of the content; the directions
in which the sets of a suite differ span a small subspace of all channels. What is written there is
the code. It is read from channel means alone: other statistics of the layer, such as the channels'
standard deviations, may tell the degradations apart just as well.

An edit is told by its offsets: what it adds to every value of a channel, image by image.

Suffixes: N images, C channels, K sets, D directions of the code, R draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import DegenerateError, ParameterError

Floats = NDArray[np.floating[Any]]

# Differences below this share of the longest one, or of the means themselves, are rounding of the
# single precision in which networks compute.
_ROUNDING = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class DegradationCode:
    """The code of one layer, as fitted on some images.

    Args:
        mean_KC: Channel means of each set, averaged over its images.
        basis_DC: Orthonormal directions that span the differences of the rows of ``mean_KC``;
            D is K - 1, or less where these depend on each other.
        clean_CC: Covariance of the channel means over the images of the clean set.
    """

    mean_KC: NDArray[np.float64]
    basis_DC: NDArray[np.float64]
    clean_CC: NDArray[np.float64]

    @property
    def centre_C(self) -> NDArray[np.float64]:
        """The mean of the sets' means: a point that favours no set."""
        return self.mean_KC.mean(axis=0)

    def project(self, vectors_NC: Floats) -> NDArray[np.float64]:
        """Return the part of vectors that lies in the code's subspace."""
        return (vectors_NC @ self.basis_DC.T) @ self.basis_DC


def fit_code(
    means_NC: Floats, set_N: NDArray[np.integer[Any]], *, clean: int = 0, name: str = "a layer"
) -> DegradationCode:
    """Fit the code of a layer on images.

    Args:
        means_NC: Channel means, one row an image.
        set_N: The set of each image, from 0 to K - 1. The sets show the same contents, or their
            differences are not those of degradations alone.
        clean: Which set is the clean one.
        name: The layer, for messages.

    Raises:
        ParameterError: If the shapes do not fit, or there are fewer than two sets, or fewer than
            two clean images.
        DegenerateError: If a mean is not finite, or the sets have the same channel means.

    Example:
        >>> means_NC = np.array([[0.0, 1.0], [0.0, 3.0], [2.0, 1.0], [2.0, 3.0]])
        >>> code = fit_code(means_NC, np.array([0, 0, 1, 1]))
        >>> np.abs(code.basis_DC).tolist(), code.mean_KC.tolist()
        ([[1.0, 0.0]], [[0.0, 2.0], [2.0, 2.0]])
    """
    means_NC = np.asarray(means_NC, dtype=np.float64)
    if means_NC.ndim != 2 or set_N.shape != means_NC.shape[:1]:
        rule = "one row an image, with one set number each"
        raise ParameterError("means_NC", rule, f"{means_NC.shape} with {set_N.shape}")
    sets = int(set_N.max()) + 1 if len(set_N) else 0
    count_K = np.bincount(set_N, minlength=sets)
    if sets < 2 or not count_K.all() or not 0 <= clean < sets or count_K[clean] < 2:
        rule = "numbers from 0 of two or more sets, with two or more images of the clean one"
        raise ParameterError("set_N", rule, f"counts {count_K.tolist()}, clean is {clean}")
    what = f"the degradation code of {name}"
    if not np.isfinite(means_NC).all():
        raise DegenerateError(what, "a channel mean is not finite", "check the network's weights")
    mean_KC = np.stack([means_NC[set_N == k].mean(axis=0) for k in range(sets)])
    _, length_D, basis_DC = np.linalg.svd(mean_KC - mean_KC.mean(axis=0), full_matrices=False)
    floor = _ROUNDING * max(float(length_D[0]), float(np.abs(means_NC).max()))
    found = int((length_D > floor).sum())
    if found == 0:
        raise DegenerateError(what, "the sets have the same channel means", "choose another layer")
    clean_CC = np.atleast_2d(np.cov(means_NC[set_N == clean], rowvar=False))
    return DegradationCode(mean_KC=mean_KC, basis_DC=basis_DC[:found], clean_CC=clean_CC)


def erase_offsets(code: DegradationCode, means_NC: Floats) -> NDArray[np.float64]:
    """Return the offsets that give every image the same coordinates in the code, its centre's.

    Args:
        code: Fitted on other images.
        means_NC: Channel means of the images to edit.

    Example:
        >>> means_NC = np.array([[0.0, 1.0], [0.0, 3.0], [2.0, 1.0], [2.0, 3.0]])
        >>> code = fit_code(means_NC, np.array([0, 0, 1, 1]))
        >>> (means_NC + erase_offsets(code, means_NC)).tolist()
        [[1.0, 1.0], [1.0, 3.0], [1.0, 1.0], [1.0, 3.0]]
    """
    return code.project(code.centre_C - means_NC)


def move_offset(
    code: DegradationCode, *, source: int, target: int, alpha: float = 1.0
) -> NDArray[np.float64]:
    """Return the offset (C,) from the mean of one set towards that of another.

    Args:
        code: Fitted on other images.
        source: The set to move from.
        target: The set to move to.
        alpha: How far: 1 the whole way; below 0 the other way.

    Example:
        >>> means_NC = np.array([[0.0, 1.0], [0.0, 3.0], [2.0, 1.0], [2.0, 3.0]])
        >>> code = fit_code(means_NC, np.array([0, 0, 1, 1]))
        >>> move_offset(code, source=1, target=0, alpha=0.5).tolist()
        [-1.0, 0.0]
    """
    return alpha * (code.mean_KC[target] - code.mean_KC[source])


def swap_offsets(code: DegradationCode, means_NC: Floats, clean_NC: Floats) -> NDArray[np.float64]:
    """Return the offsets that give each image the code of its clean version.

    Args:
        code: Fitted on other images.
        means_NC: Channel means of the images to edit.
        clean_NC: Channel means of the same contents' clean images.

    Example:
        >>> means_NC = np.array([[0.0, 1.0], [0.0, 3.0], [2.0, 1.0], [2.0, 3.0]])
        >>> code = fit_code(means_NC, np.array([0, 0, 1, 1]))
        >>> swap_offsets(code, means_NC[2:], means_NC[:2] + 9).tolist()
        [[7.0, 0.0], [7.0, 0.0]]
    """
    return code.project(np.asarray(clean_NC, dtype=np.float64) - means_NC)


def matched_frames(code: DegradationCode, *, draws: int = 20, seed: int) -> NDArray[np.float64]:
    """Draw directions that are no code, yet such as contents vary in.

    Each draw is a frame of D orthonormal directions: D random vectors with the covariance of the
    clean images' channel means, made orthogonal to the code and then to each other. Directions
    drawn alike in all channels would not do: networks never see features there, and nearly any
    such push changes the output.

    The same seed gives codes fitted on nearly the same images nearly the same frames: a draw
    stays one direction over the folds of a cross-fit, as the code does.

    Args:
        code: What to keep away from.
        draws: Number of frames.
        seed: Decides the draws.

    Returns:
        Frames (R, D, C).

    Raises:
        ParameterError: If ``draws`` is below 1 or ``seed`` below 0.
        DegenerateError: If the clean images vary in fewer than D directions beside the code.

    Example:
        >>> means_NC = np.array([[0.0, 1.0], [0.0, 3.0], [2.0, 1.0], [2.0, 3.0]])
        >>> code = fit_code(means_NC, np.array([0, 0, 1, 1]))
        >>> np.abs(matched_frames(code, draws=3, seed=0)).tolist()
        [[[0.0, 1.0]], [[0.0, 1.0]], [[0.0, 1.0]]]
    """
    for name, value, least in (("draws", draws, 1), ("seed", seed, 0)):
        if value < least:
            raise ParameterError(name, f"{least} or more", value)
    directions, channels = code.basis_DC.shape
    value_C, vector_CC = np.linalg.eigh(code.clean_CC)
    root_CC = (vector_CC * np.sqrt(np.maximum(value_C, 0.0))) @ vector_CC.T
    beside_CC = root_CC - code.project(root_CC)
    lengths = np.linalg.svd(beside_CC, compute_uv=False)
    if lengths[0] == 0 or int((lengths > _ROUNDING * lengths[0]).sum()) < directions:
        raise DegenerateError(
            "a control direction",
            "the clean images' channel means vary in too few directions beside the code",
            "give more photographs, or choose a layer with more channels",
        )
    drawn_RDC = np.random.default_rng(seed).standard_normal((draws, directions, channels))
    frames_RDC = np.empty_like(drawn_RDC)
    for draw, one_DC in enumerate(drawn_RDC @ beside_CC):
        frame_CD, triangle_DD = np.linalg.qr(one_DC.T)
        frames_RDC[draw] = (frame_CD * np.sign(np.diag(triangle_DD))).T
    return frames_RDC


def control_offsets(
    code: DegradationCode, offsets_NC: Floats, frame_DC: Floats
) -> NDArray[np.float64]:
    """Return what an edit does to the code, done in another frame: of equal norm, image by image.

    Args:
        code: Of the edit.
        offsets_NC: Of the edit, within the code's subspace.
        frame_DC: One of :func:`matched_frames`.

    Example:
        >>> means_NC = np.array([[0.0, 1.0], [0.0, 3.0], [2.0, 1.0], [2.0, 3.0]])
        >>> code = fit_code(means_NC, np.array([0, 0, 1, 1]))
        >>> control_offsets(code, np.array([[-5.0, 0.0]]), np.array([[0.0, 1.0]])).shape
        (1, 2)
    """
    return (offsets_NC @ code.basis_DC.T) @ frame_DC
