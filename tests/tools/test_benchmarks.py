"""The benchmarks run, write what they promise, and mark what was not reached."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from srscope.networks.architectures.srresnet import SRResNet, SRResNetConfig
from support.labs import save_network

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
if not BENCHMARKS.is_dir():
    pytest.skip("benchmarks/ is not part of this distribution", allow_module_level=True)
NAMES = {path.stem for path in BENCHMARKS.glob("*.py")}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import ``benchmarks/run.py``; its neighbours have names that should not stay."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    for name in NAMES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("run")


def test_a_tiny_run_writes_its_files_and_calls_them_no_results(run, tmp_path, capsys):
    run.main(["--tiny", "--rounds", "1", "--only", "reduction", "--out", str(tmp_path / "all")])
    record = json.loads((tmp_path / "all.json").read_text("utf-8"))
    assert record["idle"] is False
    assert {"processor", "cores", "torch", "scikit-learn", "load_before"} <= record[
        "machine"
    ].keys()
    jobs = {timing["job"] for timing in record["timings"]}
    assert jobs == {"PCA of 64 x 65536 to 50"}
    assert [ratio["what"].split(" / ")[1] for ratio in record["ratios"]] == ["srscope pca"] * 2
    lost = [timing["facts"]["share of variance lost"] for timing in record["timings"]]
    assert lost[2] == pytest.approx(lost[0], abs=1e-5)  # srscope's is as good as the full one
    page = (tmp_path / "all.md").read_text("utf-8")
    assert "these are not results" in page
    assert "| PCA of 64 x 65536 to 50 | srscope pca |" in page
    assert "share of variance lost" in capsys.readouterr().out


@pytest.mark.slow
def test_reproduction_is_timed_with_an_empty_and_a_full_cache(run, tmp_path):
    run.main(["--tiny", "--only", "reproduce", "--out", str(tmp_path / "all")])
    record = json.loads((tmp_path / "all.json").read_text("utf-8"))
    empty, full = (timing["seconds"] for timing in record["timings"])
    assert 0 < full < empty
    assert [ratio["target"] for ratio in record["ratios"]] == ["<= 900", "<= 20"]


@pytest.mark.slow
def test_a_whole_analysis_is_compared_in_both_precisions(run, tmp_path, monkeypatch):
    narrow = SRResNet(SRResNetConfig(channels=4))
    save_network(tmp_path, "narrow", narrow)
    whole = importlib.import_module("whole")
    monkeypatch.setattr(whole, "NETWORK", str(tmp_path / "narrow.safetensors"))
    run.main(["--tiny", "--only", "whole", "--out", str(tmp_path / "all")])
    record = json.loads((tmp_path / "all.json").read_text("utf-8"))
    ratios = {r["what"]: r["target"] for r in record["ratios"] if r["what"].startswith("peer")}
    assert ratios == {
        "peer pipeline / srscope analyze": ">= 10",
        "peer pipeline / srscope analyze, bfloat16": ">= 15",
        "peer pipeline / srscope analyze, all written": ">= 10",
        "peer pipeline / srscope analyze, as a command with all controls": ">= 8",
    }


@pytest.mark.slow
def test_other_peoples_networks_are_compared_with_their_own_passes(run, tmp_path, monkeypatch):
    foreign = importlib.import_module("foreign")
    every = foreign.networks(tiny=True)
    assert {name.split()[0] for name in every} == {"SwinIR-light", "RRDB", "timm"}
    few = {name: every[name] for name in every if name.startswith("RRDB")}
    monkeypatch.setattr(foreign, "networks", lambda **_: few)
    run.main(["--tiny", "--only", "foreign", "--out", str(tmp_path / "all")])
    record = json.loads((tmp_path / "all.json").read_text("utf-8"))
    assert [ratio["target"] for ratio in record["ratios"]] == ["<= 1.1", "<= 2.0"]


def test_what_is_not_reached_is_said(run):
    common, table = (importlib.import_module(name) for name in ("common", "table"))
    results = common.Results()
    slow, fast = (common.Timing(job="work", who=w, rounds=r) for w, r in SIDE_BY_SIDE)
    for target in (">= 10", ">= 8", "<= 5", ""):
        results.compare(slow, fast, target)
    assert [ratio.value for ratio in results.ratios] == [9.0] * 4
    assert [ratio.holds for ratio in results.ratios] == [False, True, False, None]
    about = dict.fromkeys(
        ["processor", "cores", "threads", "python", "torch", "numpy", "numba", "scikit-learn",
         "openTSNE"], "x",
    )  # fmt: skip
    ratios = [{**vars(r), "value": r.value, "holds": r.holds} for r in results.ratios]
    record = {"machine": about, "idle": True, "seconds": {"a": 60.0}, "ratios": ratios}
    page = table.as_markdown({**record, "timings": [], "facts": []})
    assert "| work | peer / srscope | 9 | 8 to 10 | ≥ 10 | **not reached** |" in page
    assert "not results" not in page


SIDE_BY_SIDE = (("peer", [8.0, 20.0, 9.0]), ("srscope", [1.0, 2.0, 1.0]))


def test_contestants_take_turns(run):
    common = importlib.import_module("common")
    order: list[str] = []
    contestants = {name: lambda name=name: order.append(name) for name in "ab"}
    taken = common.take_turns(contestants, rounds=2, before=lambda: order.append("-"))
    assert "".join(order) == "-a-b-a-b-a-b"  # the first round warms up
    assert [len(seconds) for seconds in taken.values()] == [2, 2]


@pytest.mark.slow
def test_training_is_compared_with_a_plain_loop(run, tmp_path, monkeypatch, capsys):
    training = importlib.import_module("training")
    out = tmp_path / "training.json"
    words = ["--rounds", "1", "--iterations", "2", "--patches", "8", "--threads", "1", "--out"]
    threads = torch.get_num_threads()
    monkeypatch.setattr(sys, "argv", ["training.py", *words, str(out)])
    monkeypatch.setattr(training, "settled_load", lambda: 9.0)
    try:
        training.main()
    finally:
        torch.set_num_threads(threads)
    record = json.loads(out.read_text("utf-8"))
    assert record["idle"] is False
    (one,) = record["throughput"]
    assert one["ratio"] == one["plain"] / one["srscope"]
    assert one["srscope_loss"] == pytest.approx(one["plain_loss"], rel=0.05)
    # SRResNet by hand: a forward pass, and twice as much backward but for the image's gradient.
    body, tail, last = 32 * 64 * 64 * 9, 64 * 256 * 9 * 5 + 64 * 64 * 9 * 16, 64 * 3 * 9 * 16
    first = 3 * 64 * 9
    assert one["operations"] == 2 * 8 * 8 * 8 * (3 * (body + tail + last) + 2 * first)
    assert "of a matrix product's speed" in capsys.readouterr().out


def test_a_load_that_falls_is_waited_for(run, monkeypatch):
    common = importlib.import_module("common")
    loads = iter([2.0, 1.0, 0.4])
    monkeypatch.setattr(common, "load_average", lambda: next(loads))
    slept = []
    monkeypatch.setattr(common.time, "sleep", slept.append)
    assert common.settled_load() == 0.4
    assert len(slept) == 2
    monkeypatch.setattr(common, "load_average", lambda: 3.0)
    assert common.settled_load(patience=0) == 3.0
    monkeypatch.setattr(common, "load_average", lambda: None)
    assert common.settled_load() is None
    assert [common.is_idle(load) for load in (None, 0.4, 3.0)] == [None, True, False]


def test_a_program_that_fails_is_shown(run):
    common = importlib.import_module("common")
    with pytest.raises(SystemExit, match="no such thing"):
        common.output_of([sys.executable, "-c", "raise SystemExit('no such thing')"])


def test_a_part_that_fails_costs_only_itself(run, tmp_path, monkeypatch):
    def fails(*_, **__):
        raise KeyError("a part")

    monkeypatch.setattr(run.stages, "embedding", fails)
    with pytest.raises(KeyError):
        run.main(["--tiny", "--only", "reduction", "embedding", "--out", str(tmp_path / "all")])
    record = json.loads((tmp_path / "all.json").read_text("utf-8"))
    assert list(record["seconds"]) == ["reduction"]
    assert "srscope pca" in (tmp_path / "all.md").read_text("utf-8")


def test_time_and_memory_are_drawn_against_size(run, tmp_path):
    plots, size = (importlib.import_module(name) for name in ("plots", "size"))
    times = {"extraction": 9.0, "pca": 2.0, "pca_finish": 1.0, "t-SNE": 3.0}
    measured = [
        {"samples": count, "width": 64, "peak_bytes": 1e9 + 5e3 * count, **times, "measured": True}
        for count in (100, 200)
    ]
    guess = size._extrapolated(measured, 400)
    assert guess["extraction"] == 18.0
    assert guess["peak_bytes"] == 1e9 + 5e3 * 400
    about = {"processor": "a processor", "cores": 2}
    plots.size_plot([*measured, {**guess, "measured": False}], about, tmp_path / "size")
    assert {path.name for path in tmp_path.iterdir()} == {"size.png", "size.svg"}
