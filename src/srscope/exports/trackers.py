"""A study's scores in the tools that people watch their experiments with."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from srscope.errors import ParameterError
from srscope.scores.table import plain_value, scores
from srscope.study.record import Study, control_label, controls_of


def log_scores(study: Study, to: str | Path | Any, *, step: int = 0) -> None:
    """Log the verdict and the main scores of every layer and control; to TensorBoard also a map.

    Tags are ``SCORE/LAYER``, such as ``best_probe/ResBlock16``, so that a chart compares layers and
    a chart over steps shows a training.

    Args:
        study: The study.
        to: A folder for TensorBoard; a ``SummaryWriter`` of TensorBoard, which stays open; or a run
            of Weights & Biases, as ``wandb.init(mode="offline")`` returns it, which stays open.
        step: Where the scores stand on the horizontal axis, such as the iteration.

    Raises:
        ParameterError: If ``to`` is none of these.

    Example:
        >>> from srscope import score
        >>> import numpy as np
        >>> study = score(np.random.default_rng(0).normal(size=(60, 64)), [0, 1] * 30, runs=1)
        >>> class Run:
        ...     def log(self, values, step):
        ...         print(step, "chi/features" in values)
        >>> log_scores(study, Run(), step=1000)
        1000 True
    """
    if isinstance(to, str | os.PathLike):
        from torch.utils.tensorboard import SummaryWriter

        with SummaryWriter(os.fspath(to)) as writer:
            log_scores(study, writer, step=step)
    elif hasattr(to, "add_scalar"):
        for tag, value in tagged(study).items():
            to.add_scalar(tag, value, step)
        if study.verdict is not None:
            to.add_text("verdict", study.verdict.headline, step)
        to.add_figure("map", study.plot(), step)
    elif callable(getattr(to, "log", None)):
        to.log(tagged(study), step=step)
        if study.verdict is not None and hasattr(to, "summary"):
            to.summary.update({"verdict": study.verdict.headline})
    else:
        raise ParameterError(
            "to",
            "a folder, a SummaryWriter of TensorBoard or a run of W&B",
            to,
            'e.g. "logs", or wandb.init(mode="offline")',
        )


def tagged(study: Study) -> dict[str, float]:
    """Return the main scores that are numbers and defined, by ``SCORE/LAYER``."""
    entries = [(entry.label, entry) for entry in study.layers]
    entries += [
        (f"control {control_label(kind, entry)}", entry)
        for kind, _, controls in controls_of(study)
        for entry in controls
    ]
    found: dict[str, float] = {}
    for score in scores(all_columns=False):
        for label, entry in entries:
            value = plain_value(score.value(entry))
            if isinstance(value, float | int) and math.isfinite(value):
                found[f"{score.key}/{label}"] = float(value)
    return found
