"""Small pieces of safe HTML. Every name that a user or a file brought in passes through here."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from typing import Any

from srscope.figures import words


def text(value: object) -> str:
    """Return ``value`` as HTML text, fit for element content and for quoted attributes.

    Example:
        >>> text('<script>"&')
        '&lt;script&gt;&quot;&amp;'
    """
    return html.escape(words.printable(value), quote=True)


def script_json(value: Any) -> str:
    r"""Return ``value`` as JSON that cannot end, or open, the script element it stands in.

    Example:
        >>> script_json({"file": "</script>"})
        '{"file":"\\u003c/script>"}'
    """
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested settings as (dotted name, value) pairs, in their order.

    Example:
        >>> flat({"pca": 50, "tsne": {"init": "random", "exact": True}})
        [('pca', '50'), ('tsne.init', 'random'), ('tsne.exact', 'yes')]
    """
    pairs: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            pairs += flat(value, f"{prefix}{key}.")  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(value, bool):
            pairs.append((f"{prefix}{key}", "yes" if value else "no"))
        elif value is None:
            pairs.append((f"{prefix}{key}", "none"))
        else:
            pairs.append((f"{prefix}{key}", words.printable(value)))
    return pairs


def definitions(pairs: list[tuple[str, str]]) -> str:
    """Return (term, meaning) pairs, as plain text, as a definition list."""
    rows = "".join(f"<div><dt>{text(k)}</dt><dd>{text(v)}</dd></div>" for k, v in pairs)
    return f'<dl class="facts">{rows}</dl>'
