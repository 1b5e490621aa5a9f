"""Figures 4, 5, S5, S7 and S8: evidence, tables and figures of the labelled images."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from srscope.networks.architectures.resnet import ResNet18, ResNetConfig
from srscope.networks.architectures.unified import (
    UnifiedClassifier,
    UnifiedClassifierConfig,
    UnifiedConfig,
    UnifiedSR,
)
from srscope.reproduction import claims
from srscope.reproduction.evidence import chi_key
from srscope.reproduction.experiment import Experiment
from srscope.reproduction.experiments import fig4, fig5, figs8, labelled, unified
from srscope.reproduction.lab import Lab
from srscope.reproduction.records import Estimate, Finding
from srscope.scores.separability import separability
from support.labs import save_network, tiny_lab

ALL: tuple[Experiment, ...] = (
    fig4.EXPERIMENT,
    fig5.EXPERIMENT,
    *unified.EXPERIMENTS,
    figs8.EXPERIMENT,
)
EACH = 12
"""Images a class, and contents of photographs: fewer than 11 are too few for perplexity 30."""
RUNS = 2
Found = tuple[Lab, Path, Mapping[str, Finding]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    folder = tmp_path_factory.mktemp("class-experiments")
    lab = tiny_lab(folder, runs=RUNS)
    networks = Path(lab.config.networks)
    torch.manual_seed(7)
    save_network(networks, "resnet18", ResNet18(ResNetConfig(channels=4)))
    small = {"blocks": 4, "channels": 4, "reduction": 2}
    classifier = UnifiedClassifier(UnifiedClassifierConfig(**small))
    save_network(networks, "unified-classifier", classifier)
    save_network(networks, "unified-sr", UnifiedSR(UnifiedConfig(**small)))
    lab = dataclasses.replace(lab, config=dataclasses.replace(lab.config, contents=EACH))
    out = folder / "out"
    return lab, out, {each.id: each.run(lab, out) for each in ALL}


def rows_of(finding: Finding, table: int = 0) -> list[dict[str, object]]:
    printed = finding.tables[table]
    return [dict(zip(printed.columns, row, strict=True)) for row in printed.rows]


@pytest.mark.parametrize("experiment", ALL, ids=lambda e: e.id)
def test_a_finding_has_its_figures_and_whole_tables(found: Found, experiment: Experiment) -> None:
    finding = found[2][experiment.id]
    named = (experiment.id, experiment.title, experiment.where)
    assert (finding.id, finding.title, finding.where) == named
    assert finding.figures
    for figure in finding.figures:
        for suffix in ("png", "svg", "pdf"):
            assert (found[1] / f"{figure}.{suffix}").stat().st_size > 2000
    for table in finding.tables:
        assert len(set(table.columns)) == len(table.columns)
        assert table.rows
    assert f"{EACH} a class" in finding.notes[0]


def test_the_claims_find_what_they_ask_for(found: Found) -> None:
    evidence: dict[str, Estimate] = {}
    for finding in found[2].values():
        assert not evidence.keys() & finding.evidence.keys() or finding.id == "figs8"
        evidence.update(finding.evidence)
    by_id = {claim.id: claim for claim in claims.CLAIMS}
    for name in ("C4", "C5", "C15", "C16"):
        assert "was not measured" not in claims.judge(by_id[name], evidence).why, name


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("fig4", ["Conv1", "Conv2_4", "Conv3_4", "Conv4_4", "Conv5_4"]),
        ("figs5", ["Conv1", "Down1", "Down2", "Down3", "Down4"]),
    ],
)
def test_a_classifier_is_scored_by_class_layer_by_layer(
    found: Found, name: str, labels: list[str]
) -> None:
    lab, _, findings = found
    rows = rows_of(findings[name])
    assert [row["layer"] for row in rows] == [*labels, labels[-1], "raw pixels"]
    kinds = ["network"] * 5 + ["untrained", "raw pixels"]
    assert [row["features of"] for row in rows] == kinds
    assert [row["paper CHI"] is None for row in rows] == [False] * 5 + [True] * 2
    network = str(rows[0]["network"])
    layer = lab.layers(network, labels[-1:], lab.spec("clean", source="digits"))[0]
    class_N = layer.images.class_N
    assert class_N is not None
    assert np.bincount(class_N).tolist() == [EACH] * 10
    every = [separability(points, class_N) for points in lab.maps([layer])[0].points_RND]
    assert rows[4]["WD"] == pytest.approx(np.mean([s.wd for s in every]))
    assert rows[4]["BD std"] == pytest.approx(np.std([s.bd for s in every], ddof=1))
    assert rows[4]["CHI"] == pytest.approx(np.mean([s.chi for s in every]))
    key = chi_key(network, labels[-1], "clean", by="class", source="digits")
    assert findings[name].evidence[key].value == rows[4]["CHI"]


def test_layers_are_scored_both_ways_on_labelled_images(found: Found) -> None:
    lab, _, findings = found
    rows = rows_of(findings["fig5"])
    networks = ["resnet18", "srresnet-wgr", "srgan-wgr", None]
    assert [row["network"] for row in rows] == networks
    layer = lab.layers("srgan-wgr", ("ResBlock16",), labelled.labelled_spec(lab))[0]
    points_RN2 = lab.maps([layer])[0].points_RND
    assert layer.images.class_N is not None
    for by, labels_N in (("degradation", layer.images.set_N), ("class", layer.images.class_N)):
        expected = np.mean([separability(points, labels_N).chi for points in points_RN2])
        assert rows[2][f"CHI by {by}"] == pytest.approx(expected)
    for by in ("set", "class"):
        key = chi_key("srgan-wgr", "ResBlock16", by=by, source="digits")
        column = {"set": "degradation", "class": "class"}[by]
        assert findings["fig5"].evidence[key].value == rows[2][f"CHI by {column}"]


def test_points_of_legible_images_are_scored_apart(found: Found) -> None:
    lab, _, findings = found
    row = rows_of(findings["fig5"], table=1)[0]
    layer = lab.layers("resnet18", ("Conv5_4",), labelled.labelled_spec(lab))[0]
    names = [each.name for each in layer.images.suite.sets]
    legible_N = layer.images.set_N != names.index("blur")
    assert layer.images.class_N is not None
    assert legible_N.sum() == 2 * EACH * 10
    for by, labels_N in (("degradation", layer.images.set_N), ("class", layer.images.class_N)):
        every = [
            separability(points[legible_N], labels_N[legible_N]).chi
            for points in lab.maps([layer])[0].points_RND
        ]
        assert row[f"CHI by {by}"] == pytest.approx(np.mean(every))


def test_labelled_images_in_three_sets_stay_few() -> None:
    assert labelled.EACH * 10 * 3 <= 1000


def test_the_deepest_layer_of_the_unified_network_has_a_name_of_its_own(found: Found) -> None:
    evidence = found[2]["figs7"].evidence
    assert evidence[chi_key("unified-sr", "deepest")] is evidence[chi_key("unified-sr", "Block4")]
    assert chi_key("unified-sr", "deepest", by="class", source="digits") in evidence
    kinds = [row["features of"] for row in rows_of(found[2]["figs7"])]
    assert kinds == ["network"] * 4 + ["untrained"] * 4 + ["raw pixels"]


def test_reductions_by_method_and_dimensions(found: Found) -> None:
    lab, _, findings = found
    rows = rows_of(findings["figs8"])
    methods = [(str(row["method"])[-5:], row["dimensions"]) for row in rows]
    assert methods == [("t-SNE", 2), ("t-SNE", 3), *(("PCA", d) for d in (2, 3, 4, 5))]
    assert [row["CHI std"] is None for row in rows] == [False] * 2 + [True] * 4
    assert [row["paper CHI"] for row in rows][::3] == [1688.62, 562.85]
    layer = lab.layers("resnet18", ("Conv5_4",), lab.spec("clean", source="digits"))[0]
    assert layer.images.class_N is not None
    chi = separability(layer.points_NC[:, :4], layer.images.class_N).chi
    assert rows[4]["CHI"] == pytest.approx(chi, rel=1e-4)
    key = chi_key("resnet18", "Conv5_4", "clean", by="class", source="digits", variant="pca4")
    assert findings["figs8"].evidence[key].value == rows[4]["CHI"]
    flat = chi_key("resnet18", "Conv5_4", "clean", by="class", source="digits")
    assert findings["figs8"].evidence[flat] == findings["fig4"].evidence[flat]


def test_a_second_run_computes_nothing(found: Found) -> None:
    lab, out, findings = found
    before = lab.stages.computed
    again = fig5.EXPERIMENT.run(lab, out)
    assert lab.stages.computed == before
    assert again.evidence == findings["fig5"].evidence
    assert again.tables == findings["fig5"].tables
