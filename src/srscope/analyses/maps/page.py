"""The maps of one image as an HTML page that opens offline."""

from __future__ import annotations

from pathlib import Path

from srscope.features.channels import FeatureMaps
from srscope.report.plain_page import Section, write_page
from srscope.study import words

Row = tuple[int, int, float, float, float | None]
"""Rank, channel, eigenvalue, variance, share of content."""
_SHOWN = 16


def write_maps_page(maps: FeatureMaps, rows: list[Row], folder: Path) -> Path:
    """Write ``report.html`` beside the figures of the maps.

    Args:
        maps: The channels.
        rows: Their numbers, by rank.
        folder: Where ``maps.svg`` and ``maps-all.svg`` are.

    Returns:
        The file.
    """
    total = sum(eigenvalue for _, _, eigenvalue, _, _ in rows) or 1.0
    told, measured = f"{maps.label} has {len(rows)} channels.", ""
    if maps.content is not None:
        told = f"{words.percent(maps.content)} of the variance of {maps.label} is content."
        measured = f" Shares of content are measured on {maps.measured_on}."
    path = folder / "report.html"
    write_page(
        path,
        title=f"What do the channels of {maps.label} in {maps.network} show of {maps.image}?",
        kind="maps",
        headline=told,
        sections=(
            Section(
                title="The first channels",
                lead=f"One grey scale a channel, in all versions of the image.{measured}",
                figures=("maps",),
            ),
            Section(title="All channels", lead="By rank, row by row.", figures=("maps-all",)),
            Section(
                title="Numbers",
                lead="Channels are ranked through the eigenvectors of their covariance. "
                f"The first {min(_SHOWN, len(rows))} of {len(rows)}.",
                columns=("Rank", "Channel", "Eigenvalue", "Variance", "Content"),
                rows=tuple(
                    (
                        str(rank),
                        str(channel),
                        words.percent(eigenvalue / total),
                        f"{variance:.3g}",
                        "" if content is None else words.percent(content),
                    )
                    for rank, channel, eigenvalue, variance, content in rows[:_SHOWN]
                ),
            ),
        ),
        figures={name: folder / f"{name}.svg" for name in ("maps", "maps-all")},
        protocol={
            "network": maps.network,
            "layer": maps.layer,
            "image": maps.image,
            "versions": ", ".join(maps.sets),
            "input": " × ".join(map(str, maps.inputs_SHW3.shape[1:3])),
        },
        environment={},
        data="channels.csv",
    )
    return path
