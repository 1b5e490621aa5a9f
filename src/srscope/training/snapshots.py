"""A folder of checkpoints of one network, in the order of their iterations.

srscope's own (``checkpoint-00024000.pt``), or any whose names differ by a number: BasicSR's
``net_g_5000.pth``, ``epoch_3.safetensors``. Names tell the order; what a file is, its content.
"""

from __future__ import annotations

import dataclasses
import os
import re
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from srscope.errors import CheckpointError, FileProblem, ParameterError, reason_of
from srscope.images.formats import SUFFIXES as PICTURES
from srscope.networks.architectures.build import architecture_metadata, build_network
from srscope.networks.architectures.cincgan import CinCGAN
from srscope.networks.description import LoadedNetwork
from srscope.networks.loading.programs import program_kind
from srscope.networks.loading.reading import is_of_a_run, read_checkpoint
from srscope.networks.loading.spec import is_snapshots, refuse_options, split_query
from srscope.networks.zoo import load_network
from srscope.runtime.files import scratch_folder
from srscope.training.recipes import TASKS

SUFFIXES = (".pt", ".pth", ".ckpt", ".safetensors")
_OWN = re.compile(r"checkpoint-\d{8}\.pt")
_NUMBER = re.compile(r"\d+")
_DISCRIMINATOR = re.compile(r"net_d(?![a-z])", re.IGNORECASE)  # as BasicSR names them


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """One checkpoint of a training.

    Args:
        iteration: The number in its name.
        path: Its file.
    """

    iteration: int
    path: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshots:
    """The checkpoints of one network.

    Args:
        name: Of the network: that of the folder.
        found: The checkpoints, by rising iteration; two or more.
        options: What stood after the question mark, for every one of them.
        skipped: (file, reason) of weight files left out.
    """

    name: str
    found: tuple[Snapshot, ...]
    options: str
    skipped: tuple[tuple[str, str], ...]


def find_snapshots(spec: str, *, most: int = 0) -> Snapshots:
    """Find the checkpoints of a folder, and their iterations in their names.

    Args:
        spec: A folder, or a pattern such as ``models/net_g_*.pth``; options for the network may
            follow after a question mark.
        most: Take at most so many, evenly, the first and the last among them; 0 takes all.

    Raises:
        FileProblem: If there is no such folder, or in it are fewer than two, or of several
            networks.
        ParameterError: If ``most`` is 1 or negative.
    """
    if most < 0 or most == 1:
        raise ParameterError("checkpoints", "0 for all, or 2 or more", most)
    target, options = split_query(spec)
    is_pattern = "*" in target and not Path(target).is_dir()
    if not is_snapshots(spec):
        raise FileProblem(target, "is no folder", "give a folder of checkpoints, or a pattern")
    files = _files(target)
    name = Path(target).resolve().name
    if is_pattern:
        name = _NUMBER.sub("", Path(target).name.replace("*", "")).rpartition(".")[0] or target
    pictures = any(path.suffix.lower() in PICTURES for path in files)
    files = [path for path in files if path.suffix.lower() in SUFFIXES and path.is_file()]
    if pictures and not files:
        remedy = f"name a network first: srscope analyze NETWORK --images {target}"
        raise FileProblem(target, "holds pictures and no checkpoints", remedy)
    if not files:
        remedy = "wait until the training has written one, or give another folder"
        raise FileProblem(target, f"holds no checkpoint ({', '.join(SUFFIXES)})", remedy)
    found, reasons = _with_iterations(files, Path(target), pattern=is_pattern)
    if most and len(found) > most:
        places = [round(i * (len(found) - 1) / (most - 1)) for i in range(most)]
        found = [found[place] for place in places]
    return Snapshots(
        name=name.strip("-_. ") or "network",
        found=tuple(found),
        options=options,
        skipped=tuple((path.name, why) for path, why in reasons),
    )


def only_checkpoint(network: Any) -> Path | None:
    """Return a checkpoint of a run of ours, or the single one of a folder; else ``None``.

    Args:
        network: What a user gave for a network; options may follow after a question mark.
    """
    if not isinstance(network, str | os.PathLike):
        return None
    target, _ = split_query(os.fspath(network))
    if os.path.isfile(target):  # noqa: PTH113 - a name may be too long for a path
        return Path(target) if _OWN.fullmatch(Path(target).name) else None
    if not is_snapshots(target):
        return None
    weights = [
        path
        for path in _files(target)
        if path.suffix.lower() in SUFFIXES and not _DISCRIMINATOR.match(path.name)
    ]
    weights = [path for path in weights if _OWN.fullmatch(path.name)] or weights
    return weights[0] if len(weights) == 1 else None


def load_trained(network: Any, **options: Any) -> LoadedNetwork:
    """Load a network as :func:`~srscope.networks.zoo.load_network` does, or one still in training.

    Args:
        network: As there; or a checkpoint of a run of ``srscope train``, or a folder that holds a
            single checkpoint.
        options: As there.

    Raises:
        SrscopeError: As there.
    """
    path = only_checkpoint(network)
    if path is None:
        return load_network(network, **options)
    module = shipped_by(path)
    _, query = split_query(os.fspath(network))
    if module is None:
        return load_network(f"{path}?{query}" if query else path, **options)
    refuse_options([*options, *([query] if query else [])], ())
    name = f"{path.resolve().parent.name} at {int(_NUMBER.findall(path.name)[-1])}"
    return dataclasses.replace(_as_loaded(module), name=name, source=f"checkpoint {path.name}")


def _files(target: str) -> list[Path]:
    """Return what is in a folder, or what a pattern matches, by name."""
    folder = Path(target)
    if folder.is_dir():
        return sorted(each for each in folder.iterdir() if each.name[0] != ".")
    literal = folder.name.replace("[", "[[]")  # only * stands for other text
    return sorted(folder.parent.glob(literal)) if folder.parent.is_dir() else []


def _with_iterations(
    files: Sequence[Path], target: Path, *, pattern: bool
) -> tuple[list[Snapshot], list[tuple[Path, str]]]:
    """Return the checkpoints by iteration, and the other files with the reason."""
    skipped: list[tuple[Path, str]] = []
    own = [path for path in files if _OWN.fullmatch(path.name)]
    if own:
        why = "is no checkpoint of the run, which are named checkpoint-*.pt"
        skipped = [(path, why) for path in files if path not in own]
        files = own
    groups: dict[str, list[Path]] = {}
    for path in files:
        if not pattern and _DISCRIMINATOR.match(path.name):
            skipped.append((path, "is a discriminator by its name"))
        else:
            groups.setdefault(_NUMBER.sub("*", path.name), []).append(path)
    several = {name: paths for name, paths in groups.items() if len(paths) > 1}
    if not several:
        raise FileProblem(
            target,
            "holds no two checkpoints whose names differ by their iteration alone",
            "name them like net_g_5000.pth, net_g_10000.pth",
        )
    if len(several) > 1:
        names = " and ".join(sorted(several))
        remedy = f"name one network's, e.g. '{target / sorted(several)[0]}'"
        raise FileProblem(target, f"holds checkpoints of several networks: {names}", remedy)
    ((_, chosen),) = several.items()
    skipped += [
        (path, "its name tells no iteration")
        for paths in groups.values()
        if len(paths) == 1
        for path in paths
    ]
    numbers = [[int(number) for number in _NUMBER.findall(path.name)] for path in chosen]
    columns = [column for column in zip(*numbers, strict=True) if len(set(column)) == len(chosen)]
    if not columns:
        problem = "holds checkpoints whose names tell the iteration by no single number"
        raise FileProblem(target, problem, "name one series of them by a pattern with *")
    iterations = max(columns, key=max)  # iterations rather than epochs, where both are told
    found = [Snapshot(iteration=n, path=p) for n, p in zip(iterations, chosen, strict=True)]
    return sorted(found, key=lambda each: each.iteration), sorted(skipped)


def load_snapshot(snapshots: Snapshots, snapshot: Snapshot) -> LoadedNetwork:
    """Load the network of one checkpoint.

    Args:
        snapshots: The series it belongs to.
        snapshot: The checkpoint.

    Raises:
        SrscopeError: As :func:`~srscope.networks.zoo.load_network`.
    """
    module = shipped_by(snapshot.path)
    if module is None:
        options = f"?{snapshots.options}" if snapshots.options else ""
        loaded = load_network(f"{snapshot.path}{options}")
    else:
        loaded = _as_loaded(module)
    return dataclasses.replace(
        loaded,
        name=f"{snapshots.name} at {snapshot.iteration}",
        source=f"checkpoint {snapshot.path.name}",
    )


def _as_loaded(module: nn.Module) -> LoadedNetwork:
    """Describe a network of ours by the way every other takes: through a weight file."""
    from safetensors.torch import save_file

    state = {name: tensor.contiguous() for name, tensor in module.state_dict().items()}
    with scratch_folder() as folder:
        path = folder / "network.safetensors"
        save_file(state, path, metadata={"format": "pt", **architecture_metadata(module)})
        return load_network(str(path))


def shipped_by(path: Path) -> nn.Module | None:
    """Return the network that a run would ship at one of its checkpoints: the weights' average.

    Args:
        path: A checkpoint of :func:`~srscope.training.loop.train`.

    Returns:
        The network; ``None`` if the file is no such checkpoint, whatever its name.

    Raises:
        CheckpointError: If it is damaged.
    """
    if path.suffix == ".safetensors" or program_kind(path) is not None:
        return None
    state = read_checkpoint(path)
    if not is_of_a_run(state):
        return None
    try:
        return _shipped(state)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = reason_of(error)
        raise CheckpointError(path, f"does not fit its recipe: {reason}") from error


def _shipped(state: Mapping[str, Any]) -> nn.Module:
    recipe = state["recipe"]
    record = TASKS[recipe.get("task", "sr")][0]
    config = typing.get_type_hints(record)["network"](**recipe["network"])
    build = getattr(config, "build", None)  # of a classifier's config, which stands for several
    network = build() if build is not None else build_network(config)
    players = state.get("players", {"network": state})
    if isinstance(network, CinCGAN):
        _load(network.g1, players["g1"])
        _load(network.sr, players["sr"])
    else:
        _load(network, players["generator"] if "generator" in players else players["network"])
    return network.eval()


def _load(network: nn.Module, player: Mapping[str, Any]) -> None:
    """Load the average of a player's weights where it has one, and its own batch statistics."""
    weights: dict[str, Tensor] = dict(player["network"])
    average: Mapping[str, Tensor] = player.get("average") or {}
    for name, _ in network.named_parameters():
        weights[name] = average.get(f"module.{name}", weights[name])
    network.load_state_dict(weights)
