"""What a finished study says, in plain words: a pure function of its record.

The decisions are made by :mod:`srscope.scores.decision`, from intervals over photographs. CHI, the
paper's score, is told beside them; its grade only where the design is the paper's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.decision import Decision, Told, decide
from srscope.scores.effects import NO_EFFECT, NOT_DECIDED, USES_IT
from srscope.scores.photographs import Interval
from srscope.scores.probe import photograph_folds
from srscope.scores.record import LayerScores, LayerUse, ProbeScore
from srscope.study import words
from srscope.study.record import Finding, Kind, LayerVerdict, Study, Verdict, best_layer

PAPERS_DESIGN = (300, 3)
"""Images and sets of the paper's tables, for which its grades of CHI are meant."""


def verdict_of(study: Study) -> Verdict:
    """Say whether the features separate the sets, beyond simple statistics, masked or not."""
    name, sets = words.network_name(study), named_sets(study)
    readable = {e.layer: t for e in study.layers if (t := told_of(e, study)) is not None}
    inputs = study.inputs
    simple = [study.pixels, *study.trivial] if study.trivial else []
    try:
        found = decide(
            list(readable.values()),
            [t for e in simple if (t := told_of(e, study)) is not None],
            inputs.set_N,
            inputs.photograph_N,
            folds=int(photograph_folds(inputs.set_N, inputs.photograph_N, name=name).max()) + 1,
        )
    except (DegenerateError, ParameterError):
        return Verdict(
            kind="undefined",
            headline=f"No verdict on {name}: a probe needs images of two photographs or more in "
            "every set.",
            would_decide="Give more photographs.",
        )
    best = next(each for each in study.layers if each.layer == found.best.layer)
    by_layer = tuple(
        LayerVerdict(
            layer=each.layer,
            separates=each.separates,
            beyond_simple_statistics=each.beyond_simple_statistics,
            masked_by_content=each.masked_by_content,
        )
        for each in found.layers
    )
    masked = found.best.masked_by_content
    return Verdict(
        kind=_kind(found.best, masked=masked),
        layer=best.layer,
        separates=found.best.separates,
        beyond_simple_statistics=found.best.beyond_simple_statistics,
        masked_by_content=masked,
        headline=_headline(study, name, sets, best, found.best),
        would_decide=None
        if found.best.would_decide is None
        else f"{_sentence(found.best.would_decide)}.",
        findings=(
            _by_whom(study, best, found.best),
            _where(study, by_layer, best),
            *_used(study.uses),
            *_which(best),
            _share(best, masked=masked),
            _map(study),
        ),
        layers=by_layer,
    )


VIEWS = ("flattened features", "channel means", "channel log standard deviations")


def told_of(layer: LayerScores, study: Study | None = None) -> Told | None:
    """Return what the probe told of a layer or control; ``None`` where it was not run.

    Args:
        layer: The layer.
        study: CHI decides too where this study has the paper's design.
    """
    if layer.told_RN is None:
        return None
    run = [
        number
        for number, probe in enumerate(
            (layer.probe, layer.probe_channel_means, layer.probe_channel_log_std)
        )
        if probe is not None
    ]
    split, known = layer.variance.components if layer.variance else None, layer.tsne.chi_known
    chi = None
    if study is not None and has_papers_design(study) and known is not None:
        chi = _interval(known.mean, known.low, known.high)
    return Told(
        name=layer.layer,
        views=tuple(VIEWS[number] for number in run),
        told_VN=layer.told_RN[run],
        chi=chi,
        degradation=None
        if split is None
        else _interval(split.degradation, split.degradation_low, split.degradation_high),
        content=None
        if split is None
        else _interval(split.content, split.content_low, split.content_high),
    )


def _interval(value: float, low: float, high: float) -> Interval:
    return Interval(value=value, low=low, high=high, photographs=0, reliable=True)


def named_sets(study: Study) -> str:
    """Return the names of the sets as one would say them, or their number where they are many."""
    names = [words.printable(s.name) for s in study.suite.sets]
    if len(names) > 5:
        return f"the {len(names)} sets of {words.printable(study.suite.name)}"
    return words.listed(names)


def has_papers_design(study: Study) -> bool:
    """Tell whether the paper's grades of CHI are meant for this many images and sets."""
    return (len(study.inputs.set_N), len(study.suite.sets)) == PAPERS_DESIGN


def _kind(found: Decision, *, masked: bool) -> Kind:
    if found.separates == "no":
        return "none"
    if found.separates == "not decided":
        return "undecided"
    if found.beyond_simple_statistics == "yes":
        return "masked" if masked else "beyond"
    if found.beyond_simple_statistics == "no":
        return "simple"
    return "undecided" if found.beyond_simple_statistics == "not decided" else "uncompared"


def _headline(study: Study, name: str, sets: str, best: LayerScores, found: Decision) -> str:
    where = f"at {words.shorten(best.label, 48)}"
    probe = f"a probe is right for {_with_interval(found)}"
    if found.separates == "no":
        return f"{name} does not separate {sets}: {where}, its best layer, {probe}."
    if found.separates == "not decided":
        return f"Whether {name} separates {sets} is not decided: {where}, {probe}."
    beyond = {
        "yes": "beyond what simple statistics of the images show",
        "no": "but no more than a simple statistic of the images does",
        "not decided": "but whether beyond simple statistics of the images is not decided",
        "not compared": "with no simple statistic to compare it with",
    }[found.beyond_simple_statistics]
    hidden = ", masked by content" if found.masked_by_content else ""
    control, beside = _control(study, found), ""
    if control is not None and control.best_probe is not None:
        beside = f", the best simple statistic for {words.percent(control.best_probe.accuracy)}"
    used = _in_use(study.uses)
    return f"{name} separates {sets}{hidden}, {beyond}{used}: {where}, {probe}{beside}."


def _in_use(uses: Sequence[LayerUse]) -> str:
    """Return what a headline says of use; nothing where it was not asked for."""
    if not uses:
        return ""
    if any(each.word == USES_IT for each in uses):
        return ", and uses it"
    if all(each.word == NO_EFFECT for each in uses):
        return "; it does not use it"
    return "; whether it uses this is not decided"


def _used(uses: Sequence[LayerUse]) -> tuple[Finding, ...]:
    if not uses:
        return ()
    used = [each for each in uses if each.word == USES_IT]
    most = max(used or uses, key=lambda each: each.gain)
    share = "" if most.share is None else f", {words.percent(most.share)} of what all the layer's "
    share += "clean features would" if share else ""
    z = "" if most.z is None else f" (z {most.z:.1f})"
    moved = (
        f"Moving this mean code towards clean changes the output on {words.printable(most.set)} by "
        f"{most.gain:+.2f} dB [{most.low:+.2f}, {most.high:+.2f}] at "
        f"{words.shorten(most.label, 40)}{share}; the strongest of {most.controls} matched random "
        f"directions by {most.strongest:+.2f} dB{z}."
    )
    if used:
        places = dict.fromkeys(f"{words.shorten(each.label, 40)}" for each in used)
        answer = f"Yes, at {words.listed(list(places))}. {moved}"
    elif all(each.word == NO_EFFECT for each in uses):
        answer = f"No. Nowhere does moving the mean code matter. {moved}"
    else:
        undecided = sum(each.word == NOT_DECIDED for each in uses)
        against = f" What speaks against it: {'; '.join(most.failed)}." if most.failed else ""
        answer = f"Not decided in {undecided} of {len(uses)}. {moved}{against}"
    return (Finding(question="Does the network use it?", answer=answer),)


def _control(study: Study, found: Decision) -> LayerScores | None:
    entries = (study.pixels, *study.trivial)
    return next((each for each in entries if each.layer == found.control), None)


def _with_interval(found: Decision) -> str:
    low, high = (f"{100 * end:.0f}" for end in (found.accuracy.low, found.accuracy.high))
    return f"{words.percent(found.accuracy.value)} [{low}, {high}] of the images"


def _by_whom(study: Study, best: LayerScores, found: Decision) -> Finding:
    answers = {
        "yes": "More than these. The network tells more images right than the best of them.",
        "no": "These suffice. The best of them tells as many images right, within 2 points.",
        "not decided": "Not decided. The difference to the best of them may be 0.",
        "not compared": "Unknown: they were not computed.",
    }
    parts = [f"the network {words.percent(found.accuracy.value)}"]
    control = _control(study, found)
    if control is not None and control.best_probe is not None and found.difference is not None:
        gap = found.difference
        parts.append(
            f"{control.label} {words.percent(control.best_probe.accuracy)} (difference "
            f"{_points(gap.value)} points [{_points(gap.low)}, {_points(gap.high)}])"
        )
    for what, entries in (
        ("the same architecture untrained", study.untrained),
        ("at random", study.random),
    ):
        top = max((e.best_probe.accuracy for e in entries if e.best_probe), default=None)
        if top is not None:
            parts.append(f"{what} up to {words.percent(top)}")
    chance = best.best_probe.chance if best.best_probe else 1 / len(study.suite.sets)
    parts.append(f"chance {words.percent(chance)}")
    few = ""
    if not found.accuracy.reliable:
        few = f" Only {found.accuracy.photographs} photographs: the intervals are rough."
    numbers = _sentence("; ".join(parts))
    answer = f"{answers[found.beyond_simple_statistics]} {numbers}.{few}"
    return Finding(question="The network, or simple statistics?", answer=answer)


def _points(share: float) -> str:
    """Return a difference of shares in points, with its sign where it has one.

    Example:
        >>> _points(0.05), _points(-0.001), _points(-0.1)
        ('+5', '0', '-10')
    """
    points = round(100 * share)
    return f"{points:+d}" if points else "0"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _where(study: Study, layers: Sequence[LayerVerdict], best: LayerScores) -> Finding:
    label = {each.layer: each.label for each in study.layers}
    accuracy = {e.layer: e.best_probe.accuracy for e in study.layers if e.best_probe}

    def told(layer: str) -> str:
        return f"{words.shorten(label[layer], 40)} ({words.percent(accuracy[layer])})"

    separating = [each.layer for each in layers if each.separates == "yes"]
    beyond = [each.layer for each in layers if each.beyond_simple_statistics == "yes"]
    text: list[str] = []
    if not separating:
        text.append(f"No layer surely separates; the best is {told(best.layer)}.")
    elif len(separating) == len(layers):
        text.append(f"In every layer analysed, from {told(layers[0].layer)} on.")
    else:
        first = separating[0]
        number = [each.layer for each in layers].index(first) + 1
        text.append(f"From {told(first)} on, layer {number} of {len(layers)} analysed.")
    if beyond and len(beyond) < len(layers):
        text.append(f"Beyond simple statistics from {told(beyond[0])} on.")
    if len(layers) > 1:
        text.append(f"The best layer is {told(best.layer)}.")
    return Finding(question="Where in depth?", answer=" ".join(text))


def _which(best: LayerScores) -> tuple[Finding, ...]:
    if len(best.pairs) < 2:
        return ()
    pairs = sorted(best.pairs, key=lambda pair: pair.auc)
    least, most = (
        f"{words.printable(pair.sets[0])} and {words.printable(pair.sets[1])} (AUC {pair.auc:.2f} "
        f"[{pair.low:.2f}, {pair.high:.2f}])"
        for pair in (pairs[0], pairs[-1])
    )
    answer = f"Hardest to tell apart: {least}. Easiest: {most}."
    return (Finding(question="Which sets?", answer=answer),)


def _share(best: LayerScores, *, masked: bool) -> Finding:
    question = "Degradation or content?"
    split = best.variance
    if split is None or split.components is None or split.noise_floor is None:
        text = (
            "The variance cannot be split here: the sets do not show the same contents. What looks "
            "like a degradation may partly be a difference of contents."
        )
        return Finding(question=question, answer=text)
    found = split.components
    text = (
        f"At {words.shorten(best.label, 40)}, free of noise: {words.percent(found.degradation)} "
        f"of the variance is due to the degradation, {words.percent(found.content)} to the "
        f"content. (Raw shares: {words.percent(split.degradation)} and "
        f"{words.percent(split.content)}; pure noise would give "
        f"{words.percent(split.noise_floor.degradation)} and "
        f"{words.percent(split.noise_floor.content)}.)"
    )
    if masked:
        text = f"The degradation is in the features, but hidden under content. {text}"
    return Finding(question=question, answer=text)


def _map(study: Study) -> Finding:
    best = best_layer(study)
    chi = best.tsne.chi
    label = words.shorten(best.label, 40)
    if not math.isfinite(chi.mean):
        answer = "CHI of the t-SNE maps is undefined in every layer."
        return Finding(question="What does the paper's score say?", answer=answer)
    answer = f"CHI of the t-SNE maps is highest at {label}: {words.with_spread(chi)}"
    if has_papers_design(study):
        answer += f", grade {words.grade_sign(best.tsne.grade)}."
    else:
        answer += (
            f". CHI grows with the number of images, so the paper's grades are not meant for "
            f"{len(study.inputs.set_N)} images in {len(study.suite.sets)} sets."
        )
    simple = [e.tsne.chi.mean for e in (study.pixels, *study.trivial)]
    simple = [chi for chi in simple if math.isfinite(chi)]
    if simple:
        answer += f" The same of simple statistics reaches {words.number(max(simple))}."
    return Finding(question="What does the paper's score say?", answer=answer)


def probe_text(probe: ProbeScore | None) -> str:
    """Return a probe's accuracy with its interval, as tables write it."""
    if probe is None:
        return words.UNDEFINED
    return f"{words.percent(probe.accuracy)} [{100 * probe.low:.0f}, {100 * probe.high:.0f}]"
