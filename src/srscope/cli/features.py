"""``srscope features``: its options, and what it prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonargparse

from srscope.cli.common import names_in, print_remarks, print_skipped
from srscope.networks.loading.spec import HELP as NETWORK
from srscope.networks.loading.spec import short_name

HELP = "Store a network's features of whole photographs, patch by patch."
MORE = """The photographs are fed as they are, neither reduced nor degraded."""


def add_options(parser: jsonargparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument("network", type=str, help=NETWORK)
    parser.add_argument("images", metavar="IMAGES", type=str, help="folder or image")
    text = "folder of the features [srscope-out/features-NETWORK]"
    parser.add_argument("--out", type=str | None, help=text)
    text = "names, labels or patterns of them, or all [those srscope layers marks]"
    parser.add_argument("--layers", nargs="+", type=str, default=[], help=text)
    parser.add_argument("--patch", type=int, default=64, help="side of a patch, in pixels [64]")
    text = "mean-pool, gram-diagonal or flatten, which keeps every value [mean-pool]"
    parser.add_argument("--reducer", type=str, default="mean-pool", help=text)
    parser.add_argument("--batch_size", type=int, default=32, help="patches a forward pass [32]")
    parser.add_argument("--device", type=str, default="auto", help="cpu, cuda or mps [the best]")
    parser.add_argument("--devices", type=int, default=1, help="processes that share the work [1]")


def run(args: Any) -> None:
    """Store the features, print how many and where."""
    from srscope.analyses.photographs import photograph_features
    from srscope.cli.console import stage_progress
    from srscope.networks.zoo import load_network

    folder = Path(args.out or f"srscope-out/features-{short_name(args.network)}")
    network = load_network(args.network)
    with stage_progress(quiet=args.quiet) as progress:
        store = photograph_features(
            network,
            args.images,
            out=folder,
            layers=names_in(args.layers),
            patch=args.patch,
            reducer=args.reducer,
            batch_size=args.batch_size,
            device=args.device,
            devices=args.devices,
            progress=progress,
        )
    print_remarks(args.network, network.remarks)
    print_skipped(store.metadata["skipped"])
    counts = {
        "patch": store.count,
        "photograph": len(store.metadata["photographs"]),
        "layer": len(store.layers),
    }
    print(", ".join(f"{count} {_plural(word, count)}" for word, count in counts.items()))
    print(folder)


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}es" if word.endswith("ch") else f"{word}s"
