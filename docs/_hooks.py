"""What the site's pages are completed with when they are built.

- A fence marked ``math`` is a displayed formula, ``$`...`$`` one in the text (code hosts render
  both); they become MathML, so that the site needs no script from elsewhere.
- ``<!-- modules: scores images.io -->`` becomes the reference of all modules of these parts.
- ``<!-- public names -->`` becomes the list of what ``import srscope`` offers.
- ``<!-- gallery -->`` becomes the list of the pages that ``make gallery`` has made.
"""

from __future__ import annotations

import re
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert

import srscope

_SOURCE = Path(__file__).resolve().parents[1] / "src"
_DISPLAYED = re.compile(r"^```math\n(.*?)\n```$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"\$`([^`]+)`\$")
_MODULES = re.compile(r"^<!-- modules: ([\w. ]+) -->$", re.MULTILINE)


def _modules_of(part: str) -> list[str]:
    """Return the dotted names of a part: one file, or all files below a folder."""
    path = _SOURCE / "srscope" / part.replace(".", "/")
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    shown = (file for file in files if not file.stem.startswith("_") or _defines(file))
    names = (".".join(file.relative_to(_SOURCE).with_suffix("").parts) for file in shown)
    return [name.removesuffix(".__init__") for name in names]


def _defines(file: Path) -> bool:
    """Whether a package's own file has functions or classes of its own."""
    return (
        file.name == "__init__.py"
        and re.search("^(def|class) ", file.read_text(), re.M) is not None
    )


def _reference(parts: str) -> str:
    return "\n\n".join(f"::: {name}" for part in parts.split() for name in _modules_of(part))


def _displayed(found: re.Match[str]) -> str:
    return f'<div class="formula">{convert(found[1], display="block")}</div>'


def _public_names() -> str:
    homes = {name: home.replace(":", ".") for name, home in sorted(srscope._HOME.items())}
    rows = [f"| `srscope.{name}` | [`{home}`][{home}] |" for name, home in homes.items()]
    return "\n".join(["| name | is |", "| --- | --- |", *rows])


def _gallery() -> str:
    tool = SourceFileLoader("gallery", str(_SOURCE.parent / "tools" / "gallery.py"))
    spec = spec_from_loader("gallery", tool)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules["gallery"] = module  # its dataclass looks itself up
    tool.exec_module(module)
    made = [item for item in module.ITEMS if (module.PAGES / f"{item.name}.html").is_file()]
    if not made:
        return "No page is made yet: run `make gallery`."
    cards = (
        f'<a class="card" href="gallery/{item.name}.html">'
        f'<img src="images/gallery/{item.name}.png" alt="">'
        f"<b>{item.told}</b><code>srscope {item.command}</code></a>"
        for item in made
    )
    return f'<div class="gallery">{"".join(cards)}</div>'


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Complete one page."""
    page = _DISPLAYED.sub(_displayed, markdown)
    page = _INLINE.sub(lambda found: f"<span>{convert(found[1])}</span>", page)
    page = _MODULES.sub(lambda found: _reference(found[1]), page)
    if "<!-- gallery -->" in page:
        page = page.replace("<!-- gallery -->", _gallery())
    return page.replace("<!-- public names -->", _public_names())
