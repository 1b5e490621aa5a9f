"""Commands of the kinds of analysis in the table: their options come from the kinds' configs."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonargparse

from srscope.analyses import ANALYSES, Analysis
from srscope.cli.common import (
    add_cache,
    add_plugin,
    names_in,
    print_remarks,
    run_plugins,
    take_cache,
    telling_replaced,
)
from srscope.networks.loading.spec import HELP as NETWORK
from srscope.networks.loading.spec import short_name


def add_options(parser: jsonargparse.ArgumentParser, analysis: Analysis) -> None:
    """Add a kind's arguments to its parser."""
    config = importlib.import_module(analysis.module).Config
    if analysis.several:
        text = analysis.networks or f"one or more, each a {NETWORK}"
        parser.add_argument("networks", metavar="NETWORK", nargs="+", type=str, help=text)
    else:
        parser.add_argument("networks", metavar="NETWORK", type=str, help=NETWORK)
    for name, text in analysis.takes:
        parser.add_argument(name, metavar=name.upper(), type=str, help=text)
    text = f"output folder [srscope-out/{analysis.name}-NETWORK]"
    parser.add_argument("--out", type=str, help=text)
    text = "names, labels or patterns of them, or all [those srscope layers marks]"
    parser.add_argument("--layers", nargs="+", type=str, default=[], help=text)
    add_plugin(parser)
    add_cache(parser)
    parser.add_class_arguments(config, skip={"layers", *dict(analysis.takes)})


def runner_of(analysis: Analysis) -> Callable[[Any], None]:
    """Return what runs a kind of analysis from parsed arguments."""

    def run(args: Any) -> None:
        from srscope.analyses.runner import headline_of, run_analysis
        from srscope.cli.console import stage_progress
        from srscope.networks.structure.kept import findings_in
        from srscope.training.snapshots import load_trained

        options = args.as_dict()
        given, out, quiet = (options.pop(name) for name in ("networks", "out", "quiet"))
        run_plugins(options.pop("plugin"))
        networks = [given] if isinstance(given, str) else given
        layers = tuple(names_in(options.pop("layers")))
        cache = take_cache(options)
        config = importlib.import_module(analysis.module).Config(layers=layers, **options)
        loaded: list[Any] = networks
        if not analysis.networks:
            with findings_in(cache):
                loaded = [load_trained(each) for each in networks]
        taken = [Path(options[name]).stem for name, _ in analysis.takes]
        joined = "-".join([*map(short_name, networks), *taken])
        folder = Path(out or f"srscope-out/{analysis.name}-{joined[:80]}")
        file = f"{analysis.name}.json"
        with telling_replaced(folder, file), stage_progress(quiet=quiet) as progress:
            record = run_analysis(
                analysis.name, loaded, out=folder, config=config, progress=progress, cache=cache
            )
        for name, network in zip(networks, loaded, strict=True):
            print_remarks(name, getattr(network, "remarks", ()))  # a folder of networks has none
        print(headline_of(analysis.name, record))
        print(folder / "report.html")

    return run


def analyses() -> tuple[Analysis, ...]:
    """Return the kinds of analysis that have such a command."""
    return tuple(ANALYSES.values())
