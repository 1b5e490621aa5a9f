"""A folder of networks that differ in the training seed alone, and the checkpoints of each.

Names tell the seed: ``l1-wgr-seed2.safetensors``, or a run's folder ``l1-wgr-seed2`` that holds
such a file. A network's checkpoints are those of its run's folder, where there is one.

Suffix: T checkpoints.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srscope.errors import FileProblem
from srscope.networks.description import LoadedNetwork
from srscope.networks.loading.spec import is_snapshots, split_query
from srscope.networks.zoo import load_network
from srscope.training.snapshots import SUFFIXES, Snapshots, find_snapshots

_SEED = re.compile(r"seed[-_]?(\d+)", re.IGNORECASE)
_NAMED = "name them like l1-wgr-seed2.safetensors, l1-wgr-seed3.safetensors"


@dataclass(frozen=True, kw_only=True, slots=True)
class Trained:
    """One network of a recipe.

    Args:
        seed: Its training seed.
        path: Its weights as trained.
        run: Folder of its run, with the checkpoints; ``None`` where there is none.
    """

    seed: int
    path: Path
    run: Path | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """The networks of one recipe.

    Args:
        name: Of the recipe.
        found: The networks, by rising seed; two or more.
        options: What stood after the question mark, for every one of them.
        skipped: (file, reason) of what was left out.
    """

    name: str
    found: tuple[Trained, ...]
    options: str
    skipped: tuple[tuple[str, str], ...]

    @property
    def info(self) -> dict[str, Any]:
        """What stands in a record: the name, and the file of every seed."""
        return {"name": self.name, "seeds": {each.seed: each.path.name for each in self.found}}


def seed_in(name: str) -> int | None:
    """Return the training seed that a name tells.

    Example:
        >>> seed_in("l1-wgr-seed2.safetensors"), seed_in("net_g_5000.pth")
        (2, None)
    """
    found = _SEED.findall(name)
    return int(found[-1]) if found else None


def is_of_seeds(spec: str) -> bool:
    """Tell whether a folder or pattern holds networks of several seeds, and not of one training."""
    if not is_snapshots(spec):
        return False
    return len({seed_in(path.name) for path in _files(split_query(spec)[0])} - {None}) > 1


def find_seeds(spec: str) -> Recipe:
    """Find the networks of one recipe.

    Args:
        spec: A folder, or a pattern such as ``runs/population/l1-wgr-*``; options for the networks
            may follow after a question mark.

    Raises:
        FileProblem: If there are fewer than two networks, or those of several recipes.
    """
    target, options = split_query(spec)
    groups: dict[str, dict[int, Trained]] = {}
    skipped: list[tuple[str, str]] = []
    for path in _files(target):
        seed = seed_in(path.name)
        if seed is None:
            skipped.append((path.name, "its name tells no seed"))
            continue
        own = groups.setdefault(_SEED.sub("seed*", path.name.removesuffix(path.suffix)
                                          if path.is_file() else path.name), {})  # fmt: skip
        if path.is_dir():
            weights = [path / f"{path.name}{suffix}" for suffix in SUFFIXES]
            weights = [each for each in weights if each.is_file()]
            if not weights:
                skipped.append((path.name, "its training is not finished: it holds no weights"))
                continue
            own[seed] = Trained(seed=seed, path=weights[0], run=path)
        elif seed not in own:
            own[seed] = Trained(seed=seed, path=path, run=None)
    groups = {name: own for name, own in groups.items() if own}
    if len(groups) > 1:
        names = " and ".join(sorted(groups))
        remedy = f"name one recipe's, e.g. '{Path(target) / sorted(groups)[0]}'"
        raise FileProblem(target, f"holds networks of several recipes: {names}", remedy)
    if not groups or len(next(iter(groups.values()))) < 2:
        why = "".join(f"; {name}: {reason}" for name, reason in skipped[:1])
        raise FileProblem(target, f"holds no two networks of different seeds{why}", _NAMED)
    ((name, own),) = groups.items()
    return Recipe(
        name=name.replace("seed*", "").strip("-_. ") or "network",
        found=tuple(own[seed] for seed in sorted(own)),
        options=options,
        skipped=tuple(skipped),
    )


def _files(target: str) -> list[Path]:
    """Return weight files and folders, folders last: a run tells more than its weights alone."""
    folder = Path(target)
    found: Iterable[Path]
    if folder.is_dir():
        found = folder.iterdir()
    elif "*" in target and folder.parent.is_dir():
        found = folder.parent.glob(folder.name.replace("[", "[[]"))  # only * stands for other text
    else:
        raise FileProblem(target, "is no folder", "give a folder of networks, or a pattern")
    usable = [
        path
        for path in sorted(found)
        if path.is_dir() or path.suffix.lower() in SUFFIXES
        if path.name[0] != "."
    ]
    return sorted(usable, key=lambda path: path.is_dir())


def load_seed(recipe: Recipe, trained: Trained) -> LoadedNetwork:
    """Load one network of a recipe as trained.

    Raises:
        SrscopeError: As :func:`~srscope.networks.zoo.load_network`.
    """
    options = f"?{recipe.options}" if recipe.options else ""
    loaded = load_network(f"{trained.path}{options}")
    return dataclasses.replace(loaded, name=f"{recipe.name} seed {trained.seed}")


def checkpoints_of(recipe: Recipe, trained: Trained) -> Snapshots:
    """Return the checkpoints of a network's training.

    Raises:
        FileProblem: If its run's folder is not there, or holds fewer than two of them.
    """
    if trained.run is None:
        problem = "has no checkpoints beside it, so it cannot be taken earlier in its training"
        remedy = "give the folder of the runs, trained with --keep_checkpoints"
        raise FileProblem(trained.path, problem, remedy)
    options = f"?{recipe.options}" if recipe.options else ""
    return find_snapshots(f"{trained.run}{options}")
