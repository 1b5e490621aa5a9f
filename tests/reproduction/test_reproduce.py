"""The orchestrator: what is run, what is left out, what is written, what failures do."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import srscope
from srscope.errors import FileProblem, ParameterError, UnknownNameError
from srscope.reproduction.claims import CLAIMS
from srscope.reproduction.experiments import EXPERIMENTS
from srscope.reproduction.records import Finding
from srscope.reproduction.reproduce import choose, merged_evidence, reproduce
from support.experiments import estimate, failing, needing, planted
from support.tiny import tiny_checkpoint

ROOT = Path(__file__).parents[2]


def run(folder: Path, *experiments, ids=(), **options):
    return reproduce(
        ids, out=folder / "out", cache=folder / "cache", experiments=experiments,
        **{"jobs": 1, **options},
    )  # fmt: skip


def test_everything_is_written(tmp_path: Path) -> None:
    done = run(tmp_path, planted("fig2b"))
    out = tmp_path / "out"
    names = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()}
    assert names == {
        "figures/fig2b.png", "figures/fig2b.svg", "figures/fig2b.pdf", "tables/fig2b.csv",
        "tables/fig2b.json", "findings.json", "scorecard.json", "scorecard-second.json",
        "scorecard.md", "report.html",
    }  # fmt: skip
    assert done.exit_code == 0
    assert done.findings[0].figures == ("figures/fig2b",)
    rows = list(csv.reader((out / "tables/fig2b.csv").open()))
    assert rows == [
        ["layer", "here", "paper"],
        ["ResBlock16", "600.0", "626.0"],
        ["<b>Conv1", "", ""],
    ]
    table = json.loads((out / "tables/fig2b.json").read_text())
    assert table["rows"] == [["ResBlock16", 600.0, 626.0], ["<b>Conv1", None, None]]
    found = json.loads((out / "findings.json").read_text())
    assert found["schema"] == "srscope.findings/1"
    (entry,) = found["experiments"]
    (number,) = entry["evidence"].values()
    assert number["low"] < number["value"] == 600.0 < number["high"]
    assert entry["figures"] == ["figures/fig2b"]
    assert entry["tables"] == ["fig2b"]


def test_what_an_earlier_run_left_and_the_page_does_not_show_goes(tmp_path: Path) -> None:
    both = (planted("fig2b"), planted("fig7"))
    run(tmp_path, *both)
    out = tmp_path / "out"
    (out / "figures/mine.png").write_text("x")
    found = json.loads((out / "findings.json").read_text())
    found["experiments"][0]["figures"] += ["figures/../mine", "../mine"]  # is obeyed for ours only
    (out / "findings.json").write_text(json.dumps(found))
    for path in (out / "mine.png", tmp_path / "mine.png"):
        path.write_text("x")
    run(tmp_path, *both, ids=["fig7"])
    names = {str(p.relative_to(tmp_path)) for p in tmp_path.glob("**/*.*")}
    left = {name for name in names if not name.startswith("cache/")}
    assert left == {
        "mine.png", "out/mine.png", "out/figures/mine.png", "out/figures/fig7.png",
        "out/figures/fig7.svg", "out/figures/fig7.pdf", "out/tables/fig7.csv",
        "out/tables/fig7.json", "out/findings.json", "out/scorecard.json",
        "out/scorecard-second.json", "out/scorecard.md",
        "out/report.html",
    }  # fmt: skip


def test_scorecard_keeps_its_contract(tmp_path: Path) -> None:
    run(tmp_path, planted("fig2b", chi=600.0))
    card = json.loads((tmp_path / "out/scorecard.json").read_text())
    assert [entry["id"] for entry in card] == [f"C{n}" for n in range(1, 19)]
    for entry in card:
        assert set(entry) == {
            "id", "claim", "where", "criterion", "measured", "interval", "paper", "verdict", "why",
        }  # fmt: skip
    c3 = next(entry for entry in card if entry["id"] == "C3")
    assert c3["verdict"] == "holds"
    low, high = c3["interval"]
    assert low < 600 < high
    assert {e["verdict"] for e in card if e["id"] != "C3"} == {"not run"}


def test_the_verdict_follows_what_was_planted(tmp_path: Path) -> None:
    run(tmp_path, planted("fig2b", chi=2.0))
    card = json.loads((tmp_path / "out/scorecard.json").read_text())
    assert next(e for e in card if e["id"] == "C3")["verdict"] == "does not hold"


def test_markdown_has_a_row_a_claim(tmp_path: Path) -> None:
    run(tmp_path, planted("fig2b"))
    text = (tmp_path / "out/scorecard.md").read_text()
    assert "1 of the 1 judged holds, 0 do not hold, 0 are inconclusive, 17 not run" in text
    for claim in CLAIMS:
        assert f"| **{claim.id}** {claim.text} |" in text
        assert f"- **{claim.id}**: {claim.criterion}." in text


def test_chosen_ids_are_run_in_the_papers_order(tmp_path: Path) -> None:
    these = (planted("fig1"), planted("fig7"), planted("fig8"))
    done = run(tmp_path, *these, ids=("fig8", "fig1", "fig8"))
    assert [finding.id for finding in done.findings] == ["fig1", "fig8"]


def test_unknown_id_suggests() -> None:
    with pytest.raises(UnknownNameError, match="unknown experiment 'fig77'; did you mean 'fig7'"):
        choose(["fig77"], [planted("fig7"), planted("fig8")])


def test_an_experiment_without_its_network_is_left_out(tmp_path: Path) -> None:
    done = run(tmp_path, planted("fig2b"), needing("fig11", "srresnet-wgr", "no-such-network"))
    assert [finding.id for finding in done.findings] == ["fig2b"]
    assert [(each.id, each.networks) for each in done.left_out] == [("fig11", ("no-such-network",))]
    assert done.exit_code == 0
    assert "no-such-network" in (tmp_path / "out/report.html").read_text()


def test_a_failure_does_not_stop_the_others(tmp_path: Path) -> None:
    done = run(tmp_path, failing("fig1"), planted("fig2b"))
    assert [finding.id for finding in done.findings] == ["fig2b"]
    (failure,) = done.failures
    assert failure.problem == "CHI of nothing is undefined: there is nothing"
    assert done.exit_code == 2
    assert "CHI of nothing is undefined" in (tmp_path / "out/report.html").read_text()
    found = json.loads((tmp_path / "out/findings.json").read_text())
    assert found["failed"][0]["id"] == "fig1"


def test_a_fault_of_ours_does_not_stop_the_others_either(tmp_path: Path) -> None:
    done = run(tmp_path, failing("fig1", fault=True), planted("fig2b"))
    assert done.exit_code == 1
    assert len(done.findings) == 1
    assert "KeyError" in done.failures[0].problem
    assert "Traceback" in done.failures[0].details


def test_a_figure_that_was_not_written_is_a_fault(tmp_path: Path) -> None:
    liar = planted("fig2b")
    done = run(
        tmp_path,
        type(liar)(
            id="fig1", title="", where="", networks=(),
            measure=lambda lab, folder: Finding(figures=("fig1",)),
        ),
    )  # fmt: skip
    assert "fig1.png was not written" in done.failures[0].problem


def test_processes_find_the_same_and_the_cache_saves_the_work(tmp_path: Path) -> None:
    these = [planted("fig2b"), planted("fig8"), needing("fig11", "none"), failing("fig3")]
    apart, together = tmp_path / "a", tmp_path / "b"
    seen: list[tuple[str, int, int]] = []
    first = run(apart, *these, jobs=2, progress=lambda *step: seen.append(step))
    run(together, *these, jobs=1)
    assert seen == [("experiments", n, 3) for n in (1, 2, 3)]
    assert [finding.id for finding in first.findings] == ["fig2b", "fig8"]
    assert [failure.id for failure in first.failures] == ["fig3"]
    for name in ("scorecard.json", "findings.json", "tables/fig8.csv", "figures/fig8.svg"):
        assert (apart / "out" / name).read_bytes() == (together / "out" / name).read_bytes()
    kept = sorted((apart / "cache").rglob("*.npz"))
    findings = [path for path in kept if path.name.startswith("finding-")]
    assert len(findings) == 2
    assert len(kept) - len(findings) == 1  # a stage that both experiments share
    before = [path.stat().st_mtime_ns for path in kept]
    run(apart, *these, jobs=2)
    assert [path.stat().st_mtime_ns for path in kept] == before


def test_the_cache_is_with_the_data_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SRSCOPE_DATA", str(tmp_path / "data"))
    reproduce(out=tmp_path / "out", experiments=[planted("fig2b")], jobs=1)
    assert list((tmp_path / "data" / "analyses").rglob("*.npz"))


def test_the_same_evidence_twice_is_fine_and_a_clash_is_told() -> None:
    def finding(name: str, value: float) -> Finding:
        return Finding(id=name, title="", where="", evidence={"chi/a": estimate(value)})

    evidence, failures = merged_evidence([finding("fig7", 3.0), finding("s2", 3.0)])
    assert failures == []
    assert evidence["chi/a"].value == 3.0
    evidence, failures = merged_evidence([finding("fig7", 3.0), finding("s2", 4.0)])
    assert evidence["chi/a"].value == 3.0
    assert failures[0].problem == "measures chi/a as 4, but fig7 as 3, which is kept"
    assert failures[0].details


def test_own_networks_must_bear_names_that_are_used(tmp_path: Path) -> None:
    experiment = needing("fig7", "srresnet-wgr")
    with pytest.raises(FileProblem, match="is no folder"):
        run(tmp_path, experiment, networks=tmp_path / "absent")
    folder = tmp_path / "networks"
    folder.mkdir()
    tiny_checkpoint(folder / "mine.safetensors")
    with pytest.raises(FileProblem, match=r"name them like srresnet-wgr\.safetensors"):
        run(tmp_path, experiment, networks=folder)
    (folder / "mine.safetensors").rename(folder / "srresnet-wgr.safetensors")
    done = run(tmp_path, experiment, networks=folder)
    (used,) = done.networks
    assert (used.name, used.source) == ("srresnet-wgr", "checkpoint srresnet-wgr.safetensors")
    findings = json.loads((done.out / "findings.json").read_text("utf-8"))
    assert findings["networks"]["srresnet-wgr"]["sha256"] == used.sha256


def test_images_that_are_not_there_stop_it_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="absent"):
        run(tmp_path, planted("fig2b"), images=tmp_path / "absent")
    assert not (tmp_path / "out").exists()


def test_numbers_out_of_range_stop_it_at_once(tmp_path: Path) -> None:
    for name, value in {"jobs": 0, "contents": 1, "runs": 0, "seed": -1}.items():
        with pytest.raises(ParameterError, match=name):
            run(tmp_path, planted("fig2b"), **{name: value})


def test_the_registry_has_each_id_once_and_names_that_exist() -> None:
    ids = [experiment.id for experiment in EXPERIMENTS]
    assert len(ids) == len(set(ids))
    for experiment in EXPERIMENTS:
        assert experiment.title
        assert experiment.where
        assert experiment.id.replace("-", "").isalnum()


def test_the_how_to_lists_every_experiment() -> None:
    page = (ROOT / "docs" / "how-to" / "reproduce.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `") and "/" not in line]
    rows = [row for row in rows if not row.split("`")[1].endswith((".html", ".json"))]
    assert rows == [f"| `{e.id}` | {e.title} | {e.where} |" for e in EXPERIMENTS]


def test_reproduce_is_public() -> None:
    assert srscope.reproduce is reproduce


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_interrupt_ends_it_cleanly(tmp_path: Path) -> None:
    """Ctrl-C in a terminal reaches every process of the group; none may cry or stay.

    People press it more than once, and the second is not to cut short what the first set going.
    """
    script = f"""
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite in the background ignores it
from srscope.cli import main as cli
from srscope.reproduction import reproduce as module
from support.experiments import slow
these = [slow("fig1"), slow("fig2")]
original = module.reproduce
module.reproduce = lambda ids, **options: original(ids, experiments=these, **options)
sys.argv = ["srscope", "reproduce", "--jobs", "2", "--out", r"{tmp_path / "out"}",
            "--cache", r"{tmp_path / "cache"}", "--quiet"]
sys.exit(cli.main())
"""
    tests = Path(__file__).resolve().parents[1]
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(tests)},
    )  # fmt: skip
    figures, started = tmp_path / "out" / "figures", time.monotonic()
    while len(list(figures.glob("*.begun"))) < 2 and time.monotonic() < started + 240:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.2)
    for pause in (0.02, 0.2, 0.0):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(pause)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    said, *others = errors.splitlines()
    assert said == "srscope: interrupted"
    # What loky starts to clean up after it may warn, and nothing else may say anything.
    assert [each for each in others if "resource_tracker" not in each] in ([], ["  warnings.warn("])
    ended = time.monotonic()
    while _alive(process.pid) and time.monotonic() < ended + 20:
        time.sleep(0.1)
    assert not _alive(process.pid)
    assert not (tmp_path / "out" / "report.html").exists()
