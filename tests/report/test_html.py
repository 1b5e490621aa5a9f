from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from srscope.report import markup
from srscope.report.html import parted, render, write_report
from support import studies
from support.markup import Balanced, assert_admits_only_its_own


def test_the_file_is_whole_and_refers_to_nothing_outside() -> None:
    page = Balanced()
    page.feed(render(studies.make(contents=5)))
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    for source in page.sources:
        assert source.startswith("data:") or source[1:] in page.ids
    # Inline handlers and styles would be refused by the policy.
    assert page.handlers == []


def test_the_policy_admits_exactly_our_style_and_script() -> None:
    assert_admits_only_its_own(render(studies.make(contents=5)))


def test_the_embedded_data_can_be_read_back_and_holds_no_tag() -> None:
    record = studies.make(contents=["</script><!--", "b", "c"])
    report = render(record)
    data = report.partition('id="data">')[2].partition("</script>")[0]
    assert "<" not in data
    assert json.loads(data)["contents"][0] == "</script><!--"


def test_everything_needed_for_a_citation_is_there() -> None:
    report = render(studies.make(contents=5))
    for part in ("arXiv:2108.00406", "3f" * 32, "tsne.perplexity", "2.14.1", "the LR image"):
        assert part in report


def test_the_verdict_stands_above_with_its_findings() -> None:
    record = studies.make(contents=3)
    assert record.verdict is not None
    report = render(record)
    assert record.verdict.kind == "undecided"
    assert report.count("What would decide it?") == 1
    assert record.verdict.would_decide is not None
    told = [record.verdict.would_decide, *(f.question for f in record.verdict.findings)]
    assert [part for part in told if markup.prose(part) not in report] == []
    headline, detail = parted(record.verdict.headline)
    assert f'<h1 id="headline">{markup.prose(headline)}</h1>' in report
    assert f"<p>{markup.prose(detail)}</p>" in report
    assert render(dataclasses.replace(record, verdict=None)) == report
    decided = render(studies.make(contents=20))
    assert "What would decide it?" not in decided


def test_a_control_that_was_not_run_is_said() -> None:
    record = studies.make(contents=5)
    said = "The untrained control was not run."
    assert said not in render(record)
    assert said in render(dataclasses.replace(record, untrained=()))


def test_dollar_signs_and_odd_characters_in_names_survive() -> None:
    record = studies.make(contents=["$style ${x} $$", "\udcff\x07", "c"], network="$network")
    report = render(record)
    assert "<b>$network</b>" in report
    assert "$style ${x} $$" in report
    report.encode("utf-8")


def test_a_study_of_the_size_of_the_demo_stays_small(tmp_path: Path) -> None:
    record = studies.make(layers=17, contents=100, sets=("clean", "blur", "noise"))
    # Noise in every patch: nothing compresses worse.
    record.inputs.patches_NHW3[:] = np.random.default_rng(0).integers(
        0, 256, record.inputs.patches_NHW3.shape
    )
    write_report(record, tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < 4_000_000


def test_equal_studies_give_equal_reports() -> None:
    assert render(studies.make(contents=4)) == render(studies.make(contents=4))


def test_a_failed_report_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise OSError("disk full")

    monkeypatch.setattr("srscope.report.tables.scores", fail)
    with pytest.raises(OSError, match="disk full"):
        write_report(studies.make(contents=4), tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []
