"""The scores of a layer: the one list that every table, page, export and document loops over.

A score is a line here: what it is called, what it means, where it stands in a layer's record and
how it is written. A score of the user's own is registered by :func:`register_score`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from srscope.errors import ParameterError
from srscope.scores.record import Components, LayerScores, ProbeScore, Runs
from srscope.scores.runs import MeanOfRuns
from srscope.scores.separability import BANDS

Value = Runs | MeanOfRuns | ProbeScore | float | str | None
"""A score as it is recorded; ``None`` where the design leaves it undefined."""
Form = Literal["number", "share", "small", "grade"]
"""How a score is written: about three digits, percent, three digits after the point, a sign."""

MAPS, FEATURES, PROBE, VARIANCE = (
    "On t-SNE points", "In feature space", "Photograph left out", "Share of variance",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Points:
    """What a score of the user's own is computed from.

    Args:
        points_NC: The layer's features after PCA.
        set_N: The set of each image.
        content_N: The content of each image.
        photograph_N: The photograph of each image.
    """

    points_NC: NDArray[np.float64]
    set_N: NDArray[np.int64]
    content_N: NDArray[np.int64]
    photograph_N: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """One column of every table of scores.

    Args:
        key: Its name in CSV files, and in ``scores.json`` where it is the user's own.
        label: Its head.
        group: What stands above it.
        meaning: One or two sentences for those who do not know it.
        value: Takes it out of a layer's record.
        form: How it is written.
        higher: What a high value says.
        detail: It stands only in tables that show every score.
        runs: It has a value a t-SNE run.
        compute: Computes it, where it is the user's own; ``None`` for undefined.
    """

    key: str
    label: str
    group: str
    meaning: str
    value: Callable[[LayerScores], Value]
    form: Form = "number"
    higher: Literal["more separate", "less separate", "neither"] = "neither"
    detail: bool = False
    runs: bool = False
    compute: Callable[[Points], float | None] | None = None


def _components(layer: LayerScores) -> Components | None:
    return layer.variance.components if layer.variance else None


_BANDS = ", ".join(f"{sign} from {least:g}" for least, sign in BANDS)

_BUILT_IN: tuple[Score, ...] = (
    Score(
        key="chi",
        label="CHI",
        group=MAPS,
        meaning="Caliński–Harabasz index of the 2-D points by set: BD/WD · (N−K)/(K−1) for N "
        "images in K sets. Mean ± standard deviation over the t-SNE runs. It grows with N; 0 means "
        "that the sets' centres coincide.",
        value=lambda layer: layer.tsne.chi,
        higher="more separate",
        runs=True,
    ),
    Score(
        key="grade",
        label="Grade",
        group=MAPS,
        meaning=f"The paper's band of CHI: − below {BANDS[0][0]:g}, {_BANDS}.",
        value=lambda layer: layer.tsne.grade,
        form="grade",
        higher="more separate",
    ),
    Score(
        key="chi_known",
        label="CHI, known",
        group=MAPS,
        meaning="Mean of CHI over as many t-SNE runs as make it known to 10 %, at most 40, with "
        "its 95 % interval over runs.",
        value=lambda layer: layer.tsne.chi_known,
        higher="more separate",
        detail=True,
    ),
    Score(
        key="trustworthiness",
        label="Trust",
        group=MAPS,
        meaning="Trustworthiness of the first map: 1 where all neighbours on it are neighbours in "
        "the features.",
        value=lambda layer: layer.tsne.trustworthiness,
        detail=True,
    ),
    Score(
        key="continuity",
        label="Continuity",
        group=MAPS,
        meaning="Continuity of the first map: 1 where all neighbours in the features are "
        "neighbours on it.",
        value=lambda layer: layer.tsne.continuity,
        detail=True,
    ),
    Score(
        key="wd",
        label="WD",
        group=MAPS,
        meaning="Within-cluster dispersion: the sum of squared distances of the points to the "
        "centre of their set. Mean over the runs.",
        value=lambda layer: layer.tsne.wd.mean,
        higher="less separate",
        detail=True,
    ),
    Score(
        key="bd",
        label="BD",
        group=MAPS,
        meaning="Between-cluster dispersion: the sum of squared distances of the sets' centres to "
        "the common centre, each counted once an image. Mean over the runs.",
        value=lambda layer: layer.tsne.bd.mean,
        higher="more separate",
        detail=True,
    ),
    Score(
        key="feature_space_chi",
        label="CHI, features",
        group=FEATURES,
        meaning="The same index on the features after PCA. No t-SNE, no seed.",
        value=lambda layer: layer.feature_space.chi,
        higher="more separate",
    ),
    Score(
        key="silhouette",
        label="Silhouette",
        group=FEATURES,
        meaning="Mean silhouette of the features after PCA, from −1 to 1: how much nearer an image "
        "is to its own set than to the next one.",
        value=lambda layer: layer.feature_space.silhouette,
        higher="more separate",
        detail=True,
    ),
    Score(
        key="knn_accuracy",
        label="k-NN",
        group=FEATURES,
        meaning="Share of images whose nearest neighbours after PCA name the right set. A "
        "neighbour of the same content is never counted; where the sets do not share their "
        "contents, none of the same photograph.",
        value=lambda layer: layer.feature_space.knn_accuracy,
        form="share",
        higher="more separate",
    ),
    Score(
        key="p_value",
        label="p",
        group=FEATURES,
        meaning="Test of the hypothesis that no set's mean is shifted, on average over "
        "photographs: how often turning the shifts of whole photographs about gives as much. Where "
        "the sets do not share their contents, the set labels of whole photographs are shuffled, "
        "and their feature-space CHI is compared.",
        value=lambda layer: layer.feature_space.p_value,
        form="small",
        higher="less separate",
        detail=True,
    ),
    Score(
        key="probe",
        label="Probe",
        group=PROBE,
        meaning="Share of images whose set a linear probe tells (shrinkage LDA on 50 principal "
        "components), with the image's whole photograph left out; balanced over the sets, with its "
        "95 % interval over photographs. It does not grow with the number of images.",
        value=lambda layer: layer.probe,
        form="share",
        higher="more separate",
    ),
    Score(
        key="probe_channel_means",
        label="Probe, means",
        group=PROBE,
        meaning="The same probe on the mean of every channel.",
        value=lambda layer: layer.probe_channel_means,
        form="share",
        higher="more separate",
        detail=True,
    ),
    Score(
        key="probe_channel_log_std",
        label="Probe, spreads",
        group=PROBE,
        meaning="The same probe on the logarithm of every channel's standard deviation.",
        value=lambda layer: layer.probe_channel_log_std,
        form="share",
        higher="more separate",
        detail=True,
    ),
    Score(
        key="best_probe",
        label="Best probe",
        group=PROBE,
        meaning="The most telling of the three readings: features after PCA, channel means, "
        "channel standard deviations.",
        value=lambda layer: layer.best_probe,
        form="share",
        higher="more separate",
    ),
    Score(
        key="knn_photographs",
        label="k-NN, other photographs",
        group=PROBE,
        meaning="Share of images whose nearest neighbours in other photographs name the right set.",
        value=lambda layer: layer.knn_photographs,
        form="share",
        higher="more separate",
        detail=True,
    ),
    Score(
        key="degradation",
        label="Degradation",
        group=VARIANCE,
        meaning="Part of the features' variance that is due to the set, whatever the content "
        "(two-way analysis of variance, without projection).",
        value=lambda layer: layer.variance.degradation if layer.variance else None,
        form="share",
        higher="more separate",
    ),
    Score(
        key="content",
        label="Content",
        group=VARIANCE,
        meaning="Part of it that is due to the content, whatever the degradation.",
        value=lambda layer: layer.variance.content if layer.variance else None,
        form="share",
        higher="less separate",
    ),
    Score(
        key="interaction",
        label="Interaction",
        group=VARIANCE,
        meaning="The rest: the degradation's effect that differs from content to content.",
        value=lambda layer: layer.variance.interaction if layer.variance else None,
        form="share",
        detail=True,
    ),
    Score(
        key="component_degradation",
        label="Degradation, unbiased",
        group=VARIANCE,
        meaning="The degradation's component of variance, free of what noise adds to its share.",
        value=lambda layer: c.degradation if (c := _components(layer)) else None,
        form="share",
        higher="more separate",
        detail=True,
    ),
    Score(
        key="component_content",
        label="Content, unbiased",
        group=VARIANCE,
        meaning="The content's component of variance, free of what noise adds to its share: pure "
        "noise gives 0.",
        value=lambda layer: c.content if (c := _components(layer)) else None,
        form="share",
        higher="less separate",
        detail=True,
    ),
)

_OWN: dict[str, Score] = {}


def scores(*, all_columns: bool = True) -> tuple[Score, ...]:
    """Return the scores in the order of the columns, the user's own last.

    Args:
        all_columns: Include those that only tables of every score show.
    """
    every = (*_BUILT_IN, *_OWN.values())
    return every if all_columns else tuple(each for each in every if not each.detail)


def own_scores() -> tuple[Score, ...]:
    """Return the scores that the user registered."""
    return tuple(_OWN.values())


def register_score(
    key: str,
    compute: Callable[[Points], float | None],
    *,
    label: str,
    meaning: str,
    form: Form = "number",
    higher: Literal["more separate", "less separate", "neither"] = "neither",
) -> Score:
    """Add a score of one's own to every table, page, export and ``scores.json``.

    Args:
        key: Its name in files: letters, digits and ``_``. Registered again, it is replaced.
        compute: Computes it from a layer's points; returns ``None`` where it is undefined.
        label: The head of its column.
        meaning: One or two sentences.
        form: How it is written.
        higher: What a high value says.

    Returns:
        The score.

    Raises:
        ParameterError: If the key is no identifier, or a score of srscope has it.

    Example:
        >>> mine = register_score(
        ...     "spread",
        ...     lambda p: float(p.points_NC.std()),
        ...     label="Spread",
        ...     meaning="Standard deviation of the points.",
        ... )
        >>> mine in scores()
        True
        >>> unregister_score("spread")
    """
    if not key.isidentifier():
        raise ParameterError("key", "letters, digits and _", key)
    if key in {each.key for each in _BUILT_IN}:
        raise ParameterError("key", "none of srscope's own scores", key, "choose another one")
    score = Score(
        key=key,
        label=label,
        group="Your own",
        meaning=meaning,
        value=lambda layer: layer.own.get(key),
        form=form,
        higher=higher,
        compute=compute,
    )
    _OWN[key] = score
    return score


def unregister_score(key: str) -> None:
    """Forget a score of one's own; nothing happens when there is none."""
    _OWN.pop(key, None)


def plain_value(value: Value) -> float | str | None:
    """Return a score as one number: of runs their mean, of a probe its accuracy."""
    if isinstance(value, ProbeScore):
        return value.accuracy
    return value.mean if isinstance(value, Runs | MeanOfRuns) else value
