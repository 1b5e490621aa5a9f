"""A network over its training: the same analysis at every checkpoint of a folder."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from srscope.analyses.causal import study_of_network
from srscope.analyses.course.record import Course, Moment, write_course
from srscope.analyses.results import COURSE, refuse_mixture
from srscope.errors import CheckpointError
from srscope.networks.description import LoadedNetwork
from srscope.runtime.files import write_text, writing_to
from srscope.study.cache import opened
from srscope.study.config import AnalysisConfig, configured
from srscope.study.extraction import Progress
from srscope.study.record import Restoration, Study
from srscope.study.session import Session
from srscope.training.snapshots import Snapshots, find_snapshots, load_snapshot


def over_training(
    folder: str | Path,
    *,
    checkpoints: int = 0,
    out: str | Path | None = None,
    config: AnalysisConfig | None = None,
    progress: Progress | None = None,
    cache: str | Path | None = None,
    psnr: bool = True,
    **options: Any,
) -> Course:
    """Show how a network comes to separate degradations over its training.

    Every checkpoint is fed the same images and analysed with the same settings. The untrained
    control, the same for all of them, is analysed once.

    Args:
        folder: A folder of checkpoints of one network: a run of ``srscope train``, or files whose
            names differ by the iteration, such as BasicSR's; or a pattern, such as
            ``models/net_g_*.pth``. Options for the network may follow after a question mark.
        checkpoints: Take at most so many, evenly, the first and the last among them; 0 takes all.
        out: Folder for ``report.html``, ``course.json``, ``course.csv`` and figures; ``None``
            writes nothing. Features are not kept.
        config: The parameters; alternatively give its fields as keywords.
        progress: Called as the stages advance.
        cache: As of ``analyze``.
        psnr: Measure PSNR too; it takes about as long as the features.
        options: Fields of :class:`AnalysisConfig`.

    Returns:
        The study of every checkpoint, with its PSNR on the clean set.

    Raises:
        FileProblem: If there is no such folder, or in it are fewer than two checkpoints, or of
            several networks.
        CheckpointError: If one cannot be loaded, or is of another structure than the first.
        SrscopeError: If another input is wrong; the message says what and how to mend it.
    """
    settings = configured(config or AnalysisConfig(), {**options, "keep_features": False})
    snapshots = find_snapshots(str(folder), most=checkpoints)
    refuse_mixture(out, COURSE)
    with writing_to(out):
        with opened(cache) as stages:
            course = _course(
                snapshots, Session(settings, stages=stages, progress=progress, psnr=psnr)
            )
        if out is not None:
            write_over_training(course, out, progress=progress)
    return course


def _course(snapshots: Snapshots, session: Session) -> Course:
    timings: dict[str, float] = {}
    networks = (
        (str(each.iteration), each.path, load_snapshot(snapshots, each)) for each in snapshots.found
    )
    found = list(analysed_alike(networks, session, timings))
    return Course(
        name=snapshots.name,
        moments=tuple(
            Moment(
                iteration=snapshot.iteration,
                file=snapshot.path.name,
                study=dataclasses.replace(study, untrained=(), random=()),
                restoration=restored,
            )
            for snapshot, (study, restored) in zip(snapshots.found, found, strict=True)
        ),
        untrained=found[0][0].untrained,
        skipped=snapshots.skipped,
        timings=timings,
        created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    )


def analysed_alike(
    networks: Iterable[tuple[str, Path, LoadedNetwork]],
    session: Session,
    timings: dict[str, float],
) -> Iterator[tuple[Study, Restoration]]:
    """Analyse networks of one structure; the controls of the architecture with the first alone.

    Args:
        networks: Name, file and network of each; loaded one at a time.
        session: The settings.
        timings: Receives the seconds of each, by name.

    Raises:
        CheckpointError: If one is of another structure than the first.
    """
    layers: list[str] = []
    first = ""
    for name, path, network in networks:
        begun = time.perf_counter()
        taps = [tap.name for tap in network.taps]
        if not first:
            session.prepare([network])
        elif taps != layers or not session.has_images_for(network):
            problem = f"is of another structure than {first}"
            raise CheckpointError(path, problem, "give checkpoints of one network")
        study = study_of_network(session, network, controls=not first, name=name)
        layers, first = taps, first or path.name
        restored = session.restoration(network, name=name)
        timings[name] = time.perf_counter() - begun
        yield study, restored


def write_over_training(
    course: Course, out: str | Path, *, progress: Progress | None = None
) -> None:
    """Write report, JSON, CSV and figures.

    Args:
        course: What to write.
        out: The folder; created when absent.
        progress: Called when the files are written.
    """
    from srscope.analyses.course.figures import figures
    from srscope.analyses.course.page import render
    from srscope.figures.save import save_each

    folder = Path(out)
    write_course(course, folder)
    save_each(figures(course), folder / "figures")
    write_text(folder / "report.html", render(course))
    if progress is not None:
        progress("writing the report", 1, 1)
