"""Work shared by processes: all batches arrive in order, and one's failure ends all of them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from srscope.errors import ParameterError, SrscopeError
from srscope.runtime.processes import (
    Arrays,
    Processes,
    check_launcher,
    helping,
    is_helper,
    join_processes,
)


class Threads(Processes):
    """Processes that are threads: exchanges go through lists and queues."""

    def _all(self, value: Any) -> list[Any]:
        values, barrier, _ = self.group
        values[self.rank] = value
        barrier.wait()
        told = list(values)
        barrier.wait()
        return told

    def _send(self, arrays: Arrays) -> None:
        self.group[2][self.rank].put(arrays)

    def _received(self, rank: int, shapes: Any) -> Arrays:
        arrays = self.group[2][rank].get(timeout=20)
        assert {name: each.shape for name, each in arrays.items()} == shapes
        return arrays


def batch(number: int) -> Arrays:
    return {"a": np.full((1, 2), number, np.float32), "b": np.full((1, 3), -number, np.float32)}


def run(size: int, batches: int, fails_at: int | None = None) -> list[Any]:
    """Return what each process sees: the numbers of its batches, or its error."""
    group = ([None] * size, threading.Barrier(size, timeout=20), [queue.Queue() for _ in range(9)])

    def work(rank: int) -> Any:
        def own() -> Iterator[Arrays]:
            for number in range(rank, batches, size):
                if number == fails_at:
                    raise SrscopeError("image 7 gives NaN")
                yield batch(number)

        processes = Threads(rank=rank, size=size, device="cpu", group=group)
        try:
            return [int(each["a"][0, 0]) for each in processes.in_order(own(), batches=batches)]
        except SrscopeError as error:
            return str(error)

    with ThreadPoolExecutor(size) as threads:
        return list(threads.map(work, range(size)))


@pytest.mark.parametrize(("size", "batches"), [(1, 3), (2, 5), (3, 6), (4, 2)])
def test_the_first_gets_all_batches_in_order_and_the_others_none(size: int, batches: int) -> None:
    assert run(size, batches) == [list(range(batches)), *([[]] * (size - 1))]


@pytest.mark.parametrize("fails_at", [0, 1, 4])
def test_a_failure_ends_all_and_the_first_tells_which(fails_at: int) -> None:
    seen = run(2, 6, fails_at=fails_at)
    failed = fails_at % 2
    assert seen[failed] == "image 7 gives NaN"
    assert seen[1 - failed] == f"process {failed} fails: image 7 gives NaN"


def test_processes_with_other_work_are_told_apart() -> None:
    group = ([None] * 2, threading.Barrier(2, timeout=20), [])

    def work(rank: int) -> str:
        processes = Threads(rank=rank, size=2, device="cpu", group=group)
        processes.agree("images", "same")
        try:
            processes.agree("images", f"of {rank}")
        except SrscopeError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(2) as threads:
        told = list(threads.map(work, range(2)))
    assert told == ["the processes do not have the same images; start them anew"] * 2


def test_a_helper_is_known_by_its_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert not is_helper()
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert is_helper()
    monkeypatch.setenv("RANK", "nonsense")
    assert not is_helper()
    monkeypatch.setenv("RANK", "0")
    assert not is_helper()


def test_a_helper_ends_its_program_and_leaves_mistakes_but_no_faults_to_the_first() -> None:
    def help_with(error: Exception | None) -> None:
        with helping():
            if error is not None:
                raise error

    for error in (None, SrscopeError("a mistake")):
        with pytest.raises(SystemExit) as ended:
            help_with(error)
        assert ended.value.code == 0
    with pytest.raises(KeyError):
        help_with(KeyError("a fault"))


def test_devices_that_are_not_there_are_the_users_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ParameterError, match="devices must be what this machine and launcher"):
        join_processes(2, "abacus")
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(ParameterError, match="devices must be 4, the number of processes that"):
        check_launcher(2, name="devices", remedy="give --devices")
    check_launcher(4, name="devices", remedy="")


def test_a_program_has_processes_for_one_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
    with pytest.raises(ParameterError, match="devices must be 1 after the first job of a program"):
        join_processes(2, "cpu")
