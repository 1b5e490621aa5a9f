"""What ``srscope`` alone, ``--help`` and a completing shell show: plain text, no types."""

from __future__ import annotations

import argparse
import re
import shutil
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

START = """Shows which image degradations a super-resolution network's features tell apart.

Three ways to begin:
  srscope analyze srresnet-wgr                           a bundled network, bundled photographs
  srscope analyze net.pth --images ~/photos              your network, your photographs
  srscope compare srresnet-wgr srgan-wgr                 two networks side by side
"""
ORDER = (
    ("Look at a network", ("analyze", "compare", "layers", "maps", "features")),
    ("Ask it more", ("dose", "identify", "generalize", "intervene", "adapt")),
    ("Images", ("degrade", "upscale", "restore", "transfer", "edit-degradation", "suites")),
    ("Results and networks", ("export", "networks", "train", "reproduce", "completion")),
)
"""Commands in groups; one that is in none comes at the end."""
EXAMPLES: dict[str, tuple[str, ...]] = {
    "analyze": (
        "srscope analyze srresnet-wgr",
        "srscope analyze net.pth --images ~/photos --suite blur-1-4 --layers all",
        "srscope analyze runs/mine --checkpoints 8",
    ),
    "compare": ("srscope compare srresnet-wgr srgan-wgr net.pth",),
    "degrade": ("srscope degrade ~/photos degraded --suite noise-10-30",),
    "upscale": ("srscope upscale net.pth photo.png large.png",),
    "restore": ("srscope restore adapt-block16 photo.jpg restored.png",),
    "transfer": ("srscope transfer photo.png noisy.png photo-as-noisy.png",),
    "edit-degradation": (
        "srscope edit-degradation photo.png strip.png --family noise --level 0,10,20,30",
    ),
    "layers": ("srscope layers timm:resnet18?pretrained=false",),
    "train": ("srscope train recipes/small/srresnet-wgr.yaml --data.folder=~/photos",),
}
COMMON = (
    "out", "images", "suite", "layers", "set", "contents", "runs", "seed", "device", "quiet",
    "help",
)  # fmt: skip
"""Options that stand first, in this order."""


def overview(commands: Mapping[str, str]) -> str:
    """Return what ``srscope`` alone shows.

    Args:
        commands: What each command does, by name.
    """
    lines = [START]
    placed = {name for _, names in ORDER for name in names}
    groups = (*ORDER, ("More", tuple(name for name in commands if name not in placed)))
    width = max(map(len, commands), default=0) + 2
    for title, names in groups:
        known = [name for name in names if name in commands]
        if known:
            lines.append(f"{title}:")
            lines += [_entry(name, commands[name], width) for name in known]
            lines.append("")
    lines.append("srscope COMMAND --help lists the options of a command.")
    return "\n".join(lines) + "\n"


def of_command(name: str, about: str, actions: Iterable[argparse.Action]) -> str:
    """Return the help of one command: arguments, then its options in groups.

    Args:
        name: As it is written, e.g. ``srscope analyze``.
        about: What it does.
        actions: Of its parser.
    """
    shown = [each for each in actions if each.help != argparse.SUPPRESS]
    arguments = [each for each in shown if not each.option_strings]
    options = {_long(each): each for each in shown if each.option_strings}
    tsne = [key for key in options if key.startswith("tsne.")]
    common = [key for key in COMMON if key in options]
    others = [key for key in options if key not in (*tsne, *common, "tsne")]
    usage = " ".join([f"usage: {name}", *map(_placeholder, arguments), "[options]"])
    lines = [usage, "", textwrap.fill(_plain(about), _columns())]
    parts = {
        "Arguments": arguments,
        "Common options": [options[key] for key in common],
        "Further options": [options[key] for key in others],
        "t-SNE": [options[key] for key in tsne],
    }
    for title, members in parts.items():
        if members:
            lines += ["", f"{title}:", *(_entry(_head(each), _told(each), 26) for each in members)]
    examples = EXAMPLES.get(name.rpartition(" ")[2], ())
    if examples:
        lines += ["", "Examples:", *(f"  {each}" for each in examples)]
    return "\n".join(lines) + "\n"


def completion(options_of: Mapping[str, Sequence[str]], networks: Sequence[str]) -> str:
    """Return a script that lets bash complete commands, options and bundled networks.

    Args:
        options_of: The options of each command.
        networks: Names of the bundled networks.
    """
    cases = "\n".join(
        f'    {name}) words="{" ".join(options)}";;' for name, options in options_of.items()
    )
    return f"""# bash: source <(srscope completion); zsh: first bashcompinit
_srscope() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="{" ".join(options_of)}"
  else
    case "${{COMP_WORDS[1]}}" in
{cases}
    esac
    [[ "$word" == -* ]] || words="{" ".join(networks)}"
  fi
  COMPREPLY=( $(compgen -W "$words" -- "$word") )
}}
complete -o default -F _srscope srscope
"""


def _columns() -> int:
    return max(60, min(100, shutil.get_terminal_size((88, 24)).columns))


def _entry(head: str, told: str, width: int) -> str:
    body = textwrap.wrap(told, _columns() - width - 2) or [""]
    first = f"  {head:<{width}}"
    lines = [first.rstrip()] if len(head) >= width else [first + body.pop(0)]
    return "\n".join([*lines, *(" " * (width + 2) + each for each in body)]).rstrip()


def _long(action: argparse.Action) -> str:
    return max(action.option_strings, key=len).lstrip("-").replace("-", "_")


def _placeholder(action: argparse.Action) -> str:
    name = str(action.metavar or action.dest.upper())
    return f"{name} ..." if action.nargs in ("+", "*") else name


def _head(action: argparse.Action) -> str:
    if not action.option_strings:
        return _placeholder(action)
    name = f"--{_long(action).replace('_', '-')}"
    if action.nargs == 0:
        return name
    metavar = action.metavar if isinstance(action.metavar, str) else _word(action)
    if metavar.startswith(("{", "[")):  # jsonargparse's: choices, or a list
        metavar = metavar.strip("{[]}").replace(",null", "").replace(",...", " ...")
        metavar = metavar.replace(",", "|")
    return f"{name} {metavar}" + (" ..." if action.nargs in ("+", "*") else "")


def _word(action: argparse.Action) -> str:
    """Return what stands for an option's value: a word, never a type of Python."""
    kind: Any = getattr(action, "_typehint", None) or action.type
    kinds = [each for each in get_args(kind) or (kind,) if each is not type(None)]
    if get_origin(kind) is Literal or any(get_origin(each) is Literal for each in kinds):
        values = [value for each in (kind, *kinds) for value in get_args(each)
                  if get_origin(each) is Literal]  # fmt: skip
        return "|".join(map(str, dict.fromkeys(values)))
    words = {bool: "true|false", int: "N", float: "X"}
    return next((words[each] for each in kinds if each in words), "NAME")


def _told(action: argparse.Action) -> str:
    told = _plain(action.help or "").partition(" In Python, ")[0]
    if told[1:2].islower():
        told = told[0].lower() + told[1:]
    default = action.default
    written = told.endswith("]") or "(default" in told
    if written or not action.option_strings or (isinstance(default, bool) and action.nargs == 0):
        return told
    if default is None or default == argparse.SUPPRESS or isinstance(default, list | dict | tuple):
        return told
    shown = str(default).lower() if isinstance(default, bool) else default
    return f"{told} [{shown}]"


def _plain(text: str) -> str:
    """Return a docstring's words without its marks.

    Example:
        >>> _plain("a ``name`` of :class:`~srscope.Study`,  or two")
        'a name of Study, or two'
    """
    text = re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"\1", text).replace("%%", "%")
    return " ".join(text.replace("`", "").split())
