"""The frozen record of a recipe's networks over training seeds, and its JSON, CSV and page.

Suffix: S seeds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from srscope.errors import DegenerateError
from srscope.report.plain_page import Section
from srscope.runtime import files
from srscope.scores.record import LayerScores
from srscope.scores.seeds import OverSeeds, mean_over_seeds
from srscope.scores.table import Score, plain_value, scores
from srscope.study import words
from srscope.study.record import Restoration, Study, plain, scores_dict
from srscope.study.verdict import named_sets, verdict_of

SCHEMA = "srscope.seeds/1"
SMALLEST_CHI = 0.01
"""CHI below this counts as this: the last digit that the paper prints."""
_FACTORS = ("chi", "chi_known", "feature_space_chi")
"""Scores that vary by factors: their means are geometric."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One network: its training seed, its file's name, its study, and what it restores."""

    seed: int
    file: str
    study: Study
    restoration: Restoration


@dataclass(frozen=True, kw_only=True, slots=True)
class Population:
    """A recipe's networks, analysed alike.

    ``members`` rise in seeds. ``untrained`` is the control of them all, layer by layer, or empty.
    ``skipped`` lists (file, reason) of what was left out; ``timings`` maps a stage to seconds.
    """

    name: str
    members: tuple[Member, ...]
    untrained: tuple[LayerScores, ...]
    skipped: tuple[tuple[str, str], ...]
    timings: Mapping[str, float]
    created: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SeedScore:
    """One score of one layer over the seeds.

    Args:
        layer: The layer's dotted name.
        label: What it is called.
        score: Which score.
        values_S: Of each seed; NaN where it is undefined.
        mean: With its interval over seeds, for these photographs; ``None`` where a seed has no
            value. Of CHI, the geometric mean.
    """

    layer: str
    label: str
    score: Score
    values_S: tuple[float, ...]
    mean: OverSeeds | None

    @property
    def text(self) -> str:
        """The mean and its interval, as tables write it."""
        if self.mean is None:
            return words.UNDEFINED
        if self.score.form == "share":
            low, high = (f"{100 * end:.0f}" for end in (self.mean.low, self.mean.high))
            return f"{words.percent(self.mean.value)} [{low}, {high}]"
        if self.score.form == "small":
            return f"{self.mean.value:.3f} [{self.mean.low:.3f}, {self.mean.high:.3f}]"
        value, low, high = (words.number(getattr(self.mean, n)) for n in ("value", "low", "high"))
        return f"{value} [{low}, {high}]"


def seed_scores(population: Population) -> list[SeedScore]:
    """Return every score of every layer over the seeds, layer by layer."""
    found: list[SeedScore] = []
    layers = zip(*(member.study.layers for member in population.members), strict=True)
    for layer_S in layers:
        for score in scores():
            values = [plain_value(score.value(layer)) for layer in layer_S]
            if any(isinstance(value, str) for value in values):  # the grade is of CHI
                continue
            values_S = tuple(math.nan if v is None else float(v) for v in values)
            first = layer_S[0]
            mean = _mean(values_S, by_factors=score.key in _FACTORS)
            found.append(
                SeedScore(
                    layer=first.layer, label=first.label, score=score, values_S=values_S, mean=mean
                )
            )
    return found


def _mean(values_S: tuple[float, ...], *, by_factors: bool) -> OverSeeds | None:
    if not np.isfinite(values_S).all():
        return None
    try:
        if not by_factors:
            return mean_over_seeds(values_S)
        log = mean_over_seeds([math.log(max(value, SMALLEST_CHI)) for value in values_S])
    except DegenerateError:
        return None
    return OverSeeds(
        value=math.exp(log.value),
        low=math.exp(log.low),
        high=math.exp(log.high),
        of_seeds=math.exp(log.of_seeds),
        of_photographs=0.0,
        seeds=log.seeds,
    )


def best(found: list[SeedScore]) -> SeedScore:
    """Return the probe of the layer where its mean over seeds is highest."""
    probes = [each for each in found if each.score.key == "best_probe" and each.mean]
    chis = [each for each in found if each.score.key == "chi" and each.mean]
    return max(probes or chis or found, key=lambda e: e.mean.value if e.mean else -math.inf)


def headline(population: Population) -> str:
    """Say how much the networks tell on average, and how many of them separate the sets."""
    members = population.members
    top = best(seed_scores(population))
    verdicts = [m.study.verdict or verdict_of(m.study) for m in members]
    separating = sum(each.separates == "yes" for each in verdicts)
    beyond = sum(each.beyond_simple_statistics == "yes" for each in verdicts)
    sets = named_sets(members[0].study)
    what = "a probe is right for" if top.score.key == "best_probe" else f"{top.score.label} is"
    return (
        f"{population.name}, over {len(members)} seeds: at {words.shorten(top.label, 40)}, the "
        f"best layer, {what} {top.text}; {separating} of {len(members)} networks surely separate "
        f"{sets}, {beyond} surely beyond simple statistics."
    )


def sections(population: Population) -> Iterator[Section]:
    """Return the parts of the page."""
    members, found = population.members, seed_scores(population)
    layers = list(dict.fromkeys(each.layer for each in found))
    main = {score.key for score in scores(all_columns=False)}
    shown = [score for score in scores() if any(e.score is score for e in found)]

    def table(wanted: list[Score]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
        rows = [
            (own[0].label, *(each.text for each in own if each.score in wanted))
            for own in ([e for e in found if e.layer == layer] for layer in layers)
        ]
        return ("Layer", *(score.label for score in wanted)), tuple(rows)

    columns, rows = table([score for score in shown if score.key in main])
    yield Section(
        title="Mean over seeds",
        lead="With 95 % intervals over training seeds (Student), for these photographs. Means of "
        "CHI are geometric, as CHI varies by factors.",
        columns=columns,
        rows=rows,
        figures=("scores-by-layer",),
    )
    label = best(found).label
    yield Section(
        title="Seed by seed",
        lead=f"At {label}, where the mean accuracy of a probe is highest.",
        columns=("Seed", "PSNR, dB", *(s.label for s in shown if s.key in main), "Separates"),
        rows=tuple(
            (
                str(member.seed),
                words.number(member.restoration.psnr),
                *(
                    words.percent(e.values_S[i])
                    if e.score.form == "share"
                    else words.number(e.values_S[i])
                    for e in found
                    if e.label == label and e.score.key in main
                ),
                (member.study.verdict or verdict_of(member.study)).separates,
            )
            for i, member in enumerate(members)
        ),
        notes=tuple(f"Left out: {name}: {why}." for name, why in population.skipped),
    )
    rest = [score for score in shown if score.key not in main]
    if rest:
        columns, rows = table(rest)
        yield Section(title="Every other score", columns=columns, rows=rows)


def to_dict(population: Population) -> dict[str, Any]:
    """Return the record in the ``srscope.seeds/1`` form, as plain JSON values."""
    whole = [scores_dict(member.study) for member in population.members]
    shared = ("suite", "images", "protocol", "environment", "left_out")
    return {
        "schema": SCHEMA,
        "recipe": population.name,
        "headline": headline(population),
        **{name: whole[0][name] for name in shared},
        "over_seeds": [
            {
                "layer": each.layer,
                "label": each.label,
                "score": each.score.key,
                "values": plain(each.values_S),
                "mean": plain(each.mean),
            }
            for each in seed_scores(population)
        ],
        "networks": [
            {
                "seed": member.seed,
                "file": member.file,
                "sha256": told["network"]["sha256"],
                "restoration": plain(member.restoration),
                "layers": told["layers"],
                "verdict": told["verdict"],
            }
            for member, told in zip(population.members, whole, strict=True)
        ],
        "controls": whole[0]["controls"],
        "skipped": [{"file": name, "reason": why} for name, why in population.skipped],
        "created": population.created,
        "timings": plain(population.timings),
    }


def write_tables(population: Population, folder: str | Path) -> None:
    """Write ``seeds.json`` and ``seeds.csv`` into a folder."""
    seeds = [f"seed{member.seed}" for member in population.members]
    rows = [
        [
            each.layer, each.label, each.score.key,
            *((plain(getattr(each.mean, n)) for n in ("value", "low", "high"))
              if each.mean else (None, None, None)),
            *plain(each.values_S),
        ]
        for each in seed_scores(population)
    ]  # fmt: skip
    heads = ("layer", "label", "score", "mean", "low", "high", *seeds)
    files.write_json(Path(folder) / "seeds.json", to_dict(population))
    files.write_text(Path(folder) / "seeds.csv", files.csv_text(heads, rows))
