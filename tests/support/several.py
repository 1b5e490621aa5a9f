"""Synthetic comparisons and trainings, made of synthetic studies."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from srscope.analyses.comparison.record import Compared, Comparison
from srscope.analyses.course.record import Course, Moment
from srscope.study.record import Restoration, Study
from support import studies


def scaled(study: Study, scale: int) -> Study:
    """Return ``study`` as of a network of this magnification."""
    return dataclasses.replace(study, network=dataclasses.replace(study.network, scale=scale))


def comparison(
    *, names: Sequence[str] = ("srgan-wgr", "net_x2", "resnet18"), contents: int = 6
) -> Comparison:
    """Return three networks: strong at x4, middling at x2 (its peak inside), weak at x1."""
    made = (
        studies.make(contents=contents, network="srgan-wgr", seed=1),
        scaled(studies.make(contents=contents, layers=5, chis=[1, 30, 80, 40, 3], seed=2), 2),
        scaled(studies.make(contents=contents, layers=2, chis=[0.5, 3.0], seed=3), 1),
    )
    restored = (
        Restoration(psnr=29.55, bicubic=30.37),
        Restoration(psnr=35.10, bicubic=33.20),
        Restoration(why="it does not magnify"),
    )
    entries = [
        Compared(name=name, study=study, restoration=restoration)
        for name, study, restoration in zip(names, made, restored, strict=True)
    ]
    return Comparison(entries=tuple(entries), timings={"degradation": 0.5}, created="2026-11-23")


def course(
    *, tops: Sequence[float] = (0.3, 7, 24, 240), contents: int = 6, crossed: bool = True
) -> Course:
    """Return a training whose deepest layer's CHI is ``tops``, a checkpoint every 1,000."""
    moments: list[Moment] = []
    for number, top in enumerate(tops):
        chis = [0.01, 0.02, top / 30, top]
        study = studies.make(chis=chis, seed=number, contents=contents, crossed=crossed)
        moments.append(
            Moment(
                iteration=1000 * (number + 1),
                file=f"checkpoint-{1000 * (number + 1):08d}.pt",
                study=dataclasses.replace(study, untrained=()),
                restoration=Restoration(psnr=28.0 + number, bicubic=30.37),
            )
        )
    return Course(
        name="mine",
        moments=tuple(moments),
        untrained=studies.make(contents=contents).untrained,
        skipped=(("net_g_latest.pth", "its name tells no iteration"),),
        timings={"1000": 2.5},
        created="2026-11-23",
    )
