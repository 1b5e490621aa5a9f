"""``srscope intervene``: the parameters, the run on a session, and what is shown of the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from srscope.analyses.intervene.record import (
    Effect,
    InterveneConfig,
    InterveneRecord,
    LayerEffects,
    SetEffects,
)
from srscope.analyses.intervene.run import intervene
from srscope.analyses.runner import ImagesConfig
from srscope.errors import ParameterError
from srscope.networks.description import LoadedNetwork
from srscope.report.plain_page import Section
from srscope.study import words
from srscope.study.session import Session

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = ("move", "move back", "swap", "erase", "shrinkage", "mean ablation", "ceiling")
"""Edits in the order of tables and figures."""


@dataclass(frozen=True, kw_only=True)
class Config(ImagesConfig):
    """How a network is intervened in.

    Args:
        suite: Suite with a clean set; its sets must share their contents.
        contents: Contents, cut evenly from the photographs.
        clean: Name of the set without degradation.
        alpha: How far the code is moved; 1 is the whole way to the clean set's.
        controls: Matched random directions; 19 or more, or no layer is said to be used.
        shrinkage: Share by which a layer's values are made smaller, for comparison.
        margin: In dB; less than this is no effect.
        resamples: Bootstrap samples of photographs.

    Raises:
        ParameterError: If a number is out of its range.

    Source: Liu et al. 2021, supplement section 10.2 (future work).
    """

    suite: str = "clean-blur-noise"
    contents: int = 50
    clean: str = "clean"
    alpha: float = 1.0
    controls: int = 20
    shrinkage: float = 0.3
    margin: float = 0.1
    resamples: int = 2000

    def __post_init__(self) -> None:
        super().__post_init__()
        self.edits("cpu")

    def analysis_config(self, **changes: Any) -> Any:
        """Return the config of the session: images in the suite of this analysis."""
        return super().analysis_config(suite=self.suite, pca=1, **changes)

    def edits(self, device: str) -> InterveneConfig:
        """Return what the edits are told."""
        return InterveneConfig(
            clean=self.clean,
            alpha=self.alpha,
            controls=self.controls,
            controlled=("move",),
            shrinkage=self.shrinkage,
            margin=self.margin,
            resamples=self.resamples,
            seed=self.seed,
            batch_size=self.batch_size,
            device=device,
        )


def run(session: Session, networks: Sequence[LoadedNetwork], config: Config) -> InterveneRecord:
    """Intervene in the layers of one network.

    Raises:
        ParameterError: If the sets do not share their contents.
        SrscopeError: As :func:`~srscope.analyses.intervene.run.intervene`.
    """
    from srscope.study.extraction import device_of

    (network,) = networks
    fed = session.fed(network)
    if fed.contents is None:
        remedy = "give one that degrades photographs"
        raise ParameterError("suite", "one whose sets share their contents", config.suite, remedy)
    margin = fed.contents.margin
    inside = slice(margin, -margin or None)
    originals_MCHW = np.ascontiguousarray(
        fed.contents.crops_NHW3[:, inside, inside].transpose(0, 3, 1, 2)
    )
    device = device_of(config.device)
    return intervene(
        network,
        fed.images,
        originals_MCHW,
        config.layers,
        config.edits(device),
        progress=session.progress,
    )


def headline(record: InterveneRecord) -> str:
    """Say which layers' codes are used, and by how much the output changes."""
    effects = [(layer, each) for layer in record.layers for each in layer.sets]
    used = [(layer, each) for layer, each in effects if each.use.word == "uses it"]
    name = record.network.name
    if not used:
        layer, most = max(effects, key=lambda pair: pair[1].effect("move").psnr.mean)
        undecided = sum(each.use.word == "not decided" for _, each in effects)
        gain = _gain(most.effect("move"))
        return (
            f"{name} uses the mean code of no layer for sure ({undecided} of {len(effects)} not "
            f"decided): moving it towards clean changes the output on {most.name} by {gain} at "
            f"{layer.label}, where it does most."
        )
    layer, most = max(used, key=lambda pair: pair[1].effect("move").psnr.mean)
    move = most.effect("move")
    share = "" if move.share is None else f", {words.percent(move.share)} of what all the layer's "
    share += "clean features would" if share else ""
    labels = words.listed(sorted({each.label for each, _ in used}))
    return (
        f"{name} uses the mean code at {labels}: moving it towards clean changes the output on "
        f"{most.name} by {_gain(move)} at {layer.label}{share}; the strongest of "
        f"{len(move.controls_R)} matched random directions by {max(move.controls_R):+.2f} dB."
    )


def _gain(effect: Effect) -> str:
    psnr = effect.psnr
    return f"{psnr.mean:+.2f} dB [{psnr.low:+.2f}, {psnr.high:+.2f}]"


def sections(record: InterveneRecord) -> tuple[Section, ...]:
    """Return the page's parts: use, effects, and what a probe still reads."""
    sets = [(layer, each) for layer in record.layers for each in layer.sets]
    return (
        Section(
            title="Is it used?",
            lead="The code of a set is the offset of its channel means from those of clean images, "
            "fitted on other photographs. Gains are of PSNR against the original, with 95 % "
            "intervals over photographs.",
            columns=("layer", "set", "answer", "moved to clean", "beyond controls", "why not"),
            rows=tuple(_use(layer, each) for layer, each in sets),
            figures=("gain-by-layer",),
            notes=(
                "A layer is said to be used only if moving its code gains more than every matched "
                "random direction and more than making all values smaller, if moving it back "
                "harms, and if clean images do not gain as much.",
            ),
        ),
        Section(
            title="Every edit",
            lead="Gain of PSNR in dB. The ceiling puts in all the clean version's features.",
            columns=("layer", "set", "unedited PSNR", *SHOWN),
            rows=tuple(_effects(layer, each) for layer, each in sets),
        ),
        Section(
            title="What can still be read",
            lead="Balanced accuracy of a linear probe after the edit, photographs left out; chance "
            "is 50 %. An edit of means leaves what the spreads tell.",
            columns=("layer", "set", "edit", "channel means", "channel log spreads"),
            rows=tuple(
                (layer.label, each.name, told.edit, f"{told.means:.0%}", f"{told.log_stds:.0%}")
                for layer, each in sets
                for told in each.decoding
            ),
        ),
    )


def _use(layer: LayerEffects, each: SetEffects) -> tuple[str, ...]:
    move = each.effect("move")
    beyond = move.beyond_controls
    return (
        layer.label,
        each.name,
        each.use.word,
        _gain(move),
        "" if beyond is None else f"{beyond.mean:+.2f} dB [{beyond.low:+.2f}, {beyond.high:+.2f}]",
        "; ".join(each.use.failed),
    )


def _effects(layer: LayerEffects, each: SetEffects) -> tuple[str, ...]:
    gains = {effect.edit: f"{effect.psnr.mean:+.2f}" for effect in each.effects}
    return (layer.label, each.name, f"{each.unedited:.2f}", *(gains.get(e, "") for e in SHOWN))


def figures(record: InterveneRecord) -> Mapping[str, Figure]:
    """Draw the gain of the move beside its controls and shrinkage, layer by layer."""
    from srscope.figures import style

    names = [each.name for each in record.layers[0].sets]
    with style.house_style():
        figure = style.new_figure(height=2.6)
        panels = figure.subplots(1, len(names), squeeze=False, sharey=True)[0]
        at_L = np.arange(len(record.layers))
        for axes, name in zip(panels, names, strict=True):
            chosen = [next(s for s in layer.sets if s.name == name) for layer in record.layers]
            for edit, colour, marker in (
                ("move", style.SET_COLOURS[0], "o"),
                ("move back", style.SET_COLOURS[1], "v"),
                ("shrinkage", style.CONTROL_COLOUR, "s"),
            ):
                gains = [each.effect(edit).psnr for each in chosen]
                mean_L = np.array([gain.mean for gain in gains])
                ends_2L = np.array([[g.mean - g.low, g.high - g.mean] for g in gains]).T
                axes.errorbar(
                    at_L, mean_L, yerr=np.abs(ends_2L), color=colour, marker=marker, label=edit,
                    capsize=2,
                )  # fmt: skip
            for place, each in zip(at_L, chosen, strict=True):
                controls_R = each.effect("move").controls_R
                axes.plot(
                    [place] * len(controls_R), controls_R, "_", color=style.CONTROL_COLOUR,
                    alpha=0.5, label="random directions" if place == 0 else None,
                )  # fmt: skip
            axes.axhline(0.0, color="0.8", linewidth=0.8, zorder=0)
            axes.set_xticks(at_L, [words.shorten(e.label, 12) for e in record.layers], rotation=30)
            axes.set_title(name)
        panels[0].set_ylabel("gain of PSNR, dB")
        panels[0].legend(fontsize=6)
    return {"gain-by-layer": figure}
