"""``srscope maps``: its options, and what it prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonargparse

from srscope.cli.common import add_plugin, print_remarks, run_plugins
from srscope.networks.loading.spec import HELP as NETWORK
from srscope.networks.loading.spec import short_name

HELP = "Show the channels of a layer as grey images, with their share of content."
MORE = """IMAGE is a photograph: it is reduced by the network's magnification and degraded, unless
--as-is. Channels are ranked through the eigenvectors of their covariance."""


def add_options(parser: jsonargparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument("network", type=str, help=NETWORK)
    parser.add_argument("image", metavar="IMAGE", type=str, help="image file")
    text = "name or label [the deepest that is shown by default]"
    parser.add_argument("--layer", type=str, default="", help=text)
    text = "output folder [srscope-out/maps-NETWORK-IMAGE]"
    parser.add_argument("--out", type=str | None, help=text)
    text = "degraded versions: name or YAML file [clean-blur4-noise20]"
    parser.add_argument("--suite", type=str, default="clean-blur4-noise20", help=text)
    add_plugin(parser)
    text = "feed the image neither reduced nor degraded; --suite then only serves the shares"
    parser.add_argument("--as_is", "--as-is", action="store_true", help=text)
    parser.add_argument("--channels", type=int, default=8, help="how many come first [8]")
    text = "side of the middle that is shown, in input pixels, 0 for the whole [256]"
    parser.add_argument("--crop", type=int, default=256, help=text)
    text = "bundled contents that shares of content are measured on, 0 for none [20]"
    parser.add_argument("--contents", type=int, default=20, help=text)
    parser.add_argument("--seed", type=int, default=0, help="of every random choice [0]")


def run(args: Any) -> None:
    """Make the maps, write them, print the first channels."""
    from srscope.analyses.maps.run import channel_rows, feature_maps, write_maps
    from srscope.cli.console import print_table, stage_progress
    from srscope.errors import ParameterError
    from srscope.networks.zoo import load_network

    run_plugins(args.plugin)
    if args.channels < 1:  # before anything is computed
        raise ParameterError("channels", "1 or more", args.channels)
    folder = Path(
        args.out or f"srscope-out/maps-{short_name(args.network)}-{Path(args.image).stem}"
    )
    with stage_progress(quiet=args.quiet) as progress:
        network = load_network(args.network)
        maps = feature_maps(
            network,
            args.image,
            layer=args.layer,
            suite=args.suite,
            as_is=args.as_is,
            crop=args.crop,
            contents=args.contents,
            seed=args.seed,
            progress=progress,
        )
    print_remarks(args.network, network.remarks)
    write_maps(maps, folder, channels=args.channels)
    total = float(maps.ranking.eigenvalue_C.sum()) or 1.0
    rows = [
        [
            str(rank),
            str(channel),
            f"{eigenvalue / total:.1%}",
            f"{variance:.3g}",
            "" if share is None else f"{share:.0%}",
        ]
        for rank, channel, eigenvalue, variance, share in channel_rows(maps)[: args.channels]
    ]
    columns = ("rank", "channel", "eigenvalue", "variance", "content")
    print_table(f"{maps.network}, {maps.label}, {maps.image}", columns, rows, text_columns=0)
    if maps.content is not None:
        print(f"content: {maps.content:.1%} of the layer's variance, on {maps.measured_on}")
    print(folder / "report.html")
