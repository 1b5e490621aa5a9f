"""Which filters a network, fine-tuned from another, deals with a degradation by (FAIG).

A filter here is the part of a weight from one input channel to one output channel: of a
convolution a kernel, of a linear map one number.

Suffixes: M contents, P photographs, C channels, H/W height and width.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from srscope.analyses.attribute.gradients import output_of
from srscope.analyses.intervene.layer import by_photograph
from srscope.analyses.intervene.passes import Passes
from srscope.degradations.degrade import DegradedImages
from srscope.errors import DegenerateError, NetworkError, ParameterError
from srscope.networks.adapter import inner_network
from srscope.networks.description import LoadedNetwork
from srscope.scores.effects import Interval, interval, resampled

SHARES = (0.01, 0.03, 0.05, 0.1)
"""Of the filters, replaced at a time."""
FAIG, GRADIENTS, CHANGE, CHANCE = "FAIG", "integrated gradients", "size of change", "chance"
CHANCES = 5
"""Random choices of filters."""
Scores = Mapping[str, Tensor]
"""By weight, one number a filter, (out, in)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Replacement:
    """What the target loses with some filters put back to the baseline's.

    Args:
        method: How they were chosen.
        share: Of all filters.
        lost: PSNR in dB on the degraded set.
        lost_other: The same on the set that the filters should not serve.
        beyond_chance: ``lost`` less that of filters chosen by chance; ``None`` for these.
    """

    method: str
    share: float
    lost: Interval
    lost_other: Interval
    beyond_chance: Interval | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FilterRecord:
    """Filters that the target deals with a degradation by.

    Args:
        baseline: Name of the network before fine-tuning.
        target: Name of the network after it.
        degraded: The set whose filters are sought.
        other: The set that they should not serve.
        filters: How many there are.
        gain: PSNR in dB of the target over the baseline on the degraded set: what there is to lose.
        gain_other: The same on the other set.
        replacements: By method and share.
        beyond_change: PSNR lost in dB on the degraded set with the top 1 % by FAIG put back, less
            that with the filters that changed most.
        by_layer: Share of the top 1 % by FAIG that lies in each weight, the largest first.
        photographs: How many judged; others were used to find the filters.
    """

    baseline: str
    target: str
    degraded: str
    other: str
    filters: int
    gain: Interval
    gain_other: Interval
    replacements: tuple[Replacement, ...]
    beyond_change: Interval
    by_layer: tuple[tuple[str, float], ...]
    photographs: int

    def at(self, method: str, share: float) -> Replacement:
        """Return one replacement."""
        found = (e for e in self.replacements if (e.method, e.share) == (method, share))
        return next(found)


def filters_of(
    baseline: LoadedNetwork,
    target: LoadedNetwork,
    images: DegradedImages,
    originals_MCHW: NDArray[np.float32],
    *,
    degraded: int,
    other: int,
    steps: int = 100,
    seed: int = 0,
    batch_size: int = 32,
    device: str = "cpu",
    report: Callable[[int, int], None] = lambda done, total: None,
) -> FilterRecord:
    """Find filters, and judge them by putting them back.

    Filters are found on every second photograph, and judged on the others.

    Args:
        baseline: The network before fine-tuning.
        target: The network after it, of the same architecture.
        images: Every content in every set.
        originals_MCHW: What outputs should be, content by content.
        degraded: Index of the set whose filters are sought.
        other: Index of the set that they should not serve.
        steps: On the line from target to baseline.
        seed: Of filters by chance and of the intervals.
        batch_size: Images a forward pass.
        device: Where to compute.
        report: Called with the gradients taken and in all.

    Raises:
        NetworkError: If the two have not the same weights by name and shape.
        DegenerateError: If their weights are the same.
        ParameterError: If there are fewer than 4 photographs.

    Source: Xie et al. 2021, equations 4 to 7.
    """
    names, photograph_M = np.unique(np.array(images.photographs), return_inverse=True)
    if len(names) < 4:
        remedy = "half of them find filters, the others judge; give 16 or more"
        raise ParameterError("photographs", "4 or more", len(names), remedy)
    pair = _Pair(baseline, target, device)
    found, judged = (np.flatnonzero(photograph_M % 2 == rest) for rest in (0, 1))
    inputs = {
        which: images.images_NCHW[np.flatnonzero(images.set_N == which)][
            np.argsort(images.content_N[images.set_N == which])
        ][found]
        for which in (degraded, other)
    }
    originals = torch.from_numpy(originals_MCHW[found])
    total, done = 4 * len(found) * steps, 0

    def count() -> None:
        nonlocal done
        done += 1
        report(done, total)

    scores: dict[str, Scores] = {}
    for method, line in ((FAIG, pair.between), (GRADIENTS, pair.from_nothing)):
        served, not_served = (
            pair.scores(torch.from_numpy(inputs[which]), originals, line, steps, count)
            for which in (degraded, other)
        )
        scores[method] = {name: served[name] - not_served[name] for name in served}
    scores[CHANGE] = {name: _by_filter(change.abs()) for name, change in pair.change.items()}
    generator = torch.Generator().manual_seed(seed)
    for draw in range(CHANCES):
        scores[f"{CHANCE} {draw}"] = {
            name: torch.rand(each.shape, generator=generator) for name, each in scores[FAIG].items()
        }
    return _judged(pair, scores, images, originals_MCHW, judged, degraded, other, batch_size, seed)


class _Pair:
    """A baseline, a target, and a copy that takes any weights."""

    def __init__(self, baseline: LoadedNetwork, target: LoadedNetwork, device: str) -> None:
        self.baseline, self.target, self.device = baseline, target, device
        # Only the copy is changed and derived; the two networks stay as they are.
        self.copy = copy.deepcopy(target.module).to(device).eval().requires_grad_(False)
        self._own = dict(inner_network(self.copy).named_parameters())
        ends = [
            {name: p.detach().to(device) for name, p in inner_network(each).named_parameters()}
            for each in (target.module, baseline.module)
        ]
        self._target, self._baseline = ends
        shapes = [{name: tuple(p.shape) for name, p in end.items()} for end in ends]
        if shapes[0] != shapes[1]:
            odd = sorted(set(shapes[0].items()) ^ set(shapes[1].items()))[0][0]
            raise NetworkError(
                f"{target.name} is not fine-tuned from {baseline.name}: weight {odd!r} is not the "
                "same in shape; give two networks of one architecture"
            )
        self.change = {
            name: self._baseline[name] - value
            for name, value in self._target.items()
            if value.ndim >= 2
        }
        if not any(bool(change.any()) for change in self.change.values()):
            raise DegenerateError(
                "a filter's share", f"{target.name} has {baseline.name}'s weights"
            )

    def between(self, place: float) -> tuple[Mapping[str, Tensor], Mapping[str, Tensor]]:
        """Return weights on the line from target to baseline, and what they change in all."""
        mixed = {
            name: torch.lerp(value, self._baseline[name], place)
            for name, value in self._target.items()
        }
        return mixed, self.change

    def from_nothing(self, place: float) -> tuple[Mapping[str, Tensor], Mapping[str, Tensor]]:
        """Return weights on the line from 0 to the target, and what they change in all."""
        return {name: value * place for name, value in self._target.items()}, self._target

    def scores(
        self,
        images_MCHW: Tensor,
        originals_MCHW: Tensor,
        line: Callable[[float], tuple[Mapping[str, Tensor], Mapping[str, Tensor]]],
        steps: int,
        count: Callable[[], None],
    ) -> Scores:
        """Return what each filter adds to the change of the loss, mean over images."""
        weights = [self._own[name] for name in self.change]
        found = {name: torch.zeros_like(_by_filter(each)) for name, each in self.change.items()}
        network = dataclasses.replace(self.target, module=self.copy)
        for image_CHW, original_CHW in zip(images_MCHW, originals_MCHW, strict=True):
            sums = [torch.zeros_like(each) for each in weights]
            changes: Mapping[str, Tensor] = {}
            for step in range(steps):
                mixed, changes = line((step + 0.5) / steps)
                self._take(mixed)
                with torch.enable_grad():
                    for weight in weights:
                        weight.requires_grad_(True)
                    output_1CHW = output_of(network, image_CHW[None].to(self.device))
                    loss = (output_1CHW[0] - original_CHW.to(self.device)).square().mean()
                    gradients = torch.autograd.grad(
                        loss, weights, allow_unused=True, materialize_grads=True
                    )
                for each, gradient in zip(sums, gradients, strict=True):
                    each += gradient / steps
                count()
            for name, each in zip(self.change, sums, strict=True):
                found[name] += _by_filter((each * changes[name]).abs()) / len(images_MCHW)
        return found

    def put_back(self, chosen: Mapping[str, Tensor]) -> nn.Module:
        """Return the target with the chosen filters as they are in the baseline."""
        self._take(self._target)
        with torch.no_grad():
            for name, chosen_OI in chosen.items():
                axes = (1,) * (self._own[name].ndim - 2)
                where = chosen_OI.view(*chosen_OI.shape, *axes).to(self.device)
                self._own[name].copy_(torch.where(where, self._baseline[name], self._target[name]))
        return self.copy

    def _take(self, weights: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, value in weights.items():
                self._own[name].copy_(value)


def _by_filter(weight: Tensor) -> Tensor:
    return weight.flatten(2).sum(dim=2) if weight.ndim > 2 else weight


def top_filters(scores: Scores, share: float) -> dict[str, Tensor]:
    """Return which filters have the highest scores, as many as ``share`` of all, at least one.

    Example:
        >>> chosen = top_filters({"a": torch.tensor([[1.0, 4.0]]), "b": torch.tensor([[3.0]])}, 0.7)
        >>> {name: each.tolist() for name, each in chosen.items()}
        {'a': [[False, True]], 'b': [[True]]}
    """
    every = torch.cat([each.flatten().cpu() for each in scores.values()])
    count = max(1, round(share * len(every)))
    chosen = torch.zeros(len(every), dtype=torch.bool)
    chosen[torch.argsort(every, descending=True, stable=True)[:count]] = True
    parts = chosen.split([each.numel() for each in scores.values()])
    return {
        name: part.view(each.shape)
        for (name, each), part in zip(scores.items(), parts, strict=True)
    }


def _judged(
    pair: _Pair,
    scores: Mapping[str, Scores],
    images: DegradedImages,
    originals_MCHW: NDArray[np.float32],
    judged: NDArray[np.intp],
    degraded: int,
    other: int,
    batch_size: int,
    seed: int,
) -> FilterRecord:
    part = _part(images, (degraded, other), judged)
    names, photograph_M = np.unique(np.array(part.photographs), return_inverse=True)
    samples_BP = resampled(len(names), seed=seed)

    def psnrs(module: nn.Module) -> list[NDArray[np.float64]]:
        network = dataclasses.replace(pair.target, module=module)
        passes = Passes(
            network, part, originals_MCHW[judged], batch_size=batch_size, device=pair.device
        )
        return [by_photograph(passes.unedited(k).psnr_M, photograph_M) for k in (0, 1)]

    target = psnrs(pair.put_back({}))
    baseline = psnrs(pair.baseline.module.to(pair.device))
    replacements: list[Replacement] = []
    margins: list[Interval] = []
    for share in SHARES:
        lost = {
            method: [
                before - after
                for before, after in zip(
                    target, psnrs(pair.put_back(top_filters(each, share))), strict=True
                )
            ]
            for method, each in scores.items()
        }
        draws = [each for method, each in lost.items() if method.startswith(CHANCE)]
        chance = [np.mean([draw[k] for draw in draws], axis=0) for k in (0, 1)]
        margins.append(interval(lost[FAIG][0] - lost[CHANGE][0], samples_BP))
        for method in (FAIG, GRADIENTS, CHANGE, CHANCE):
            own = chance if method == CHANCE else lost[method]
            beyond = None if method == CHANCE else interval(own[0] - chance[0], samples_BP)
            replacements.append(
                Replacement(
                    method=method,
                    share=share,
                    lost=interval(own[0], samples_BP),
                    lost_other=interval(own[1], samples_BP),
                    beyond_chance=beyond,
                )
            )
    top = top_filters(scores[FAIG], SHARES[0])
    chosen = sum(int(each.sum()) for each in top.values())
    by_layer = [(name, int(each.sum()) / chosen) for name, each in top.items() if bool(each.any())]
    return FilterRecord(
        baseline=pair.baseline.name,
        target=pair.target.name,
        degraded=images.suite.sets[degraded].name,
        other=images.suite.sets[other].name,
        filters=sum(each.numel() for each in scores[FAIG].values()),
        gain=interval(target[0] - baseline[0], samples_BP),
        gain_other=interval(target[1] - baseline[1], samples_BP),
        replacements=tuple(replacements),
        beyond_change=margins[0],
        by_layer=tuple(sorted(by_layer, key=lambda pair: -pair[1])),
        photographs=len(names),
    )


def _part(
    images: DegradedImages, sets: Sequence[int], contents: NDArray[np.intp]
) -> DegradedImages:
    """Return some contents in two sets, in this order."""
    at = {
        (int(k), int(m)): i
        for i, (k, m) in enumerate(zip(images.set_N, images.content_N, strict=True))
    }
    index = [at[k, int(m)] for k in sets for m in contents]
    infos = tuple(dataclasses.replace(images.suite.sets[k], count=len(contents)) for k in sets)
    return DegradedImages(
        images_NCHW=images.images_NCHW[index],
        set_N=np.repeat(np.arange(len(sets)), len(contents)),
        content_N=np.tile(np.arange(len(contents)), len(sets)),
        suite=dataclasses.replace(images.suite, sets=infos),
        contents=tuple(images.contents[int(m)] for m in contents),
        photographs=tuple(images.photographs[int(m)] for m in contents),
        source=images.source,
        skipped=images.skipped,
        parameters=tuple(images.parameters[i] for i in index),
    )
