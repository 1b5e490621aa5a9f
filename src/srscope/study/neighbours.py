"""What nearest neighbours in the features tell of the sets, where no map of t-SNE need show it."""

from __future__ import annotations

from srscope.scores.record import LayerScores
from srscope.study import words
from srscope.study.record import Study

CHANCE_ABOVE = 0.05
"""A permutation p-value above this counts as chance."""
TELLING = 0.25
"""Neighbours tell the sets apart from this part of the way from chance to no error on."""


def by_chance(entry: LayerScores) -> bool:
    """Whether the permutation test says that shuffled labels do as well."""
    p_value = entry.feature_space.p_value
    return p_value is not None and p_value > CHANCE_ABOVE


def chance_level(record: Study) -> float:
    """Return the accuracy of always naming the largest set."""
    counts = [s.count for s in record.suite.sets]
    return max(counts) / max(1, sum(counts))


def telling(entry: LayerScores, chance: float) -> bool:
    """Whether nearest neighbours in the features name the right set clearly above chance."""
    return _accuracy(entry) >= chance + TELLING * (1 - chance)


def told_by_neighbours(record: Study) -> str:
    """Return in words how well nearest neighbours tell the sets apart; "" where they do not.

    A map of t-SNE may show no clusters although the features differ by set in every small
    neighbourhood. Controls whose neighbours tell the sets as well are named beside.
    """
    chance = chance_level(record)
    good = [e for e in record.layers if telling(e, chance) and not by_chance(e)]
    if not good:
        return ""
    best = max(good, key=_accuracy)
    beside = [f"chance {words.percent(chance)}"]
    for name, entries in (("raw pixels", (record.pixels,)), ("untrained", record.untrained)):
        high = max(entries, key=_accuracy, default=None)
        if high is not None and telling(high, chance):
            beside.append(f"{name} {words.percent(_accuracy(high))}")
    how = "yet its features tell them apart"
    if _accuracy(best) < (1 + chance) / 2:
        how = "yet its features partly tell them apart"
    return (
        f"{how}: at {words.shorten(best.label, 48)}, nearest neighbours before t-SNE name the "
        f"right set for {words.percent(_accuracy(best))} of the images ({', '.join(beside)})"
    )


def _accuracy(entry: LayerScores) -> float:
    """Return k-NN accuracy, 0 where it is undefined."""
    return entry.feature_space.knn_accuracy or 0.0


def told_of_controls(record: Study) -> str:
    """Return how well nearest neighbours tell the sets in the controls, as a sentence."""
    pixels = record.pixels.feature_space.knn_accuracy
    highest = max(map(_accuracy, record.untrained), default=0.0) or None
    named = [("the raw pixels", pixels), ("the same architecture untrained", highest)]
    told = [f"{words.percent(a)} in {name}" for name, a in named if a is not None]
    return f" Neighbours name the right set for {', '.join(told)}." if told else ""
