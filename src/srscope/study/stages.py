"""What analyses leave for later ones: features by batch, projections, scores and t-SNE maps.

Everything is found under a hash of all that decides it, and verified when it is read, so that an
analysis gives the same bits with a cache, with an old one and without.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from srscope.errors import FileProblem
from srscope.features.known import FeatureCache
from srscope.images.downloads import data_folder
from srscope.networks.structure.identity import identity_of
from srscope.runtime.cache import Entry, StageCache, machinery, prune
from srscope.runtime.files import unwritable

LIMIT = 4 * 10**9
"""Bytes that a cache may hold when an analysis is done."""


def default_cache() -> Path | None:
    """Return where ``srscope analyze`` keeps stages: ``analyses`` in srscope's data folder.

    Returns:
        The folder, which is there; ``None`` where it cannot be made or written.
    """
    folder = data_folder() / "analyses"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    return None


@dataclass(frozen=True)
class AnalysisCache:
    """A folder of finished stages.

    Args:
        folder: Made when absent.
        limit: Bytes that may stay when an analysis is done.

    Raises:
        FileProblem: If the folder cannot be made.
    """

    folder: Path
    limit: int = LIMIT
    stages: StageCache = field(init=False)

    def __post_init__(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(self.folder, error) from error
        object.__setattr__(self, "stages", StageCache(self.folder / "stages"))

    def features_of(self, network: nn.Module) -> FeatureCache | None:
        """Return where this network's features are; ``None`` if it cannot be told from others."""
        identity = identity_of(network)
        if identity is None:
            return None
        return FeatureCache(folder=self.folder / "features", network=identity)

    def tidy(self) -> None:
        """Delete what was not used for longest, until the rest is within the limit."""
        prune(self.folder, self.limit)


@contextlib.contextmanager
def opened(cache: str | Path | None) -> Generator[AnalysisCache | None]:
    """Yield the cache in a folder, ``None`` for none, and tidy it when the block is done.

    Raises:
        FileProblem: If the folder cannot be made.
    """
    if cache is None:
        yield None
        return
    kept = AnalysisCache(Path(cache))
    yield kept
    kept.tidy()


def remembered(
    cache: AnalysisCache | None,
    stage: str,
    version: int,
    inputs: Mapping[str, Any],
    compute: Callable[[], Entry],
) -> Entry:
    """Return what a stage computes, from the cache if it is there. A full disk is no failure.

    Args:
        cache: May be none.
        stage: What is computed.
        version: Raised whenever the stage computes something else from the same inputs.
        inputs: What decides the result besides program, libraries and machine, as JSON values.
        compute: Computes it.
    """
    if cache is None:
        return compute()
    entry = found(cache, stage, version, inputs)
    if entry is None:
        entry = compute()
        keep(cache, stage, version, inputs, entry)
    return entry


def found(
    cache: AnalysisCache | None, stage: str, version: int, inputs: Mapping[str, Any]
) -> Entry | None:
    """Return an entry as :func:`remembered` would find it."""
    if cache is None:
        return None
    return cache.stages.find(stage, version, {**inputs, **machinery()})


def keep(
    cache: AnalysisCache | None,
    stage: str,
    version: int,
    inputs: Mapping[str, Any],
    entry: Entry,
) -> None:
    """Keep an entry for :func:`found`."""
    if cache is not None:
        with contextlib.suppress(OSError, FileProblem):
            cache.stages.put(stage, version, {**inputs, **machinery()}, entry)
