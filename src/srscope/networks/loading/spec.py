"""What a user writes for a network: a bundled name, a file, a timm name, a factory; and options.

``WHAT?name=value&name=value``. Options that tell srscope how to treat a network are in
:data:`WORDS`; what else is allowed depends on the kind. Loads no torch: the command line uses it
to name output folders.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from srscope.errors import ParameterError, UnknownNameError

WORDS = (
    "scale", "channels", "range", "multiple", "smallest", "output", "checkpoint", "key",
)  # fmt: skip
"""Options that srscope itself reads; ``srscope.NAME`` always means one of these."""
HELP = "bundled name, checkpoint file, hf:OWNER/NAME, timm:NAME or package.module:factory"
"""What a network may be, for the command line."""
_OWN = "srscope."
_FACTORY = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_PREFIXES: dict[str, Literal["hub", "timm"]] = {"hf:": "hub", "timm:": "timm"}
_CONSTANTS = {"true": True, "false": False, "none": None, "null": None}

Value = str | int | float | bool | None | tuple["Value", ...] | list["Value"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkSpec:
    """A network as the user wrote it, taken apart.

    Args:
        kind: ``name`` (bundled, or a mistake), ``file``, ``hub``, ``timm`` or ``factory``.
        target: The name or path without options; for timm the model's name; for the Hub
            ``owner/name`` and what follows; for a factory
            ``package.module:factory``.
        options: What follows ``?``, by name, in the user's order.
    """

    kind: Literal["name", "file", "hub", "timm", "factory"]
    target: str
    options: Mapping[str, Value]


def parse_spec(spec: str) -> NetworkSpec:
    """Take apart what the user wrote.

    Args:
        spec: A bundled name, a file's path, ``hf:owner/name``, ``timm:NAME`` or
            ``package.module:factory``, each with options after a question mark where it has any.
            A path that exists as it stands has none.

    Raises:
        ParameterError: If the options are not ``name=value`` joined by ``&``, or one comes twice.

    Example:
        >>> parse_spec("timm:resnet18?pretrained=false").options
        {'pretrained': False}
        >>> parse_spec("my_code.networks:build?blocks=8").target
        'my_code.networks:build'
    """
    target, query = split_query(spec)
    options = _options(query)
    for prefix, kind in _PREFIXES.items():
        if target.startswith(prefix):
            return NetworkSpec(kind=kind, target=target.removeprefix(prefix), options=options)
    if os.path.isfile(target):  # noqa: PTH113
        return NetworkSpec(kind="file", target=target, options=options)
    if _FACTORY.fullmatch(target):
        return NetworkSpec(kind="factory", target=target, options=options)
    kind = "file" if Path(target).suffix else "name"
    return NetworkSpec(kind=kind, target=target, options=options)


def split_query(spec: str) -> tuple[str, str]:
    """Part what was written at the ``?`` before the options.

    A ``?`` in the name of a file or folder that exists is part of the name.

    Example:
        >>> split_query("runs/best.pth?scale=2")
        ('runs/best.pth', 'scale=2')
    """
    place = len(spec)
    while place >= 0:
        if os.path.exists(spec[:place]):  # noqa: PTH110 (with options it may be too long)
            return spec[:place], spec[place + 1 :]
        place = spec.rfind("?", 0, place)
    target, _, query = spec.partition("?")
    return target, query


def short_name(spec: str) -> str:
    """Return a name for folders: letters, digits, dots, dashes and underscores.

    Example:
        >>> short_name("runs/best.pth?scale=2"), short_name("timm:resnet18?pretrained=false")
        ('best', 'timm-resnet18')
    """
    parsed = parse_spec(spec)
    prefix = {"timm": "timm-", "hub": "hf-"}.get(parsed.kind, "")
    name = f"{prefix}{parsed.target}"
    if parsed.kind == "file":
        name = Path(name).stem
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "network"


def is_snapshots(spec: str) -> bool:
    """Tell whether a user's word for a network means a folder of checkpoints, or a pattern of them.

    Example:
        >>> is_snapshots("models/net_g_*.pth?scale=2"), is_snapshots("srresnet-wgr")
        (True, False)
    """
    target, _ = split_query(spec)
    is_pattern = "*" in target and not os.path.isfile(target)  # noqa: PTH113
    return is_pattern or os.path.isdir(target)  # noqa: PTH112


def split_options(
    options: Mapping[str, Value], *, theirs: Collection[str] = ()
) -> tuple[dict[str, Value], dict[str, Value]]:
    """Part srscope's options from those that a constructor gets.

    Args:
        options: All of them.
        theirs: Names that the constructor has for itself, which srscope leaves to it.

    Returns:
        srscope's options by name without prefix, and the constructor's.

    Raises:
        UnknownNameError: If a name starts with ``srscope.`` and is none of :data:`WORDS`.
        ParameterError: If one is given twice.
    """
    own: dict[str, Value] = {}
    rest: dict[str, Value] = {}
    for name, value in options.items():
        word = name.removeprefix(_OWN)
        if name.startswith(_OWN) and word not in WORDS:
            raise UnknownNameError("option", name, [_OWN + known for known in WORDS])
        if name.startswith(_OWN) or (word in WORDS and word not in theirs):
            if word in own:
                raise ParameterError("network", f"given {word!r} once", f"{word} and {_OWN}{word}")
            own[word] = value
        else:
            rest[name] = value
    return own, rest


def refuse_options(options: Collection[str], allowed: Collection[str]) -> None:
    """Raise :class:`UnknownNameError` for an option that this kind of network does not have."""
    for name in options:
        if name not in allowed:
            raise UnknownNameError("option of this network", name, allowed)


def file_options(options: Mapping[str, Value]) -> dict[str, Value]:
    """Return srscope's options, without prefix, for a file: nothing else takes any.

    Raises:
        UnknownNameError: If there is another one, or ``checkpoint``, which the file itself is.
        ParameterError: If one is given twice.
    """
    own, rest = split_options(options)
    refuse_options([*own, *rest], [word for word in WORDS if word != "checkpoint"])
    return own


def _options(query: str) -> dict[str, Value]:
    options: dict[str, Value] = {}
    for part in query.split("&") if query else []:
        name, equals, text = part.partition("=")
        if not equals or not re.fullmatch(r"[^\W\d][\w.]*", name):
            raise ParameterError("network", "followed by ?name=value&name=value", f"?{query}")
        if name in options:
            raise ParameterError("network", f"given {name!r} once", f"?{query}")
        options[name] = _value(text)
    return options


def _value(text: str) -> Value:
    """Return what the text means in Python, or itself."""
    if text.lower() in _CONSTANTS:
        return _CONSTANTS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
