"""The whole reproduction: experiments over processes, then claims, tables, scorecard, report."""

from __future__ import annotations

import dataclasses
import os
import signal
import threading
import time
import traceback
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from joblib import Parallel, cpu_count, delayed, parallel_config
from threadpoolctl import threadpool_limits

from srscope.errors import FileProblem, ParameterError, SrscopeError, UnknownNameError, reason_of
from srscope.images.sources import load_photographs
from srscope.reproduction.claims import CLAIMS, judge
from srscope.reproduction.experiment import Experiment
from srscope.reproduction.experiments import EXPERIMENTS
from srscope.reproduction.experiments.second import PREFIX, SECOND_EXPERIMENTS, networks_of
from srscope.reproduction.keep import inputs_of, packed, unpacked
from srscope.reproduction.lab import Lab, LabConfig
from srscope.reproduction.outcome import Failure, LeftOut, Reproduction
from srscope.reproduction.outputs import write_outputs
from srscope.reproduction.records import Estimate, Finding
from srscope.reproduction.second_judgement import second_judgements
from srscope.reproduction.write import FIGURES
from srscope.runtime.files import writing_to
from srscope.study.cache import Stages, default_cache
from srscope.study.extraction import Progress


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """What a worker process sends back."""

    id: str
    seconds: float
    finding: Finding | None = None
    failure: Failure | None = None


def reproduce(
    ids: Sequence[str] = (),
    *,
    out: str | Path = "srscope-out/reproduction",
    networks: str | Path = "",
    population: str | Path = "",
    images: str | Path = "",
    contents: int = 100,
    runs: int = 5,
    seed: int = 0,
    jobs: int | None = None,
    cache: str | Path | None = None,
    progress: Progress | None = None,
    experiments: Sequence[Experiment] = (*EXPERIMENTS, *SECOND_EXPERIMENTS),
) -> Reproduction:
    """Rerun the paper's experiments and judge its claims.

    Args:
        ids: Which experiments, e.g. ``fig7`` or ``second-c6``; ``second`` for all of the criteria's
            second edition; all if empty. Claims whose experiments are left out
            are not run.
        out: Output folder: ``report.html``, ``scorecard.json`` and ``.md``,
            ``scorecard-second.json``, ``findings.json``, ``figures/`` and ``tables/``. What an
            earlier run wrote there is replaced, or deleted where this one does not make it.
        networks: Folder of checkpoints that stand in for bundled networks of the same name.
        population: Folder of networks of several training seeds, as
            ``tools/train_population.py`` leaves them, for the claims that are judged by these.
        images: Folder of photographs, or ``div2k``; the bundled ones if empty.
        contents: Contents in every set.
        runs: t-SNE runs a layer.
        seed: Of degradations, t-SNE and bootstrap.
        jobs: Experiments at a time, each in a process with one thread; as many as there are
            processors unless given. Numbers do not depend on it.
        cache: Folder where finished stages are kept; a folder of the user's cache unless given.
        progress: Called with the stage, experiments done and experiments in all.
        experiments: What there is to choose from.

    Returns:
        Findings, judgements, and what could not be done; all of it is also written into ``out``.

    Raises:
        UnknownNameError: If there is no experiment of an id.
        SrscopeError: If networks, images or a number cannot be used.
    """
    chosen = choose(ids, experiments)
    jobs = int(cpu_count()) if jobs is None else jobs
    if jobs < 1:
        raise ParameterError("jobs", "1 or more", jobs)
    config = LabConfig(
        networks=str(networks), population=str(population), images=str(images), contents=contents,
        runs=runs, seed=seed,
    )  # fmt: skip
    folder = Path(cache) if cache else default_cache()
    _check(config, experiments)
    stages = Stages(folder)
    lab = Lab(stages=stages, config=config)
    with writing_to(out):
        done = _reproduced(chosen, lab, Path(out), jobs, progress)
        write_outputs(done)
    stages.tidy()
    return done


def _reproduced(
    chosen: Sequence[Experiment], lab: Lab, out: Path, jobs: int, progress: Progress | None
) -> Reproduction:
    missing = {each.id: each.missing(lab) for each in chosen}
    ready = [each for each in chosen if not missing[each.id]]
    figures = out / FIGURES
    figures.mkdir(exist_ok=True)

    outcomes: dict[str, _Outcome] = {}
    for outcome in _run_all(ready, lab, figures, jobs=jobs):
        outcomes[outcome.id] = outcome
        if progress is not None:
            progress("experiments", len(outcomes), len(ready))

    in_order = [outcomes[each.id] for each in ready]
    findings = tuple(o.finding for o in in_order if o.finding is not None)
    failures = [o.failure for o in in_order if o.failure is not None]
    evidence, clashes = merged_evidence(findings)
    used = dict.fromkeys(name for each in ready for name in each.networks)
    asked = [key for key in evidence if key.startswith("second/")]
    used |= dict.fromkeys(name for name in networks_of(asked) if lab.has_network(name))
    return Reproduction(
        findings=findings,
        judgements=tuple(judge(claim, evidence) for claim in CLAIMS),
        second=second_judgements(evidence),
        left_out=tuple(
            LeftOut(id=each.id, title=each.title, networks=tuple(missing[each.id]))
            for each in chosen
            if missing[each.id]
        ),
        failures=(*failures, *clashes),
        config=lab.config,
        networks=tuple(lab.network(name).info for name in used),
        seconds={o.id: o.seconds for o in in_order},
        out=out,
    )


def choose(ids: Iterable[str], experiments: Sequence[Experiment]) -> list[Experiment]:
    """Return the experiments of these ids, each once, in the paper's order; all if there is none.

    Raises:
        UnknownNameError: If there is no experiment of an id; near matches are named.
    """
    known = [each.id for each in experiments]
    second = {each for each in known if each.startswith(PREFIX)}
    wanted = set(ids) or set(known)
    if PREFIX.strip("-") in wanted and second:
        wanted = wanted - {PREFIX.strip("-")} | second
    for each in sorted(wanted - set(known)):
        raise UnknownNameError("experiment", each, known)
    return [each for each in experiments if each.id in wanted]


def merged_evidence(
    findings: Sequence[Finding],
) -> tuple[dict[str, Estimate], list[Failure]]:
    """Put the evidence of all findings together.

    Two experiments may measure the same thing, and then find the same number, as they share the
    cached stages; the first of two that differ is kept, and the other one is a failure.
    """
    evidence: dict[str, Estimate] = {}
    first: dict[str, Finding] = {}
    failures: list[Failure] = []
    for finding in findings:
        for key, estimate in finding.evidence.items():
            if evidence.setdefault(key, estimate) != estimate:
                failures.append(
                    Failure(
                        id=finding.id,
                        title=finding.title,
                        problem=f"measures {key} as {estimate.value:g}, but {first[key].id} as "
                        f"{evidence[key].value:g}, which is kept",
                        details="Two experiments give different numbers under one key.",
                    )
                )
            first.setdefault(key, finding)
    return evidence, failures


def _check(config: LabConfig, experiments: Sequence[Experiment]) -> None:
    """Raise at once for folders that no experiment could use; fetch DIV2K once, if asked for."""
    if config.networks:
        folder = Path(config.networks)
        if not folder.is_dir():
            raise FileProblem(folder, "is no folder", "give a folder of checkpoints")
        names = sorted({name for each in experiments for name in each.networks})
        suffixes = (".safetensors", ".pth", ".pt")
        if names and not any((folder / f"{n}{s}").is_file() for n in names for s in suffixes):
            example = " or ".join(f"{names[0]}{s}" for s in (".safetensors", ".pth"))
            raise FileProblem(
                folder,
                "holds no checkpoint with a name that stands in for a bundled network",
                f"name them like {example}; names: {', '.join(names)}",
            )
    if config.population and not Path(config.population).is_dir():
        folder = Path(config.population)
        raise FileProblem(folder, "is no folder", "give a folder of networks of several seeds")
    if config.images:
        load_photographs(config.images)


def _run_all(
    experiments: Sequence[Experiment], lab: Lab, folder: Path, *, jobs: int
) -> Generator[_Outcome]:
    """Run experiments over processes; yield each outcome as it comes."""
    if min(jobs, len(experiments)) <= 1:
        with _one_thread():
            for each in experiments:
                yield _run(each, lab, folder)
        return
    with parallel_config(backend="loky", inner_max_num_threads=1):
        parallel = Parallel(n_jobs=min(jobs, len(experiments)), return_as="generator_unordered")
        with _interrupt_is_ours():
            outcomes = parallel(delayed(_run_alone)(each, lab, folder) for each in experiments)
    yield from cast("Iterable[_Outcome]", outcomes)


def _run_alone(experiment: Experiment, lab: Lab, folder: Path) -> _Outcome:
    """Run an experiment in a worker process."""
    with _one_thread():
        return _run(experiment, lab, folder)


def _run(experiment: Experiment, lab: Lab, folder: Path) -> _Outcome:
    started = time.perf_counter()
    finding, failure = None, None
    try:
        entry = lab.stages.get(
            "finding",
            inputs_of(experiment, lab),
            lambda: packed(_settled(experiment.run(lab, folder), folder), folder.parent),
        )
        finding = unpacked(entry, folder.parent)
    except SrscopeError as error:
        failure = Failure(id=experiment.id, title=experiment.title, problem=str(error))
    except Exception as error:  # our fault: the others go on, and the command ends with 1
        failure = Failure(
            id=experiment.id,
            title=experiment.title,
            problem=f"{type(error).__name__}: {reason_of(error)}",
            details=traceback.format_exc(),
        )
    seconds = time.perf_counter() - started
    return _Outcome(id=experiment.id, seconds=seconds, finding=finding, failure=failure)


def _settled(finding: Finding, folder: Path) -> Finding:
    """Return the finding with its figures named from the output folder, all of them there."""
    names: list[str] = []
    for name in finding.figures:
        candidates = (name, name.removeprefix(f"{FIGURES}/"))
        found = next((n for n in candidates if (folder / f"{n}.png").is_file()), None)
        if found is None:
            raise FileNotFoundError(f"{name}.png was not written")
        names.append(f"{FIGURES}/{found}")
    return dataclasses.replace(finding, figures=tuple(names))


@contextmanager
def _one_thread() -> Generator[None]:
    """Compute on one thread, so that numbers do not depend on how many there are."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(limits=1):
            yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _interrupt_is_ours() -> Generator[None]:
    """Start processes that never see Ctrl-C, which a terminal sends to all; ours ends them.

    They inherit a mask, not a disposition: what comes meanwhile waits for us and is not lost.
    """
    if threading.current_thread() is not threading.main_thread() or os.name == "nt":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
