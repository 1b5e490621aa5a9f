"""``srscope analyze``: its options, and what it prints."""

from __future__ import annotations

import dataclasses
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonargparse

from srscope.cli.common import (
    add_cache,
    add_plugin,
    names_in,
    print_remarks,
    print_skipped,
    run_plugins,
    take_cache,
    telling_replaced,
)
from srscope.errors import ParameterError
from srscope.networks.loading.spec import HELP as NETWORK
from srscope.networks.loading.spec import is_snapshots, short_name, split_query
from srscope.projection.config import TsneConfig
from srscope.study.config import AnalysisConfig

if TYPE_CHECKING:
    from srscope.study.record import Study

HELP = "Score every layer of a network and write a report."


def add_options(parser: jsonargparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    text = f"{NETWORK}; or a folder of checkpoints of one, or of networks of several seeds"
    parser.add_argument("network", type=str, help=text)
    parser.add_argument("--out", type=str, help="output folder [srscope-out/NETWORK-SUITE]")
    text = "of a folder, at most so many, evenly, with the first and the last; 0 for all [0]"
    parser.add_argument("--checkpoints", type=int, default=0, help=text)
    text = "print where the time went, and how near each stage came to this machine's limit"
    parser.add_argument("--profile", action="store_true", help=text)
    text = "more images than memory holds: as srscope stream does, which has more options"
    parser.add_argument("--stream", action="store_true", help=text)
    add_no_psnr(parser)
    add_config(parser)


def add_no_psnr(parser: jsonargparse.ArgumentParser) -> None:
    """Add what leaves PSNR out where several networks are set side by side."""
    text = "leave PSNR out of several networks' tables: it takes as long as the features"
    parser.add_argument("--no-psnr", "--no_psnr", action="store_true", help=text)


def add_config(parser: jsonargparse.ArgumentParser) -> None:
    """Add the fields of :class:`AnalysisConfig`."""
    text = "names, labels or patterns of them, or all [those srscope layers marks]"
    parser.add_argument("--layers", nargs="+", type=str, default=[], help=text)
    text = "a folder of images as they are; several stand in place of a suite"
    parser.add_argument(
        "--set", action="append", type=str, default=[], metavar="NAME=DIR", help=text
    )
    text = "also tell whether the network uses what its layers tell; takes some minutes"
    parser.add_argument("--causal", action="store_true", help=text)
    add_plugin(parser)
    add_cache(parser)
    parser.add_class_arguments(AnalysisConfig, skip={"layers", "sets", "causal"})


def take_config(options: dict[str, Any]) -> AnalysisConfig:
    """Return the config, and take its options out of ``options``; load the plugins first.

    Raises:
        SrscopeError: If a plugin cannot be loaded.
        ParameterError: If a ``--set`` is not of the form NAME=DIR; or as the config does.
    """
    run_plugins(options.pop("plugin"))
    names = {field.name for field in dataclasses.fields(AnalysisConfig)} - {"layers", "sets"}
    given = {name: options.pop(name) for name in sorted(names)}
    if isinstance(given["tsne"], dict):
        given["tsne"] = TsneConfig(**given["tsne"])
    layers = tuple(names_in(options.pop("layers")))
    sets: dict[str, str] = {}
    for word in options.pop("set"):
        name, equals, folder = word.partition("=")
        if not (name and equals and folder) or name in sets:
            rule = "given once a name" if name in sets else "NAME=DIR"
            raise ParameterError("--set", rule, word, "e.g. --set phone=DCIM --set film=scans")
        sets[name] = folder
    return AnalysisConfig(layers=layers, sets=sets, **given)


def run(args: Any) -> None:
    """Analyse, write the outputs, print scores and verdict."""
    started = time.perf_counter()
    from srscope.analyses.separability import analyze
    from srscope.cli.console import print_profile, print_study, stage_progress
    from srscope.networks.structure.kept import findings_in
    from srscope.training.snapshots import load_trained, only_checkpoint

    options = args.as_dict()
    network, out, quiet = (options.pop(name) for name in ("network", "out", "quiet"))
    if options.pop("stream"):
        _run_streamed(network, out, options, quiet=quiet)
        return
    profiled, psnr = options.pop("profile"), not options.pop("no_psnr")
    # What is found again would look as if it had been computed at no cost.
    cache = take_cache(options, unless=profiled)
    config = take_config(options)
    is_series = is_snapshots(network) and only_checkpoint(network) is None
    if is_series:
        from srscope.training.seeds import is_of_seeds

        if profiled:
            raise ParameterError("--profile", "given for one network", network)
        if not is_of_seeds(network):
            _run_over_training(
                network, args.checkpoints, out, config, cache, quiet=quiet, psnr=psnr
            )
            return
    if args.checkpoints:
        raise ParameterError("--checkpoints", "given for a folder of checkpoints", network)
    if is_series:
        _run_over_seeds(network, out, config, cache, quiet=quiet, psnr=psnr)
        return
    if not psnr:
        raise ParameterError("--no-psnr", "given for a folder, whose tables have PSNR", network)
    folder = Path(out or f"srscope-out/{short_name(network)}-{config.suite_name}")
    with findings_in(cache):
        loaded = load_trained(network)
    starting = time.perf_counter() - started
    with telling_replaced(folder, "scores.json"), stage_progress(quiet=quiet) as progress:
        study = analyze(loaded, out=folder, config=config, progress=progress, cache=cache)
    print_study(study)
    if profiled:
        from srscope.study.profile import profile

        print_profile(profile(study, loaded, starting=starting))
    print_remarks(network, loaded.remarks)
    print_skipped(study.inputs.skipped)
    print_reservations(study, config)
    assert study.verdict is not None
    print(study.verdict.headline)
    if study.verdict.would_decide:
        print(f"What would decide it: {study.verdict.would_decide}")
    print(folder / "report.html")


def _run_streamed(network: str, out: str | None, options: dict[str, Any], *, quiet: bool) -> None:
    from srscope.analyses import ANALYSES
    from srscope.analyses.runner import ImagesConfig
    from srscope.cli.generic import runner_of

    for name in ("profile", "no_psnr", "checkpoints", "set"):
        if options.pop(name):
            raise ParameterError(f"--{name.replace('_', '-')}", "left out beside --stream", True)
    shared = {each.name for each in dataclasses.fields(ImagesConfig)}
    shared |= {"suite", "pca", "tsne", "devices", "cache", "no_cache", "plugin", "layers"}
    defaults = AnalysisConfig()
    changed = {
        name: value
        for name, value in options.items()
        if name not in shared and value != getattr(defaults, name)
    }
    if "runs" in changed:
        shared.add("runs")
    for name, value in changed.items():
        if name != "runs":
            rule = "left out beside --stream, which has no such part"
            raise ParameterError(f"--{name.replace('_', '-')}", rule, value)
    given = {name: value for name, value in options.items() if name in shared}
    words = jsonargparse.Namespace(**given, networks=network, out=out, quiet=quiet)
    runner_of(ANALYSES["stream"])(words)


def _run_over_training(
    folder: str,
    checkpoints: int,
    out: str | None,
    config: AnalysisConfig,
    cache: Path | None,
    *,
    quiet: bool,
    psnr: bool,
) -> None:
    from srscope.analyses.course.page import headline
    from srscope.analyses.course.run import over_training
    from srscope.cli.console import print_course, stage_progress

    target = Path(out or f"srscope-out/{_stem(folder)}-training-{config.suite_name}")
    with telling_replaced(target, "course.json"), stage_progress(quiet=quiet) as progress:
        course = over_training(
            folder,
            checkpoints=checkpoints,
            out=target,
            config=config,
            progress=progress,
            cache=cache,
            psnr=psnr,
        )
    print_course(course)
    print_skipped((*course.skipped, *course.moments[0].study.inputs.skipped))
    print_remarks(course.name, course.moments[-1].study.network.remarks)
    print_reservations(course.moments[0].study, config)
    print(headline(course))
    print(target / "report.html")


def _stem(folder: str) -> str:
    name = Path(split_query(folder)[0].replace("*", "")).resolve().stem
    return name.strip("-_. ") or "network"


def _run_over_seeds(
    folder: str,
    out: str | None,
    config: AnalysisConfig,
    cache: Path | None,
    *,
    quiet: bool,
    psnr: bool,
) -> None:
    from srscope.analyses.population.record import headline
    from srscope.analyses.population.run import over_seeds
    from srscope.cli.console import stage_progress

    target = Path(out or f"srscope-out/{_stem(folder)}-seeds-{config.suite_name}")
    with stage_progress(quiet=quiet) as progress:
        population = over_seeds(
            folder, out=target, config=config, progress=progress, cache=cache, psnr=psnr
        )
    first = population.members[0].study
    print_skipped((*population.skipped, *first.inputs.skipped))
    print_reservations(first, config)
    print(headline(population))
    print(target / "report.html")


def print_reservations(study: Study, config: AnalysisConfig) -> None:
    """Say on stderr which scores are left out, and where images are fewer than asked for."""
    for score, why in study.left_out:
        if score != "p_value" or "variance" in dict(study.left_out):  # else a detail
            print(f"srscope: {score} is left out: {why}", file=sys.stderr)
    if study.protocol["patch"] != config.patch:
        print(
            f"srscope: patches of {study.protocol['patch']} pixels instead of {config.patch}: the "
            "network takes none of these",
            file=sys.stderr,
        )
    if isinstance(limited := study.protocol.get("controls"), dict):
        print(
            f"srscope: the control networks ({', '.join(limited['networks'])}) were shown "
            f"{limited['contents']} contents a set, to cost no more than {limited['budget']:g} "
            "passes of the network; more with --control-budget",
            file=sys.stderr,
        )
    few = [each for each in study.suite.sets if each.count < config.contents]
    if few:
        where = "" if study.suite.crossed else f" in {' and '.join(each.name for each in few)}"
        print(
            f"srscope: {min(each.count for each in few)} contents instead of {config.contents}"
            f"{where}: no more fit into the photographs, and CHI depends on their number",
            file=sys.stderr,
        )
