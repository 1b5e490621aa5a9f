"""The verdict in words: its kinds, its sentences and the numbers in them."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any

import numpy as np
import pytest

from srscope.scores.record import LayerScores, NoiseFloor, VarianceShares
from srscope.study import words
from srscope.study.record import Kind, Study, Verdict
from srscope.study.verdict import PAPERS_DESIGN, has_papers_design, probe_text, verdict_of
from support import studies

PER_CENT = "\N{NO-BREAK SPACE}%"
MANY: dict[str, Any] = {"contents": 100, "side": 8, "runs": 2}
"""The paper's design: 300 images in 3 sets; narrow intervals, small pictures."""


_MADE: dict[str, Study] = {}


def made(**changes: Any) -> Study:
    """Return a study of the paper's design, or with changes; made once."""
    key = repr(sorted(changes.items()))
    if key not in _MADE:
        _MADE[key] = studies.make(**{**MANY, **changes})
    return _MADE[key]


def judged(**changes: Any) -> Verdict:
    verdict = made(**changes).verdict
    assert verdict is not None
    return verdict


def answer(outcome: Verdict, start: str) -> str:
    (found,) = [f.answer for f in outcome.findings if f.question.startswith(start)]
    return found


def with_components(record: Study, degradation: float, content: float) -> Study:
    """Return ``record`` with these components of variance in every layer, judged anew."""
    for index, layer in enumerate(record.layers):
        assert layer.variance is not None
        split = studies.components(degradation, content)
        variance = dataclasses.replace(layer.variance, components=split)
        record = studies.with_layer(record, index, variance=variance)
    return record


def without_probes(record: Study) -> Study:
    """Return ``record`` as if no layer could be probed, judged anew."""
    gone: dict[str, Any] = dict.fromkeys(
        ("probe", "probe_channel_means", "probe_channel_log_std", "told_RN")
    )
    layers = tuple(dataclasses.replace(each, **gone) for each in record.layers)
    return studies.judged(dataclasses.replace(record, layers=layers))


# --- kinds

BEYOND = ("beyond", "yes", "yes", "separates clean, blur and noise, beyond what simple statistics")
SIMPLE = ("simple", "yes", "no", "but no more than a simple statistic of the images does")
OPEN = ("undecided", "yes", "not decided", "but whether beyond simple statistics of the images is")
ALONE = ("uncompared", "yes", "not compared", "with no simple statistic to compare it with")
NONE = ("none", "no", "not compared", "does not separate clean, blur and noise: at ResBlock")
HALF = ("undecided", "not decided", "not compared", "separates clean, blur and noise is not decid")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, BEYOND),
        ({"trivial": (0.5, 0.94)}, SIMPLE),
        ({"trivial": (0.99,)}, SIMPLE),
        ({"trivial": (0.85,), "contents": 20, "chis": [0, 0, 0, 400]}, OPEN),
        ({"pixels_chi": 600.0}, SIMPLE),  # raw pixels are a simple statistic
        ({"trivial": ()}, ALONE),
        ({"trivial": (), "pixels_chi": 600.0}, ALONE),
        ({"chis": [0.0, 0.0, 0.1, 1.0], "trivial": ()}, NONE),
        ({"chis": [0.0, 0.0, 0.1, 8.0], "trivial": ()}, HALF),
    ],
)
def test_contrasting_studies_get_contrasting_verdicts(
    changes: dict[str, object], expected: tuple[str, str, str, str]
) -> None:
    outcome = judged(**changes)
    kind, separates, beyond, phrase = expected
    assert (outcome.kind, outcome.separates) == (kind, separates)
    assert outcome.beyond_simple_statistics == beyond
    assert phrase in outcome.headline
    assert "srresnet-wgr" in outcome.headline
    assert not outcome.masked_by_content
    assert [f.question for f in outcome.findings] == [
        "The network, or simple statistics?",
        "Where in depth?",
        "Which sets?",
        "Degradation or content?",
        "What does the paper's score say?",
    ]
    assert outcome.kind in typing.get_args(Kind)


def test_no_separation_stays_none_whatever_the_controls_reach() -> None:
    outcome = judged(chis=[0.0, 0.0, 0.1, 1.0], trivial=(0.9,))
    assert (outcome.kind, outcome.beyond_simple_statistics) == ("none", "no")
    assert "simple" not in outcome.headline


@pytest.mark.parametrize(
    ("degradation", "content", "kind"),
    [(0.02, 0.8, "masked"), (0.3, 0.2, "beyond"), (0.02, 0.01, "beyond"), (0.4, 0.5, "beyond")],
)
def test_degradation_under_content_is_masked(degradation: float, content: float, kind: str) -> None:
    outcome = with_components(made(), degradation, content).verdict
    assert outcome is not None
    assert outcome.kind == kind
    assert outcome.masked_by_content is (kind == "masked")
    assert (", masked by content, beyond" in outcome.headline) is (kind == "masked")
    told = answer(outcome, "Degradation").startswith(
        "The degradation is in the features, but hidden under content."
    )
    assert told is (kind == "masked")


def test_a_network_with_one_layer_that_is_not_masked_is_not_masked() -> None:
    record = with_components(made(), 0.02, 0.8)
    split = studies.components(0.3, 0.2)
    last = record.layers[-1].variance
    assert last is not None
    record = studies.with_layer(record, -1, variance=dataclasses.replace(last, components=split))
    assert record.verdict is not None
    assert not record.verdict.masked_by_content
    assert [e.masked_by_content for e in record.verdict.layers][-2:] == [True, False]


def test_what_a_simple_statistic_shows_is_simple_even_where_masked() -> None:
    outcome = with_components(made(trivial=(0.94,)), 0.01, 0.8).verdict
    assert outcome is not None
    assert (outcome.kind, outcome.masked_by_content) == ("simple", True)
    assert ", masked by content, but no more than" in outcome.headline


def test_without_components_nothing_is_called_masked_by_content() -> None:
    record = made(crossed=False)
    assert record.verdict is not None
    assert record.verdict.kind == "beyond"
    assert not record.verdict.masked_by_content


def test_no_probe_no_verdict() -> None:
    outcome = without_probes(made()).verdict
    assert outcome is not None
    assert (outcome.kind, outcome.layer, outcome.findings) == ("undefined", "", ())
    assert outcome.headline.startswith("No verdict on srresnet-wgr: a probe needs images of two")
    assert outcome.would_decide == "Give more photographs."


def test_controls_that_cannot_be_probed_are_not_compared() -> None:
    record = made()
    trivial = tuple(dataclasses.replace(each, told_RN=None) for each in record.trivial)
    pixels = dataclasses.replace(record.pixels, told_RN=None)
    outcome = verdict_of(dataclasses.replace(record, trivial=trivial, pixels=pixels))
    assert (outcome.kind, outcome.beyond_simple_statistics) == ("uncompared", "not compared")


def test_the_verdict_is_that_of_the_record() -> None:
    record = made()
    assert verdict_of(record) == record.verdict


# --- the headline


def test_the_headline_names_the_best_layer_its_interval_and_the_best_control() -> None:
    outcome = judged(chis=[0.0, 700.0, 100.0, 40.0])
    assert outcome.layer == "body.3"
    record = made(chis=[0.0, 700.0, 100.0, 40.0])
    probe = record.layers[1].probe_channel_means
    assert probe is not None
    low, high = round(100 * probe.low), round(100 * probe.high)
    assert outcome.headline.endswith(
        f"at ResBlock4, a probe is right for 95{PER_CENT} [{low}, {high}] of the images, the best "
        f"simple statistic for 60{PER_CENT}."
    )


def test_of_equally_accurate_layers_the_first_is_named() -> None:
    record = made()
    last = record.layers[-1]
    names = ("probe", "probe_channel_means", "probe_channel_log_std", "told_RN")
    record = studies.with_layer(record, 1, **{name: getattr(last, name) for name in names})
    assert record.verdict is not None
    assert record.verdict.layer == record.layers[1].layer


def test_the_choice_of_the_best_layer_is_paid_for() -> None:
    """Of many layers that tell nothing the best one looks good, and is not called so."""
    record = made(layers=17, chis=[0.0] * 17, trivial=())
    rng = np.random.default_rng(1)
    inputs = record.inputs
    layers: list[LayerScores] = []
    for each in record.layers:
        told_RN = rng.random((3, len(inputs.set_N))) < 1 / 3
        best = studies.probe_score(told_RN[1], inputs.set_N, inputs.photograph_N)
        layers.append(dataclasses.replace(each, told_RN=told_RN, probe_channel_means=best))
    outcome = verdict_of(dataclasses.replace(record, layers=tuple(layers)))
    highest = max(each.best_probe.accuracy for each in layers if each.best_probe)
    assert highest > 0.36
    assert outcome.separates != "yes"
    assert f"right for {100 * highest:.0f}{PER_CENT}" not in outcome.headline


def test_many_sets_are_counted_not_listed() -> None:
    outcome = judged(sets=[f"noise{i}" for i in range(7)], contents=30)
    assert "the 7 sets of clean-blur-noise" in outcome.headline


def test_names_that_cannot_be_printed_are_mended() -> None:
    outcome = judged(sets=("clean", "bl\nur"), network="net\u202ework")
    assert "\n" not in outcome.headline
    assert "\u202e" not in outcome.headline


# --- what would decide


def test_what_is_not_decided_says_how_many_photographs_would_decide() -> None:
    outcome = judged(chis=[0.0, 0.0, 0.1, 8.0], trivial=())
    assert outcome.would_decide is not None
    assert outcome.would_decide.startswith("About ")
    assert "photographs instead of 10 would decide" in outcome.would_decide
    assert int(outcome.would_decide.split()[1]) > 10


def test_what_is_decided_needs_nothing() -> None:
    assert judged().would_decide is None
    assert judged(trivial=(0.94,)).would_decide is None


# --- findings


def test_the_network_and_its_controls_are_quoted_with_their_numbers() -> None:
    text = answer(judged(), "The network")
    assert text.startswith("More than these. The network tells more images right than the best of")
    for part in (
        f"The network 94{PER_CENT}; ",
        f"radial log power spectrum 60{PER_CENT} (difference +34 points [+",
        f"the same architecture untrained up to 33{PER_CENT}; ",
        f"at random up to 43{PER_CENT}; ",
        f"chance 33{PER_CENT}.",
    ):
        assert part in text


def test_controls_that_were_not_run_are_not_quoted() -> None:
    record = made(trivial=(), random_chi=None)
    outcome = verdict_of(dataclasses.replace(record, untrained=()))
    text = answer(outcome, "The network")
    assert text == (
        f"Unknown: they were not computed. The network 94{PER_CENT}; chance 33{PER_CENT}."
    )


def test_each_outcome_of_the_comparison_has_its_sentence() -> None:
    assert answer(judged(trivial=(0.94,)), "The network").startswith("These suffice.")
    undecided = judged(trivial=(0.85,), contents=20, chis=[0, 0, 0, 400])
    assert answer(undecided, "The network").startswith("Not decided.")


@pytest.mark.parametrize("photographs", [7, 8])
def test_few_photographs_are_said(photographs: int) -> None:
    text = answer(judged(contents=photographs), "The network")
    few = f"Only {photographs} photographs: the intervals are rough."
    assert text.endswith(few) is (photographs < 8)
    assert ("rough" in text) is (photographs < 8)


@pytest.mark.parametrize(
    ("chis", "phrases"),
    [
        (
            [0.0, 0.0, 38.0, 614.0],
            ["From ResBlock8 (59", "on, layer 3 of 4", "Beyond simple statistics from ResBlock16"],
        ),
        ([300.0, 300.0, 300.0, 400.0], ["In every layer analysed, from Conv1 (89"]),
        ([0.0, 0.1, 1.0, 1.0], ["No layer surely separates; the best is ResBlock"]),
        ([0.0, 700.0, 0.0, 0.0], ["From ResBlock4 (95", "The best layer is ResBlock4 (95"]),
    ],
)
def test_where_it_appears(chis: list[float], phrases: list[str]) -> None:
    text = answer(judged(chis=chis), "Where")
    for phrase in phrases:
        assert phrase in text


def test_one_layer_is_not_called_the_best() -> None:
    text = answer(judged(layers=1, chis=[300.0]), "Where")
    assert text == f"In every layer analysed, from Conv1 (89{PER_CENT}) on."


def test_every_layer_has_a_verdict_of_its_own() -> None:
    record = made(chis=[0.0, 5.0, 38.0, 614.0])
    record = with_components(record, 0.01, 0.5)
    assert record.verdict is not None
    found = [
        (each.separates, each.beyond_simple_statistics, each.masked_by_content)
        for each in record.verdict.layers
    ]
    assert [each.layer for each in record.verdict.layers] == [e.layer for e in record.layers]
    assert found[0] == ("no", "no", False)
    assert found[1][0] == "not decided" or found[1][0] == "no"
    assert found[2][:2] == ("yes", "no") or found[2][:2] == ("yes", "not decided")
    assert found[3] == ("yes", "yes", True)


def test_the_nearest_and_the_farthest_pair_are_named() -> None:
    record = made()
    text = answer(judged(), "Which sets")
    pairs = {pair.sets: pair for pair in record.layers[-1].pairs}
    hard, easy = pairs["blur", "noise"], pairs["clean", "blur"]
    assert text == (
        f"Hardest to tell apart: blur and noise (AUC {hard.auc:.2f} [{hard.low:.2f}, "
        f"{hard.high:.2f}]). Easiest: clean and blur (AUC {easy.auc:.2f} [{easy.low:.2f}, "
        f"{easy.high:.2f}])."
    )


def test_of_two_sets_there_is_one_pair_and_nothing_to_add() -> None:
    outcome = judged(sets=("blur1", "blur4"))
    assert "Which sets?" not in [finding.question for finding in outcome.findings]


def test_components_stand_beside_raw_shares_and_the_floor_of_noise() -> None:
    record = made()
    split = VarianceShares(
        degradation=0.2,
        content=0.7,
        interaction=0.1,
        components=studies.components(0.31, 0.45),
        noise_floor=NoiseFloor(degradation=0.01, content=0.33, interaction=0.66),
    )
    outcome = studies.with_layer(record, -1, variance=split).verdict
    assert outcome is not None
    text = answer(outcome, "Degradation")
    assert text == (
        f"At ResBlock16, free of noise: 31{PER_CENT} of the variance is due to the degradation, "
        f"45{PER_CENT} to the content. (Raw shares: 20{PER_CENT} and 70{PER_CENT}; pure noise "
        f"would give 1{PER_CENT} and 33{PER_CENT}.)"
    )


def test_sets_that_share_no_contents_bring_a_caveat() -> None:
    outcome = judged(crossed=False)
    assert "may partly be a difference of contents" in answer(outcome, "Degradation")


# --- the paper's score


def test_the_papers_grade_is_told_in_the_papers_design_alone() -> None:
    assert PAPERS_DESIGN == (300, 3)
    record = made()
    assert has_papers_design(record)
    chi = record.layers[-1].tsne.chi
    text = answer(judged(), "What does the paper's")
    assert f"highest at ResBlock16: {words.with_spread(chi)}, grade +++." in text
    for changes in ({"contents": 99}, {"contents": 150, "sets": ("clean", "blur")}):
        other = made(**changes)
        assert not has_papers_design(other)
        text = answer(judged(**changes), "What does the paper's")
        assert "grade +" not in text
        count, sets = len(other.inputs.set_N), len(other.suite.sets)
        assert f"the paper's grades are not meant for {count} images in {sets} sets." in text


def test_chi_of_simple_statistics_stands_beside_it() -> None:
    record = made()
    highest = max(each.tsne.chi.mean for each in record.trivial)
    text = answer(judged(), "What does the paper's")
    assert text.endswith(f"The same of simple statistics reaches {words.number(highest)}.")
    alone = made(trivial=())
    gone = dataclasses.replace(alone, pixels=studies.without_chi(alone.pixels))
    assert "simple statistics" not in answer(verdict_of(gone), "What does the paper's")


def test_undefined_maps_leave_the_verdict_and_are_said() -> None:
    record = made()
    gone = dataclasses.replace(record, layers=tuple(map(studies.without_chi, record.layers)))
    outcome = verdict_of(gone)
    assert outcome.kind == "beyond"
    text = answer(outcome, "What does the paper's")
    assert text == "CHI of the t-SNE maps is undefined in every layer."


def test_a_layer_without_a_map_is_not_the_one_with_the_highest_chi() -> None:
    record = made()
    gone = studies.without_chi(record.layers[-1])
    outcome = verdict_of(dataclasses.replace(record, layers=(*record.layers[:-1], gone)))
    assert "highest at ResBlock8" in answer(outcome, "What does the paper's")


def test_a_probe_is_written_with_its_interval() -> None:
    layer = made().layers[-1]
    assert probe_text(None) == "undefined"
    probe = dataclasses.replace(layer.best_probe, accuracy=0.914, low=0.88, high=0.951)  # type: ignore[type-var]
    assert probe_text(probe) == f"91{PER_CENT} [88, 95]"
