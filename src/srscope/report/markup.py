"""Small pieces of safe HTML. Every name that a user or a file brought in passes through here."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from srscope.study import words


def text(value: object) -> str:
    """Return ``value`` as HTML text, fit for element content and for quoted attributes.

    Example:
        >>> text('<script>"&')
        '&lt;script&gt;&quot;&amp;'
    """
    return html.escape(words.printable(value), quote=True)


def prose(value: object) -> str:
    r"""Return a sentence as HTML text, no number of it broken over two lines, true minus signs.

    Example:
        >>> ascii(prose("CHI 604 ± 12 after 24\N{THIN SPACE}000"))
        "'CHI\\xa0604\\xa0\\xb1\\xa012 after 24\\u202f000'"
        >>> prose("from -9 of x-2, 95 %") == "from \N{MINUS SIGN}9 of x-2, 95\N{NO-BREAK SPACE}%"
        True
    """
    joined = text(value).replace(" ± ", "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}")
    joined = joined.replace("\N{THIN SPACE}", "\N{NARROW NO-BREAK SPACE}")
    joined = re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", joined)
    joined = re.sub(r"(?<=[ (\[])-(?=\d)", "\N{MINUS SIGN}", joined)
    joined = re.sub(r"\bCHI (?=\d)", "CHI\N{NO-BREAK SPACE}", joined)
    return re.sub(r"\b(t-SNE|k-NN)\b", r'<span class="whole">\1</span>', joined)


def head(name: object) -> str:
    """Return the head of a column, which is broken between words but not at a hyphen.

    Example:
        >>> head("CHI of PCA-50")
        'CHI of <span class="whole">PCA-50</span>'
    """
    return re.sub(r"(\S+-\S+)", r'<span class="whole">\1</span>', text(name))


def moment(written: str) -> str:
    """Return an ISO 8601 date and time as people write it; what is none, as it is.

    Example:
        >>> moment("2026-11-23T06:22:46+00:00"), moment("2026-11-23T06:22:46+01:00")
        ('2026-11-23 06:22 UTC', '2026-11-23 05:22 UTC')
        >>> moment("yesterday")
        'yesterday'
    """
    try:
        then = datetime.fromisoformat(written)
    except ValueError:
        return written
    if then.tzinfo is None:
        return written
    return f"{then.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


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
        >>> flat({"pca": 50, "layers": ["a", "b"], "tsne": {"init": "random", "exact": True}})
        [('pca', '50'), ('layers', 'a, b'), ('tsne.init', 'random'), ('tsne.exact', 'yes')]
    """
    pairs: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            pairs += flat(value, f"{prefix}{key}.")  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(value, bool):
            pairs.append((f"{prefix}{key}", "yes" if value else "no"))
        elif value is None:
            pairs.append((f"{prefix}{key}", "none"))
        elif isinstance(value, list | tuple):
            items: Sequence[Any] = value
            pairs.append((f"{prefix}{key}", ", ".join(map(words.printable, items)) or "none"))
        else:
            pairs.append((f"{prefix}{key}", words.printable(value)))
    return pairs


def definitions(pairs: list[tuple[str, str]]) -> str:
    """Return (term, meaning) pairs, as plain text, as a definition list."""
    rows = "".join(f"<div><dt>{text(k)}</dt><dd>{text(v)}</dd></div>" for k, v in pairs)
    return f'<dl class="facts">{rows}</dl>'


def text_block(content: str) -> str:
    """Return our own text for a ``pre`` element, its line breaks kept."""
    return "\n".join(text(line) for line in content.splitlines())
