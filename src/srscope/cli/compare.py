"""``srscope compare``: its options, and what it prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonargparse

from srscope.cli.analyze import (
    add_config,
    add_no_psnr,
    print_reservations,
    take_config,
)
from srscope.cli.common import print_remarks, print_skipped, take_cache, telling_replaced
from srscope.networks.loading.spec import HELP as NETWORK
from srscope.networks.loading.spec import short_name

HELP = "Analyse several networks alike, in one report and one table."
MORE = """Every network is fed the same photographs with the same seed. Features are not kept."""


def add_options(parser: jsonargparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    text = f"two or more, each a {NETWORK}"
    parser.add_argument("networks", metavar="NETWORK", nargs="+", type=str, help=text)
    text = "output folder [srscope-out/compare-NETWORKS-SUITE]"
    parser.add_argument("--out", type=str, help=text)
    add_no_psnr(parser)
    add_config(parser)


def run(args: Any) -> None:
    """Compare, write the outputs, print one row a network."""
    from srscope.analyses.comparison.page import headline
    from srscope.analyses.comparison.run import compare
    from srscope.cli.console import print_comparison, stage_progress

    options = args.as_dict()
    networks, out, quiet = (options.pop(name) for name in ("networks", "out", "quiet"))
    psnr = not options.pop("no_psnr")
    cache = take_cache(options)
    config = take_config(options)
    folder = Path(out or f"srscope-out/compare-{_joined(networks)}-{config.suite_name}")
    with telling_replaced(folder, "comparison.json"), stage_progress(quiet=quiet) as progress:
        comparison = compare(
            networks, out=folder, config=config, progress=progress, cache=cache, psnr=psnr
        )
    print_comparison(comparison)
    first = comparison.entries[0].study
    for entry in comparison.entries:
        print_remarks(entry.name, entry.study.network.remarks)
    print_skipped(first.inputs.skipped)
    print_reservations(first, config)
    print(headline(comparison))
    print(folder / "report.html")


def _joined(networks: list[str]) -> str:
    """Return the networks' names as part of a folder's name."""
    joined = "-".join(map(short_name, networks))
    return joined if len(joined) <= 80 else f"{len(networks)}-networks"
