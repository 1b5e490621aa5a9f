"""One network: which degradations its features separate, layer by layer."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

from srscope.analyses.results import SCORES, refuse_mixture
from srscope.errors import ParameterError
from srscope.networks.description import LoadedNetwork
from srscope.networks.loading.spec import is_snapshots
from srscope.networks.zoo import load_network
from srscope.runtime.files import writing_to
from srscope.study.assembly import study_of_folder
from srscope.study.cache import Stages, opened
from srscope.study.config import AnalysisConfig
from srscope.study.extraction import Progress
from srscope.study.record import Study
from srscope.study.session import Session


def analyze(
    network: str | LoadedNetwork,
    *,
    out: str | Path | None = None,
    config: AnalysisConfig | None = None,
    progress: Progress | None = None,
    cache: str | Path | None = None,
    **options: Any,
) -> Study:
    """Show which degradations a network's features separate, layer by layer.

    Args:
        network: A bundled name, a checkpoint's path, or what :func:`load_network` returned.
        out: Folder for ``report.html``, ``scores.json``, figures and features; ``None`` writes
            nothing. An earlier study in it is replaced; the result of another kind of analysis is
            not.
        config: The parameters; alternatively give its fields as keywords.
        progress: Called as the stages advance.
        cache: Folder in which finished stages are kept, 4 GB of them at most, and found again by
            later analyses, which then compute only what is new; ``None`` keeps nothing. The numbers
            are the same bit for bit.
        options: Fields of :class:`AnalysisConfig`, e.g. ``suite="blur-1-4"``, ``runs=3``.

    Returns:
        The study: scores of every layer, controls, embeddings, provenance.

    Raises:
        SrscopeError: If an input is wrong; the message says what and how to mend it.

    Source: Liu et al. 2021; the protocol is in the documentation's science page.
    """
    settings = dataclasses.replace(config or AnalysisConfig(), **options)
    if isinstance(network, str) and is_snapshots(network):
        remedy = "for a folder of checkpoints there is srscope.over_training"
        raise ParameterError("network", "one network", network, remedy)
    loaded = load_network(network) if isinstance(network, str) else network
    refuse_mixture(out, SCORES)
    with writing_to(out):
        features = Path(out) / "features" if out is not None and settings.keep_features else None
        with opened(cache) as stages:
            session = Session(settings, stages=stages, progress=progress)
            study = session.study(loaded, features=features)
        if out is not None:
            started = time.perf_counter()
            write_outputs(study, out, progress=progress)
            timings = {**study.timings, "report": time.perf_counter() - started}
            study = dataclasses.replace(study, timings=timings)
    return study


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
