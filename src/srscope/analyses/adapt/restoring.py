"""Restoration by twins that differ in what tells them the degradation.

Suffixes: N images (set by set, all contents in each), M contents, C channels, H/W height and
width, E values of an embedding, L levels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srscope.analyses.adapt.config import CLEAN, UNSEEN
from srscope.analyses.adapt.networks import GuidedNetwork
from srscope.analyses.adapt.record import Gain, SetQuality, Steered
from srscope.analyses.generalize.restore import BORDER, psnr_of_images, ssim_of_images
from srscope.degradations.degrade import quantize
from srscope.networks.architectures.guided import HIGHEST, embedding_of_levels
from srscope.scores.photographs import Interval, jackknife_interval

FIXED = tuple(range(0, int(HIGHEST[1]) + 1, 5))
"""Fixed sigmas that a denoiser is told in place of the image's own."""
INPUT = "input"
_MOST = 60.0  # dB: an image restored to the bit would have infinitely many
_BATCH = 16


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Images:
    """The degraded contents with the truth.

    Args:
        degraded: By set, (M, 3, H, W).
        levels: By set, blur width and noise sigma; ``None`` for an unseen family.
        clean_MCHW: The contents themselves.
        photograph_M: The photograph of each.
    """

    degraded: Mapping[str, Tensor]
    levels: Mapping[str, tuple[float, float] | None]
    clean_MCHW: Tensor
    photograph_M: NDArray[np.int64]

    @property
    def known(self) -> tuple[str, ...]:
        """The sets of degradations that the networks were trained on, but for the clean one."""
        return tuple(name for name in self.degraded if name not in (CLEAN, *UNSEEN))


def over_photographs(
    score: Callable[[NDArray[np.bool_]], float], photograph_M: NDArray[np.int64]
) -> Interval:
    """Return a score with its interval over photographs, by leaving out each in turn.

    Args:
        score: Of the contents for which its argument is true.
        photograph_M: The photograph of each content.

    Example:
        >>> gain_M = np.array([1.0, 1.2, 0.8, 1.0])
        >>> found = over_photographs(lambda kept: gain_M[kept].mean(), np.array([0, 0, 1, 1]))
        >>> round(found.value, 6), found.photographs
        (1.0, 2)
    """
    without = [score(photograph_M != each) for each in np.unique(photograph_M)]
    return jackknife_interval(score(np.ones(len(photograph_M), np.bool_)), np.array(without))


@torch.no_grad()
def embeddings(guided: GuidedNetwork, images_NCHW: Tensor) -> Tensor:
    """Return the embedding of each image, tile by tile as of a photograph, (N, E)."""
    return torch.cat([guided.embedding(image_1CHW) for image_1CHW in images_NCHW.split(1)])


@torch.no_grad()
def outputs(guided: GuidedNetwork, images_NCHW: Tensor, embedding_NE: Tensor) -> Tensor:
    """Return the restored images, as they would be saved."""
    parts = zip(images_NCHW.split(_BATCH), embedding_NE.split(_BATCH), strict=True)
    module: Any = guided.network
    return quantize(torch.cat([module(image, told) for image, told in parts]))


class Restoring:
    """Embeds and restores every set by every network, once.

    Args:
        networks: Restoration networks.
        images: The sets.
        progress: Called with what is done.
    """

    def __init__(
        self,
        networks: Sequence[GuidedNetwork],
        images: Images,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self.networks, self.images = networks, images
        self._embedding: dict[tuple[str, str], Tensor] = {}
        self.restored: dict[tuple[str, str], Tensor] = {}
        sets = list(images.degraded)
        for each in networks:
            for number, name in enumerate(sets, start=1):
                told_ME = self._told(each, name)
                if told_ME is not None:
                    self._embedding[each.name, name] = told_ME
                    made_MCHW = outputs(each, images.degraded[name], told_ME)
                    self.restored[each.name, name] = made_MCHW
                if progress is not None:
                    progress(f"restoring, {each.name}", number, len(sets))

    def _told(self, guided: GuidedNetwork, name: str) -> Tensor | None:
        """Return what a network is told of a set; ``None`` if an oracle has nothing to tell."""
        images_MCHW, levels = self.images.degraded[name], self.images.levels[name]
        if guided.guide is not None:
            return embeddings(guided, images_MCHW)
        if levels is None:
            return None
        return embedding_of_levels(torch.tensor([levels] * len(images_MCHW)))

    def _measured(self, made_MCHW: Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        clean_MCHW = self.images.clean_MCHW
        psnr_M = np.minimum(psnr_of_images(made_MCHW, clean_MCHW, BORDER), _MOST)
        return psnr_M, ssim_of_images(made_MCHW, clean_MCHW, BORDER)

    def _difference(self, one_M: NDArray[np.float64], other_M: NDArray[np.float64]) -> Interval:
        gain_M = one_M - other_M
        return over_photographs(lambda kept: float(gain_M[kept].mean()), self.images.photograph_M)

    def judged(self) -> tuple[tuple[SetQuality, ...], tuple[Gain, ...]]:
        """Return the quality on every set, and what guidance gains over all."""
        images = self.images
        found = {key: self._measured(made) for key, made in self.restored.items()}
        for name, images_MCHW in images.degraded.items():
            found[INPUT, name] = self._measured(images_MCHW)
        plain = next((each.name for each in self.networks if each.guidance == "none"), None)
        rows: list[SetQuality] = []
        for network in (INPUT, *(each.name for each in self.networks)):
            for name in images.degraded:
                if (network, name) not in found:
                    continue
                gains: list[Interval | None] = [None, None]
                if plain is not None and network not in (INPUT, plain):
                    pairs = zip(found[network, name], found[plain, name], strict=True)
                    gains = [self._difference(one, other) for one, other in pairs]
                psnr_M, ssim_M = found[network, name]
                rows.append(
                    SetQuality(
                        network=network,
                        set=name,
                        psnr=float(psnr_M.mean()),
                        ssim=float(ssim_M.mean()),
                        gain_psnr=gains[0],
                        gain_ssim=gains[1],
                    )
                )
        if plain is None:
            return tuple(rows), ()
        psnr = {key: psnr_M for key, (psnr_M, _) in found.items()}
        return tuple(rows), self._gains(psnr, plain)

    def _gains(
        self, psnr: Mapping[tuple[str, str], NDArray[np.float64]], plain: str
    ) -> tuple[Gain, ...]:
        known = self.images.known

        def gain_of(network: str) -> NDArray[np.float64]:
            return np.mean([psnr[network, s] - psnr[plain, s] for s in known], axis=0)

        oracle = next((each.name for each in self.networks if each.guidance == "oracle"), None)
        most_M = None if oracle is None else gain_of(oracle)
        gains: list[Gain] = []
        for each in self.networks:
            if each.name == plain:
                continue
            gain_M, closed = gain_of(each.name), None
            if most_M is not None and each.name != oracle:
                closed = self._ratio(gain_M, most_M)
            total = self._difference(gain_M, np.zeros_like(gain_M))
            gains.append(
                Gain(network=each.name, guidance=_told_by(each), psnr=total, closed=closed)
            )
        return tuple(gains)

    def _ratio(self, gain_M: NDArray[np.float64], most_M: NDArray[np.float64]) -> Interval | None:
        """Return the share of the oracle's gain; ``None`` where the oracle gains nothing."""
        if most_M.mean() <= 0:
            return None
        return over_photographs(
            lambda kept: float(gain_M[kept].mean() / most_M[kept].mean()),
            self.images.photograph_M,
        )

    def steered(self) -> tuple[Steered, ...]:
        """Tell the oracle sigma as others read it, on the sets of noise alone."""
        oracle = next((each for each in self.networks if each.guidance == "oracle"), None)
        noisy = [n for n, at in self.images.levels.items() if at and at[0] == 0 and at[1] > 0]
        if oracle is None or not noisy:
            return ()
        shape = len(self.images.clean_MCHW)
        truth = {name: np.full(shape, (self.images.levels[name] or (0, 0))[1]) for name in noisy}
        sigmas = {"truth": truth}
        sigmas |= {f"fixed, {s}": {n: np.full(shape, float(s)) for n in noisy} for s in FIXED}
        for each in self.networks:
            if each.guide is not None and each.network.config.embedding:
                read = {n: each.levels(self._embedding[each.name, n]) for n in noisy}
                sigmas[each.name] = {n: at[:, 1] for n, at in read.items() if at is not None}
        psnr = {told_by: self._denoised(oracle, by_set) for told_by, by_set in sigmas.items()}
        fixed = max((each for each in psnr if "fixed" in each), key=lambda e: psnr[e].mean())
        return tuple(
            Steered(
                told_by=told_by,
                error=float(np.mean([abs(sigmas[told_by][n] - truth[n]).mean() for n in noisy])),
                psnr=float(psnr[told_by].mean()),
                beyond_fixed=None
                if told_by == fixed
                else self._difference(psnr[told_by], psnr[fixed]),
            )
            for told_by in psnr
        )

    def _denoised(
        self, oracle: GuidedNetwork, sigma: Mapping[str, NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Return each content's PSNR, averaged over the sets."""
        found: list[NDArray[np.float64]] = []
        for name, sigma_M in sigma.items():
            levels_ML = torch.from_numpy(np.stack([np.zeros_like(sigma_M), sigma_M], axis=1))
            told_ME = embedding_of_levels(levels_ML.float())
            found.append(self._measured(outputs(oracle, self.images.degraded[name], told_ME))[0])
        return np.mean(found, axis=0)


def _told_by(guided: GuidedNetwork) -> str:
    config = guided.network.config
    if config.guidance == "representations":
        return f"{config.layer} of {config.guide}"
    return {"statistics": "simple statistics", "oracle": "the truth"}[config.guidance]
