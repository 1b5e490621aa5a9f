"""Several networks under the same analysis: the same photographs, seed and protocol."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from srscope.analyses.causal import study_of_network
from srscope.analyses.comparison.differences import differences
from srscope.analyses.comparison.record import Compared, Comparison, write_comparison
from srscope.analyses.results import COMPARISON, refuse_mixture
from srscope.errors import ParameterError
from srscope.exports.spaces import unique_keys
from srscope.networks.description import LoadedNetwork
from srscope.networks.structure.kept import findings_in
from srscope.runtime.files import write_text, writing_to
from srscope.study.cache import opened
from srscope.study.config import AnalysisConfig, configured
from srscope.study.extraction import Progress
from srscope.study.session import Session
from srscope.study.store import write_study
from srscope.training.snapshots import load_trained


def compare(
    networks: Sequence[Any],
    *,
    out: str | Path | None = None,
    config: AnalysisConfig | None = None,
    progress: Progress | None = None,
    cache: str | Path | None = None,
    psnr: bool = True,
    **options: Any,
) -> Comparison:
    """Analyse several networks alike and set them side by side.

    Every network goes through :func:`~srscope.analyses.separability.analyze` with the same
    settings. Networks of one scale are fed the same images. Those of another scale are fed
    reductions of other crops of the same photographs: at x4 a patch of 32 pixels shows 128 pixels
    of a photograph, at x2 only 64 about the same place.

    Args:
        networks: Two or more, as for ``analyze``.
        out: Folder for ``report.html``, ``comparison.json``, ``comparison.csv``, figures, and each
            network's own report and scores; ``None`` writes nothing. Features are not kept.
        config: The parameters; alternatively give its fields as keywords.
        progress: Called as the stages advance.
        cache: As of ``analyze``.
        psnr: Measure PSNR too; it takes about as long as the features.
        options: Fields of :class:`AnalysisConfig`.

    Returns:
        The studies, with each network's PSNR on the clean set.

    Raises:
        ParameterError: If there are fewer than two networks, or one is given twice.
        SrscopeError: If an input is wrong; the message says what and how to mend it.
    """
    settings = configured(config or AnalysisConfig(), {**options, "keep_features": False})
    if len(networks) < 2:
        remedy = "for a single one there is srscope analyze"
        raise ParameterError("networks", "two or more", len(networks), remedy)
    with findings_in(None if cache is None else Path(cache)):
        loaded = [load_trained(each) for each in networks]
    names = distinct_names(networks, loaded)
    refuse_mixture(out, COMPARISON)
    with writing_to(out):
        with opened(cache) as stages:
            session = Session(settings, stages=stages, progress=progress, psnr=psnr)
            comparison = _compared(dict(zip(names, loaded, strict=True)), session)
        if out is not None:
            write_compared(comparison, out, progress=progress)
    return comparison


def _compared(networks: Mapping[str, LoadedNetwork], session: Session) -> Comparison:
    started = time.perf_counter()
    session.prepare(networks.values())
    timings = {"degradation": time.perf_counter() - started}
    entries: list[Compared] = []
    for name, network in networks.items():
        begun = time.perf_counter()
        study = study_of_network(session, network, name=name)
        restored = session.restoration(network, name=name)
        entries.append(Compared(name=name, study=study, restoration=restored))
        timings[name] = time.perf_counter() - begun
    return Comparison(
        entries=tuple(entries),
        differences=differences([(entry.name, entry.study) for entry in entries]),
        timings=timings,
        created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    )


def distinct_names(networks: Sequence[Any], loaded: Sequence[LoadedNetwork]) -> list[str]:
    """Return a name for every network that no other has: its own, or what the user wrote.

    Raises:
        ParameterError: If a network is given twice.
    """
    written = [
        str(each) if isinstance(each, str | os.PathLike) else network.name
        for each, network in zip(networks, loaded, strict=True)
    ]
    twice = [name for name, times in Counter(written).items() if times > 1]
    if twice:
        remedy = "rename one of them, or name it: srscope.load_network(network, name=...)"
        raise ParameterError("networks", "each given once", twice[0], remedy)
    times = Counter(network.name for network in loaded)
    return [
        network.name if times[network.name] == 1 else name
        for network, name in zip(loaded, written, strict=True)
    ]


def write_compared(
    comparison: Comparison, out: str | Path, *, progress: Progress | None = None
) -> None:
    """Write report, JSON, CSV, figures, and each network's own report and scores.

    Args:
        comparison: What to write.
        out: The folder; created when absent.
        progress: Called when the files are written.
    """
    from srscope.analyses.comparison.figures import figures
    from srscope.analyses.comparison.page import render
    from srscope.figures.save import save_each
    from srscope.report.html import write_report

    folder = Path(out)
    for key, entry in zip(folder_names(comparison), comparison.entries, strict=True):
        write_study(entry.study, folder / "networks" / key)
        write_report(entry.study, folder / "networks" / key / "report.html")
    write_comparison(comparison, folder)
    save_each(figures(comparison), folder / "figures")
    write_text(folder / "report.html", render(comparison))
    if progress is not None:
        progress("writing the report", 1, 1)


def folder_names(comparison: Comparison) -> list[str]:
    """Return the name of every network's folder below ``networks``."""
    return unique_keys([entry.name for entry in comparison.entries])
