"""What several commands share: the option ``--plugin``, lists of names, skipped files."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import jsonargparse

from srscope.errors import ParameterError


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


def names_in(words: Sequence[str]) -> list[str]:
    """Return names that stand apart, or joined by commas, or both.

    Example:
        >>> names_in(["fig1,fig8", "fig9"])
        ['fig1', 'fig8', 'fig9']
    """
    return [name for word in words for name in word.split(",") if name]


def print_remarks(name: str, remarks: Sequence[str]) -> None:
    """Say on stderr what has to be known of a network."""
    for each in remarks:
        print(f"srscope: {name}: {each}", file=sys.stderr)


@contextlib.contextmanager
def telling_replaced(folder: Path, file: str) -> Generator[None]:
    """Say on stderr if the block replaces the result of other networks in a folder."""
    from srscope.analyses.results import held

    before = held(folder, file)
    yield
    if before not in ("", held(folder, file)):
        print(f"srscope: {folder} held the result of {before}, now replaced", file=sys.stderr)


def print_skipped(skipped: Sequence[Sequence[str]]) -> None:
    """Say on stderr which files could not be used, and why: pairs of name and reason."""
    for name, why in skipped:
        print(f"skipped {name!a}: {why}", file=sys.stderr)


def add_cache(parser: jsonargparse.ArgumentParser) -> None:
    """Add where finished stages are kept."""
    text = "folder of finished stages, which are found again [in the user's cache]"
    parser.add_argument("--cache", type=str | None, help=text)
    text = "compute all, and keep nothing"
    parser.add_argument("--no-cache", "--no_cache", action="store_true", help=text)


def take_cache(options: dict[str, Any], *, unless: bool = False) -> Path | None:
    """Return the folder of finished stages, and take its options out of ``options``.

    Args:
        options: What was given.
        unless: Use none if none was named.

    Raises:
        ParameterError: If a folder is named and refused at once.
    """
    from srscope.study.cache import default_cache

    named, none = options.pop("cache"), options.pop("no_cache")
    if named is not None and none:
        raise ParameterError("--cache", "left out beside --no-cache", named)
    if named is not None:
        return Path(named)
    return None if none or unless else default_cache()
