"""Finished stages, kept for later analyses: the one door to the cache.

Every entry lies under a hash of all that decides it: its inputs and parameters, the program, the
libraries and the machine. So an analysis gives the same bits with a cache, with an old one and
without. A changed program finds nothing of the old one.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from srscope.errors import FileProblem
from srscope.features.known import FeatureCache
from srscope.images.downloads import data_folder
from srscope.networks.structure.identity import identity_of
from srscope.networks.structure.kept import findings_in
from srscope.runtime.cache import Entry, StageCache, machinery, prune
from srscope.runtime.files import unwritable

LIMIT = 4 * 10**9
"""Bytes that a cache may hold when a command is done."""


def default_cache() -> Path | None:
    """Return where commands keep finished stages: ``analyses`` in srscope's data folder.

    Returns:
        The folder, which is there; ``None`` where it cannot be made or written.
    """
    folder = data_folder() / "analyses"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    return None


class Stages:
    """Finished stages in a folder, or none at all.

    Args:
        folder: Made when absent; ``None`` keeps nothing.
        limit: Bytes that may stay when a command is done.

    Raises:
        FileProblem: If the folder cannot be made.
    """

    def __init__(self, folder: str | Path | None = None, limit: int = LIMIT) -> None:
        self.folder = None if folder is None else Path(folder)
        self.limit = limit
        self._entries: StageCache | None = None
        if self.folder is not None:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise unwritable(self.folder, error) from error
            self._entries = StageCache(self.folder / "stages")

    def __bool__(self) -> bool:
        return self._entries is not None

    @property
    def computed(self) -> int:
        """How many entries were computed and kept."""
        return 0 if self._entries is None else self._entries.computed

    @property
    def found(self) -> int:
        """How many entries were found."""
        return 0 if self._entries is None else self._entries.found

    def get(self, stage: str, inputs: Mapping[str, Any], compute: Callable[[], Entry]) -> Entry:
        """Return what a stage computes, from the cache if it is there. A full disk is no failure.

        Args:
            stage: What is computed.
            inputs: What decides the result besides program and machine, as JSON values.
            compute: Computes it; one process at a time does.
        """
        if self._entries is None:
            return compute()
        begun, made = False, list[Entry]()

        def once() -> Entry:
            nonlocal begun
            begun = True
            made.append(compute())
            return made[0]

        try:
            return self._entries.get(stage, {**inputs, **machinery()}, once)
        except (OSError, FileProblem):
            if begun and not made:  # the fault is the stage's own
                raise
            return made[0] if made else compute()

    def find(self, stage: str, inputs: Mapping[str, Any]) -> Entry | None:
        """Return an entry if it is there, and mark it as used."""
        if self._entries is None:
            return None
        return self._entries.find(stage, {**inputs, **machinery()})

    def keep(self, stage: str, inputs: Mapping[str, Any], entry: Entry) -> None:
        """Keep an entry that was computed together with others."""
        if self._entries is not None:
            with contextlib.suppress(OSError, FileProblem):
                self._entries.put(stage, {**inputs, **machinery()}, entry)

    @contextlib.contextmanager
    def alone(self, stage: str, inputs: Mapping[str, Any]) -> Generator[None]:
        """Let one process at a time make entries that are made together."""
        if self._entries is None:
            yield
            return
        with self._entries.alone(stage, {**inputs, **machinery()}):
            yield

    def features_of(self, network: nn.Module) -> FeatureCache | None:
        """Return where this network's features are; ``None`` if it cannot be told from others."""
        if self.folder is None:
            return None
        identity = identity_of(network)
        if identity is None:
            return None
        return FeatureCache(folder=self.folder / "features", network=identity)

    def tidy(self) -> None:
        """Delete what was not used for longest, until the rest is within the limit."""
        if self.folder is not None:
            prune(self.folder, self.limit)


@contextlib.contextmanager
def opened(folder: str | Path | None) -> Generator[Stages]:
    """Yield the finished stages of a folder, and tidy it when the block is done.

    Args:
        folder: Made when absent; ``None`` keeps nothing.

    Raises:
        FileProblem: If the folder cannot be made.
    """
    stages = Stages(folder)
    with findings_in(stages.folder):
        yield stages
    stages.tidy()
