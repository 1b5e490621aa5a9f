"""A user's own file or module that registers degradations and suites.

Loading one runs it. That happens only where the user names it: ``--plugin`` on the command line;
in Python, an ordinary ``import`` does the same.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from srscope.errors import FileProblem, SrscopeError
from srscope.runtime.user_code import one_line, searched

_MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def load_plugins(names: Sequence[str]) -> tuple[ModuleType, ...]:
    """Run the user's files and modules, in this order.

    Args:
        names: Each the path of a file that ends in .py, or the dotted name of a module that is
            installed or stands in the current folder. A file finds modules beside it.

    Returns:
        The modules.

    Raises:
        FileProblem: If a file is missing, or its name cannot be that of a module.
        SrscopeError: If there is no such module, or running it fails; one line tells how.
    """
    return tuple(_file(Path(n)) if n.endswith(".py") else _module(n) for n in names)


def _file(path: Path) -> ModuleType:
    if not path.is_file():
        raise FileProblem(path, "no such file", "give --plugin a .py file or a module's name")
    name, origin = path.stem, str(path.resolve())
    taken = sys.modules.get(name)
    if not name.isidentifier() or name in sys.stdlib_module_names:
        raise FileProblem(path, "cannot be a module of that name", "rename the file")
    if taken is not None and getattr(taken, "__file__", None) != origin:
        raise FileProblem(path, f"another module {name!r} is loaded already", "rename the file")
    spec = importlib.util.spec_from_file_location(name, origin)
    if spec is None or spec.loader is None:
        raise FileProblem(path, "is no Python file", "give --plugin a .py file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses, and whatever names this module later, look here
    try:
        with searched(path.resolve().parent):
            spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        user_code = isinstance(error, (Exception, SystemExit))
        if user_code and not isinstance(error, SrscopeError):
            raise SrscopeError(f"plugin {path} fails: {one_line(error)}") from error
        raise
    return module


def _module(name: str) -> ModuleType:
    if not _MODULE.fullmatch(name):
        raise SrscopeError(f"plugin {name!r} is neither a .py file nor a module's name")
    try:
        with searched(Path.cwd()):
            return importlib.import_module(name)
    except SrscopeError:
        raise
    except (
        Exception,
        SystemExit,
    ) as error:  # the user's code may do anything
        raise SrscopeError(
            f"plugin {name!r} cannot be imported: {one_line(error)}; "
            "install it, work in its folder, or give the path of a .py file"
        ) from error
