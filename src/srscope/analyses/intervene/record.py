"""The parameters of an intervention, and its record.

Suffixes: R control draws.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from srscope.degradations.record import SuiteInfo
from srscope.errors import ParameterError
from srscope.networks.description import NetworkInfo
from srscope.scores.effects import Interval, Use

FIRST_ORDER = ("move", "move back", "swap", "erase")
"""Edits of the mean code alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InterveneConfig:
    """How a layer is edited and its use judged.

    Args:
        clean: Name of the set without degradation.
        alpha: How far ``move`` goes from a degraded set's mean to the clean set's, and
            ``move back`` the other way; 1 is the whole way, above 0.
        controls: Random directions beside the code; 19 or more, or no layer "uses it".
        controlled: Edits that get controls of their own, each as many passes as ``controls``:
            ``move`` (which ``move back`` shares), ``swap``, ``erase``. ``move`` always does.
        shrinkage: Share by which the layer's values are made smaller, in (0, 1).
        margin: In dB, above 0; less than this is no effect.
        resamples: Bootstrap samples of photographs, 100 or more.
        seed: Of controls and resamples, 0 or more.
        batch_size: Images at a time, 1 or more.
        device: Where to compute, as PyTorch names it.
    """

    clean: str = "clean"
    alpha: float = 1.0
    controls: int = 20
    controlled: tuple[str, ...] = ("move", "swap", "erase")
    shrinkage: float = 0.3
    margin: float = 0.1
    resamples: int = 2000
    seed: int = 0
    batch_size: int = 32
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name, least in (("controls", 1), ("resamples", 100), ("seed", 0), ("batch_size", 1)):
            if getattr(self, name) < least:
                raise ParameterError(name, f"{least} or more", getattr(self, name))
        for name in ("alpha", "margin"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ParameterError(name, "a finite number above 0", value)
        if not 0 < self.shrinkage < 1:
            raise ParameterError("shrinkage", "between 0 and 1", self.shrinkage)
        allowed = ("move", "swap", "erase")
        if "move" not in self.controlled or not set(self.controlled) <= set(allowed):
            rule = f"some of {', '.join(allowed)}, move among them"
            raise ParameterError("controlled", rule, self.controlled)


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """What one edit of one layer does to one set's outputs.

    All gains are against the original, above 0 where the edited output is the better one.

    Args:
        edit: ``move``, ``move back``, ``swap`` and ``erase`` change the mean code alone;
            ``swap mean and std`` is of second order; ``ceiling`` puts the clean versions' features
            there, ``mean ablation`` the set's own mean, and ``shrinkage`` makes them smaller.
        psnr: Gain in dB.
        mse: Gain in mean squared error, for pixels in [0, 1].
        share: Gain in mean squared error as a share of the ceiling's; None where the ceiling
            gains nothing.
        change: Mean squared difference between the edited output and the unedited one.
        controls_R: Mean gain in dB of each of the controls; empty where the edit has none.
        beyond_controls: Gain in dB less that of the strongest control, which for ``move back`` is
            the most harmful one; None where the edit has no controls.
        on_clean: Gain in dB where the same edit is made on the clean set: below 0 it is a cost.
            None where the edit leaves clean images as they are.
        beyond_P: Gain in dB of each photograph, in the order of their names, less the mean gain of
            the controls; empty where the edit has none.
    """

    edit: str
    psnr: Interval
    mse: float
    share: float | None
    change: float
    controls_R: tuple[float, ...]
    beyond_controls: Interval | None
    on_clean: Interval | None
    beyond_P: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoding:
    """How well the set is told from the clean one after an edit, photographs left out.

    Args:
        edit: The edit, or ``none``.
        means: Balanced accuracy of a linear probe on channel means; chance is 0.5.
        log_stds: The same on the logarithms of the channels' standard deviations, which edits of
            the mean code leave as they are: what is taken out of the one may stay in the other.
    """

    edit: str
    means: float
    log_stds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class SetEffects:
    """One degraded set at one layer.

    Args:
        name: The set.
        unedited: PSNR in dB of the unedited outputs, averaged over photographs.
        effects: One an edit.
        decoding: Before and after edits.
        use: Whether the network uses this mean code, by
            :func:`~srscope.scores.effects.judge_use`.
    """

    name: str
    unedited: float
    effects: tuple[Effect, ...]
    decoding: tuple[Decoding, ...]
    use: Use

    def effect(self, edit: str) -> Effect:
        """Return the effect of one edit."""
        return next(effect for effect in self.effects if effect.edit == edit)


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerEffects:
    """One layer.

    Args:
        layer: Its dotted name.
        label: The paper's name where it has one.
        directions: Of the code: the number of sets less 1, or less.
        sets: One a degraded set.
    """

    layer: str
    label: str
    directions: int
    sets: tuple[SetEffects, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class InterveneRecord:
    """What edits of a network's layers do.

    Args:
        network: The network.
        suite: The sets.
        config: The parameters.
        photographs: Names of the photographs over which intervals go.
        contents: Number of contents.
        clean: PSNR in dB of the unedited outputs of the clean set.
        layers: One a layer, in depth order.
    """

    network: NetworkInfo
    suite: SuiteInfo
    config: InterveneConfig
    photographs: tuple[str, ...]
    contents: int
    clean: float
    layers: tuple[LayerEffects, ...]
