"""One network's study, with the answer to whether the network uses what its layers tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from srscope.analyses.intervene.command import Config, run
from srscope.analyses.intervene.record import InterveneRecord
from srscope.networks.description import LoadedNetwork
from srscope.scores.record import LayerUse
from srscope.study.extraction import job_of
from srscope.study.record import Study
from srscope.study.session import Session, named
from srscope.study.verdict import verdict_of

CONTENTS = 50
"""At most so many contents are edited: every one passes some sixty times a layer."""


def study_of_network(
    session: Session,
    network: LoadedNetwork,
    *,
    features: Path | None = None,
    controls: bool = True,
    name: str = "",
) -> Study:
    """Analyse a network on a session; where its config says ``causal``, edit its layers as well.

    Args:
        session: Its config decides.
        network: The network.
        features: As of :meth:`~srscope.study.session.Session.study`.
        controls: Likewise.
        name: Likewise.

    Raises:
        SrscopeError: If an input is wrong; with ``causal`` also where the network puts out no
            images, or the suite has no set named clean or sets that do not share contents.
    """
    # First, because what cannot be edited is refused at once.
    uses = uses_of(session, network, name=name) if session.config.causal else ()
    study = session.study(network, features=features, controls=controls, name=name)
    if uses:
        study = dataclasses.replace(study, uses=uses)
        study = dataclasses.replace(study, verdict=verdict_of(study))
    return study


def uses_of(session: Session, network: LoadedNetwork, *, name: str = "") -> tuple[LayerUse, ...]:
    """Edit the layers that a session analyses, and tell whether the network uses their code."""
    given = session.config
    job_of(network, given, session.fed(network).images)  # what this refuses, it refuses at once
    config = Config(
        images=given.images,
        suite=given.suite,
        layers=given.layers,
        contents=min(given.contents, CONTENTS),
        patch=given.patch,
        seed=given.seed,
        batch_size=given.batch_size,
        device=given.device,
        precision=given.precision,
    )
    fewer = dataclasses.replace(given, contents=config.contents)
    inner = Session(fewer, stages=session.stages, progress=named(session.progress, name))
    return tuple(_uses(run(inner, [network], config)))


def _uses(record: InterveneRecord) -> Iterator[LayerUse]:
    for layer in record.layers:
        for each in layer.sets:
            move = each.effect("move")
            yield LayerUse(
                layer=layer.layer,
                label=layer.label,
                set=each.name,
                word=each.use.word,
                gain=move.psnr.mean,
                low=move.psnr.low,
                high=move.psnr.high,
                share=move.share,
                controls=len(move.controls_R),
                strongest=max(move.controls_R),
                z=_z(move.psnr.mean, move.controls_R),
                shrinkage=each.effect("shrinkage").psnr.mean,
                failed=each.use.failed,
            )


def _z(gain: float, controls_R: Sequence[float]) -> float | None:
    spread = float(np.std(controls_R, ddof=1)) if len(controls_R) > 1 else 0.0
    return (gain - float(np.mean(controls_R))) / spread if spread > 0 else None
