"""What was found of a network's generalisation, and how it is told."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from srscope.report.plain_page import Section
from srscope.scores.agreement import Agreement
from srscope.scores.photographs import RELIABLE_FROM, Estimate
from srscope.scores.srga import GeneralizedGaussian
from srscope.study.record import plain

WARNING = (
    "The index compares distributions of numbers after a rotation of their own: features that "
    "were only rotated score 0, and a low score does not show that both sets are treated alike."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SetShift:
    """One set against the clean one.

    Args:
        name: The set.
        definition: How it is made.
        shift: SRGA of its features, with its interval over photographs; lower is nearer.
        beyond_null: Whether that lies above the 95 % quantile of the network's own null.
        density: Of its coefficients.
        psnr: Of the outputs against the originals, in dB.
        ssim: Structural similarity to them.
        loss_psnr: PSNR of the clean set's outputs less that of this set's, in dB, paired.
        loss_ssim: The same of SSIM.
        same: PSNR against the network's own outputs for the clean inputs, in dB.
        bicubic: PSNR of bicubic enlargement of the same inputs, in dB.
        accepted: Whether the network restores the set at least as well as that.
    """

    name: str
    definition: str
    shift: Estimate
    beyond_null: bool
    density: GeneralizedGaussian
    psnr: Estimate
    ssim: Estimate
    loss_psnr: Estimate
    loss_ssim: Estimate
    same: Estimate
    bicubic: Estimate
    accepted: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkShift:
    """A network over all sets.

    Args:
        network: Its name.
        layer: The layer that was read.
        null: What halves of the clean photographs score against each other: 5 %, 50 %, 95 %.
        floor: What samples of the fitted density score, if their values were independent: 2.5 %,
            50 %, 97.5 %.
        reference: Density of the clean set's coefficients.
        clean_psnr: Of the clean set's outputs, in dB.
        clean_ssim: Structural similarity of these.
        sets: One entry a degraded set.
        agreement: Of shift and loss of PSNR in the order of the sets; ``None`` for fewer than 3.
        acceptance: Share of the sets restored at least as well as by bicubic enlargement.
    """

    network: str
    layer: str
    null: tuple[float, float, float]
    floor: tuple[float, float, float]
    reference: GeneralizedGaussian
    clean_psnr: Estimate
    clean_ssim: Estimate
    sets: tuple[SetShift, ...]
    agreement: Agreement | None
    acceptance: Estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class GeneralizeRecord:
    """How networks generalise.

    Args:
        networks: Those that restore images.
        left_out: (name, why) of those that do not.
        suite: Name of the suite.
        contents: Contents a set.
        photographs: Photographs they were cut from.
        source: Where these come from.
    """

    networks: tuple[NetworkShift, ...]
    left_out: tuple[tuple[str, str], ...]
    suite: str
    contents: int
    photographs: int
    source: str


def to_dict(record: GeneralizeRecord) -> dict[str, Any]:
    """Return the record as JSON values."""
    told = {f.name: plain(getattr(record, f.name)) for f in dataclasses.fields(record)}
    told["networks"] = [plain(each) for each in record.networks]
    told["generalization"] = told.pop("networks")  # "networks" is what they are, in every record
    return {**told, "reliable": record.photographs >= RELIABLE_FROM, "warning": WARNING}


def headline(record: GeneralizeRecord) -> str:
    """Return the greatest loss, and whether the index tells it from the null."""
    parts: list[str] = []
    for each in record.networks:
        worst = max(each.sets, key=lambda found: found.loss_psnr.value)
        side = "above" if worst.beyond_null else "within"
        told = (
            f"{each.network} loses most on {worst.name}, {worst.loss_psnr.value:.1f} dB; SRGA there"
            f" {worst.shift.value:.2f}, {side} its null ({each.null[2]:.2f})"
        )
        if each.agreement is not None:
            rho = each.agreement.rho
            told += (
                f"; over sets, shift and loss correlate by {rho.value:.2f} "
                f"[{rho.low:.2f}, {rho.high:.2f}]"
            )
        parts.append(told)
    return ". ".join(parts) + "." if parts else "No network here restores images."


def sections(record: GeneralizeRecord) -> Iterator[Section]:
    """Return the parts of the page."""
    for number, each in enumerate(record.networks):
        low, middle, high = each.floor
        notes = [
            f"Null of this network, halves of the clean photographs: median {each.null[1]:.2f}, "
            f"95 % quantile {each.null[2]:.2f}. Sampling floor: {low:.2f} to {high:.2f}, median "
            f"{middle:.2f}. Clean set: {each.clean_psnr.text(1)} dB. Read at {each.layer}.",
            f"Accepted sets (not below bicubic enlargement): {each.acceptance.text(2)}.",
        ]
        if each.agreement is not None:
            notes.append(
                f"Spearman's correlation of shift and loss over {each.agreement.sets} sets: "
                f"{each.agreement.rho.text(2)}, p {each.agreement.p_value:.3f}."
            )
        yield Section(
            title=each.network,
            columns=("Set", "SRGA", "above null", "PSNR, dB", "loss, dB", "loss of SSIM",
                     "against own clean output, dB", "bicubic, dB"),
            rows=tuple(
                (
                    s.name,
                    s.shift.text(2),
                    "yes" if s.beyond_null else "no",
                    s.psnr.text(1),
                    s.loss_psnr.text(1),
                    s.loss_ssim.text(3),
                    s.same.text(1),
                    s.bicubic.text(1),
                )
                for s in each.sets
            ),
            figures=("shift-against-loss",) if number == 0 else (),
            notes=(*notes, WARNING) if number == 0 else tuple(notes),
        )  # fmt: skip
    if record.left_out:
        yield Section(title="Left out", columns=("Network", "Why"), rows=record.left_out)
