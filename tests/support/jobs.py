"""The three long commands on tiny inputs, and what they leave, for tests that disturb them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from srscope.networks.architectures.srresnet import SRResNet, SRResNetConfig
from support.killer import Killer, Outcome
from support.labs import save_network
from support.runs import tiny_recipe
from support.tiny import FAST_WORDS, photographs, tiny_checkpoint

MODULES = (
    "srscope.analyses.separability",
    "srscope.cli.console",
    "srscope.figures.save",
    "srscope.report.html",
    "srscope.reproduction.page",
    "srscope.reproduction.reproduce",
    "srscope.scores.feature_space",
    "srscope.study.store",
)
CHANGES = ("created", "timings", "seconds")
"""Keys of JSON files that tell when, or how long."""


def make_inputs(folder: Path) -> Path:
    """Write photographs, networks and a recipe; return the folder."""
    photographs(folder / "analyze")
    photographs(folder / "reproduce", count=9, size=(560, 300))
    tiny_checkpoint(folder / "tiny.safetensors")
    torch.manual_seed(0)
    save_network(folder / "networks", "srgan-wgr", SRResNet(SRResNetConfig(channels=4)))
    tiny_recipe(folder, "sr")
    return folder


@dataclass(frozen=True)
class Job:
    """A command, and what it works on.

    Args:
        killer: Runs it.
        command: ``analyze``, ``reproduce`` or ``train``.
        inputs: From :func:`make_inputs`.
    """

    killer: Killer
    command: str
    inputs: Path

    def words(self, folder: Path, *, jobs: int = 1) -> list[str]:
        """Return the command's words; results go to ``out`` in ``folder``."""
        inputs, out = self.inputs, ["--out", str(folder / "out"), "--quiet"]
        if self.command == "train":
            return ["train", str(inputs / "sr.yaml"), "--resume", *out]
        if self.command == "analyze":
            more = ["--images", str(inputs / "analyze"), "--cache", str(folder / "cache")]
            return ["analyze", str(inputs / "tiny.safetensors"), *more, *FAST_WORDS, *out]
        options = [f"--networks={inputs / 'networks'}", f"--images={inputs / 'reproduce'}"]
        options += [f"--cache={folder / 'cache'}", f"--jobs={jobs}", "--contents=18", "--runs=1"]
        return ["reproduce", "fig2b", *(["patch-size"] if jobs > 1 else []), *options, *out]

    def run(self, folder: Path, *, kill_at: int = 0, delay: float = 0.0, limit: int = 0) -> Outcome:
        """Run it, with results in ``folder``: see :meth:`Killer.run`."""
        return self.killer.run(
            self.words(folder),
            folder,
            modules=() if self.command == "train" else MODULES,
            kill_at=kill_at,
            delay=delay,
            limit=limit,
        )


def results(folder: Path) -> dict[str, Any]:
    """Return what a folder holds, by file, less what differs between equal runs.

    Half-written records of features, which any number of processes write, stay for an hour.
    """
    paths = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
    return {
        name: _read(path)
        for name, path in paths.items()
        if path.is_file() and not (name.startswith("cache/features/") and path.name[0] == ".")
    }


def _read(path: Path) -> Any:
    content = path.read_bytes()
    if path.suffix == ".json":
        values = json.loads(content)
        pairs = values.items() if isinstance(values, dict) else enumerate(values)
        return {key: value for key, value in pairs if key not in CHANGES}
    if path.suffix == ".npz":  # its bytes tell when it was written
        with np.load(path, allow_pickle=False) as arrays:
            named = {name: arrays[name] for name in arrays.files if name not in CHANGES}
        sidecar = path.with_suffix(".sha256")
        if sidecar.exists():
            assert sidecar.read_text().strip() == hashlib.sha256(content).hexdigest()
        return {n: (a.dtype, a.shape, a.tobytes()) for n, a in named.items()}
    if path.suffix == ".sha256":
        return path.with_suffix(".npz").is_file()
    if path.suffix == ".html":  # it tells the time as well
        return content.rstrip().endswith(b"</html>")
    return content


def damage(cache: Path, random: np.random.Generator) -> int:
    """Flip a bit of every entry; return how many there were."""
    files = (path for path in cache.rglob("*.np[yz]") if path.name[0] != ".")
    entries = sorted(path for path in files if path.stat().st_size)
    for path in entries:
        content = bytearray(path.read_bytes())
        content[int(random.integers(len(content)))] ^= 1 << int(random.integers(8))
        path.write_bytes(content)
    return len(entries)
