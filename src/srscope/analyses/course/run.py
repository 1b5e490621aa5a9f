"""A network over its training: the same analysis at every checkpoint of a folder."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from pathlib import Path
from typing import Any

from srscope.analyses.course.record import Course, Moment, write_course
from srscope.analyses.results import COURSE, refuse_mixture
from srscope.errors import CheckpointError
from srscope.runtime.files import writing_to
from srscope.scores.record import LayerScores
from srscope.study.cache import opened
from srscope.study.config import AnalysisConfig
from srscope.study.extraction import Progress
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
        options: Fields of :class:`AnalysisConfig`.

    Returns:
        The study of every checkpoint, with its PSNR on the clean set.

    Raises:
        FileProblem: If there is no such folder, or in it are fewer than two checkpoints, or of
            several networks.
        CheckpointError: If one cannot be loaded, or is of another structure than the first.
        SrscopeError: If another input is wrong; the message says what and how to mend it.
    """
    settings = dataclasses.replace(config or AnalysisConfig(), **options, keep_features=False)
    snapshots = find_snapshots(str(folder), most=checkpoints)
    refuse_mixture(out, COURSE)
    with writing_to(out):
        with opened(cache) as stages:
            course = _course(snapshots, Session(settings, stages=stages, progress=progress))
        if out is not None:
            write_over_training(course, out, progress=progress)
    return course


def _course(snapshots: Snapshots, session: Session) -> Course:
    moments: list[Moment] = []
    untrained: tuple[LayerScores, ...] = ()
    timings: dict[str, float] = {}
    layers: list[str] = []
    for snapshot in snapshots.found:
        begun = time.perf_counter()
        name = str(snapshot.iteration)
        network = load_snapshot(snapshots, snapshot)
        taps = [tap.name for tap in network.taps]
        if not moments:
            layers = taps
            session.prepare([network])
        elif taps != layers or not session.has_images_for(network):
            problem = f"is of another structure than {snapshots.found[0].path.name}"
            raise CheckpointError(snapshot.path, problem, "give checkpoints of one network")
        study = session.study(network, controls=not moments, name=name)
        if not moments:
            untrained = study.untrained
        moments.append(
            Moment(
                iteration=snapshot.iteration,
                file=snapshot.path.name,
                study=dataclasses.replace(study, untrained=(), random=()),
                restoration=session.restoration(network, name=name),
            )
        )
        timings[name] = time.perf_counter() - begun
    return Course(
        name=snapshots.name,
        moments=tuple(moments),
        untrained=untrained,
        skipped=snapshots.skipped,
        timings=timings,
        created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    )


def write_over_training(
    course: Course, out: str | Path, *, progress: Progress | None = None
) -> None:
    """Write report, JSON, CSV and figures.

    Args:
        course: What to write.
        out: The folder; created when absent.
        progress: Called when the files are written.
    """
    from srscope.analyses.course.figures import save_course
    from srscope.analyses.course.page import write_report

    folder = Path(out)
    write_course(course, folder)
    save_course(course, folder / "figures")
    write_report(course, folder / "report.html")
    if progress is not None:
        progress("writing the report", 1, 1)
