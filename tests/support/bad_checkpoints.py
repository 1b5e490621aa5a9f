"""Checkpoints that are damaged, absurd or malicious, by seed.

Every malicious one carries a payload that would make the file ``MARK``, were it run.
"""

from __future__ import annotations

import functools
import io
import itertools
import json
import pickle
import random
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as to_safetensors
from torch import Tensor

from srscope.networks.architectures.srresnet import SRResNet, SRResNetConfig
from support.bad_pickles import PICKLES
from support.mutants import SPOILS

State = dict[str, Tensor]
Maker = Callable[[random.Random, str], tuple[str, bytes]]
"""Returns the suffix and the bytes of a file; is given its randomness and the mark's path."""


def sound() -> State:
    """Return the weights of a small network."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = SRResNet(SRResNetConfig(blocks=3, channels=6, scale=2))
    return network.state_dict()


def safetensors(state: State, metadata: dict[str, str] | None = None) -> bytes:
    """Return a safetensors file; its own writer puts the header in any order."""
    data = to_safetensors(state, metadata)
    size = struct.unpack_from("<Q", data)[0]
    header = json.dumps(json.loads(data[8 : 8 + size]), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + data[8 + size :]


def saved(content: Any, *, legacy: bool = False) -> bytes:
    """Return what ``torch.save`` writes: a zip archive, or the older row of pickles."""
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


@functools.cache
def _sound_bytes(kind: str) -> tuple[str, bytes]:
    if kind == "safetensors":
        return ".safetensors", safetensors(sound())
    return ".pth", saved({"params": sound()}, legacy=kind == "legacy")


def _spoilt(kind: str, how: str) -> Maker:
    def make(rng: random.Random, mark: str) -> tuple[str, bytes]:
        suffix, data = _sound_bytes(kind)
        return suffix, SPOILS[how](data, rng)

    return make


def _records(data: bytes, change: Callable[[str, bytes], Iterator[tuple[str, bytes]]]) -> bytes:
    """Write a zip archive anew, each record changed; checksums are right again."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            for renamed, content in change(name, old.read(name)):
                new.writestr(renamed, content)
    return file.getvalue()


def _inside(part: str) -> Maker:
    """Spoil what is in an archive, so that its checksums do not tell."""

    def make(rng: random.Random, mark: str) -> tuple[str, bytes]:
        how = SPOILS[rng.choice(list(SPOILS))]

        def change(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
            yield name, (how(content, rng) if part in name and content else content)

        return ".pth", _records(saved({"params": sound()}), change)

    return make


def _path_trick(rng: random.Random, mark: str) -> tuple[str, bytes]:
    """Name records after places elsewhere, or twice."""
    up = f"../../../../{mark}"
    odd = rng.choice([up, mark, f"archive/../{mark}", "archive/data/\n", "a" * 60_000])
    moved = rng.choice(["data/0", "data.pkl", "version", "byteorder"])

    def change(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
        if moved in name:
            yield odd, content
        if moved not in name or rng.random() < 0.5:
            yield name, content

    return ".pth", _records(saved({"params": sound()}), change)


def _bomb(rng: random.Random, mark: str) -> tuple[str, bytes]:
    """Compress a storage of zeros, which unpacks to 128 MB, or says that it is gigabytes."""
    data = _bombed()
    if rng.random() < 0.5:  # the directory says more than there is
        claim = struct.pack("<I", rng.choice([1 << 30, (1 << 32) - 2]))
        data = data.replace(struct.pack("<I", 128 << 20), claim)
    return ".pth", data


@functools.cache
def _bombed() -> bytes:
    zeros = bytes(128 << 20)
    file, old = io.BytesIO(), zipfile.ZipFile(io.BytesIO(saved({"params": sound()})))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in old.namelist():
            archive.writestr(name, zeros if name.endswith("data/0") else old.read(name))
    assert len(file.getvalue()) < 1 << 20
    return file.getvalue()


def _many_records(rng: random.Random, mark: str) -> tuple[str, bytes]:
    def change(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
        yield name, content
        if name.endswith("data.pkl"):
            yield from ((f"archive/extra/{number}", b"") for number in range(5_000))

    return ".pth", _records(saved({"params": sound()}), change)


def _dtype(rng: random.Random, mark: str) -> tuple[str, bytes]:
    state, name = sound(), rng.choice(list(sound()))
    names = "int64 bool complex64 float64 float16 bfloat16 uint8 float8_e4m3fn int8 complex32"
    dtype: torch.dtype = getattr(torch, rng.choice(names.split()))
    every = rng.random() < 0.5
    state = {key: t.to(dtype) if every or key == name else t for key, t in state.items()}
    return (".pth", saved(state)) if rng.random() < 0.5 else _as_safetensors(state)


def _as_safetensors(state: State, **metadata: str) -> tuple[str, bytes]:
    try:
        return ".safetensors", safetensors(state, metadata or None)
    except Exception:  # what safetensors does not know
        return ".pth", saved(state)


def _layout(rng: random.Random, mark: str) -> tuple[str, bytes]:
    """Sparse, quantised, absent and shared values, and tensors of no or many dimensions."""
    state = sound()
    name = rng.choice(list(state))
    value = state[name]
    state[name] = rng.choice(
        [
            lambda: value.to_sparse(),
            lambda: value.to("meta"),
            lambda: torch.quantize_per_tensor(value, 0.1, 0, torch.qint8),
            lambda: value.reshape(*[1] * 20, *value.shape),
            lambda: value.new_zeros(()),
            lambda: value.new_zeros((0, *value.shape)),
            lambda: value.new_zeros(1).expand(1 << 20, 1 << 20),
            lambda: value.new_zeros(1).expand(1 << 16, 1 << 14, 3, 3),
            lambda: torch.nested.nested_tensor([value, value]),
        ]
    )()
    return ".pth", saved(state)


def _not_finite(rng: random.Random, mark: str) -> tuple[str, bytes]:
    state = sound()
    for name in rng.sample(list(state), rng.randint(1, 4)):
        flat = state[name].view(-1)
        value = rng.choice([float("nan"), float("inf"), float("-inf"), 3e38])
        flat[rng.randrange(len(flat)) :: rng.choice([1, 7])] = value
    return (".pth", saved({"params": state})) if rng.random() < 0.5 else _as_safetensors(state)


def _header(rng: random.Random, mark: str) -> tuple[str, bytes]:
    """Safetensors whose header claims more than there is, or is no header."""
    data = safetensors(sound())
    size = struct.unpack_from("<Q", data)[0]
    header: dict[str, Any] = json.loads(data[8 : 8 + size])
    body = data[8 + size :]
    name = rng.choice([each for each in header if each != "__metadata__"])
    entry = header[name]
    choice = rng.randrange(12)
    claim = rng.choice([1 << 31, 1 << 40, (1 << 63) - 1, (1 << 64) - 1, -1])
    if choice == 0:
        return ".safetensors", struct.pack("<Q", claim % (1 << 64)) + data[8:]
    if choice == 1:
        entry["shape"] = [claim, *entry["shape"][1:]]
    elif choice == 2:
        entry["shape"] = [1 << 32, 1 << 32]  # their product is 0 in 64 bits
    elif choice == 3:
        entry["data_offsets"] = [0, claim]
    elif choice == 4:
        entry["data_offsets"] = entry["data_offsets"][::-1]
    elif choice == 5:
        entry["dtype"] = rng.choice(["F128", "", 7, None, "O"])
    elif choice == 6:
        empty = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
        header |= {f"{name}.{n}": empty for n in range(5_000)}
    elif choice == 7:
        text = ("[" * 100_000).encode()
        return ".safetensors", struct.pack("<Q", len(text)) + text
    elif choice == 8:
        text = b" " * (20 << 20)
        return ".safetensors", struct.pack("<Q", len(text)) + text
    elif choice == 9:
        entry["shape"] = [1] * 100_000
    elif choice == 10:
        header["__metadata__"] = rng.choice([[1], {"a": 1}, {"a": {"b": "c"}}, "x", None])
    else:  # two tensors share their bytes
        other = rng.choice([each for each in header if each not in (name, "__metadata__")])
        header[other] = dict(entry)
    text = json.dumps(header).encode()
    return ".safetensors", struct.pack("<Q", len(text)) + text + body


def _metadata(rng: random.Random, mark: str) -> tuple[str, bytes]:
    """A description of a network that cannot be, or is far larger than the file."""
    number = rng.choice([-1, 0, 10**5, 10**9, 10**30, 2.5, 1e308, "3", None, [3], True])
    field = rng.choice(["blocks", "channels", "scale", "global_residual", "no_such"])
    config = {"blocks": 3, "channels": 6, "scale": 2, field: number}
    text = rng.choice([json.dumps(config)] * 8 + ["{", "[]", "null", '"' * 1000, "[" * 100_000])
    name = rng.choice(["srresnet"] * 6 + ["cincgan", "resnet18", "unified-sr", "no-such", "\n", ""])
    metadata = {"architecture": name}
    if rng.random() < 0.95:
        metadata["config"] = text
    return _as_safetensors(sound(), **metadata)


def _structure(rng: random.Random, mark: str) -> tuple[str, bytes]:
    """Names and numbers of layers that belong to no network, or to an absurdly deep one."""
    state: dict[Any, Any] = dict(sound())
    first = state["conv_first.weight"]
    choice = rng.randrange(14)
    if choice == 0:
        state["body.99999999.conv1.weight"] = first
    elif choice == 1:
        state[f"body.{10**30}.conv1.weight"] = first
    elif choice == 2:
        state["conv_first.weight"] = torch.zeros(200_000, 1, 1, 1)
    elif choice == 3:
        del state[rng.choice(list(state))]
    elif choice == 4:
        state = {key.replace("body", "trunk"): value for key, value in state.items()}
    elif choice == 5:
        state[7] = state.pop("conv_last.weight")
    elif choice == 6:
        state = {f"a\nb\x1b[31m{key}": value for key, value in state.items()}
    elif choice == 7:
        state = {"n" * 1_000_000: first}
    elif choice == 8:
        state["params"] = state  # holds itself
    elif choice == 9:
        state = dict(itertools.islice(state.items(), rng.randint(0, 3)))
    elif choice == 10:  # an ESRGAN of a million channels
        state = {"model.0.weight": torch.zeros(300_000, 3, 1, 1),
                 "model.1.sub.0.RDB1.conv1.0.weight": torch.zeros(300_000, 1, 1, 1)}  # fmt: skip
        state["model.1.sub.99999999.weight"] = torch.zeros(1)
    elif choice == 11:
        state = {"layers.99999999.residual_group.blocks.0.norm1.weight": torch.zeros(1),
                 "conv_first.weight": torch.zeros(100_000, 3, 3, 3), **state}  # fmt: skip
    elif choice == 12:
        state = {"body.0.weight": torch.zeros(60_000, 3, 3, 3), "body.1.weight": torch.zeros(9),
                 "body.999999.weight": torch.zeros(48, 1, 3, 3)}  # fmt: skip
    else:
        state = {key: torch.zeros(0) for key in state}
    return ".pth", saved({"params": state})


def _claimed(rng: random.Random, mark: str) -> tuple[str, bytes]:
    """A pickle whose tensors are far larger than what they are made of."""
    number = rng.choice([1 << 33, 1 << 40, (1 << 62), 1 << 31])
    legacy = rng.random() < 0.5
    data = saved({"weight": torch.zeros(77777)}, legacy=legacy)
    told = struct.pack("<I", 77777)  # as pickle writes it, after the letter J
    long = b"\x8a\x08" + struct.pack("<q", number)
    if legacy:
        return ".pth", data.replace(b"J" + told, long)

    def change(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
        yield name, content.replace(b"J" + told, long) if name.endswith("data.pkl") else content

    return ".pth", _records(data, change)


def _malicious(name: str) -> Maker:
    def make(rng: random.Random, mark: str) -> tuple[str, bytes]:
        payload = PICKLES[name](mark)
        way = rng.randrange(3)
        if way == 0:
            return rng.choice([".pth", ".pt", ".ckpt", ".bin", ""]), payload

        def change(record: str, content: bytes) -> Iterator[tuple[str, bytes]]:
            yield record, payload if record.endswith("data.pkl") else content

        if way == 1:
            return ".pth", _records(saved({"params": sound()}), change)
        data = saved(sound(), legacy=True)  # the fourth pickle of five is the content
        at = 0
        for _ in range(3):
            file = io.BytesIO(data[at:])
            pickle.load(file)
            at += file.tell()
        return ".pth", data[:at] + payload

    return make


SPOILT: dict[str, Maker] = {
    f"{how} ({kind})": _spoilt(kind, how)
    for kind in ("archive", "safetensors", "legacy")
    for how in SPOILS
}
MADE: dict[str, Maker] = {
    "pickle spoilt in a sound archive": _inside("data.pkl"),
    "values spoilt in a sound archive": _inside("data/"),
    "names that lead elsewhere": _path_trick,
    "zip bomb": _bomb,
    "5,000 records": _many_records,
    "number format": _dtype,
    "layout": _layout,
    "NaN and infinite weights": _not_finite,
    "header that claims": _header,
    "metadata": _metadata,
    "names of layers": _structure,
    "size that claims": _claimed,
}
MALICIOUS = {f"malicious pickle: {name}": _malicious(name) for name in PICKLES}
MAKERS = (*MADE.items(), *MALICIOUS.items(), *SPOILT.items(), *MADE.items())
"""Each file is the next of these; those made on purpose come twice, as each has many forms."""

KINDS = len(MADE) + len(MALICIOUS) + len(SPOILS)
"""So many files from the first on hold one of each kind and way, spoilt ones in some format."""


def bad_checkpoints(count: int, folder: Path, mark: Path) -> Iterator[tuple[str, Path]]:
    """Write ``count`` files, kind after kind, and tell what is wrong with each."""
    folder.mkdir(parents=True, exist_ok=True)
    kinds = itertools.cycle(MAKERS)
    for number, (name, make) in enumerate(itertools.islice(kinds, count)):
        suffix, data = make(random.Random(number), str(mark))
        path = folder / f"{number:03d}{suffix}"
        path.write_bytes(data)
        yield f"{number}: {name}", path


@functools.cache
def program(kind: str) -> bytes:
    """Return a small network as a TorchScript file or a ``torch.export`` archive."""
    layers = [torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(4, 12, 1)]
    network, file = torch.nn.Sequential(*layers, torch.nn.PixelShuffle(2)).eval(), io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated
        if kind == "TorchScript":
            torch.jit.save(torch.jit.script(network), file)
            return file.getvalue()
        sides = {0: torch.export.Dim.AUTO, 2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
        images_NCHW = torch.zeros(2, 3, 16, 16)
        exported = torch.export.export(network, (images_NCHW,), dynamic_shapes=(sides,))
        torch.export.save(exported, file)
    return file.getvalue()


def bad_programs(count: int, folder: Path) -> Iterator[tuple[str, Path]]:
    """Write ``count`` spoilt programs, half of them with checksums that are right again."""
    folder.mkdir(parents=True, exist_ok=True)
    ways = list(SPOILS.items())
    for number in range(count):
        kind = ("TorchScript", "torch.export")[number % 2]
        rng = random.Random(number)
        how, spoil = ways[number // 4 % len(ways)]

        def change(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
            hit = content and rng.random() < 0.3  # noqa: B023
            yield name, spoil(content, rng) if hit else content  # noqa: B023

        inside = number % 4 < 2
        data = _records(program(kind), change) if inside else spoil(program(kind), rng)
        path = folder / f"{number:03d}.pt"
        path.write_bytes(data)
        yield f"{number}: {kind}, {how}{' inside' if inside else ''}", path
