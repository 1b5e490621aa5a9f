"""What every page of ours is made of: files of a package, admitted by their hashes."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources


def resource(name: str, package: str = "srscope.report") -> str:
    """Return a text file of a package: a template, a style sheet or a script."""
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def scripts(*names: str) -> str:
    """Return scripts of this package as one."""
    return "".join(map(resource, names))


def admitted(content: str) -> str:
    """Return the source expression that admits an inline style or script by its hash.

    Example:
        >>> admitted("")
        "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    """
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
