"""What a contrast of two recipes found, and how it is told.

Suffix: S seeds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from srscope.analyses.contrast.measure import CAUSAL, CHI, CONTENT, PROBE
from srscope.report.plain_page import Section
from srscope.scores.seeds import OverSeeds
from srscope.study import words

AS_TRAINED, AT_EQUAL_PSNR = "as trained", "at equal PSNR"
_TITLES = {
    PROBE: "Accuracy of the probe",
    CHI: "CHI, as a factor",
    "degradation": "Component of degradation",
    CONTENT: "Component of content",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """One quantity of one layer: the first recipe's less the second's.

    Args:
        state: ``as trained`` or ``at equal PSNR``.
        layer: The layer's dotted name.
        label: What it is called.
        quantity: What is compared. CHI is compared by its natural logarithm.
        first_S: Of each network of the first recipe, by rising seed.
        second_S: Of the second's.
        gap: The difference with its interval over seeds and photographs.
    """

    state: str
    layer: str
    label: str
    quantity: str
    first_S: tuple[float, ...]
    second_S: tuple[float, ...]
    gap: OverSeeds

    @property
    def differs(self) -> bool:
        """The whole interval lies on one side of 0."""
        return self.gap.low > 0 or self.gap.high < 0

    @property
    def text(self) -> str:
        """The difference with its interval; of CHI, the factor."""
        value, low, high = self.gap.value, self.gap.low, self.gap.high
        if self.quantity == CHI:
            value, low, high = (math.exp(min(v, 50.0)) for v in (value, low, high))
            return f"× {words.number(value)} [{words.number(low)}, {words.number(high)}]"
        unit = " dB" if self.quantity.startswith(CAUSAL) else ""
        return f"{value:+.3f} [{low:+.3f}, {high:+.3f}]{unit}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """Which state of a network was compared at equal PSNR.

    Args:
        recipe: Its recipe.
        seed: Its seed.
        psnr: As trained, in dB on the clean contents.
        wanted: PSNR of the network it was matched to.
        iteration: Of the checkpoint that was taken; ``None`` where it stays as trained.
        psnr_taken: PSNR there.
    """

    recipe: str
    seed: int
    psnr: float
    wanted: float
    iteration: int | None
    psnr_taken: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ContrastRecord:
    """Two recipes compared.

    Args:
        recipes: Their names.
        seeds: The seeds of each.
        sets: Names of the sets that are told apart.
        contents: Contents in every set.
        photographs: Photographs they were cut from.
        source: Where these come from.
        gaps: Every quantity of every layer, as trained, then at equal PSNR.
        taken: The networks that are compared at equal PSNR.
        not_matched: Why nothing was compared at equal PSNR; empty where it was.
        model: How the intervals are made, in words.
    """

    recipes: tuple[str, str]
    seeds: tuple[tuple[int, ...], tuple[int, ...]]
    sets: tuple[str, ...]
    contents: int
    photographs: int
    source: str
    gaps: tuple[Gap, ...]
    taken: tuple[Taken, ...]
    not_matched: str
    model: str

    @property
    def state(self) -> str:
        """The comparison that answers: at equal PSNR where that could be made."""
        return AS_TRAINED if self.not_matched else AT_EQUAL_PSNR


def model_of(*, paired: bool) -> str:
    """Say how intervals are made."""
    how = (
        "seed by seed, with Student's interval over the seeds"
        if paired
        else "of the two means over seeds, with Welch's degrees of freedom"
    )
    return (
        f"Differences are taken {how}. The photographs are shared by all networks; what drawing "
        "others would change is added, as the root of the sum of the two squared half widths."
    )


def headline(record: ContrastRecord) -> str:
    """Say how the recipes differ at the last layer."""
    one, other = record.recipes
    own = [each for each in record.gaps if each.state == record.state]
    last = own[-1].layer
    parts: list[str] = []
    for each in (e for e in own if e.layer == last):
        title = _title(each.quantity)
        parts.append(f"{title} {each.text}" + ("" if each.differs else ", which may be none"))
    counts = " and ".join(str(len(seeds)) for seeds in record.seeds)
    return (
        f"{one} less {other} over {counts} seeds, {record.state}, at "
        f"{words.shorten(own[-1].label, 40)}: {'; '.join(parts)}."
    )


def _title(quantity: str) -> str:
    return _TITLES.get(quantity, f"Effect on {quantity.removeprefix(CAUSAL)} of its code")


def sections(record: ContrastRecord) -> Iterator[Section]:
    """Return the parts of the page."""
    one, other = record.recipes
    for state in (AT_EQUAL_PSNR, AS_TRAINED):
        own = [each for each in record.gaps if each.state == state]
        if own:
            yield Section(
                title=state[0].upper() + state[1:],
                lead=f"{one} less {other}, with 95 % intervals over seeds and photographs.",
                columns=(
                    "Layer", "What", "Difference", "Differs", f"{one}, seed by seed",
                    f"{other}, seed by seed", "Half width: seeds", "photographs",
                ),
                rows=tuple(_row(each) for each in own),
                figures=("differences",) if state == record.state else (),
                notes=(record.model,) if state == record.state else (),
            )  # fmt: skip
    lead = "The better network of two is taken at the checkpoint whose PSNR is nearest to the "
    lead += "other's, the latest of those within 0.1 dB. PSNR is on the clean contents."
    yield Section(
        title="Which state of each network",
        lead=record.not_matched or lead,
        columns=("Network", "PSNR as trained", "PSNR wanted", "Iteration taken", "PSNR taken")
        if record.taken
        else (),
        rows=tuple(
            (
                f"{each.recipe} seed {each.seed}",
                f"{each.psnr:.2f}",
                f"{each.wanted:.2f}",
                "as trained" if each.iteration is None else str(each.iteration),
                f"{each.psnr_taken:.2f}",
            )
            for each in record.taken
        ),
        notes=(
            f"{record.contents} contents of {record.photographs} photographs ({record.source}).",
            "Several layers and quantities are shown: of twenty, one differs by chance.",
        ),
    )


def _row(each: Gap) -> tuple[str, ...]:
    def values(value_S: tuple[float, ...]) -> str:
        if each.quantity == CHI:
            return " ".join(words.number(math.exp(value)) for value in value_S)
        return " ".join(f"{value:.2f}" for value in value_S)

    return (
        each.label, _title(each.quantity), each.text, "yes" if each.differs else "not decided",
        values(each.first_S), values(each.second_S), f"{each.gap.of_seeds:.3f}",
        f"{each.gap.of_photographs:.3f}",
    )  # fmt: skip
