"""Checkpoint files as they are: safetensors, pickles read without running code, several parts."""

from __future__ import annotations

import json
import pickletools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, cast

import torch

from srscope.errors import CheckpointError
from srscope.networks.loading.limits import Bounded, check_archive, check_storages

_CALLS = {"GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "REDUCE"}
"""Instructions of a pickle that name or call Python objects."""
_INDEX = ".index.json"
_PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<suffix>\.\w+)")
_MOST_PARTS = 1000


def read_checkpoint(path: str | Path) -> Any:
    """Read whatever a checkpoint holds, tensors and plain values; nothing in it is executed.

    Args:
        path: ``.safetensors``, or a PyTorch file. Of a network in parts any part, or the index.

    Raises:
        CheckpointError: If the file is absent, unreadable, carries code, or lacks other parts.
    """
    parts = parts_of(path)
    if len(parts) == 1:
        return _read(parts[0])
    whole: dict[Any, Any] = {}
    for part in parts:
        content = _read(part)
        if not isinstance(content, Mapping):
            raise CheckpointError(part, "holds no plain state dict", "save network.state_dict()")
        whole.update(content)
    return whole


def size_of(path: str | Path) -> int:
    """Return the bytes of a checkpoint, all its parts together."""
    return sum(part.stat().st_size for part in parts_of(path))


def parts_of(path: str | Path) -> list[Path]:
    """Return the files that a network is saved in: the file itself, or all parts.

    Raises:
        CheckpointError: If an index cannot be read, or a part is absent.
    """
    file = Path(path)
    if file.name.endswith(_INDEX) and file.is_file():
        return _present(file, _indexed(file))
    told = _PART.fullmatch(file.name)
    if told is None or not file.is_file() or not 1 < int(told["count"]) <= _MOST_PARTS:
        return [file]
    names = [
        f"{told['stem']}-{number:05}-of-{told['count']}{told['suffix']}"
        for number in range(1, int(told["count"]) + 1)
    ]
    return _present(file, names)


def _indexed(file: Path) -> list[str]:
    """Return the names of the files that an index lists."""
    try:
        listed: Any = json.loads(file.read_text("utf-8"))["weight_map"]
        names = sorted({str(name) for name in listed.values()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(
            file, f"is no index of weights ({type(error).__name__})", "give a file of weights"
        ) from error
    if not names or any(Path(name).name != name for name in names):
        problem = "is no index of files beside it"
        raise CheckpointError(file, problem, "put the parts into its folder")
    return names


def _present(file: Path, names: list[str]) -> list[Path]:
    absent = [name for name in names if not (file.parent / name).is_file()]
    if absent:
        raise CheckpointError(
            file,
            f"is one of {len(names)} parts, of which {len(absent)} are not there ({absent[0]})",
            "put all parts into one folder",
        )
    return [file.parent / name for name in names]


def _read(file: Path) -> Any:
    if not file.is_file():
        raise CheckpointError(file, "no such file", "give a bundled name or a checkpoint's path")
    if file.suffix != ".safetensors":  # whose own reader holds it to its size
        check_archive(file)
        check_storages(file)
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(file)
        return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        # GLOBAL is torch's word for a pickled reference to a function or class.
        if "GLOBAL" in str(error) or _calls_something(file):
            named = re.search(r"GLOBAL ([\w.]+)", str(error))
            what = f" ({named[1]})" if named else ""
            problem = f"carries Python objects besides tensors{what}, which could run code: refused"
            remedy = "save the state dict alone, or convert it to safetensors"
        else:
            problem = f"is not a readable checkpoint ({type(error).__name__})"
            remedy = "if it is one, download it again; give a .safetensors file or a state dict"
        raise CheckpointError(file, problem, remedy) from error


def is_of_a_run(content: Any) -> bool:
    """Tell a checkpoint of ``srscope train``, by its recipe, from weights and other tools' files.

    Args:
        content: From :func:`read_checkpoint`.
    """
    recipe = content.get("recipe") if isinstance(content, Mapping) else None
    return isinstance(recipe, Mapping) and "network" in recipe and "done" in content


def _calls_something(file: Path) -> bool:
    """Tell whether a plain pickle names functions or classes, without unpickling it."""
    try:
        with file.open("rb") as opened:
            bounded = cast("IO[bytes]", Bounded(opened, file.stat().st_size))
            return any(op.name in _CALLS for op, _, _ in pickletools.genops(bounded))
    except (ValueError, EOFError, OverflowError, AttributeError):  # no pickle
        return False
