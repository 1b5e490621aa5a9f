"""The option ``--plugin`` of every command that takes a suite."""

from __future__ import annotations

from collections.abc import Sequence

import jsonargparse


def add_plugin(parser: jsonargparse.ArgumentParser) -> None:
    """Add the option that names a user's own code."""
    text = "your own .py file or module, run for the degradations and suites it registers"
    parser.add_argument(
        "--plugin", action="append", type=str, default=[], metavar="FILE", help=text
    )


def run_plugins(names: Sequence[str]) -> None:
    """Run what the option names; nothing is loaded where it is not given."""
    if names:
        from srscope.degradations.plugin import load_plugins

        load_plugins(names)
