from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from srscope.scores.record import Runs, VarianceShares
from srscope.scores.separability import grade, separability
from srscope.study.record import Study
from srscope.study.verdict import Verdict, verdict
from support import studies


def answer(outcome: Verdict, start: str) -> str:
    (found,) = [f.answer for f in outcome.findings if f.question.startswith(start)]
    return found


@pytest.mark.parametrize(
    ("changes", "kind", "phrase"),
    [
        ({}, "learned", "strongly separates clean, blur and noise, and it is the network"),
        ({"chis": [0.0, 1.0, 30.0, 60.0]}, "learned", "weakly separates"),
        ({"chis": [0.0, 1.0, 30.0, 200.0]}, "learned", "clearly separates"),
        ({"chis": [0.0, 0.0, 0.1, 3.5]}, "none", "does not separate clean, blur and noise"),
        ({"pixels_chi": 100.0}, "strengthened", "more than the images by themselves"),
        ({"untrained_chi": 100.0}, "strengthened", "more than the images by themselves"),
        ({"pixels_chi": 580.0}, "inherited", "but no more than a control does"),
        ({"untrained_chi": 900.0}, "inherited", "but no more than a control does"),
        ({"chis": [9, 5, 2, 1], "pixels_chi": 80.0}, "removed", "does not separate"),
    ],
)
def test_contrasting_studies_get_contrasting_verdicts(
    changes: dict[str, object], kind: str, phrase: str
) -> None:
    outcome = verdict(studies.make(**changes))
    assert outcome.kind == kind
    assert phrase in outcome.headline
    assert outcome.headline.startswith("srresnet-wgr ")
    assert [f.question for f in outcome.findings] == [
        "The network, or just different images?",
        "Where in depth?",
        "Which sets?",
        "Degradation or content?",
        "Is it there without t-SNE?",
    ]


def test_the_headline_names_the_strongest_layer_and_its_score() -> None:
    record = studies.make(chis=[0.0, 700.0, 100.0, 40.0])
    chi = record.layers[1].tsne.chi
    assert verdict(record).headline.endswith(f"CHI {chi.mean:.0f} ± {chi.std:.0f} at ResBlock4.")


def test_the_bands_edge_belongs_to_separates() -> None:
    record = studies.make(layers=1, chis=[50.0])
    for mean, band, kind in ((20.0, "+", "learned"), (19.99, "-", "none")):
        chi = Runs(mean=mean, std=0.0, runs=(mean,))
        scores = dataclasses.replace(record.layers[0].tsne, chi=chi, grade=band)
        assert verdict(studies.with_layer(record, 0, tsne=scores)).kind == kind


def test_clusters_that_shuffled_labels_give_too_are_no_separation() -> None:
    record = studies.make()
    scores = dataclasses.replace(record.layers[-1].feature_space, p_value=0.2)
    outcome = verdict(studies.with_layer(record, -1, feature_space=scores))
    assert outcome.kind == "none"
    assert "beyond chance" in outcome.headline
    assert "shuffled labels" in answer(outcome, "Is it there")


def test_controls_are_quoted_with_their_numbers() -> None:
    text = answer(verdict(studies.make()), "The network")
    assert text.startswith("The network. ")
    assert "the raw pixels: CHI 0.02 ± 0.00" in text
    assert "the same architecture untrained (highest at " in text


def test_of_two_controls_the_stronger_decides() -> None:
    record = studies.make(pixels_chi=0.02, untrained_chi=580.0)
    assert verdict(record).kind == "inherited"


def test_no_more_than_a_control_while_their_spreads_over_runs_meet() -> None:
    record = studies.make(pixels_chi=100.0)
    assert verdict(record).kind == "strengthened"
    last = record.layers[-1]
    for std, kind in ((300.0, "strengthened"), (510.0, "inherited")):
        chi = dataclasses.replace(last.tsne.chi, std=std)
        wider = dataclasses.replace(last, tsne=dataclasses.replace(last.tsne, chi=chi))
        spread = dataclasses.replace(record, layers=(*record.layers[:-1], wider))
        assert verdict(spread).kind == kind


def test_a_missing_untrained_control_is_said() -> None:
    record = dataclasses.replace(studies.make(), untrained=())
    outcome = verdict(record)
    assert outcome.kind == "uncontrolled"
    assert "with no untrained network to compare it with" in outcome.headline
    assert "that control was not run" in answer(outcome, "The network")


def placed(centres_K: list[float]) -> Study:
    """Return a study whose last layer has its sets round points of a line, with CHI to match."""
    record = studies.make(contents=30, runs=2)
    set_N = record.inputs.set_N
    spread_N2 = np.random.default_rng(0).normal(size=(len(set_N), 2))
    points_N2 = spread_N2 + np.array([(c, 0.0) for c in centres_K])[set_N]
    chi = separability(points_N2, set_N).chi
    last = record.layers[-1]
    runs = Runs(mean=chi, std=0.0, runs=(chi, chi))
    return studies.with_layer(
        record,
        -1,
        points_RN2=np.stack([points_N2, points_N2]),
        tsne=dataclasses.replace(last.tsne, chi=runs, grade=grade(chi)),
    )


def test_sets_that_lie_together_are_named_in_the_headline() -> None:
    outcome = verdict(placed([0.0, 0.1, 20.0]))
    assert "clean, blur and noise (clean and blur hardly), and it is" in outcome.headline
    text = answer(outcome, "Which sets")
    assert "clean and blur are least apart, CHI 1.25" in text
    assert "clean and noise most" in text or "blur and noise most" in text


def test_sets_that_are_all_apart_need_no_brackets() -> None:
    assert "(" not in verdict(placed([0.0, 20.0, 40.0])).headline


def test_of_two_sets_there_is_one_pair_and_nothing_to_add() -> None:
    outcome = verdict(studies.make(sets=("blur1", "blur4")))
    assert "(" not in outcome.headline
    assert "Which sets?" not in [finding.question for finding in outcome.findings]


def test_without_any_control_nothing_is_claimed() -> None:
    record = studies.make()
    record = dataclasses.replace(record, untrained=(), pixels=studies.without_chi(record.pixels))
    outcome = verdict(record)
    assert outcome.kind == "uncontrolled"
    assert "with no control to compare it with" in outcome.headline
    text = answer(outcome, "The network")
    assert text.startswith("Unknown: no control has a defined score.")
    assert "raw pixels" not in text


@pytest.mark.parametrize(
    ("chis", "phrases"),
    [
        (
            [0.0, 0.1, 38.0, 614.0],
            ["From ResBlock8 on, layer 3 of 4", "strongest at the last, ResBlock16"],
        ),
        ([30.0, 40.0, 60.0, 80.0], ["From the first layer analysed on, Conv1"]),
        ([0.0, 0.1, 2.0, 3.0], ["Nowhere. From Conv1 (CHI 0.00) to ResBlock16"]),
        ([0.0, 700.0, 200.0, 50.0], ["strongest at ResBlock4", "then fades, to ResBlock16"]),
        ([0.0, 50.0, 3.0, 600.0], ["falls below CHI 20 again at ResBlock8"]),
    ],
)
def test_where_it_appears(chis: list[float], phrases: list[str]) -> None:
    text = answer(verdict(studies.make(chis=chis)), "Where")
    for phrase in phrases:
        assert phrase in text


def test_a_steady_rise_is_not_said_to_fade_or_fall() -> None:
    text = answer(verdict(studies.make()), "Where")
    assert "fades" not in text
    assert "again" not in text


def test_one_layer_says_nothing_of_depth() -> None:
    text = answer(verdict(studies.make(layers=1, chis=[50.0])), "Where")
    assert "nothing can be said about depth" in text


def test_undefined_layers_are_left_out_by_name() -> None:
    record = studies.make()
    gone = studies.without_chi(record.layers[-1])
    outcome = verdict(dataclasses.replace(record, layers=(*record.layers[:-1], gone)))
    assert "undefined at ResBlock16" in answer(outcome, "Where")
    assert "ResBlock8" in outcome.headline


def test_no_defined_layer_no_verdict() -> None:
    record = studies.make()
    record = dataclasses.replace(record, layers=tuple(map(studies.without_chi, record.layers)))
    outcome = verdict(record)
    assert outcome.kind == "undefined"
    assert outcome.headline == "No verdict on srresnet-wgr: CHI is undefined in every layer."


def test_variance_shares_are_told_for_the_strongest_layer() -> None:
    record = studies.make()
    split = VarianceShares(degradation=0.2, content=0.7, interaction=0.1)
    text = answer(verdict(studies.with_layer(record, -1, variance=split)), "Degradation")
    assert "due to content: " in text
    assert "20\N{NO-BREAK SPACE}% degradation, " in text
    assert "In the raw pixels" in text


def test_sets_that_share_no_contents_bring_a_caveat() -> None:
    outcome = verdict(studies.make(crossed=False))
    assert "may partly be a difference of contents" in answer(outcome, "Degradation")
    assert "accuracy undefined in this design" in answer(outcome, "Is it there")


def test_clusters_only_in_the_picture_bring_a_caveat() -> None:
    record = studies.make()
    scores = dataclasses.replace(record.layers[-1].feature_space, knn_accuracy=0.4)
    text = answer(verdict(studies.with_layer(record, -1, feature_space=scores)), "Is it there")
    assert text.startswith("With caution")
    assert (
        "40\N{NO-BREAK SPACE}% of the images (chance 33\N{NO-BREAK SPACE}%, raw pixels 33" in text
    )


def test_a_reliable_but_small_difference_is_called_that() -> None:
    text = answer(verdict(studies.make(chis=[0.0, 0.0, 0.1, 3.5])), "Is it there")
    assert "more than chance allows, but too little to form clusters" in text


def test_no_permutation_test_is_said() -> None:
    record = studies.make()
    scores = dataclasses.replace(record.layers[-1].feature_space, p_value=None)
    text = answer(verdict(studies.with_layer(record, -1, feature_space=scores)), "Is it there")
    assert "no permutation test" in text


def test_many_sets_are_counted_not_listed() -> None:
    outcome = verdict(studies.make(sets=[f"noise{i}" for i in range(7)]))
    assert "the 7 sets of clean-blur-noise" in outcome.headline
