"""Checkpoints that are damaged, absurd or malicious: they work or are refused, and run nothing."""

from __future__ import annotations

import contextlib
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from srscope.errors import CheckpointError
from srscope.networks.loading.limits import Building
from srscope.networks.zoo import load_network
from support.bad_checkpoints import KINDS, bad_checkpoints, bad_programs, saved, sound
from support.bad_pickles import PICKLES
from support.trials import Case, Tally, Trials, run_trials

FEW = pytest.param(KINDS, id="few")
ALL = pytest.param(300, id="all", marks=pytest.mark.torture)


def upscaling(folder: Path, checkpoint: Path) -> tuple[str, ...]:
    """Return the command that loads a checkpoint and runs it on a small image."""
    return ("upscale", str(checkpoint), str(folder / "in.png"), str(folder / "out.png"), "--quiet")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Image.new("RGB", (12, 10), (90, 120, 30)).save(tmp_path / "in.png")
    (tmp_path / "sound.pth").write_bytes(saved({"params": sound()}))
    return tmp_path


def tried(folder: Path, cases: list[Case]) -> Trials:
    first = Case(name="sound", words=upscaling(folder, folder / "sound.pth"))
    trials = run_trials([first, *cases], folder / "trials")
    assert trials.faults() == []
    assert len(trials.outcomes) == len(cases) + 1
    return trials


@pytest.mark.parametrize("count", [FEW, ALL])
def test_mutated_checkpoints_work_or_are_refused_and_run_nothing(
    folder: Path, count: int, tally: Tally
) -> None:
    mark = folder / "MARK"
    cases = [
        Case(name=name, words=upscaling(folder, path))
        for name, path in bad_checkpoints(count, folder / "files", mark)
    ]
    trials = tried(folder, cases)
    assert not mark.exists()
    outcomes = zip(cases, trials.outcomes[1:], strict=True)
    assert all(outcome.code == 2 for case, outcome in outcomes if "malicious" in case.name)
    left = {path.name for path in folder.iterdir()} - {"in.png", "out.png", "sound.pth"}
    assert left <= {"files", "trials"}, "nothing is written elsewhere"
    tally("Mutated checkpoints, `upscale`", {**trials.counts(), "ran code": int(mark.exists())})


@pytest.mark.torture
def test_mutated_programs_work_or_are_refused(folder: Path, tally: Tally) -> None:
    cases = [
        Case(name=name, words=upscaling(folder, path))
        for name, path in bad_programs(100, folder / "files")
    ]
    tally("Mutated TorchScript and `torch.export` files", tried(folder, cases).counts())


def test_the_traps_are_real(tmp_path: Path) -> None:
    for number, (name, make) in enumerate(PICKLES.items()):
        mark = tmp_path / str(number)
        payload = make(str(mark))
        with contextlib.suppress(Exception):
            while payload:  # one pickle after another, as loaders of several do
                pickle.loads(payload)
                payload = payload[payload.index(b".") + 1 :]
        assert mark.exists(), name


def test_the_command_itself_refuses_a_trap_in_one_line(folder: Path) -> None:
    mark, path = folder / "MARK", folder / "a\n<script>.pth"
    path.write_bytes(PICKLES["exec"](str(mark)))
    run = subprocess.run(
        [sys.executable, "-m", "srscope", *upscaling(folder, path)],
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert (run.returncode, run.stdout) == (2, "")
    assert len(run.stderr.splitlines()) == 1, run.stderr
    assert "could run code: refused" in run.stderr
    assert not mark.exists()


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"weight": torch.zeros(3)}, "is of no architecture"),
        ({"weight": torch.zeros(1).expand(1 << 20, 1 << 20)}, "claims more than it holds"),
        ({7: torch.zeros(3)}, "has the name 7 for a tensor"),
        ({"weight": torch.zeros(3).to_sparse()}, "holds sparse or nested values in weight"),
        ({"weight": torch.zeros(3, device="meta")}, "holds no values for weight"),
        ({"weight": torch.zeros(3, dtype=torch.complex64)}, "holds complex values in weight"),
        ({**sound(), "body.99999999.conv1.weight": torch.zeros(1)}, "far larger than its weights"),
        ({"a\nb" * 500: torch.zeros(3)}, "is of no architecture"),
    ],
)
def test_absurd_weights_are_refused_in_words(
    tmp_path: Path, state: dict[str, torch.Tensor], message: str
) -> None:
    torch.save(state, tmp_path / "net.pth")
    with pytest.raises(CheckpointError, match=message) as caught:
        load_network(str(tmp_path / "net.pth"))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1300


def test_no_network_is_built_larger_than_its_weights() -> None:
    with pytest.raises(CheckpointError, match="far larger"), Building("a", {}):
        torch.nn.Conv2d(1 << 20, 1 << 20, 3)
    with pytest.raises(CheckpointError, match="far larger"), Building("a", {}):
        [torch.zeros(1) for _ in range(1 << 20)]
    with Building("a", {}):
        assert torch.nn.Conv2d(3, 64, 3).weight.shape == (64, 3, 3, 3)


def test_a_pickle_that_asks_for_gigabytes_is_not_given_them(tmp_path: Path) -> None:
    data = bytearray(saved({"weight": torch.zeros(3)}, legacy=True))
    at = data.index(b"X\x06\x00\x00\x00weight")
    data[at + 1 : at + 5] = b"\xff\xff\xff\x7f"
    (tmp_path / "net.pth").write_bytes(data)
    with pytest.raises(CheckpointError, match=r"a text of 2,147,483,647 bytes, the file to"):
        load_network(str(tmp_path / "net.pth"))
