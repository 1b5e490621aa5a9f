"""A recipe over training seeds: the same analysis of every network of a folder."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

from srscope.analyses.course.run import analysed_alike
from srscope.analyses.population.record import (
    Member,
    Population,
    headline,
    sections,
    to_dict,
    write_tables,
)
from srscope.runtime.files import writing_to
from srscope.study.cache import opened
from srscope.study.config import AnalysisConfig
from srscope.study.extraction import Progress
from srscope.study.session import Session
from srscope.training.seeds import Recipe, find_seeds, load_seed


def over_seeds(
    folder: str | Path,
    *,
    out: str | Path | None = None,
    config: AnalysisConfig | None = None,
    progress: Progress | None = None,
    cache: str | Path | None = None,
    psnr: bool = True,
    **options: Any,
) -> Population:
    """Analyse networks that differ in the training seed, and take means over the seeds.

    Every network is fed the same images and analysed with the same settings. The untrained
    control, the same for all of them, is analysed once.

    Args:
        folder: A folder of networks whose names tell the seed, such as
            ``l1-wgr-seed2.safetensors``, or of runs that hold such a file; or a pattern, such as
            ``runs/population/l1-wgr-*``. Options for the networks may follow after a question mark.
        out: Folder for ``report.html``, ``seeds.json``, ``seeds.csv`` and figures; ``None`` writes
            nothing. Features are not kept.
        config: The parameters; alternatively give its fields as keywords.
        progress: Called as the stages advance.
        cache: As of ``analyze``.
        psnr: Measure PSNR too; it takes about as long as the features.
        options: Fields of :class:`AnalysisConfig`.

    Returns:
        The study of every network, with its PSNR on the clean set.

    Raises:
        FileProblem: If there is no such folder, or in it are fewer than two networks, or those of
            several recipes.
        CheckpointError: If one cannot be loaded, or is of another structure than the first.
        SrscopeError: If another input is wrong; the message says what and how to mend it.
    """
    settings = dataclasses.replace(config or AnalysisConfig(), **options, keep_features=False)
    recipe = find_seeds(str(folder))
    with writing_to(out):
        with opened(cache) as stages:
            population = _population(
                recipe, Session(settings, stages=stages, progress=progress, psnr=psnr)
            )
        if out is not None:
            write_over_seeds(population, out, progress=progress)
    return population


def _population(recipe: Recipe, session: Session) -> Population:
    timings: dict[str, float] = {}
    found = analysed_alike(
        ((f"seed {each.seed}", each.path, load_seed(recipe, each)) for each in recipe.found),
        session,
        timings,
    )
    members: list[Member] = []
    for trained, (study, restored) in zip(recipe.found, found, strict=True):
        members.append(
            Member(seed=trained.seed, file=trained.path.name, study=study, restoration=restored)
        )
    # Controls of the architecture stand with the first network; all share them.
    untrained = members[0].study.untrained
    return Population(
        name=recipe.name,
        members=tuple(members),
        untrained=untrained,
        skipped=recipe.skipped,
        timings=timings,
        created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    )


def write_over_seeds(
    population: Population, out: str | Path, *, progress: Progress | None = None
) -> None:
    """Write report, JSON, CSV and figures.

    Args:
        population: What to write.
        out: The folder; created when absent.
        progress: Called when the files are written.
    """
    from srscope.analyses.population.figures import scores_by_layer
    from srscope.figures.save import save_figure
    from srscope.report.plain_page import write_page

    folder = Path(out)
    write_tables(population, folder)
    save_figure(scores_by_layer(population), folder / "figures" / "scores-by-layer")
    told = to_dict(population)
    write_page(
        folder / "report.html",
        title=f"What do networks of the recipe {population.name} tell apart, over training seeds?",
        kind="seeds",
        headline=headline(population),
        sections=tuple(sections(population)),
        figures={"scores-by-layer": folder / "figures" / "scores-by-layer.svg"},
        protocol=told["protocol"],
        environment=told["environment"],
        data="seeds.json",
    )
    if progress is not None:
        progress("writing the report", 1, 1)
