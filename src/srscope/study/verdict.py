"""What a finished study says, in plain words: a pure function of its record.

The rules are few and fixed, so that two readers get the same verdict from the same numbers:
a layer separates from CHI 20 on (the paper's lowest band), unless the permutation test says
chance; and a separation is the network's own when neither control reaches that band. Where no
layer separates, but nearest neighbours in the features tell the sets apart, that is said too.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from srscope.errors import SrscopeError
from srscope.scores.record import LayerScores, Runs
from srscope.scores.separability import BANDS, grade, separability
from srscope.study import words
from srscope.study.neighbours import (
    by_chance,
    chance_level,
    telling,
    told_by_neighbours,
    told_of_controls,
)
from srscope.study.record import Study

SEPARATES_FROM = BANDS[0][0]
"""CHI from which the paper speaks of clusters."""
CLEARLY_MORE = 2.0
"""A network's CHI is clearly more than a control's from this factor on (and beyond both stds)."""

Kind = Literal[
    "learned", "strengthened", "inherited", "uncontrolled", "removed", "none", "undefined"
]
_STRENGTH = {"+": "weakly", "++": "clearly", "+++": "strongly"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One question about the study, and its answer."""

    question: str
    answer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The outcome in one word, one sentence, and as answers to the questions behind it.

    ``kind`` is ``"learned"`` (separates, the controls do not), ``"strengthened"`` (clearly more
    than the controls, which separate too), ``"inherited"`` (no more than a control),
    ``"uncontrolled"`` (separates, a control is missing), ``"removed"`` (does not separate
    though the pixels do), ``"none"`` (does not separate) or ``"undefined"``.
    """

    kind: Kind
    headline: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Control:
    name: str
    chi: Runs


def verdict(record: Study) -> Verdict:
    """Say whether, by whose doing, and where in depth the network separates the sets."""
    record = _with_short_labels(record)
    defined = [e for e in record.layers if math.isfinite(e.tsne.chi.mean)]
    name, sets = words.network_name(record), named_sets(record)
    if not defined:
        return Verdict(
            kind="undefined",
            headline=f"No verdict on {name}: CHI is undefined in every layer.",
            findings=(),
        )
    best = max(defined, key=lambda e: e.tsne.chi.mean)
    kind = _kind(record, best)
    chi = f"CHI {words.with_spread(best.tsne.chi)}"
    where = f"at {best.label}"
    pairs = _pairs(record, best) if len(record.suite.sets) > 2 else []
    if kind in ("none", "removed"):
        headline = f"{name} does not separate {sets}: {chi} at most, {where}."
        if by_chance(best) and best.tsne.chi.mean >= SEPARATES_FROM:
            headline = f"{name} does not separate {sets} beyond chance, though {chi} {where}."
        if told := told_by_neighbours(record):
            headline = f"{headline[:-1]}; {told}."
    else:
        how = _STRENGTH[best.tsne.grade]
        addition = {
            "learned": "and it is the network that does it",
            "strengthened": "more than the images by themselves",
            "inherited": "but no more than a control does",
            "uncontrolled": "with no untrained network to compare it with"
            if _controls(record)
            else "with no control to compare it with",
        }[kind]
        but = _reservation(pairs, best)
        headline = f"{name} {how} separates {sets}{but}, {addition}: {chi} {where}."
    findings = (
        _by_whom(record, best, kind),
        _where(record, defined, best),
        *_which(pairs, best),
        _share(record, best),
        _without_tsne(record, best, separates=kind not in ("none", "removed")),
    )
    return Verdict(kind=kind, headline=headline, findings=findings)


def _with_short_labels(record: Study) -> Study:
    short = words.short_labels(record.layers, 48)
    layers, untrained = (
        tuple(dataclasses.replace(e, label=s) for e, s in zip(entries, short, strict=False))
        for entries in (record.layers, record.untrained)
    )
    return dataclasses.replace(record, layers=layers, untrained=untrained)


def named_sets(record: Study) -> str:
    """Return the names of the sets as one would say them, or their number where they are many."""
    names = [words.printable(s.name) for s in record.suite.sets]
    if len(names) > 5:
        return f"the {len(names)} sets of {words.printable(record.suite.name)}"
    return words.listed(names)


def _high(entry: LayerScores) -> bool:
    return entry.tsne.chi.mean >= SEPARATES_FROM


def _controls(record: Study) -> list[_Control]:
    """Return the controls whose CHI is defined; of the untrained layers the highest."""
    controls = [_Control(name="the raw pixels", chi=record.pixels.tsne.chi)]
    untrained = [e for e in record.untrained if math.isfinite(e.tsne.chi.mean)]
    if untrained:
        highest = max(untrained, key=lambda e: e.tsne.chi.mean)
        name = f"the same architecture untrained (highest at {highest.label})"
        controls.append(_Control(name=name, chi=highest.tsne.chi))
    return [c for c in controls if math.isfinite(c.chi.mean)]


def _kind(record: Study, best: LayerScores) -> Kind:
    controls = _controls(record)
    highest = max((c.chi.mean for c in controls), default=math.nan)
    chi = best.tsne.chi
    if chi.mean < SEPARATES_FROM or by_chance(best):
        pixels = record.pixels.tsne.chi.mean
        return "removed" if pixels >= SEPARATES_FROM and chi.mean < SEPARATES_FROM else "none"
    if not controls:
        return "uncontrolled"
    if highest < SEPARATES_FROM:
        return "learned" if record.untrained else "uncontrolled"
    beyond_spread = all(chi.mean - chi.std > c.chi.mean + c.chi.std for c in controls)
    return "strengthened" if chi.mean >= CLEARLY_MORE * highest and beyond_spread else "inherited"


def _pairs(record: Study, entry: LayerScores) -> list[tuple[float, str]]:
    """Return CHI of every two sets alone, mean over the runs, with their names; weakest first."""
    names = [words.printable(s.name) for s in record.suite.sets]
    set_N = record.inputs.set_N
    pairs: list[tuple[float, str]] = []
    for first, second in itertools.combinations(range(len(names)), 2):
        of_pair_N = (set_N == first) | (set_N == second)
        try:
            chis = [
                separability(points_N2[of_pair_N], set_N[of_pair_N]).chi
                for points_N2 in entry.points_RN2
            ]
        except SrscopeError:  # one set of a single image, or all its points in one place
            continue
        pairs.append((sum(chis) / len(chis), f"{names[first]} and {names[second]}"))
    return sorted(pairs)


def _reservation(pairs: list[tuple[float, str]], best: LayerScores) -> str:
    """Return the headline's reservation where two of the sets are less apart than all together."""
    if not pairs or grade(pairs[0][0]) == best.tsne.grade or pairs[0][0] > best.tsne.chi.mean:
        return ""
    return f" ({pairs[0][1]} {_STRENGTH.get(grade(pairs[0][0]), 'hardly')})"


def _which(pairs: list[tuple[float, str]], best: LayerScores) -> tuple[Finding, ...]:
    if len(pairs) < 2:
        return ()
    (low, least), (high, most) = pairs[0], pairs[-1]
    answer = (
        f"At {best.label}, two sets at a time: {least} are least apart, CHI {words.number(low)}; "
        f"{most} most, CHI {words.number(high)}."
    )
    return (Finding(question="Which sets?", answer=answer),)


def _by_whom(record: Study, best: LayerScores, kind: Kind) -> Finding:
    controls = _controls(record)
    scores = "; ".join(f"{c.name}: CHI {words.with_spread(c.chi)}" for c in controls)
    chi = words.with_spread(best.tsne.chi)
    told = told_by_neighbours(record) if kind in ("none", "removed") else ""
    meaning = {
        "learned": "The network. Put through the same analysis, neither the images themselves nor "
        "random weights form clusters.",
        "strengthened": "Both. The controls form clusters as well, but the trained network's are "
        "clearly stronger.",
        "inherited": "Not shown. A control forms clusters about as strong or stronger, so the "
        "separation needs no trained network.",
        "uncontrolled": "The images themselves form no clusters. Whether random weights would is "
        "unknown: that control was not run."
        if controls
        else "Unknown: no control has a defined score.",
        "removed": "The images differ by themselves, and no layer of the network keeps that "
        f"difference{' as clusters' if told else ''}.",
        "none": "There are no clusters to explain."
        if told
        else "There is no separation to explain.",
    }[kind if kind != "undefined" else "none"]
    numbers = f" The network: CHI {chi}; {scores}." if scores else ""
    if told:
        numbers += told_of_controls(record)
    return Finding(question="The network, or just different images?", answer=meaning + numbers)


def _where(record: Study, defined: Sequence[LayerScores], best: LayerScores) -> Finding:
    first, last = defined[0], defined[-1]

    def told(entry: LayerScores) -> str:
        return f"{entry.label} (CHI {words.number(entry.tsne.chi.mean)})"

    above = [e for e in defined if _high(e)]
    text: list[str] = []
    if len(defined) == 1:
        text.append(f"Only one layer was scored, {told(first)}: nothing can be said about depth.")
    elif not above:
        text.append(
            f"Nowhere. From {told(first)} to {told(last)}, no layer reaches CHI "
            f"{SEPARATES_FROM:g}; the highest is {told(best)}."
        )
    else:
        start = above[0]
        number = [e.layer for e in record.layers].index(start.layer) + 1
        if start is first:
            text.append(f"From the first layer analysed on, {told(first)}.")
        elif start is last:
            text.append(
                f"Only at the last of the {len(record.layers)} layers analysed, {told(last)}; "
                f"the first is {told(first)}."
            )
        else:
            text.append(
                f"From {start.label} on, layer {number} of {len(record.layers)} "
                f"analysed; the first is {told(first)}."
            )
        back = [e for e in defined if e.depth > start.depth and not _high(e)]
        if back:
            names = ", ".join(e.label for e in back)
            text.append(f"After that, it falls below CHI {SEPARATES_FROM:g} again at {names}.")
        if start is last:
            pass
        elif best is last:
            text.append(f"It is strongest at the last, {told(best)}.")
        else:
            text.append(f"It is strongest at {told(best)}.")
        if best is not last and last.tsne.chi.mean < best.tsne.chi.mean / 2:
            text.append(f"It then fades, to {told(last)}.")
    undefined = [e.label for e in record.layers if not math.isfinite(e.tsne.chi.mean)]
    if undefined:
        text.append(f"CHI is undefined at {', '.join(undefined)}, left out here.")
    return Finding(question="Where in depth?", answer=" ".join(text))


def _share(record: Study, best: LayerScores) -> Finding:
    question = "Degradation or content?"
    split = best.variance
    if split is None:
        text = (
            "It cannot be split here: the sets do not show the same contents, so what looks like "
            "a degradation may partly be a difference of contents."
        )
        if record.suite.crossed:
            text = f"The variance of {best.label} could not be split."
        return Finding(question=question, answer=text)
    parts = {
        "degradation": split.degradation,
        "content": split.content,
        "interaction of the two": split.interaction,
    }
    largest = max(parts, key=lambda p: parts[p])
    shares = ", ".join(f"{words.percent(v)} {k}" for k, v in parts.items())
    text = (
        f"At {best.label}, the largest part of the features' variance is due to "
        f"{largest}: {shares}."
    )
    if record.pixels.variance is not None:
        text += (
            " In the raw pixels the degradation's part is "
            f"{words.percent(record.pixels.variance.degradation)}."
        )
    return Finding(question=question, answer=text)


def _without_tsne(record: Study, best: LayerScores, *, separates: bool) -> Finding:
    scores, chance = best.feature_space, chance_level(record)
    label = best.label
    numbers = [f"CHI {words.number(scores.chi)}", f"silhouette {words.number(scores.silhouette)}"]
    if scores.knn_accuracy is None:
        numbers.append("nearest-neighbour accuracy undefined in this design")
    else:
        others = [f"chance {words.percent(chance)}"]
        if record.pixels.feature_space.knn_accuracy is not None:
            others[0] += ","
            others.append(f"raw pixels {words.percent(record.pixels.feature_space.knn_accuracy)}")
        others_of = "contents" if record.suite.crossed else "photographs"
        numbers.append(
            f"nearest neighbours of other {others_of} name the right set for "
            f"{words.percent(scores.knn_accuracy)} of the images ({' '.join(others)})"
        )
    if scores.p_value is None:
        why = dict(record.left_out).get("p_value", "")
        numbers.append(f"no permutation test ({why})" if why else "no permutation test")
    else:
        numbers.append(f"permutation p = {scores.p_value:.3g}")
    told = telling(best, chance)
    if by_chance(best):
        meaning = "A difference this large between the sets also comes from shuffled labels."
    elif not separates and told:
        meaning = "The features tell the sets apart, but the picture shows no clusters of them."
    elif not separates:
        meaning = (
            "The features differ by set more than chance allows, but too little to form clusters."
            if scores.p_value is not None
            else "No more than the picture shows."
        )
    elif scores.knn_accuracy is not None and not told:
        meaning = "With caution: in the features themselves the sets are far less distinct."
    else:
        meaning = "Yes, the features themselves bear it out."
    return Finding(
        question="Is it there without t-SNE?",
        answer=f"{meaning} At {label}, before t-SNE: {'; '.join(numbers)}.",
    )
