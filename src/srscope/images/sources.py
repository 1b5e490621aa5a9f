"""One place that turns what a user names into photographs."""

from __future__ import annotations

from srscope.images.bundled import load_bundled
from srscope.images.downloads import div2k_validation
from srscope.images.folder import load_folder
from srscope.images.record import PhotoSet

BUNDLED = "bundled:"
"""Start of a name that means photographs of this package, e.g. ``bundled:historic``."""


def load_photographs(images: str | None) -> PhotoSet:
    """Return the photographs that ``images`` names.

    Args:
        images: A folder, searched recursively; ``div2k`` for DIV2K's validation set, downloaded
            once; ``bundled:test``, ``bundled:test-crops`` or ``bundled:historic``; the second of
            them if absent.

    Raises:
        SrscopeError: If there are none; the message says what to give.

    Example:
        >>> load_photographs("bundled:historic").source
        'bundled historic photographs'
    """
    if images is None:
        return load_bundled("test-crops")
    if images.startswith(BUNDLED):
        return load_bundled(images.removeprefix(BUNDLED))
    return div2k_validation() if images == "div2k" else load_folder(images)
