"""User-facing errors: each names what is wrong, the rule, the value and the remedy.

Every error that a user can cause derives from :class:`SrscopeError`; the command
line turns it into one line on stderr and exit code 2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


def _one_line(text: object, *, longest: int = 300) -> str:
    """Return ``text`` without line breaks or control characters, and no longer than that."""
    start = str(text)[: longest + 1]  # what is longer may be millions long
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in start)
    return printable if len(printable) <= longest else printable[: longest - 3] + "..."


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, or its type where it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def reason_of(error: BaseException, *, longest: int = 200) -> str:
    r"""Return what an error of other people's code says as one line, or its type.

    Example:
        >>> reason_of(ValueError("of no\n  use")), reason_of(KeyError())
        ('of no use', 'KeyError')
    """
    return " ".join(str(error).split())[:longest] or type(error).__name__


class SrscopeError(Exception):
    """The user's input is wrong, and the message says how to put it right.

    Args:
        message: Whatever other people's names and messages brought into it, it becomes one line.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(_one_line(message, longest=1200))


class ParameterError(SrscopeError):
    """A parameter breaks its rule.

    Args:
        name: The parameter as the user wrote it.
        rule: What it must be, e.g. ``"a finite number above 0"``.
        value: What it was.
        remedy: What to do, e.g. ``"use 2 to 4 for the paper's blur"``.
    """

    def __init__(self, name: str, rule: str, value: object, remedy: str = "") -> None:
        self.name, self.rule, self.value, self.remedy = name, rule, value, remedy
        message = f"{name} must be {rule}, but is {_one_line(repr(value))}"
        super().__init__(f"{message}; {remedy}" if remedy else message)


class UnknownNameError(SrscopeError):
    """A name that is in no list; near matches are suggested.

    Args:
        kind: What was looked up, e.g. ``"suite"``.
        name: What the user asked for.
        known: The names that exist.
        others: What may be given beside a name, in words.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], others: str = "") -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        near = difflib.get_close_matches(name[:200], self.known, n=3, cutoff=0.5)
        if near:
            remedy = "did you mean " + " or ".join(repr(n) for n in near) + "?"
        else:
            remedy = "known: " + ", ".join(self.known[:20])
            if len(self.known) > 20:  # a network's layers can be hundreds
                remedy += f" and {len(self.known) - 20} more"
        more = f"; or give {others}" if others else ""
        super().__init__(f"unknown {kind} {_one_line(repr(name[:400]))}; {remedy}{more}")


class FileProblem(SrscopeError):
    """A file or folder that cannot be used.

    Args:
        path: The file or folder.
        problem: What is wrong with it, e.g. ``"does not exist"``.
        remedy: What to do.
    """

    def __init__(self, path: str | Path, problem: str, remedy: str = "") -> None:
        self.path, self.problem, self.remedy = Path(path), problem, remedy
        message = f"{_one_line(path)}: {_one_line(problem, longest=600)}"
        super().__init__(f"{message}; {remedy}" if remedy else message)


class ImageError(FileProblem):
    """An image that cannot be read, or a folder without usable images."""


class CheckpointError(FileProblem):
    """A checkpoint that cannot be read, or that does not fit its network."""


class DownloadError(SrscopeError):
    """A download that failed, with the way to go on without it."""


class DegenerateError(SrscopeError):
    """A result that is mathematically undefined for the data given.

    Args:
        what: The result, e.g. ``"CHI of layer 'body.15'"``.
        why: Why it is undefined, e.g. ``"all points of every class coincide"``.
        remedy: What to do.
    """

    def __init__(self, what: str, why: str, remedy: str = "") -> None:
        self.what, self.why, self.remedy = what, why, remedy
        message = f"{what} is undefined: {why}"
        super().__init__(f"{message}; {remedy}" if remedy else message)


class NetworkError(SrscopeError):
    """A network that cannot be loaded, run or tapped as asked."""


class TrainingError(SrscopeError):
    """A training run that cannot go on."""
