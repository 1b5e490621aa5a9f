"""Edit a network's layers and measure what that does to its outputs.

Suffixes: S sets, M contents, C channels, P photographs, R control draws, H/W height and width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.analyses.intervene.decoding import balanced_accuracy
from srscope.analyses.intervene.layer import EditedLayer, by_photograph
from srscope.analyses.intervene.passes import Passes, Quality
from srscope.analyses.intervene.record import (
    Decoding,
    Effect,
    InterveneConfig,
    InterveneRecord,
    LayerEffects,
    SetEffects,
)
from srscope.degradations.degrade import DegradedImages
from srscope.errors import ParameterError, UnknownNameError
from srscope.features.edit import Edit
from srscope.features.edit_functions import mean_ablation, set_mean_and_std, shrinkage
from srscope.networks.description import LoadedNetwork
from srscope.networks.structure.select import select_layers
from srscope.scores.effects import (
    Interval,
    UseEvidence,
    beyond_controls,
    interval,
    judge_use,
)

Floats = NDArray[np.floating[Any]]
Progress = Callable[[str, int, int], None]


def intervene(
    network: LoadedNetwork,
    images: DegradedImages,
    originals_MCHW: Floats,
    layers: Sequence[str] = (),
    config: InterveneConfig | None = None,
    *,
    progress: Progress | None = None,
) -> InterveneRecord:
    """Find out whether a network uses what its layers tell of degradations.

    Args:
        network: A network that restores images, on the device that ``config`` names.
        images: Its inputs, with every content in every set.
        originals_MCHW: The originals of the contents, of the outputs' size, RGB in [0, 1].
        layers: As for ``analyze``.
        config: The parameters.
        progress: Called with the stage, and the passes done and in all.

    Returns:
        The record.

    Raises:
        UnknownNameError: If the suite has no set of the clean set's name.
        ParameterError: If images, originals or photographs do not fit.
        NetworkError: If the network puts out no images, or a layer cannot be edited.
        DegenerateError: If a layer has no code, or a gain is undefined.
    """
    settings = config or InterveneConfig()
    names = [each.name for each in images.suite.sets]
    if settings.clean not in names:
        raise UnknownNameError("set", settings.clean, names)
    taps = select_layers(network, layers)
    photographs, photograph_M = np.unique(np.array(images.photographs), return_inverse=True)
    if len(photographs) < 3:
        rule = "3 or more: the code is fitted on others than those it edits"
        raise ParameterError("photographs", rule, len(photographs), "give 8 or more")
    passes = Passes(
        network,
        images,
        originals_MCHW,
        batch_size=settings.batch_size,
        device=settings.device,
    )
    clean = names.index(settings.clean)
    found: list[LayerEffects] = []
    for tap in taps:
        layer = EditedLayer.fitted(passes, tap, photograph_M, clean, settings)
        sets: list[SetEffects] = []
        for index, name in enumerate(names):
            if index != clean:
                report = _counted(progress, f"{tap.label}, {name}", _passes_of_a_set(settings))
                sets.append(_set_effects(layer, index, name, report))
        directions = len(layer.code_P[0].basis_DC)
        found.append(
            LayerEffects(layer=tap.name, label=tap.label, directions=directions, sets=tuple(sets))
        )
    unedited_M = passes.unedited(clean).psnr_M
    return InterveneRecord(
        network=network.info,
        suite=images.suite,
        config=settings,
        photographs=tuple(str(name) for name in photographs),
        contents=passes.contents,
        clean=float(by_photograph(unedited_M, photograph_M).mean()),
        layers=tuple(found),
    )


def _set_effects(
    layer: EditedLayer, index: int, name: str, report: Callable[[], None]
) -> SetEffects:
    passes, tap, config = layer.passes, layer.tap, layer.config
    qualities: dict[str, Quality] = {}
    on_clean: dict[str, Quality] = {}
    controls: dict[str, list[Quality]] = {}
    for edit in ("move", "move back", "swap", "erase"):
        qualities[edit] = passes.offset(index, tap, layer.cross_fitted(edit, index, index))
        report()
        if edit != "swap":
            offsets_MC = layer.cross_fitted(edit, index, layer.clean)
            on_clean[edit] = passes.offset(layer.clean, tap, offsets_MC)
            report()
        controls[edit] = []
        for draw in range(config.controls if edit in config.controlled else 0):
            offsets_MC = layer.control(edit, index, draw)
            controls[edit].append(passes.offset(index, tap, offsets_MC))
            report()
    controls["move back"] = controls["move"]  # a draw and its opposite are as likely
    for edit, edit_of in _other_edits(layer, index).items():
        qualities[edit] = passes.edited(index, tap, edit_of)
        report()
    qualities["ceiling"] = passes.replaced(index, tap, source=layer.clean)
    report()
    on_clean["shrinkage"] = passes.edited(layer.clean, tap, lambda _: shrinkage(config.shrinkage))
    report()

    gain = {edit: layer.gain_P(quality, index) for edit, quality in qualities.items()}
    clean_gain = {edit: layer.gain_P(quality, layer.clean) for edit, quality in on_clean.items()}
    controls_RP = {
        edit: np.array([layer.gain_P(quality, index) for quality in drawn])
        for edit, drawn in controls.items()
    }
    ceiling = layer.mse_gain(qualities["ceiling"], index)
    gains_at_all = interval(gain["ceiling"], layer.samples_BP).low > 0 and ceiling > 0

    def effect_of(edit: str, quality: Quality) -> Effect:
        drawn_RP = controls_RP.get(edit, np.empty((0, 0)))
        mse = layer.mse_gain(quality, index)
        beyond: Interval | None = None
        if len(drawn_RP):
            below = edit == "move back"
            beyond = beyond_controls(gain[edit], drawn_RP, layer.samples_BP, below=below)
        return Effect(
            edit=edit,
            psnr=interval(gain[edit], layer.samples_BP),
            mse=mse,
            share=mse / ceiling if gains_at_all else None,
            change=float(by_photograph(quality.change_M, layer.photograph_M).mean()),
            controls_R=tuple(float(value) for value in drawn_RP.mean(axis=1)) if beyond else (),
            beyond_controls=beyond,
            on_clean=interval(clean_gain[edit], layer.samples_BP) if edit in clean_gain else None,
            beyond_P=tuple(map(float, gain[edit] - drawn_RP.mean(axis=0))) if beyond else (),
        )

    evidence = UseEvidence(
        towards_P=gain["move"],
        back_P=gain["move back"],
        controls_RP=controls_RP["move"],
        shrinkage_P=gain["shrinkage"],
        ceiling_P=gain["ceiling"],
        on_clean_P=clean_gain["move"],
    )
    unedited_M = passes.unedited(index).psnr_M
    return SetEffects(
        name=name,
        unedited=float(by_photograph(unedited_M, layer.photograph_M).mean()),
        effects=tuple(effect_of(edit, quality) for edit, quality in qualities.items()),
        decoding=_decoding(layer, index),
        use=judge_use(evidence, margin=config.margin, resamples=config.resamples, seed=config.seed),
    )


def _other_edits(layer: EditedLayer, index: int) -> dict[str, Callable[[slice], Edit]]:
    """Return the edits that are no offsets of channels."""
    axis, statistics = layer.tap.channel_axis, layer.statistics
    mean_MC, std_MC = statistics.mean_SMC[layer.clean], statistics.std_SMC[layer.clean]
    # Of the set itself: the clean set's mean would bring in what the clean images tell.
    own_SMC, photograph_M = statistics.mean_SMC[index], layer.photograph_M
    ablated_MC = np.stack([own_SMC[photograph_M != out].mean(axis=0) for out in photograph_M])
    return {
        "swap mean and std": lambda batch: set_mean_and_std(
            mean_MC[batch], std_MC[batch], channel_axis=axis
        ),
        "mean ablation": lambda batch: mean_ablation(ablated_MC[batch], channel_axis=axis),
        "shrinkage": lambda _: shrinkage(layer.config.shrinkage),
    }


def _decoding(layer: EditedLayer, index: int) -> tuple[Decoding, ...]:
    mean_SMC, clean = layer.statistics.mean_SMC, layer.clean
    least = np.finfo(np.float32).tiny
    log_std_SMC = np.log(np.maximum(layer.statistics.std_SMC, least))
    log_stds = balanced_accuracy(
        lambda _: (log_std_SMC[clean], log_std_SMC[index]), layer.photograph_M
    )

    def after(edit: str, photograph: int) -> tuple[Floats, Floats]:
        clean_MC, degraded_MC = mean_SMC[clean], mean_SMC[index]
        if edit != "none":
            degraded_MC = degraded_MC + layer.offsets(edit, index, index, photograph)
        if edit == "erase":
            clean_MC = clean_MC + layer.offsets(edit, index, clean, photograph)
        return clean_MC, degraded_MC

    return tuple(
        Decoding(
            edit=edit,
            means=balanced_accuracy(lambda out, edit=edit: after(edit, out), layer.photograph_M),
            log_stds=log_stds,
        )
        for edit in ("none", "move", "swap", "erase")
    )


def _passes_of_a_set(config: InterveneConfig) -> int:
    return 12 + config.controls * len(config.controlled)


def _counted(progress: Progress | None, stage: str, total: int) -> Callable[[], None]:
    done = 0

    def report() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(stage, done, total)

    return report
