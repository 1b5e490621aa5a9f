"""What a checkpoint may claim: nothing much larger than the file it stands in.

A file of a few kilobytes can say that it holds terabytes, or belongs to a network of a hundred
million blocks. These checks come before anything of that size is allocated.
"""

from __future__ import annotations

import pickletools
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, cast

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from srscope.errors import CheckpointError

_MORE = 4
"""Times the file's own size that its contents may come to: number formats, shared storages."""
_ALWAYS = 64 << 20
"""Bytes that are not worth counting."""
_VALUES, _CALLS = 1 << 26, 5_000
"""Values, and pieces of memory, that building any network may take."""
_FACTORIES = frozenset(
    {torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.arange}
    | {torch.linspace, torch.eye, torch.randint, torch.randperm, torch.empty_strided}
)
_DAMAGED = "download it again"


def records(file: Path) -> list[zipfile.ZipInfo] | None:
    """Return what a zip archive says of its records; ``None`` for other files.

    Raises:
        CheckpointError: If it is an archive whose records cannot be listed, though PyTorch may be
            able to unpack them, or no regular file: reading a pipe would wait forever.
    """
    try:
        if file.exists() and not file.is_file() and not file.is_dir():
            raise CheckpointError(file, "is not a regular file", "copy what it holds to one")
        if not zipfile.is_zipfile(file):
            return None
        with zipfile.ZipFile(file) as archive:
            return archive.infolist()
    except OSError:
        return None  # whoever reads it will say what is wrong
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise CheckpointError(file, f"is a damaged archive ({error})", _DAMAGED) from error


def check_archive(file: Path) -> None:
    """Refuse a zip archive whose records unpack to far more than it holds; do not unpack it.

    Raises:
        CheckpointError: If it is one.
    """
    unpacked = sum(record.file_size for record in records(file) or ())
    _check_size(file, unpacked, "its records unpack to", file.stat().st_size)


class Bounded:
    """A file for pickletools, which asks for as many bytes as a pickle says; Python allocates them.

    Args:
        file: Opened for reading bytes.
        size: Its size.

    Attributes:
        asked: The most bytes that were asked for at once.
    """

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._size = file, size
        self.asked = 0
        self.readline, self.tell = file.readline, file.tell

    def read(self, count: int) -> bytes:
        """Read as many bytes, or those that there are."""
        self.asked = max(self.asked, count)
        return self._file.read(min(count, self._size))


def check_storages(file: Path) -> None:
    """Refuse a file of PyTorch's older format that claims more values than it has bytes.

    They would be allocated before they are read.

    Raises:
        CheckpointError: If it does so.
    """
    if records(file) is not None:
        return
    size, numbers = file.stat().st_size, list[int]()
    with file.open("rb") as opened:
        bounded = Bounded(opened, size)
        try:
            for _ in range(5):  # what such a file begins with: five pickles
                for instruction, argument, _ in pickletools.genops(cast("IO[bytes]", bounded)):
                    if instruction.name == "MARK":
                        numbers.clear()
                    elif isinstance(argument, int) and "PUT" not in instruction.name:
                        numbers.append(argument)
                    elif instruction.name == "BINPERSID" and max(numbers, default=0) > size:
                        raise _too_large(file, "a tensor of", max(numbers), size, "values")
        except (ValueError, EOFError, OverflowError, AttributeError):
            if bounded.asked > size:
                raise _too_large(file, "a text of", bounded.asked, size, "bytes") from None
            return  # no pickle: whoever reads it will say so


def check_tensors(file: Path, content: Mapping[Any, Tensor], size: int) -> dict[str, Tensor]:
    """Return the weights if they are plain arrays under names, of sizes that the file can hold.

    Args:
        file: For messages.
        content: The weights.
        size: Bytes of the file, or of all its parts.

    Raises:
        CheckpointError: If not.
    """
    claimed = 0
    for name, tensor in content.items():
        if not isinstance(name, str) or not name:
            raise CheckpointError(file, f"has the name {name!r} for a tensor", "save a state dict")
        if tensor.layout != torch.strided or tensor.is_nested or tensor.is_quantized:
            kind = "quantised" if tensor.is_quantized else "sparse or nested"
            raise CheckpointError(file, f"holds {kind} values in {name}", "save plain tensors")
        if tensor.is_meta:
            raise CheckpointError(file, f"holds no values for {name}", "save its weights")
        if tensor.is_complex():
            raise CheckpointError(file, f"holds complex values in {name}", "save real weights")
        claimed += tensor.numel() * tensor.element_size()
    _check_size(file, claimed, "its tensors come to", size)
    return dict(content)


def _check_size(file: Path, claimed: int, what: str, size: int) -> None:
    if claimed > _MORE * size + _ALWAYS:
        raise _too_large(file, what, claimed, size, "bytes")


def _too_large(file: Path, what: str, claimed: int, size: int, unit: str) -> CheckpointError:
    return CheckpointError(
        file, f"claims more than it holds: {what} {claimed:,} {unit}, the file to {size:,} bytes",
        f"it is damaged or a trap; {_DAMAGED}, or save it anew",
    )  # fmt: skip


class Building(TorchFunctionMode):
    """Lets a network be built only as large as its weights are.

    Args:
        path: Their file, for the message.
        state: The weights.

    Raises:
        CheckpointError: While in force, before memory is taken beyond that.

    Example:
        >>> with Building("a.pth", {"weight": torch.zeros(8, 8)}):
        ...     torch.nn.Linear(10**6, 10**6)  # doctest: +IGNORE_EXCEPTION_DETAIL
        Traceback (most recent call last):
        CheckpointError: a.pth: describes a network far larger than its weights
    """

    def __init__(self, path: str | Path, state: Mapping[str, Tensor]) -> None:
        super().__init__()
        self._path = path
        self._values = _VALUES + 16 * sum(tensor.numel() for tensor in state.values())
        self._calls = _CALLS + 100 * len(state)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _FACTORIES:
            self._calls -= 1
            self._values -= self._count(func, args, kwargs)
            if self._calls < 0 or self._values < 0:
                raise CheckpointError(
                    self._path, "describes a network far larger than its weights",
                    f"it is damaged or a trap; {_DAMAGED}",
                )  # fmt: skip
        return func(*args, **kwargs)

    @staticmethod
    def _count(func: Any, args: Any, kwargs: Mapping[str, Any]) -> int:
        """Return how many values a call makes, found out without making them."""
        plain = {name: value for name, value in kwargs.items() if name not in ("generator", "out")}
        try:
            return func(*args, **plain | {"device": "meta"}).numel()
        except (RuntimeError, TypeError, ValueError):  # which the call itself will raise
            return 0
