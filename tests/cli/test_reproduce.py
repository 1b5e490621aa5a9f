"""``srscope reproduce`` on the command line: what it prints, and its exit codes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from srscope.cli.main import main
from srscope.reproduction import reproduce as module
from srscope.reproduction.experiment import Experiment
from support.experiments import failing, needing, planted

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    original = module.reproduce

    def command(experiments: list[Experiment], *words: str) -> tuple[int, str, str]:
        def planted_ones(ids, **options):
            return original(ids, experiments=experiments, **options)

        monkeypatch.setattr(module, "reproduce", planted_ones)
        fixed = ["--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache"), "--jobs", "1"]
        code = main(["reproduce", *words, *fixed])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


def test_it_prints_the_verdicts_and_ends_with_the_report(run: Run, tmp_path: Path) -> None:
    code, out, err = run([planted("fig2b")], "--quiet")
    assert code == 0
    assert err == ""
    lines = out.splitlines()
    assert lines[-1] == str(tmp_path / "out" / "report.html")
    told = "1 of the 1 judged holds, 0 do not hold, 0 are inconclusive, 17 not run"
    assert lines[-3] == f"First edition: {told}"
    assert lines[-2] == "Second edition: no claim was judged, 18 not run"
    assert any("C3" in line and "holds" in line for line in lines)


def test_ids_may_be_apart_or_joined_by_commas(run: Run, tmp_path: Path) -> None:
    these = [planted("fig1"), planted("fig7"), planted("fig8"), planted("fig9")]
    assert run(these, "fig1,fig8", "fig9", "--quiet")[0] == 0
    names = sorted(path.stem for path in (tmp_path / "out" / "tables").glob("*.csv"))
    assert names == ["fig1", "fig8", "fig9"]


def test_help_calls_no_argument_required(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["reproduce", "--help"])
    assert ended.value.code == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert (
        "ID ... experiments, such as fig7; second for those of the second edition [all]" in printed
    )
    assert "required" not in printed


def test_an_unknown_id_is_one_line(run: Run) -> None:
    code, out, err = run([planted("fig7")], "fgi7", "--quiet")
    assert (code, out) == (2, "")
    assert err == "srscope: unknown experiment 'fgi7'; did you mean 'fig7'?\n"


def test_left_out_is_said_and_failed_ends_with_2(run: Run) -> None:
    these = [planted("fig2b"), needing("fig11", "no-such"), failing("fig3")]
    code, out, err = run(these, "--quiet")
    assert code == 2
    assert err.splitlines() == [
        "srscope: fig11 is left out: it needs no-such",
        "srscope: fig3 failed: CHI of nothing is undefined: there is nothing",
    ]
    assert "1 of the 1 judged holds" in out


def test_a_fault_of_ours_ends_with_1_and_its_traceback(run: Run) -> None:
    code, _, err = run([failing("fig3", fault=True), planted("fig2b")], "--quiet")
    assert code == 1
    assert "Traceback" in err
    assert err.splitlines()[-1] == "srscope: fig3 failed: KeyError: 'a fault of ours'"


def test_progress_is_shown_unless_quiet(run: Run) -> None:
    assert "experiments" in run([planted("fig2b")])[2]
