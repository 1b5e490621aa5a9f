"""Figures 2, 7, 8, 9 and what the supplement varies: evidence, tables and figures are complete."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from srscope.reproduction import claims, paper
from srscope.reproduction.conditions import PATCHES, TSNE_VARIANTS
from srscope.reproduction.evidence import DEEPEST, DEPTHS, chi_key
from srscope.reproduction.experiment import Experiment
from srscope.reproduction.experiments import (
    by_depth,
    clusters,
    datasets,
    degrees,
    patch_size,
    tsne_parameters,
)
from srscope.reproduction.lab import Lab
from srscope.reproduction.records import Estimate, Finding
from srscope.scores.separability import separability
from support.labs import CONTENTS, tiny_lab

ALL: tuple[Experiment, ...] = (
    *clusters.EXPERIMENTS,
    *by_depth.EXPERIMENTS,
    degrees.EXPERIMENT,
    datasets.EXPERIMENT,
    patch_size.EXPERIMENT,
    tsne_parameters.EXPERIMENT,
)
Found = tuple[Lab, Path, Mapping[str, Finding]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    folder = tmp_path_factory.mktemp("sr-experiments")
    lab = tiny_lab(folder)
    out = folder / "out"
    return lab, out, {experiment.id: experiment.run(lab, out) for experiment in ALL}


def rows_of(finding: Finding, table: int = 0) -> list[dict[str, object]]:
    found = finding.tables[table]
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


@pytest.mark.parametrize("experiment", ALL, ids=lambda e: e.id)
def test_a_finding_has_its_figures_and_whole_tables(found: Found, experiment: Experiment) -> None:
    _, out, findings = found
    finding = findings[experiment.id]
    assert (finding.id, finding.title, finding.where) == (
        experiment.id,
        experiment.title,
        experiment.where,
    )
    for figure in finding.figures:
        for suffix in ("png", "svg", "pdf"):
            assert (out / f"{figure}.{suffix}").stat().st_size > 2000
    assert finding.figures
    for table in finding.tables:
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.columns)}
        assert len(set(table.columns)) == len(table.columns)


def test_the_claims_find_what_they_ask_for(found: Found) -> None:
    evidence: dict[str, Estimate] = {}
    for finding in found[2].values():
        evidence.update(finding.evidence)
    by_id = {claim.id: claim for claim in claims.CLAIMS}
    for name in ("C2", "C3", "C6", "C7", "C8", "C9", "C10", "C11", "C12", "C17", "C18"):
        judged = claims.judge(by_id[name], evidence)
        assert "was not measured" not in judged.why, name


def test_the_scores_of_a_layer_are_those_of_its_maps(found: Found) -> None:
    lab, _, findings = found
    spec = lab.spec()
    maps = lab.maps(lab.layers("srresnet-wgr", ("ResBlock8",), spec))[0]
    scores = [separability(p, maps.layer.images.set_N) for p in maps.points_RND]
    rows = [
        row
        for row in rows_of(findings["fig7"])
        if (row["network"], row["features of"], row["layer"])
        == ("srresnet-wgr", "network", "ResBlock8")
    ]
    assert len(rows) == 1
    assert rows[0]["WD"] == pytest.approx(np.mean([s.wd for s in scores]))
    assert rows[0]["BD std"] == pytest.approx(np.std([s.bd for s in scores], ddof=1))
    assert rows[0]["CHI"] == pytest.approx(np.mean([s.chi for s in scores]))
    assert (rows[0]["paper CHI"], rows[0]["paper WD"]) == (38.21, pytest.approx(44000))
    assert findings["fig7"].evidence[chi_key("srresnet-wgr", "ResBlock8")].value == rows[0]["CHI"]


@pytest.mark.parametrize("name", ["fig7", "fig8"])
def test_a_pair_stands_beside_its_controls(found: Found, name: str) -> None:
    rows = rows_of(found[2][name])
    kinds = [row["features of"] for row in rows]
    assert kinds == ["network"] * 8 + ["untrained"] * 8 + ["raw pixels"]
    assert [row["layer"] for row in rows[:8]] == [*DEPTHS, *DEPTHS]
    assert all((row["paper CHI"] is None) == (row["features of"] != "network") for row in rows)
    assert len({row["CHI"] for row in rows[:8]}) == 8  # no network stands in for another


def test_table_1_is_ours_above_the_papers(found: Found) -> None:
    finding = found[2]["fig9"]
    printed = rows_of(finding)
    assert [row["source"] for row in printed] == ["here", "paper"] * 4
    assert printed[3]["clean-blur-noise"] == "614 (+++)"
    assert printed[3]["noise {5, 10, 30}"] == "36.5 (+)"
    full = rows_of(finding, 1)
    assert len(full) == 20 + 5 + 5
    for row in full[:20]:
        assert row["paper CHI"] == paper.DEGREES[str(row["network"])][str(row["suite"])]
    assert set(finding.evidence) == {
        chi_key(network, DEEPEST, suite) for network in degrees.NETWORKS for suite in degrees.SUITES
    }


def test_cincgan_is_also_scored_where_contents_are_shared(found: Found) -> None:
    finding = found[2]["fig2a"]
    rows = rows_of(finding)
    assert [row["features of"] for row in rows][-2:] == ["untrained", "raw pixels"]
    assert rows[-3]["layer"] == "SR.Block2"
    deepest = finding.evidence[chi_key("cincgan", "deepest", "real")]
    assert deepest.value == rows[-3]["CHI"]
    assert rows[-3]["CHI of mild and noise20"] != rows[-3]["CHI"]


def test_patches_are_of_the_sizes_they_are_said_to_be(found: Found) -> None:
    rows = rows_of(found[2]["patch-size"])
    assert [row["patch"] for row in rows] == [*PATCHES, *PATCHES]
    assert [row["features"] for row in rows[:5]] == [4 * p * p for p in PATCHES]
    assert [row["features"] for row in rows[5:]] == [3 * p * p for p in PATCHES]
    assert {row["contents"] for row in rows} == {CONTENTS}


def test_each_variant_of_tsne_changes_one_thing(found: Found) -> None:
    rows = rows_of(found[2]["tsne-parameters"])
    keys = ("perplexity", "learning rate", "first seed")
    changed = [tuple(row[k] != rows[0][k] for k in keys) for row in rows]
    p, rate, seed = (True, False, False), (False, True, False), (False, False, True)
    assert changed == [(False, False, False), p, p, rate, rate, seed]
    assert len(rows) == 1 + len(TSNE_VARIANTS)
    assert len({row["CHI"] for row in rows}) == len(rows)


def test_every_set_is_listed_with_its_images(found: Found) -> None:
    sets, photographs = (rows_of(found[2]["figs9"], i) for i in (0, 1))
    assert {row["images"] for row in sets} == {CONTENTS}
    assert sum(int(str(row["contents"])) for row in photographs) == 2 * CONTENTS
    assert {row["in the paper"] for row in sets} > {"DIV2K-mild", "Hollywood100", None}


def test_a_second_run_computes_nothing(found: Found) -> None:
    lab, out, findings = found
    before = lab.stages.computed
    again = by_depth.EXPERIMENTS[0].run(lab, out)
    assert lab.stages.computed == before
    assert again.tables == findings["fig7"].tables
