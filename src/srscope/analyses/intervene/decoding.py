"""What a linear probe still reads of a degradation after an edit.

Suffixes: M contents, C channels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

Floats = NDArray[np.floating[Any]]


def balanced_accuracy(
    pair_of: Callable[[int], tuple[Floats, Floats]], photograph_M: NDArray[np.intp]
) -> float:
    """Tell two sets apart by shrinkage LDA, each photograph left out in turn.

    Args:
        pair_of: Returns the features (M, C) of the clean and of the degraded set as they are when
            this photograph is left out: an edit may be fitted on the others.
        photograph_M: The photograph of each content, numbered from 0.

    Returns:
        The mean share of each set's images that are recognised; 0.5 is chance.
    """
    right = 0
    for photograph in range(int(photograph_M.max()) + 1):
        out_M = photograph_M == photograph
        clean_MC, degraded_MC = pair_of(photograph)
        seen = np.concatenate([clean_MC[~out_M], degraded_MC[~out_M]])
        labels = np.repeat([0, 1], (~out_M).sum())
        probe = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(seen, labels)
        for label, left_out_MC in enumerate((clean_MC[out_M], degraded_MC[out_M])):
            right += int(np.count_nonzero(probe.predict(left_out_MC) == label))
    return right / (2 * len(photograph_M))
