"""Pickles that run code, were they loaded as pickles are: each makes a file of the given name."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import torch


class _Calls:
    """Unpickles by calling a function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._what = (function, arguments)

    def __reduce__(self) -> Any:
        return self._what


def _touch(mark: str) -> str:
    return f"open({mark!r}, 'w').close()"


def _shell(mark: str) -> bytes:
    # By name: type checkers advise against the function itself.
    return b"(dX\x06\0\0\0weightcos\nsystem\n(S" + repr(f"touch '{mark}'").encode() + b"\ntRs."


def _exec(mark: str) -> bytes:
    return pickle.dumps({"weight": _Calls(exec, _touch(mark))})


def _eval(mark: str) -> bytes:
    return pickle.dumps(_Calls(eval, _touch(mark)), protocol=4)


def _open(mark: str) -> bytes:
    return pickle.dumps(_Calls(open, mark, "w"), protocol=0)


def _subprocess(mark: str) -> bytes:
    import subprocess

    return pickle.dumps([_Calls(subprocess.call, ["touch", mark])], protocol=5)


def _inst(mark: str) -> bytes:
    """By the old instruction INST, which calls without naming a reduction."""
    return b"(S" + repr(_touch(mark)).encode() + b"\nibuiltins\nexec\n."


def _obj(mark: str) -> bytes:
    """By the old instruction OBJ."""
    return b"(cbuiltins\nexec\nS" + repr(_touch(mark)).encode() + b"\no."


def _build(mark: str) -> bytes:
    """By BUILD, which calls ``__setstate__`` or sets attributes of what came before."""
    called = b"cbuiltins\nexec\n(S" + repr(_touch(mark)).encode() + b"\ntR"
    return b"ctorch\nFloatStorage\n)\x81}(X\x01\x00\x00\x00a" + called + b"ub."


def _through_torch(mark: str) -> bytes:
    """By a function of torch that loads pickles itself."""
    inner = _Calls(pickle.loads, _exec(mark))
    function = torch._utils._rebuild_device_tensor_from_numpy
    return pickle.dumps(_Calls(function, inner, torch.float32, "cpu", False))


def _import(mark: str) -> bytes:
    return b"c__main__\n__builtins__\n0" + pickle.dumps(_Calls(__import__, "keyword")) + _exec(mark)


def _attribute(mark: str) -> bytes:
    """By a dotted name that reaches a function through an allowed module."""
    text = b"X" + len(_touch(mark)).to_bytes(4, "little") + _touch(mark).encode()
    dotted = b"_utils.warnings.sys.modules"
    name = b"\x8c\x05torch\x8c" + bytes([len(dotted)]) + dotted
    return b"\x80\x04" + name + b"\x93\x8c\x08builtins\x8c\x04exec\x93" + text + b"\x85R."


PICKLES: dict[str, Callable[[str], bytes]] = {
    "os.system": _shell,
    "exec": _exec,
    "eval": _eval,
    "open": _open,
    "subprocess": _subprocess,
    "INST": _inst,
    "OBJ": _obj,
    "BUILD": _build,
    "through torch": _through_torch,
    "second pickle": _import,
    "dotted name": _attribute,
}
