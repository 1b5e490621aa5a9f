"""What was found out about networks, kept on disk: the next time none of it is tried out again.

A finding lies under the hash of the network (:func:`identity_of`), of the program, the libraries
and the processor. A network that has no hash is tried out every time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from torch import nn

from srscope.errors import FileProblem
from srscope.networks.structure.identity import identity_of
from srscope.runtime.cache import StageCache, machinery, pack, values_of

_FOLDER: ContextVar[Path | None] = ContextVar("findings", default=None)


@contextlib.contextmanager
def findings_in(cache: Path | None) -> Generator[None]:
    """Keep what is found out about networks in a cache while the block lasts.

    Args:
        cache: The folder of finished stages; ``None`` keeps nothing.
    """
    token = _FOLDER.set(cache)
    try:
        yield
    finally:
        _FOLDER.reset(token)


def found_again(
    what: str, network: nn.Module, inputs: dict[str, Any], find: Callable[[], Any]
) -> Any:
    """Return a finding about a network, from the cache if it is there.

    Args:
        what: What is found out.
        network: The network.
        inputs: What else decides it, as JSON values.
        find: Finds it out; returns JSON values. If it raises, nothing is kept.
    """
    folder = _FOLDER.get()
    identity = None if folder is None else identity_of(network)
    if folder is None or identity is None:
        return find()
    cache = StageCache(folder / "stages")
    key = {"network": identity, **inputs, **machinery()}
    entry = cache.find(what, key)
    if entry is not None:
        return values_of(entry)["found"]
    found = find()
    with contextlib.suppress(OSError, FileProblem):  # a full disk is no failure
        cache.put(what, key, pack({}, found=found))
    return found
