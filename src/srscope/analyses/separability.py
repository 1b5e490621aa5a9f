"""One network: which degradations its features separate, layer by layer."""

from __future__ import annotations

import dataclasses
import functools
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.analyses.causal import study_of_network
from srscope.analyses.results import SCORES, refuse_mixture
from srscope.degradations.degrade import DegradedImages
from srscope.errors import ParameterError
from srscope.features.arrays import layer_values
from srscope.features.stream import device_of
from srscope.networks.description import LoadedNetwork
from srscope.networks.loading.spec import WORDS, is_snapshots
from srscope.networks.structure.kept import findings_in
from srscope.runtime.files import writing_to
from srscope.runtime.processes import is_helper
from srscope.study.assembly import study_of_folder
from srscope.study.cache import Stages, opened
from srscope.study.config import AnalysisConfig, configured
from srscope.study.extraction import Progress, precision_of
from srscope.study.record import Study
from srscope.study.session import Session
from srscope.study.store import kept_features
from srscope.training.snapshots import load_trained


def analyze(
    network: Any,
    *,
    out: str | Path | None = None,
    config: AnalysisConfig | None = None,
    progress: Progress | None = None,
    cache: str | Path | None = None,
    **options: Any,
) -> Study:
    """Show which degradations a network's features separate, layer by layer.

    Args:
        network: A bundled name, a checkpoint's path, any ``torch.nn.Module``, a function that runs
            one, an object of timm or spandrel: all that
            :func:`~srscope.networks.zoo.load_network` takes.
        out: Folder for ``report.html``, ``scores.json``, figures and features; ``None`` writes
            nothing. An earlier study in it is replaced; the result of another kind of analysis is
            not.
        config: The parameters; alternatively give its fields as keywords.
        progress: Called as the stages advance.
        cache: Folder in which finished stages are kept, 4 GB of them at most, and found again by
            later analyses, which then compute only what is new; ``None`` keeps nothing. The numbers
            are the same bit for bit.
        options: Fields of :class:`AnalysisConfig`, e.g. ``images=photographs``,
            ``suite="blur-1-4"``, ``tsne={"perplexity": 20}``; and how the network is fed, where
            that is not to be tried out: ``scale``, ``channels``, ``range``.

    Returns:
        The study: scores of every layer, controls, embeddings, provenance.

    Raises:
        SrscopeError: If an input is wrong; the message says what and how to mend it.

    Source: Liu et al. 2021; the protocol is in the documentation's science page.
    """
    feeding = {name: options.pop(name) for name in WORDS if name in options}
    settings = configured(config or AnalysisConfig(), options)
    if isinstance(network, str | os.PathLike) and is_snapshots(os.fspath(network)):
        remedy = "for a folder there is srscope.over_training, or srscope.over_seeds"
        raise ParameterError("network", "one network", network, remedy)
    with findings_in(None if cache is None else Path(cache)):
        loaded = load_trained(network, **feeding)
    if settings.devices > 1 and is_helper():  # the first process writes
        out = cache = None
    refuse_mixture(out, SCORES)
    with writing_to(out):
        features = Path(out) / "features" if out is not None and settings.keep_features else None
        with opened(cache) as stages:
            session = Session(settings, stages=stages, progress=progress)
            study = study_of_network(session, loaded, features=features)
            kept = None if features is None else kept_features(features.parent)
            same = dataclasses.replace(settings, precision=study.protocol["precision"])
            again = functools.partial(_anew, loaded, session.fed(loaded).images, same)
            study = dataclasses.replace(study, reader=kept or again)
        if out is not None:
            started = time.perf_counter()
            write_outputs(study, out, progress=progress)
            timings = {**study.timings, "report": time.perf_counter() - started}
            study = dataclasses.replace(study, timings=timings)
    return study


def _anew(
    network: LoadedNetwork, images: DegradedImages, config: AnalysisConfig, layer: str
) -> NDArray[np.float32]:
    """Run a network again on what an analysis fed it, and return a layer's features."""
    device = device_of(config.device)
    how = precision_of(config.precision, network, device)
    found = layer_values(
        network, images.images_NCHW, layer, reducer=config.reducer, batch_size=config.batch_size,
        device=device, **how,
    )  # fmt: skip
    return next(iter(found.values()))


def score_features(
    folder: str | Path,
    config: AnalysisConfig | None = None,
    *,
    progress: Progress | None = None,
    cache: str | Path | None = None,
) -> Study:
    """Project and score features that are already on disk.

    Args:
        folder: The ``features`` folder of an earlier analysis.
        config: The parameters of the later stages: pca, tsne, runs, seed, permutations.
        progress: Called as t-SNE runs are done.
        cache: As of :func:`analyze`.

    Returns:
        The study.

    Raises:
        FileProblem: If the folder is not a whole feature store.
        SrscopeError: If a score is undefined for these features.
    """
    stages = Stages(cache)
    return study_of_folder(folder, config or AnalysisConfig(), stages=stages, progress=progress)


def write_outputs(study: Study, out: str | Path, *, progress: Progress | None = None) -> None:
    """Write ``scores.json``, ``study.npz``, the figures and ``report.html`` into a folder.

    The first two hold the whole study: :func:`~srscope.study.store.read_study` gives it back.

    Args:
        study: What to write.
        out: The folder; created when absent.
        progress: Called when the files are written.
    """
    from srscope.figures.save import save_figures
    from srscope.report.html import write_report
    from srscope.study.store import write_study

    folder = Path(out)
    write_study(study, folder)
    save_figures(study, folder / "figures")
    write_report(study, folder / "report.html")
    if progress is not None:
        progress("writing the report", 1, 1)
