"""``srscope export``: its options, and what it prints."""

from __future__ import annotations

from typing import Any

import jsonargparse

from srscope.cli.common import names_in

HELP = "Write a finished analysis in the formats of other tools."
MORE = """Formats: projector (TensorBoard's Embedding Projector, with pictures), parquet (pandas,
embedding-atlas, FiftyOne), npz (NumPy), latex (score table), and the figures as png, svg, pdf."""


def add_options(parser: jsonargparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument("folder", metavar="OUT", type=str, help="what analyze wrote to")
    text = "one or several of those above [all; parquet where pyarrow is installed]"
    parser.add_argument("--format", nargs="+", type=str, default=[], help=text)
    parser.add_argument("--to", type=str | None, help="folder for the files [OUT/export]")


def run(args: Any) -> None:
    """Write the files and print their names."""
    from srscope.exports.export import export

    for path in export(args.folder, names_in(args.format), to=args.to):
        print(path)
