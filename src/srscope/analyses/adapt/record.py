"""What guidance gains in restoration, and how well degradations are transferred; with the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.report.plain_page import Section
from srscope.scores.photographs import RELIABLE_FROM, Interval
from srscope.study.record import plain


@dataclass(frozen=True, kw_only=True, slots=True)
class SetQuality:
    """What one network reaches on one set.

    Args:
        network: Its name; ``"input"`` for the images as they are.
        set: The set's name; an oracle has none of an unseen family.
        psnr: Mean PSNR in dB, 60 at most for an image.
        ssim: Mean structural similarity.
        gain_psnr: Mean paired difference to the unguided twin, in dB; ``None`` without one.
        gain_ssim: The same of SSIM.
    """

    network: str
    set: str
    psnr: float
    ssim: float
    gain_psnr: Interval | None = None
    gain_ssim: Interval | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Gain:
    """What a guided network gains over the sets of the degradations that it was trained on.

    Args:
        network: Its name.
        guidance: What tells it the degradation.
        psnr: Mean paired difference to the unguided twin, in dB.
        closed: Share of the way from the unguided twin to the oracle; ``None`` without an oracle,
            or for the oracle itself.
    """

    network: str
    guidance: str
    psnr: Interval
    closed: Interval | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Steered:
    """The network that is told the levels, as a denoiser, and who tells it sigma.

    Args:
        told_by: ``"truth"``, a fixed sigma, or the network whose embedding sigma is read from.
        error: Mean absolute error of sigma, in 8-bit grey levels.
        psnr: Mean PSNR in dB over the noisy sets.
        beyond_fixed: Mean paired difference in dB to the best fixed sigma; ``None`` for that one.
    """

    told_by: str
    error: float
    psnr: float
    beyond_fixed: Interval | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferQuality:
    """How well one network gives a degradation.

    Args:
        network: Its name.
        family: ``noise`` or ``blur``.
        kind: What the content is, and what tells the degradation.
        rho: Spearman's correlation of the level of the result with the level of the source. The
            level of a result is that at which the content itself, degraded so, comes nearest.
        rho_read: The same with the level as the network reads it from results alone.
        rho_read_truth: The same as it reads it from the truly degraded contents: its ceiling.
        psnr: Against the truly degraded content of the same noise, in dB.
        fixed: The fixed level that comes nearest to the truth on average.
        gain: Mean paired difference in dB to the content degraded by that level.
        leak: Correlation of the result's error with the source's content; 0 if none goes over.
        exchanged: Root mean square change of the result, in 8-bit grey levels, if the source is
            exchanged for another of the same level.
    """

    network: str
    family: str
    kind: str
    rho: Interval
    rho_read: Interval
    rho_read_truth: Interval
    psnr: float
    fixed: float
    gain: Interval
    leak: Interval
    exchanged: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Shown:
    """Pictures of one set: RGB in [0, 1], by what they are."""

    name: str
    pictures: dict[str, NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class AdaptRecord:
    """What guided networks reach.

    Args:
        qualities: Set by set, the inputs first, then the networks.
        gains: Of every guided network, over the sets of known degradations.
        steered: The network that is told the levels as a denoiser; empty without one.
        transfers: Of every transfer network.
        sets: Definitions of the sets, by name.
        known: Sets of the degradations that the networks were trained on.
        contents: Contents a set.
        photographs: Photographs they were cut from.
        source: Where these come from.
        shown: Pictures, for the figures.
    """

    qualities: tuple[SetQuality, ...]
    gains: tuple[Gain, ...]
    steered: tuple[Steered, ...]
    transfers: tuple[TransferQuality, ...]
    sets: dict[str, str]
    known: tuple[str, ...]
    contents: int
    photographs: int
    source: str
    shown: tuple[Shown, ...] = field(default=())


def to_dict(record: AdaptRecord) -> dict[str, Any]:
    """Return the record as JSON values, without the pictures."""
    names = ("qualities", "gains", "steered", "transfers", "sets", "known", "contents",
             "photographs", "source")  # fmt: skip
    told = {name: plain(getattr(record, name)) for name in names}
    return {**told, "reliable": record.photographs >= RELIABLE_FROM}


def headline(record: AdaptRecord) -> str:
    """Return what guidance gains, and whether levels are followed."""
    parts = [
        f"{each.network} gains {told(each.psnr)} dB over the unguided twin"
        + (f" and closes {percent(each.closed)} of the way to the oracle" if each.closed else "")
        for each in record.gains
    ]
    parts += [
        f"{each.network} follows the level of {each.family} with rho {told(each.rho)} ({each.kind})"
        for each in record.transfers
    ]
    return "; ".join(parts) + "." if parts else "There is nothing to compare: give several twins."


def told(interval: Interval, digits: int = 2) -> str:
    """Return a number with its interval."""
    ends = f"[{interval.low:.{digits}f}, {interval.high:.{digits}f}]"
    return f"{interval.value:.{digits}f} {ends}"


def percent(interval: Interval) -> str:
    """Return a share with its interval in per cent."""
    return f"{interval.value:.0%} [{100 * interval.low:.0f}, {100 * interval.high:.0f}]"


def sections(record: AdaptRecord) -> Iterator[Section]:
    """Return the parts of the page."""
    if record.qualities:
        yield from _restoring(record)
    if record.steered:
        yield Section(
            title="A denoiser that is told sigma",
            lead="The network that is told the levels, on noisy images: told sigma as it is read "
            "from embeddings, one sigma for all images, or the truth.",
            columns=("Sigma", "Mean error", "PSNR, dB", "Beyond the best fixed sigma, dB"),
            rows=tuple(
                (
                    each.told_by,
                    f"{each.error:.1f}",
                    f"{each.psnr:.2f}",
                    "-" if each.beyond_fixed is None else told(each.beyond_fixed),
                )
                for each in record.steered
            ),
        )
    if record.transfers:
        yield Section(
            title="Transfer of degradations",
            lead="Every content is given a degradation whose level is drawn for it, told by "
            "another photograph of that level, or by the mean embedding of others.",
            columns=("Network", "Family", "What", "rho of levels", "rho as read", "of the truth",
                     "PSNR, dB", "Best fixed level", "Beyond it, dB", "Leak", "Exchanged"),
            rows=tuple(_transfer_row(each) for each in record.transfers),
            notes=(
                "rho of levels: between the level at which the content itself, degraded so, comes "
                "nearest to the result, and that of the source. As read: between the level that "
                "the network's embedding tells of the result alone, and that of the source; beside "
                "it the same of the truly degraded contents. Leak: correlation of the result's "
                "error with the source's content. Exchanged: change of the result, in grey levels, "
                "if the source is another of the same level.",
            ),
        )  # fmt: skip
    if record.shown:
        yield Section(title="Pictures", figures=tuple(f"pictures-{n}" for n in _groups(record)))


def _groups(record: AdaptRecord) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.name.partition(":")[0] for each in record.shown))


def _restoring(record: AdaptRecord) -> Iterator[Section]:
    networks = tuple(dict.fromkeys(each.network for each in record.qualities))
    by_place = {(each.network, each.set): each for each in record.qualities}
    for key, title, digits in (("psnr", "PSNR in dB", 2), ("ssim", "SSIM", 4)):
        yield Section(
            title=f"{title}, by degradation",
            lead="Below each mean of a guided network, how far it is beyond the unguided twin.",
            columns=("Set", *networks),
            rows=tuple(
                (name, *(_cell(by_place.get((network, name)), key, digits) for network in networks))
                for name in record.sets
            ),
            notes=(
                f"{record.contents} contents of {record.photographs} photographs "
                f"({record.source}) in each set, none of them seen in training; 95 % intervals "
                "over photographs of paired differences.",
                *(f"{name}: {text}" for name, text in record.sets.items() if key == "psnr"),
            ),
        )
    if record.gains:
        yield Section(
            title="What guidance gains",
            lead=f"Over the sets {', '.join(record.known)}, each counted alike.",
            columns=("Network", "Told by", "Beyond the unguided twin, dB", "Way to the oracle"),
            rows=tuple(
                (
                    each.network,
                    each.guidance,
                    told(each.psnr),
                    "-" if each.closed is None else percent(each.closed),
                )
                for each in record.gains
            ),
        )


def _cell(each: SetQuality | None, key: str, digits: int) -> str:
    if each is None:  # an oracle has no levels of an unseen family
        return "-"
    gain: Interval | None = getattr(each, f"gain_{key}")
    beyond = "" if gain is None else f" ({gain.value:+.{digits}f} [{gain.low:+.{digits}f}, "
    beyond += "" if gain is None else f"{gain.high:+.{digits}f}])"
    return f"{getattr(each, key):.{digits}f}{beyond}"


def _transfer_row(each: TransferQuality) -> tuple[str, ...]:
    return (
        each.network,
        each.family,
        each.kind,
        told(each.rho),
        told(each.rho_read),
        told(each.rho_read_truth),
        f"{each.psnr:.2f}",
        f"{each.fixed:g}",
        told(each.gain),
        told(each.leak, 3),
        f"{each.exchanged:.1f}",
    )
