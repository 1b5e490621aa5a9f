"""One layer of a network, the codes fitted on it, and the offsets of its edits.

The code is fitted on other photographs than those whose images it edits: each photograph is left
out in turn.

Suffixes: S sets, M contents, C channels, D directions, P photographs, R control draws, B resamples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.analyses.intervene.passes import Passes, Quality, Statistics
from srscope.analyses.intervene.record import InterveneConfig
from srscope.networks.description import TapPoint
from srscope.scores.code import (
    DegradationCode,
    control_offsets,
    erase_offsets,
    fit_code,
    matched_frames,
    move_offset,
    swap_offsets,
)
from srscope.scores.effects import resampled

Floats = NDArray[np.floating[Any]]


def by_photograph(values_M: Floats, photograph_M: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the mean over each photograph's contents, (P,).

    Example:
        >>> by_photograph(np.array([1.0, 3.0, 5.0]), np.array([0, 0, 1])).tolist()
        [2.0, 5.0]
    """
    return np.bincount(photograph_M, weights=values_M) / np.bincount(photograph_M)


@dataclass(frozen=True, kw_only=True, slots=True)
class EditedLayer:
    """One layer with its codes, one for each photograph that is left out.

    Args:
        passes: Of its network.
        tap: Where it is.
        photograph_M: The photograph of each content, numbered from 0.
        clean: Number of the clean set.
        config: The parameters.
        statistics: Of its features.
        code_P: Fitted on all photographs but one.
        frames_P: The control directions beside each code, (R, D, C).
        samples_BP: Resamples of photographs.
    """

    passes: Passes
    tap: TapPoint
    photograph_M: NDArray[np.intp]
    clean: int
    config: InterveneConfig
    statistics: Statistics
    code_P: tuple[DegradationCode, ...]
    frames_P: tuple[NDArray[np.float64], ...]
    samples_BP: NDArray[np.intp]

    @classmethod
    def fitted(
        cls,
        passes: Passes,
        tap: TapPoint,
        photograph_M: NDArray[np.intp],
        clean: int,
        config: InterveneConfig,
    ) -> EditedLayer:
        """Fit the codes of a layer; the arguments are the fields of that name."""
        statistics = passes.statistics(tap)
        photographs = int(photograph_M.max()) + 1
        every_M = np.ones(len(photograph_M), dtype=np.bool_)
        whole = _code_without(statistics.mean_SMC, every_M, clean, tap.label)
        # Controls are drawn with the covariance of all photographs: a draw is to be one direction
        # for all of them. If it differed, its effects would average out, and the code's would not.
        codes = tuple(
            replace(
                _code_without(statistics.mean_SMC, photograph_M != out, clean, tap.label),
                clean_CC=whole.clean_CC,
            )
            for out in range(photographs)
        )
        frames = tuple(
            matched_frames(code, draws=config.controls, seed=config.seed) for code in codes
        )
        samples_BP = resampled(photographs, resamples=config.resamples, seed=config.seed)
        return cls(
            passes=passes,
            tap=tap,
            photograph_M=photograph_M,
            clean=clean,
            config=config,
            statistics=statistics,
            code_P=codes,
            frames_P=frames,
            samples_BP=samples_BP,
        )

    def offsets(self, edit: str, index: int, of: int, photograph: int) -> NDArray[np.float64]:
        """Return the offsets (M, C) of an edit as fitted without one photograph.

        Args:
            edit: Its name.
            index: The degraded set that the edit is about.
            of: The set whose images are edited.
            photograph: Which one is left out.
        """
        code, means_MC = self.code_P[photograph], self.statistics.mean_SMC[of]
        if edit == "erase":
            return erase_offsets(code, means_MC)
        if edit == "swap":
            return swap_offsets(code, means_MC, self.statistics.mean_SMC[self.clean])
        alpha = self.config.alpha if edit == "move" else -self.config.alpha
        offset_C = move_offset(code, source=index, target=self.clean, alpha=alpha)
        return np.tile(offset_C, (len(means_MC), 1))

    def cross_fitted(self, edit: str, index: int, of: int) -> NDArray[np.float64]:
        """Return the offsets (M, C) of an edit, each by the code without its photograph."""
        return self._joined(lambda out: self.offsets(edit, index, of, out))

    def control(self, edit: str, index: int, draw: int) -> NDArray[np.float64]:
        """Return the offsets (M, C) of one control of an edit."""
        return self._joined(
            lambda out: control_offsets(
                self.code_P[out], self.offsets(edit, index, index, out), self.frames_P[out][draw]
            )
        )

    def _joined(self, offsets_of: Callable[[int], NDArray[np.float64]]) -> NDArray[np.float64]:
        joined_MC = np.empty_like(self.statistics.mean_SMC[0])
        for out in range(len(self.code_P)):
            mine_M = self.photograph_M == out
            joined_MC[mine_M] = offsets_of(out)[mine_M]
        return joined_MC

    def gain_P(self, quality: Quality, of: int) -> NDArray[np.float64]:
        """Return the gain in dB over the unedited outputs of a set, photograph by photograph."""
        gain_M = quality.psnr_M - self.passes.unedited(of).psnr_M
        return by_photograph(gain_M, self.photograph_M)

    def mse_gain(self, quality: Quality, of: int) -> float:
        """Return the gain in mean squared error over the unedited outputs of a set."""
        gain_M = self.passes.unedited(of).mse_M - quality.mse_M
        return float(by_photograph(gain_M, self.photograph_M).mean())


def _code_without(
    mean_SMC: NDArray[np.float64], kept_M: NDArray[np.bool_], clean: int, label: str
) -> DegradationCode:
    kept_SMC = mean_SMC[:, kept_M]
    sets, contents, channels = kept_SMC.shape
    set_N = np.repeat(np.arange(sets), contents)
    return fit_code(kept_SMC.reshape(-1, channels), set_N, clean=clean, name=label)
