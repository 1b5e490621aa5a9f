from __future__ import annotations

import dataclasses

import pytest

from srscope.study.record import Study
from srscope.study.verdict import Verdict, verdict
from support import studies


def answer(outcome: Verdict, start: str) -> str:
    (found,) = [f.answer for f in outcome.findings if f.question.startswith(start)]
    return found


def neighbours(record: Study, index: int, accuracy: float, **changes: object) -> Study:
    """Return ``record`` with this k-NN accuracy in one of its layers."""
    scores = record.layers[index].feature_space
    scores = dataclasses.replace(scores, knn_accuracy=accuracy, **{"p_value": 0.001, **changes})
    return studies.with_layer(record, index, feature_space=scores)


FLAT = (0.0, 0.0, 0.1, 3.5)


def test_what_neighbours_tell_is_in_the_headline_though_the_map_shows_nothing() -> None:
    outcome = verdict(neighbours(studies.make(chis=FLAT), 1, 0.82))
    assert outcome.kind == "none"
    assert "does not separate clean, blur and noise: CHI 3.5" in outcome.headline
    assert outcome.headline.endswith(
        "; yet its features tell them apart: at ResBlock4, nearest neighbours before t-SNE name "
        "the right set for 82\N{NO-BREAK SPACE}% of the images (chance 33\N{NO-BREAK SPACE}%)."
    )
    whose = answer(outcome, "The network")
    assert whose.startswith("There are no clusters to explain.")
    assert whose.endswith("33\N{NO-BREAK SPACE}% in the same architecture untrained.")
    text = answer(verdict(neighbours(studies.make(chis=FLAT), -1, 0.82)), "Is it there")
    assert text.startswith("The features tell the sets apart, but the picture shows no clusters")


@pytest.mark.parametrize(
    ("accuracy", "p_value", "told"),
    [
        (0.49, 0.001, ""),
        (0.51, 0.001, "yet its features partly tell them apart"),
        (0.67, 0.001, "yet its features tell them apart"),
        (0.9, 0.2, ""),
        (0.9, None, "yet its features tell them apart"),
    ],
)
def test_neighbours_near_chance_or_by_chance_are_not_in_the_headline(
    accuracy: float, p_value: float | None, told: str
) -> None:
    record = neighbours(studies.make(chis=FLAT), 1, accuracy, p_value=p_value)
    headline = verdict(record).headline
    assert told in headline
    assert ("apart" in headline) == bool(told)


def test_controls_whose_neighbours_tell_as_much_are_named_beside() -> None:
    record = studies.make(chis=FLAT, pixels_chi=80.0)
    scores = dataclasses.replace(record.pixels.feature_space, knn_accuracy=0.9)
    pixels = dataclasses.replace(record.pixels, feature_space=scores)
    record = neighbours(dataclasses.replace(record, pixels=pixels), 0, 0.8)
    outcome = verdict(record)
    assert outcome.kind == "removed"
    assert "(chance 33\N{NO-BREAK SPACE}%, raw pixels 90\N{NO-BREAK SPACE}%)" in outcome.headline
    assert "untrained" not in outcome.headline
    scores = dataclasses.replace(record.untrained[1].feature_space, knn_accuracy=0.6)
    control = dataclasses.replace(record.untrained[1], feature_space=scores)
    record = dataclasses.replace(record, untrained=(record.untrained[0], control))
    assert (
        "pixels 90\N{NO-BREAK SPACE}%, untrained 60\N{NO-BREAK SPACE}%)" in verdict(record).headline
    )
    assert "keeps that difference as clusters" in answer(outcome, "The network")


def test_a_network_that_separates_needs_no_word_on_neighbours() -> None:
    assert "neighbours" not in verdict(neighbours(studies.make(), -1, 0.99)).headline
