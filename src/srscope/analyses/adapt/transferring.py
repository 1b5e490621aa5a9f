"""Whether a transfer network gives a content the level of a source, and nothing else of it.

Suffixes: M contents, C channels, H/W height and width, E values of an embedding, L levels.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srscope.analyses.adapt.networks import FAMILIES, GuidedNetwork, given, mean_embedding
from srscope.analyses.adapt.record import TransferQuality
from srscope.analyses.adapt.restoring import over_photographs
from srscope.errors import ParameterError
from srscope.networks.architectures.guided import HIGHEST
from srscope.scores.agreement import spearman
from srscope.scores.photographs import Interval
from srscope.training.mixture import MARGIN, degraded

KINDS = ("clean content, like a photograph", "degraded content, like a photograph",
         "clean content, like a mean embedding")  # fmt: skip
_GRID = 41  # levels at which a result is compared with its content
_FIXED = 11  # fixed levels that are tried as a baseline
_EDITS = 8  # levels of which a mean embedding is made
_CROPS = 32  # a mean embedding is of so many


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Contents:
    """Clean contents with a margin.

    Args:
        wide_MCHW: RGB in [0, 1], with ``MARGIN`` pixels on every side.
        photograph_M: The photograph of each.
    """

    wide_MCHW: NDArray[np.float32]
    photograph_M: NDArray[np.int64]

    @property
    def clean_MCHW(self) -> NDArray[np.float32]:
        """The contents without margin."""
        return self.wide_MCHW[:, :, MARGIN:-MARGIN, MARGIN:-MARGIN]

    def others(self, shift: int) -> NDArray[np.int64]:
        """Return for each content one of another photograph.

        Raises:
            ParameterError: If all contents are of one photograph.
        """
        count = len(self.photograph_M)
        found: list[int] = []
        for index, own in enumerate(self.photograph_M):
            rolled = np.roll(np.arange(count), -(index + shift))
            other = rolled[self.photograph_M[rolled] != own]
            if not len(other):
                rule = "contents of two photographs or more"
                raise ParameterError("images", rule, f"{count} of one", "give more photographs")
            found.append(int(other[0]))
        return np.array(found)


def judge_transfer(
    guided: GuidedNetwork,
    contents: Contents,
    *,
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[TransferQuality, ...]:
    """Judge a transfer network by both families, and every kind of content and source.

    Args:
        guided: The network.
        contents: Clean contents of two photographs or more.
        seed: Of levels and noise.
        progress: Called with what is done.
    """
    cells = [(family, kind) for family in FAMILIES for kind in KINDS]
    found: list[TransferQuality] = []
    for number, (family, kind) in enumerate(cells, start=1):
        found.append(_judged(guided, contents, family, kind, seed))
        if progress is not None:
            progress(f"transfer, {guided.name}", number, len(cells))
    return tuple(found)


def _judged(
    guided: GuidedNetwork, contents: Contents, family: str, kind: str, seed: int
) -> TransferQuality:
    place, count = FAMILIES[family], len(contents.photograph_M)
    highest = HIGHEST[place]
    random = np.random.default_rng([seed, place])
    edits = (np.arange(_EDITS) + 0.5) / _EDITS * highest
    is_edit = kind == KINDS[2]
    level_M = random.choice(edits, count) if is_edit else random.uniform(0, highest, count)
    noise_MCHW = random.standard_normal(contents.clean_MCHW.shape, dtype=np.float32)

    def at(level_M: NDArray[np.float64], noise: NDArray[np.float32] = noise_MCHW) -> Tensor:
        levels_ML = np.where(np.arange(2) == place, level_M[:, None], 0.0)
        return torch.from_numpy(degraded(contents.wide_MCHW, levels_ML, noise))

    own_MCHW = torch.from_numpy(np.ascontiguousarray(contents.clean_MCHW))
    if kind == KINDS[1]:
        own_ML = random.uniform(0, 1, (count, 2)) * HIGHEST
        own_noise = random.standard_normal(noise_MCHW.shape, dtype=np.float32)
        own_MCHW = torch.from_numpy(degraded(contents.wide_MCHW, own_ML, own_noise))
    source_noise = random.standard_normal(noise_MCHW.shape, dtype=np.float32)
    results: list[Tensor] = []
    others = [contents.others(count // 2), contents.others(count // 3)]
    codes = _edit_embeddings(guided, contents, family, edits, level_M) if is_edit else []
    for source_M in others:
        told = codes
        if not is_edit:
            levels_ML = np.where(np.arange(2) == place, level_M[:, None], 0.0)
            sources = degraded(contents.wide_MCHW[source_M], levels_ML, source_noise)
            told = [guided.embedding(each) for each in torch.from_numpy(sources).split(1)]
        made = [
            given(guided, image.permute(1, 2, 0).numpy(), like_1E, noise_3HW=noise)
            for image, like_1E, noise in zip(own_MCHW, told, noise_MCHW, strict=True)
        ]
        results.append(torch.from_numpy(np.stack(made)).permute(0, 3, 1, 2))
    result_MCHW, truth_MCHW = (results[0] * 255).round() / 255, at(level_M)
    grid = np.linspace(0, highest, _GRID)
    error_KM = torch.stack([_error(result_MCHW, at(np.full(count, g))) for g in grid])
    nearest_M = grid[error_KM.argmin(dim=0).numpy()]
    fixed = np.linspace(0, highest, _FIXED)
    fixed_KM = np.stack([_psnr(at(np.full(count, g)), truth_MCHW) for g in fixed])
    best = int(fixed_KM.mean(axis=1).argmax())
    psnr_M = _psnr(result_MCHW, truth_MCHW)
    gain_M = psnr_M - fixed_KM[best]
    leak_M = _correlation(result_MCHW - truth_MCHW, own_clean(contents)[others[0]])
    change = float((results[0] - results[1]).square().mean().sqrt() * 255)

    def interval(values_M: NDArray[np.float64]) -> Interval:
        return over_photographs(lambda kept: float(values_M[kept].mean()), contents.photograph_M)

    def rho(found_M: NDArray[np.float64]) -> Interval:
        def of(kept: NDArray[np.bool_]) -> float:
            value = spearman(found_M[kept], level_M[kept])
            return 0.0 if np.isnan(value) else value  # the same level for all follows nothing

        found = over_photographs(of, contents.photograph_M)
        return dataclasses.replace(found, low=max(-1.0, found.low), high=min(1.0, found.high))

    return TransferQuality(
        network=guided.name,
        family=family,
        kind=kind,
        rho=rho(nearest_M),
        rho_read=rho(_read(guided, result_MCHW)[:, place]),
        rho_read_truth=rho(_read(guided, truth_MCHW)[:, place]),
        psnr=float(psnr_M.mean()),
        fixed=float(fixed[best]),
        gain=interval(gain_M),
        leak=interval(leak_M),
        exchanged=change,
    )


def own_clean(contents: Contents) -> Tensor:
    """Return the clean contents as a tensor."""
    return torch.from_numpy(np.ascontiguousarray(contents.clean_MCHW))


def _edit_embeddings(
    guided: GuidedNetwork,
    contents: Contents,
    family: str,
    edits: NDArray[np.float64],
    level_M: NDArray[np.float64],
) -> list[Tensor]:
    """Return each content's mean embedding of its level, made of the other half's photographs."""
    half_M = contents.photograph_M % 2
    place, patch = FAMILIES[family], 32 + 2 * MARGIN
    made: dict[tuple[int, float], Tensor] = {}
    for half in (0, 1):
        crops = contents.wide_MCHW[half_M != half][:_CROPS, :, :patch, :patch]
        if not len(crops):
            rule = "contents of two photographs or more"
            raise ParameterError("images", rule, "one", "give more photographs")
        for level in edits:
            levels_L = np.where(np.arange(2) == place, level, 0.0)
            made[half, float(level)] = mean_embedding(guided, crops, levels_L)
    return [made[int(h), float(level)] for h, level in zip(half_M, level_M, strict=True)]


def _read(guided: GuidedNetwork, images_MCHW: Tensor) -> NDArray[np.float64]:
    told_ME = torch.cat([guided.embedding(each) for each in images_MCHW.split(1)])
    found = guided.levels(told_ME)
    assert found is not None  # a transfer network always has embeddings
    return found


def _error(one_MCHW: Tensor, other_MCHW: Tensor) -> Tensor:
    return (one_MCHW - other_MCHW).double().square().mean(dim=(1, 2, 3))


def _psnr(one_MCHW: Tensor, other_MCHW: Tensor) -> NDArray[np.float64]:
    """Return PSNR in dB, no more than 60."""
    return (-10 * (_error(one_MCHW, other_MCHW) + 1e-6).log10()).numpy()


def _correlation(one_MCHW: Tensor, other_MCHW: Tensor) -> NDArray[np.float64]:
    """Return each content's correlation over all values; 0 where one of the two is flat."""
    flat = [each.double().flatten(1) for each in (one_MCHW, other_MCHW)]
    centred = [each - each.mean(dim=1, keepdim=True) for each in flat]
    size = centred[0].norm(dim=1) * centred[1].norm(dim=1)
    return ((centred[0] * centred[1]).sum(dim=1) / size.clamp(min=1e-12)).numpy()
