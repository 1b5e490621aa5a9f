"""What every page of ours is made of: files of a package, admitted by their hashes.

All pages share ``base.html``, which says what the browser may do: take the style sheet and the
script that stand in the file, show pictures that stand in it, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from string import Template

_TOGGLE = '<button type="button" id="theme" aria-label="Colours: automatic">Auto</button>'
_TIP = (
    '<div id="tip" class="tip" hidden aria-hidden="true">'
    '<canvas width="112" height="112"></canvas><p></p></div>'
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plots:
    """What the plots of a page need.

    Args:
        script: Theirs, in one.
        data: What it draws, as JSON that is safe in a script element.
        sheets: (id, data URI) of the pictures' sprite sheets.
    """

    script: str
    data: str
    sheets: Sequence[tuple[str, str]]


def document(
    *,
    title: str,
    kind: str,
    sections: Sequence[tuple[str, str]],
    first: tuple[str, str],
    main: str,
    footer: str,
    style: str,
    plots: Plots | None = None,
) -> str:
    """Return a whole page; all texts but the scripts' data are HTML already.

    Args:
        title: Of the window.
        kind: Of page, beside our name.
        sections: (id, name) of what the bar at the top leads to.
        first: (id, name) of the section that the bar can be skipped for.
        main: The sections.
        footer: What else there is, at the end.
        style: The style sheet.
        plots: What its plots need; without them the page has no script, and none is admitted.
    """
    policy = f"default-src 'none'; img-src data:; style-src {admitted(style)}"
    tail = ""
    if plots is not None:
        policy += f"; script-src {admitted(plots.script)}"
        images = "\n".join(f'<img id="{n}" src="{uri}" alt="" hidden>' for n, uri in plots.sheets)
        data = f'<script type="application/json" id="data">{plots.data}</script>'
        tail = "\n".join((_TIP, images, data, f"<script>{plots.script}</script>"))
    return Template(resource("base.html")).substitute(
        title=title,
        policy=f"{policy}; base-uri 'none'; form-action 'none'",
        style=style,
        first=first[0],
        first_name=first[1],
        kind=kind,
        nav="\n    ".join(f'<a href="#{place}">{name}</a>' for place, name in sections),
        toggle=_TOGGLE if plots is not None else "",
        main=main,
        footer=footer,
        tail=tail,
    )


def filled(name: str, package: str = "srscope.report", **parts: str) -> str:
    """Return a template of a package with its placeholders replaced by ``parts``, all HTML."""
    return Template(resource(name, package)).substitute(parts)


def section(name: str, title: str, lead: str, content: str) -> str:
    """Return a section of this id with a title, a line below that, and its content, all HTML."""
    return (
        f'<section id="{name}" aria-labelledby="{name}-title">\n'
        f'  <h2 id="{name}-title">{title}</h2>\n'
        f'  <p class="lead">{lead}</p>\n  {content}\n</section>\n'
    )


def resource(name: str, package: str = "srscope.report") -> str:
    """Return a text file of a package: a template, a style sheet or a script."""
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def joined(*names: str) -> str:
    """Return style sheets or scripts of this package as one."""
    return "".join(map(resource, names))


def admitted(content: str) -> str:
    """Return the source expression that admits an inline style or script by its hash.

    Example:
        >>> admitted("")
        "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    """
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
