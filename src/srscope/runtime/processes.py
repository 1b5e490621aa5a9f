"""Several processes that share one job: started by Lightning Fabric, or joined from a launcher.

Fabric starts this very command once more for every further device, as it does for training, or
finds the processes that torchrun or SLURM started. All run the same program; :func:`is_helper`
tells the others from the first. What they make travels to the first through CPU memory.

Suffixes: B images of a batch, D dimensions of a feature vector.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import ParameterError, SrscopeError, first_line

Arrays = Mapping[str, NDArray[np.float32]]
"""Arrays by name, of one batch."""


def is_helper() -> bool:
    """Tell whether this process was started to help another one, by Fabric or by a launcher."""
    rank = os.environ.get("RANK", os.environ.get("LOCAL_RANK", ""))
    return rank.isdecimal() and int(rank) > 0


@contextlib.contextmanager
def helping() -> Generator[None]:
    """Do a helping process's share, and end its program.

    What is wrong with the input is told by the first process, which goes on alone.

    Raises:
        SystemExit: At the end.
    """
    with contextlib.suppress(SrscopeError):
        yield
    raise SystemExit(0)


@dataclass(frozen=True)
class Processes:
    """The processes of a job that found one another.

    Args:
        rank: This one's number, from 0 on.
        size: How many there are.
        device: This one's own, e.g. ``"cuda:1"``.
        group: Their way to exchange arrays in CPU memory.
    """

    rank: int
    size: int
    device: str
    group: Any

    @property
    def is_main(self) -> bool:
        """Whether this process gets the results."""
        return self.rank == 0

    def agree(self, what: str, token: str) -> None:
        """Raise in all processes unless ``token`` is the same in each.

        Raises:
            SrscopeError: If it is not, e.g. as a file changed while they started.
        """
        tokens = self._all(token)
        if len(set(tokens)) > 1:
            raise SrscopeError(f"the processes do not have the same {what}; start them anew")

    def in_order(self, own: Iterator[Arrays], *, batches: int) -> Generator[Arrays]:
        """Yield all batches, in order, in the first process; in the others nothing.

        Batch i is made by the process i modulo ``size``.

        Args:
            own: This process's batches.
            batches: How many there are in all.

        Raises:
            SrscopeError: In all processes, if one of them fails.
        """
        for start in range(0, batches, self.size):
            mine, problem, failure = None, "", None
            if start + self.rank < batches:
                try:
                    mine = next(own)
                except SrscopeError as error:
                    problem, failure = str(error), error
                except Exception as error:  # the others must not wait for this one for ever
                    problem, failure = f"{type(error).__name__}: {error}", error
            shapes = {} if mine is None else {name: each.shape for name, each in mine.items()}
            told = self._all((problem, shapes))
            if failure is not None:
                raise failure
            for rank, (theirs, _) in enumerate(told):
                if theirs:
                    raise SrscopeError(f"process {rank} fails: {theirs}")
            if self.is_main:
                if mine is not None:
                    yield mine
                for rank, (_, wanted) in enumerate(told[1:], start=1):
                    if wanted:
                        yield self._received(rank, wanted)
            elif mine is not None:
                self._send(mine)

    def _all(self, value: Any) -> list[Any]:
        """Return what every process gives, by rank."""
        import torch.distributed as dist

        values: list[Any] = [None] * self.size
        try:
            dist.all_gather_object(values, value, group=self.group)
        except RuntimeError as error:
            raise SrscopeError("another process of this job has gone") from error
        return values

    def _send(self, arrays: Arrays) -> None:
        import torch
        import torch.distributed as dist

        for each in arrays.values():
            dist.send(torch.from_numpy(np.ascontiguousarray(each)), dst=0, group=self.group)

    def _received(self, rank: int, shapes: Mapping[str, tuple[int, ...]]) -> Arrays:
        import torch
        import torch.distributed as dist

        arrays: dict[str, NDArray[np.float32]] = {}
        for name, shape in shapes.items():
            tensor = torch.empty(shape, dtype=torch.float32)
            dist.recv(tensor, src=rank, group=self.group)
            arrays[name] = tensor.numpy()
        return arrays


def join_processes(devices: int, accelerator: str) -> Processes:
    """Start the other processes, or join those that a launcher started; once in a program.

    The others end with the job, so a second one needs another program.

    Args:
        devices: Processes in all, each with a device of its own.
        accelerator: ``cpu``, ``cuda`` or ``mps``.

    Raises:
        ParameterError: If this machine or the launcher has no such devices or processes.
        SrscopeError: If the processes cannot reach one another.
    """
    import torch.distributed as dist
    from lightning.fabric import Fabric
    from lightning.fabric.utilities.exceptions import MisconfigurationException

    if dist.is_available() and dist.is_initialized():
        rule = "1 after the first job of a program"
        raise ParameterError("devices", rule, devices, "run each such job as a program of its own")
    for name in ("lightning.fabric", "lightning.pytorch"):  # no lines on every start
        logging.getLogger(name).setLevel(logging.WARNING)

    def refused(error: Exception) -> ParameterError:
        rule, value = "what this machine and launcher offer", f"{devices} of {accelerator}"
        remedy = f"Lightning Fabric says: {first_line(error)}"
        return ParameterError("devices", rule, value, remedy)

    try:
        fabric = Fabric(accelerator=accelerator, devices=devices, strategy="ddp")
    except (MisconfigurationException, RuntimeError, ValueError) as error:
        raise refused(error) from error
    check_launcher(devices, name="devices", remedy="give --devices")
    try:
        fabric.launch()
        group = dist.new_group(backend="gloo")
    except (MisconfigurationException, TypeError, ValueError) as error:
        raise refused(error) from error
    except RuntimeError as error:
        raise SrscopeError(
            f"the processes could not be joined: {first_line(error)}; check that all of them run "
            "and reach the first one's address and port"
        ) from error
    return Processes(
        rank=fabric.global_rank, size=fabric.world_size, device=str(fabric.device), group=group
    )


def check_launcher(count: int, *, name: str, remedy: str) -> None:
    """Raise unless torchrun or SLURM, where one started this process, started ``count`` of them.

    With one device Fabric does not look at the launcher, and each process would work for itself.

    Raises:
        ParameterError: If it started another number.
    """
    from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
    from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment

    for kind in (TorchElasticEnvironment, SLURMEnvironment):
        if kind.detect():
            started = kind().world_size()
            if started != count:
                rule = f"{started}, the number of processes that the launcher started"
                raise ParameterError(name, rule, count, remedy)
            return
