"""Fig. 10 and Fig. S4 on tiny networks: evidence for C13, tables, figures, nothing done twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from srscope.reproduction.claims import CLAIMS, judge
from srscope.reproduction.evidence import content_key
from srscope.reproduction.experiments.feature_maps import FIG10, FIGS4, NETWORKS
from srscope.reproduction.lab import Lab
from srscope.reproduction.records import Finding
from support.labs import CONTENTS, tiny_lab

Found = tuple[Lab, Path, Finding, Finding]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    folder = tmp_path_factory.mktemp("lab")
    lab = tiny_lab(folder)
    assert not FIG10.missing(lab)
    return lab, folder, FIG10.run(lab, folder), FIGS4.run(lab, folder)


def test_evidence_is_what_c13_needs(found: Found) -> None:
    finding = found[2]
    assert set(finding.evidence) == {content_key(name) for name in NETWORKS}
    for estimate in finding.evidence.values():
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
        assert len(estimate.samples) == 1000
    (c13,) = [claim for claim in CLAIMS if claim.id == "C13"]
    assert judge(c13, finding.evidence).verdict in ("holds", "does not hold", "inconclusive")


def test_figures_are_written_in_three_formats(found: Found) -> None:
    _, folder, fig10, figs4 = found
    assert fig10.figures == ("fig10",)
    assert figs4.figures == tuple(f"figs4-{name}" for name in NETWORKS)
    for name in (*fig10.figures, *figs4.figures):
        for suffix in ("png", "svg", "pdf"):
            assert (folder / f"{name}.{suffix}").stat().st_size > 5000


def test_tables_hold_layers_and_channels(found: Found) -> None:
    _, _, fig10, figs4 = found
    layers, channels = fig10.tables
    for row in layers.rows:
        assert len(row) == len(layers.columns)
    by_name = {row[0]: row[1] for row in layers.rows}
    estimate = fig10.evidence[content_key("srgan-wgr")]
    assert by_name["SRGAN-wGR"] == pytest.approx(estimate.value)
    assert len(channels.rows) == 4 * 4  # the tiny networks have 4 channels
    assert figs4.tables[0].rows == channels.rows
    for name in by_name:
        mine = [row for row in channels.rows if row[0] == name]
        assert [row[1] for row in mine] == [1, 2, 3, 4]
        assert sorted(int(row[2] or 0) for row in mine) == [0, 1, 2, 3]
        shares = [float(row[3] or 0) for row in mine]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) == pytest.approx(1)
    share = f"{100 * (CONTENTS - 1) / (3 * CONTENTS - 1):.0f}"
    assert f"noise would show {share}" in fig10.notes[0].replace("\N{NO-BREAK SPACE}", " ")


def test_a_second_run_recomputes_nothing(found: Found) -> None:
    lab, folder, first, _ = found
    before = lab.stages.computed
    again = FIG10.run(lab, folder)
    assert lab.stages.computed == before
    assert again.tables == first.tables
