"""The population's networks by the names that the claims ask for.

``l1-wgr-seed2`` is a network as trained; ``l1-wgr-seed2@l1-wogr-seed2`` the same one earlier in its
training, where its PSNR is that of the other; ``l1-wgr-seed2~12000`` one of its checkpoints.
"""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

from safetensors.torch import save_file

from srscope.errors import FileProblem, UnknownNameError
from srscope.networks.architectures.build import architecture_metadata
from srscope.networks.description import LoadedNetwork
from srscope.networks.zoo import WEIGHTS, load_network
from srscope.training.seeds import seed_in
from srscope.training.snapshots import find_snapshots, load_snapshot

BUNDLED = WEIGHTS.parent / "population"
"""Where a population lies that comes with the package."""


def is_of_population(name: str) -> bool:
    """Tell whether a name is one of a population's network.

    Example:
        >>> is_of_population("l1-wgr-seed2"), is_of_population("srresnet-wgr")
        (True, False)
    """
    return seed_in(name) is not None


def folder_of(population: str) -> Path:
    """Return the folder that is meant: the one that is given, or the bundled one."""
    return Path(population) if population else BUNDLED


def identity_of_population(population: str) -> list[list[str | int]]:
    """Return what tells one state of a population's folder from another."""
    folder = folder_of(population)
    weights = [
        path for path in sorted(folder.rglob("*")) if path.suffix in (".safetensors", ".pt")
    ] if folder.is_dir() else []  # fmt: skip
    return [
        [str(path.relative_to(folder)), path.stat().st_size, path.stat().st_mtime_ns]
        for path in weights
    ]


@functools.lru_cache(maxsize=64)
def load_of_population(population: str, name: str) -> LoadedNetwork:
    """Load one network of the population.

    Args:
        population: Its folder; empty for the bundled one.
        name: As in the module's head.

    Raises:
        UnknownNameError: If it is not there.
        CheckpointError: If a file cannot be used.
    """
    folder = folder_of(population)
    run, _, iteration = name.partition("~")
    if iteration:
        snapshots = find_snapshots(str(folder / run))
        for each in snapshots.found:
            if each.iteration == int(iteration):
                return dataclasses.replace(load_snapshot(snapshots, each), name=name)
        raise UnknownNameError("checkpoint", name, [str(e.iteration) for e in snapshots.found])
    for path in (folder / f"{name}.safetensors", folder / name / f"{name}.safetensors"):
        if path.is_file():
            return dataclasses.replace(load_network(str(path)), name=name)
    there = sorted({path.stem for path in folder.glob("**/*.safetensors")})
    raise UnknownNameError("network of the population", name, there)


def checkpoints_of_population(population: str, name: str) -> list[str]:
    """Return the names of a network's checkpoints, the earliest first; none where none is kept."""
    try:
        found = find_snapshots(str(folder_of(population) / name)).found
    except FileProblem:
        return []
    return [f"{name}~{each.iteration}" for each in found]


def save_of_population(network: LoadedNetwork, path: Path) -> None:
    """Save a network of the population in half precision, with what tells its structure."""
    state = {key: tensor.half().contiguous() for key, tensor in network.module.state_dict().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, path, metadata={"format": "pt", **architecture_metadata(network.module)})
