"""What a dose-response found, and how it is told.

Suffixes: L levels, B draws.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from srscope.report.plain_page import Section
from srscope.scores.dose import DoseResponse, Threshold
from srscope.scores.photographs import RELIABLE_FROM, Estimate
from srscope.study.record import plain

READINGS = ("flattened", "channel means", "channel log-stds")
"""How a layer is read: features through PCA, and statistics of its channels over positions."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadResponse:
    """The response of one reading of one layer, or of a simple statistic.

    Args:
        network: Whose; empty for a statistic of the images.
        layer: The module's dotted name, or the statistic's name.
        label: What it is called.
        reading: One of ``READINGS``; ``"as it is"`` for a statistic.
        response: The response.
    """

    network: str
    layer: str
    label: str
    reading: str
    response: DoseResponse


@dataclass(frozen=True, kw_only=True, slots=True)
class Contrast:
    """Two networks at the same layer and reading, over the same draws of photographs.

    Args:
        networks: The two.
        layer: The layer's dotted name.
        label: What it is called.
        reading: How it was read.
        d_prime: Mean over levels of d' of the first less that of the second: above 0, the first
            notices more.
        threshold_ratio: Just noticeable level of the second over that of the first, in strength:
            above 1, the second notices later. ``None`` where one lies beyond the grid.
    """

    networks: tuple[str, str]
    layer: str
    label: str
    reading: str
    d_prime: Estimate
    threshold_ratio: Estimate | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DoseRecord:
    """How layers of networks respond to the levels of one degradation.

    Args:
        family: The degradation.
        degree: Which of its numbers is the level.
        unit: Of the level, in words.
        levels: Weakest first.
        input_psnr: Of the degraded inputs against the clean ones at each level, in dB: means over
            contents; infinite where nothing changed. By it, levels of two families compare.
        networks: Their names.
        layers: Responses, network by network, layer by layer, reading by reading.
        baselines: Responses of simple statistics of the inputs.
        contrasts: Of every pair of networks with a layer in common.
        contents: Contents a level.
        photographs: Photographs they were cut from.
        source: Where these come from.
    """

    family: str
    degree: str
    unit: str
    levels: tuple[float, ...]
    input_psnr: tuple[float, ...]
    networks: tuple[str, ...]
    layers: tuple[ReadResponse, ...]
    baselines: tuple[ReadResponse, ...]
    contrasts: tuple[Contrast, ...]
    contents: int
    photographs: int
    source: str

    def earliest(self, network: str) -> ReadResponse:
        """Return the reading of a network that notices the degradation at the weakest level."""
        own = [each for each in self.layers if each.network == network]
        return min(own, key=self._strength)

    def earliest_baseline(self) -> ReadResponse:
        """Return the simple statistic that notices it at the weakest level."""
        return min(self.baselines, key=self._strength)

    def _strength(self, each: ReadResponse) -> tuple[float, float]:
        """Return the threshold on a scale of strength; of equals the larger d' comes first."""
        found = each.response.threshold
        d_prime = sum(value.value for value in each.response.d_prime)
        if found.level is None:
            return (-math.inf if found.outcome == "below the grid" else math.inf, -d_prime)
        return abs(math.log(found.level / self.levels[0])), -d_prime


def threshold_text(found: Threshold, unit: str = "") -> str:
    """Return a threshold with its interval in words.

    Example:
        >>> inside, above = "within the grid", "above the grid"
        >>> threshold_text(
        ...     Threshold(
        ...         outcome=inside,
        ...         level=2.04,
        ...         low=1.5,
        ...         high=None,
        ...         low_outcome=inside,
        ...         high_outcome=above,
        ...     )
        ... )
        '2.0 [1.5, above the grid]'
    """

    def end(level: float | None, outcome: str) -> str:
        return outcome if level is None else f"{level:#.2g}".rstrip(".")

    value = end(found.level, found.outcome)
    low, high = end(found.low, found.low_outcome), end(found.high, found.high_outcome)
    told = f"{value} {unit}".strip() if found.level is not None else value
    return told if low == high == value else f"{told} [{low}, {high}]"


def to_dict(record: DoseRecord) -> dict[str, Any]:
    """Return the record as JSON values; draws of photographs are left out."""

    def told(each: ReadResponse) -> dict[str, Any]:
        fields = {f.name: getattr(each.response, f.name) for f in dataclasses.fields(DoseResponse)}
        del fields["draws"], fields["levels"]
        own = {n: getattr(each, n) for n in ("network", "layer", "label", "reading")}
        return {**own, **plain(fields)}

    return {
        **{
            field.name: plain(getattr(record, field.name))
            for field in dataclasses.fields(DoseRecord)
            if field.name not in ("layers", "baselines")
        },
        "layers": [told(each) for each in record.layers],
        "baselines": [told(each) for each in record.baselines],
        "reliable": record.photographs >= RELIABLE_FROM,
    }


def headline(record: DoseRecord) -> str:
    """Return which level each network notices, and which a simple statistic does."""
    parts: list[str] = []
    for network in record.networks:
        first = record.earliest(network)
        found = threshold_text(first.response.threshold)
        parts.append(f"{network}: {found} ({first.label}, {first.reading})")
    base = record.earliest_baseline()
    found = threshold_text(base.response.threshold)
    return (
        f"Just noticeable {record.degree} of {record.family}, the earliest of all layers and "
        f"readings: {'; '.join(parts)}; {base.label} alone: {found}."
    )


def sections(record: DoseRecord) -> Iterator[Section]:
    """Return the parts of the page."""
    unit = record.unit
    yield Section(
        title="Just noticeable level",
        lead=(
            "The level at which a probe on other photographs tells degraded from clean with AUC "
            "0.75, with its 95 % interval over photographs."
        ),
        columns=("Layer", "Reading", "Level", "Monotonicity", "Saturation", "d' at the strongest"),
        rows=tuple(
            (
                f"{each.network} {each.label}".strip(),
                each.reading,
                threshold_text(each.response.threshold, unit),
                "-" if math.isnan(rho := each.response.monotonicity.value) else f"{rho:.2f}",
                "no response"
                if each.response.saturation is None
                else threshold_text(each.response.saturation, unit),
                f"{each.response.d_prime[-1].value:.1f}",
            )
            for each in (*record.baselines, *record.layers)
        ),
        figures=tuple(f"auc-{reading.replace(' ', '-')}" for reading in READINGS),
        notes=_notes(record),
    )
    if record.contrasts:
        yield Section(
            title="Networks compared",
            lead="Paired: both networks read the same draws of photographs.",
            columns=("Layer", "Reading", "Networks", "d' more", "Level of the second over first's"),
            rows=tuple(
                (
                    each.label,
                    each.reading,
                    " and ".join(each.networks),
                    each.d_prime.text(),
                    "-" if each.threshold_ratio is None else each.threshold_ratio.text(),
                )
                for each in record.contrasts
            ),
        )


def _notes(record: DoseRecord) -> tuple[str, ...]:
    notes = [
        f"{record.contents} contents of {record.photographs} photographs ({record.source}) at each "
        "level. The earliest layer was chosen among all; its interval does not count the choice."
    ]
    if record.photographs < RELIABLE_FROM:
        notes.append(f"Fewer than {RELIABLE_FROM} photographs: the intervals are not reliable.")
    return tuple(notes)
