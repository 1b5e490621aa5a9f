"""What a network computes, as one hash: weights, structure, settings, and the code it runs.

Weights alone do not tell: an option such as a global residual, a number in an attribute or an edit
in the forward pass changes features and no weight. Whatever cannot be told for certain gives no
hash, and nothing is then taken from an earlier run.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import hashlib
import sys
import sysconfig
import types
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from srscope.runtime.cache import program

_PLAIN = (type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device)
_PLAIN_OF_TORCH = (torch.memory_format, torch.layout)
_HOOKS = {name for name in vars(nn.Module()) if "hook" in name}
_IGNORED = {"training", "_modules"}
_SITES = {"site-packages", "dist-packages"}


class _Unknown(Exception):
    """Something whose content cannot be told."""


def identity_of(network: nn.Module) -> str | None:
    """Return a hash of all that decides what a network makes of an image, but for the machine.

    It covers every tensor, plain attribute and function of every module, srscope's own source, the
    versions of the packages that the modules' classes come from, and, where a class is not from an
    installed package, the source of every loaded module that is not.

    Args:
        network: The network.

    Returns:
        The hash; ``None`` for classes made inside functions or typed into a session, for programs
        (TorchScript, ``torch.export``, ``torch.compile``), for modules with hooks, and for
        attributes of unknown kinds, such as objects that pickle in a way of their own.

    Example:
        >>> identity_of(nn.ReLU()) == identity_of(nn.ReLU()) != identity_of(nn.Sigmoid())
        True
    """
    telling = _Telling()
    try:
        telling.network(network)
        code = _code_of(telling.modules)
    except _Unknown:
        return None
    telling.add("srscope", program(), "torch", torch.__version__, *code)
    return telling.digest.hexdigest()


class _Telling:
    """Walks through a network and hashes what it meets."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.modules: set[str] = set()  # Python's, where classes and functions come from
        self._seen: set[int] = set()

    def add(self, *words: object) -> None:
        for word in words:
            text = str(word).encode()
            self.digest.update(f"{len(text)}:".encode() + text)

    def network(self, network: nn.Module) -> None:
        for name, module in network.named_modules(remove_duplicate=False):
            self.add("module", name)
            self._class(type(module))
            for key, value in sorted(vars(module).items()):
                if key in _HOOKS:
                    if isinstance(value, Mapping) and value:
                        raise _Unknown
                elif key not in _IGNORED:
                    self.add(key)
                    self.value(value)

    def value(self, value: Any) -> None:
        """Add any value that a module may have as an attribute."""
        self.add(type(value).__name__)
        if isinstance(value, enum.Enum):
            self._class(type(value))
            self.add(value.name)
        elif isinstance(value, _PLAIN + _PLAIN_OF_TORCH):
            self.add(repr(value))
        elif isinstance(value, Tensor):
            host = value.detach().cpu().contiguous()
            self.add(tuple(host.shape), value.stride(), host.dtype)
            self.digest.update(host.reshape(-1).view(torch.uint8).numpy().tobytes())
        elif isinstance(value, np.ndarray | np.generic):
            array: np.ndarray[Any, Any] = np.asarray(value)
            if array.dtype.hasobject:
                raise _Unknown
            self.add(array.shape, array.dtype.str)
            self.digest.update(array.tobytes())
        elif isinstance(value, type):
            self._class(value)
        elif isinstance(value, list | tuple | dict | set | frozenset):
            self._container(value)
        else:
            self._object(value)

    def _container(self, value: Any) -> None:
        self._once(value)
        self.add(len(value))
        if isinstance(value, dict):
            items: Iterable[Any] = [each for pair in value.items() for each in pair]
        elif isinstance(value, set | frozenset):
            if not all(isinstance(each, _PLAIN) for each in value):
                raise _Unknown
            items = sorted(value, key=repr)
        else:
            items = value
        for each in items:
            self.value(each)
        self._seen.discard(id(value))

    def _object(self, value: Any) -> None:
        self._once(value)
        if isinstance(value, nn.Module):
            self.network(value)
        elif isinstance(value, functools.partial):
            self.value(value.func)
            self.value(value.args)
            self.value(value.keywords)
        elif isinstance(value, types.FunctionType):
            self.modules.add(value.__module__)
            self.add(value.__module__, value.__qualname__, value.__code__.co_firstlineno)
            self.value(value.__defaults__)
            self.value(value.__kwdefaults__)
            for cell in value.__closure__ or ():
                self.value(cell.cell_contents)
        elif isinstance(value, types.BuiltinFunctionType):
            owner = getattr(value, "__self__", None)
            if not (owner is None or isinstance(owner, type | types.ModuleType)):
                raise _Unknown
            self.add(value.__module__, value.__qualname__)
        elif dataclasses.is_dataclass(value):
            self._class(type(value))
            for field in dataclasses.fields(value):
                self.value(getattr(value, field.name))
        elif hasattr(value, "SerializeToString"):  # a protobuf, such as the graph of ONNX
            self.value(value.SerializeToString(deterministic=True))
        else:
            self._class(type(value))
            self.value(_state_of(value))
        self._seen.discard(id(value))

    def _class(self, kind: type) -> None:
        """Add a class that its module has under its name, so that its source is all there is."""
        if issubclass(kind, torch.jit.ScriptModule | torch.fx.GraphModule):
            raise _Unknown
        found: Any = sys.modules.get(kind.__module__)
        for part in kind.__qualname__.split("."):
            found = getattr(found, part, None)
        if found is not kind:
            raise _Unknown
        self.add(kind.__module__, kind.__qualname__)
        self.modules.update(base.__module__ for base in kind.__mro__)

    def _once(self, value: object) -> None:
        if id(value) in self._seen:
            raise _Unknown  # holds itself
        self._seen.add(id(value))


def _state_of(value: object) -> Any:
    """Return the attributes of an object that has nothing else, as pickle would write them."""
    kind: Any = type(value)
    own = ("__reduce__", "__reduce_ex__", "__getstate__", "__getattribute__")
    if hasattr(kind, "__deepcopy__") or any(
        getattr(kind, name) is not getattr(object, name) for name in own
    ):
        raise _Unknown  # it may hold what it does not show
    try:
        parts: Any = object.__reduce_ex__(value, 2)
    except TypeError:  # of a type written in C
        raise _Unknown from None
    # Without attributes it is only itself; with items it is a list or dict in disguise.
    if parts[2] is None or any(part is not None for part in parts[3:]):
        raise _Unknown
    return parts[1][1:], parts[2]


def _code_of(modules: Iterable[str]) -> list[str]:
    """Return what tells one state of the code of some Python modules from another."""
    told: set[str] = set()
    for name in modules:
        top = name.partition(".")[0]
        if top in ("srscope", "torch", "builtins") or top in sys.stdlib_module_names - {"__main__"}:
            continue
        file = getattr(sys.modules.get(name), "__file__", None)
        if file is None:  # typed into a session
            raise _Unknown
        if _is_installed(Path(file)):
            try:
                told.add(f"{top} {metadata.version(top)}")
            except metadata.PackageNotFoundError:
                told.add(f"{top} {_hash_of_files(top)}")
        else:
            told.add(f"own code {_hash_of_files('')}")
    return sorted(told)


def _hash_of_files(top: str) -> str:
    """Hash the source of an installed package's loaded modules; of all others where it is empty."""
    digest = hashlib.sha256()
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        own = name.partition(".")[0]
        if not isinstance(file, str) or own == "srscope":
            continue
        wanted = own == top if top else not _is_installed(Path(file))
        if wanted and Path(file).is_file():
            digest.update(name.encode() + b"\0" + Path(file).read_bytes())
    return digest.hexdigest()


@functools.cache
def _is_installed(path: Path) -> bool:
    """Tell whether a file belongs to Python or to an installed package, of any environment."""
    if not _SITES.isdisjoint(path.parts):  # a user's, the system's, or one that a .pth file names
        return True
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return any(path.is_relative_to(folder) for folder in folders)
