"""The two files of an ncnn network: ``.param``, which lists its layers, and ``.bin``, its weights.

Nothing in either file is executed.

Source: ncnn, developer guide, "param and model file structure" and "operators".
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from srscope.errors import CheckpointError, NetworkError, reason_of

MAGIC = 7767517
"""First number of a ``.param`` file."""
FLOAT32, FLOAT16, BFLOAT16 = (0, 0x0002C056), 0x01306B47, 0x01348B83
"""Words before a tensor in a ``.bin`` file, by how its values are stored."""
INT8 = 0x000D4B38
_LONGEST = 64 << 20  # bytes of a .param file: those of published networks have thousands
_ARRAY = -23300  # key of an array in a .param file: this minus the key
_NO_INT8 = "save the network with float32 or float16 weights"

Parameter = int | float | str | tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class NcnnLayer:
    """One line of a ``.param`` file.

    Args:
        kind: The operator, e.g. ``Convolution``.
        name: Of the layer; no two layers share one.
        inputs: Names of the blobs (tensors) that it takes.
        outputs: Names of the blobs that it makes.
        parameters: Its numbers by ncnn's key.
    """

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: Mapping[int, Parameter]


def ncnn_pair(path: str | Path) -> tuple[Path, Path] | None:
    """Return the ``.param`` and the ``.bin`` file that belong together; ``None`` for other files.

    Args:
        path: Either of the two. A ``.bin`` without a ``.param`` of its name is no file of ncnn's:
            PyTorch's weights have this suffix too.

    Raises:
        CheckpointError: If there is a ``.param`` file and no ``.bin``.
    """
    file = Path(path)
    if file.suffix not in (".param", ".bin") or not file.is_file():
        return None
    param, weights = file.with_suffix(".param"), file.with_suffix(".bin")
    if not param.is_file():
        return None
    if not weights.is_file():
        raise CheckpointError(
            param, f"has no {weights.name} beside it", "put the weights there: one network, 2 files"
        )
    return param, weights


def read_param(path: str | Path) -> tuple[NcnnLayer, ...]:
    """Read the layers of a ``.param`` file, in the order in which they run.

    Raises:
        CheckpointError: If it is not ncnn's text format, or contradicts itself.
    """
    file = Path(path)
    if file.stat().st_size > _LONGEST:
        raise CheckpointError(file, "is larger than any list of layers", "give ncnn's .param file")
    raw = file.read_bytes()
    if raw[:4] == struct.pack("<i", MAGIC):
        raise CheckpointError(
            file, "is ncnn's binary list of layers", "give the text file that it was made from"
        )
    lines = [line.split() for line in raw.decode("utf-8", "replace").splitlines() if line.strip()]
    if not lines or lines[0] != [str(MAGIC)]:
        raise CheckpointError(
            file,
            f"is no .param file of ncnn: its first line is not {MAGIC}",
            "convert the network with a current ncnn",
        )
    layers = tuple(_layer(file, words) for words in lines[2:])
    if not layers or lines[1][0] != str(len(layers)):
        raise CheckpointError(
            file,
            f"says that it has {' '.join(lines[1][:1]) if len(lines) > 1 else 'no'} layers, "
            f"but lists {len(layers)}",
            "it is cut off or damaged: copy it again",
        )
    _check_graph(file, layers)
    return layers


def _layer(file: Path, words: list[str]) -> NcnnLayer:
    try:
        kind, name, inputs, outputs = words[0], words[1], int(words[2]), int(words[3])
        blobs, rest = words[4 : 4 + inputs + outputs], words[4 + inputs + outputs :]
        if inputs < 0 or outputs < 0 or len(blobs) != inputs + outputs:
            raise ValueError("blobs are missing")
        return NcnnLayer(
            kind=kind,
            name=name,
            inputs=tuple(blobs[:inputs]),
            outputs=tuple(blobs[inputs:]),
            parameters=dict(_parameter(word) for word in rest),
        )
    except (ValueError, IndexError) as error:
        line = " ".join(words)[:80]
        raise CheckpointError(
            file, f"has a line that is no layer ({reason_of(error)}): {line}", "copy it again"
        ) from error


def _parameter(word: str) -> tuple[int, Parameter]:
    key, equals, text = word.partition("=")
    if not equals:
        raise ValueError(f"{word!r} is no key=value")
    number = int(key)
    parts = text.split(",")
    if number <= _ARRAY:
        if int(parts[0]) != len(parts) - 1:
            raise ValueError(f"{word!r} has another length than it says")
        return _ARRAY - number, tuple(float(part) for part in parts[1:])
    if len(parts) > 1:
        return number, tuple(float(part) for part in parts)
    try:
        return number, int(text)
    except ValueError:
        pass
    try:
        return number, float(text)
    except ValueError:
        return number, text


def _check_graph(file: Path, layers: tuple[NcnnLayer, ...]) -> None:
    """Refuse layers that take what none before them made, or that share a name."""
    made, names = set[str](), set[str]()
    for layer in layers:
        missing = [blob for blob in layer.inputs if blob not in made]
        twice = [blob for blob in layer.outputs if blob in made]
        if missing or twice or layer.name in names:
            what = f"takes {missing[0]!r}, which no layer before it makes" if missing else ""
            what = what or "has a name, or makes a blob, that another layer has"
            raise CheckpointError(file, f"is damaged: layer {layer.name!r} {what}", "copy it again")
        made.update(layer.outputs)
        names.add(layer.name)


class WeightFile:
    """Reads the tensors of a ``.bin`` file one after another.

    Args:
        path: The file; it is read whole.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._bytes = self.path.read_bytes()
        self._at = 0

    def tagged(self, count: int, owner: str) -> Tensor:
        """Read a tensor of ``count`` values that says how it is stored, as float32.

        Args:
            count: Values.
            owner: The layer, for messages.

        Raises:
            CheckpointError: If it is stored as integers or a table, or the file ends before it.
        """
        (word,) = struct.unpack("<I", self._take(4, owner))
        if word in FLOAT32:
            return self.plain(count, owner)
        if word in (FLOAT16, BFLOAT16):
            stored = torch.float16 if word == FLOAT16 else torch.bfloat16
            raw = self._take((2 * count + 3) // 4 * 4, owner)  # padded to four bytes
            return torch.frombuffer(bytearray(raw), dtype=stored)[:count].float()
        how = "as 8-bit integers" if word == INT8 else "as indices into a table (quantised)"
        raise CheckpointError(self.path, f"stores the weights of layer {owner!r} {how}", _NO_INT8)

    def plain(self, count: int, owner: str) -> Tensor:
        """Read ``count`` values of float32 without a word before them."""
        return torch.frombuffer(bytearray(self._take(4 * count, owner)), dtype=torch.float32)

    def finish(self) -> None:
        """Refuse a file that holds more than was read."""
        if left := len(self._bytes) - self._at:
            raise CheckpointError(
                self.path,
                f"holds {left:,} bytes more than the layers of its .param file take",
                "the two files must be of one network",
            )

    def _take(self, count: int, owner: str) -> bytes:
        taken = self._bytes[self._at : self._at + count]
        if count <= 0 or len(taken) < count:
            raise CheckpointError(
                self.path,
                f"ends before the weights of layer {owner!r}",
                "copy it again; and the two files must be of one network",
            )
        self._at += count
        return taken


class Parameters:
    """The numbers of one layer: whatever is not asked for is refused, not ignored.

    Args:
        layer: The layer.
    """

    _HINTS = (30, 31)  # shapes of blobs, and which kernels ncnn may use: nothing that computes

    def __init__(self, layer: NcnnLayer) -> None:
        self.layer = layer
        self._asked = set[int](self._HINTS)

    def whole(self, key: int, default: int = 0) -> int:
        """Return a whole number."""
        value = self._get(key, default)
        if not isinstance(value, int):
            raise self.refused(key, "a whole number")
        return value

    def number(self, key: int, default: float = 0.0) -> float:
        """Return a number."""
        value = self._get(key, default)
        if not isinstance(value, int | float):
            raise self.refused(key, "a number")
        return float(value)

    def numbers(self, key: int) -> tuple[float, ...]:
        """Return an array; empty where there is none."""
        value = self._get(key, ())
        if not isinstance(value, tuple):
            raise self.refused(key, "an array")
        return value

    def only(self, key: int, default: int, what: str) -> None:
        """Refuse any value of a parameter but its default; ``what`` says what it would do."""
        if self._get(key, default) != default:
            raise self.refused(key, f"{default} ({what} is not supported)")

    def finish(self) -> None:
        """Refuse parameters that nothing asked for."""
        for key in self.layer.parameters:
            if key not in self._asked:
                raise self.refused(key, "left out, since srscope does not know it")

    def refused(self, key: int, rule: str) -> NetworkError:
        """Return the error for a value that cannot be used."""
        layer, value = self.layer, self.layer.parameters.get(key)
        return NetworkError(
            f"ncnn layer {layer.name!r}: parameter {key} of {layer.kind} must be {rule}, but is "
            f"{value}; convert the network to ONNX or TorchScript instead"
        )

    def _get(self, key: int, default: Parameter) -> Parameter:
        self._asked.add(key)
        return self.layer.parameters.get(key, default)
