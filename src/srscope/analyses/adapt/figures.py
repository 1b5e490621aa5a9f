"""Crops of every set, and of historic photographs, as each network restores them."""

from __future__ import annotations

from matplotlib.figure import Figure

from srscope.analyses.adapt.record import AdaptRecord
from srscope.figures.crops import Crop, picture_grid


def figures(record: AdaptRecord) -> dict[str, Figure]:
    """Return the figures by name: a row a set or photograph, a column a network."""
    found: dict[str, Figure] = {}
    for group in dict.fromkeys(each.name.partition(":")[0] for each in record.shown):
        rows = [each for each in record.shown if each.name.partition(":")[0] == group]
        columns = list(dict.fromkeys(_column(key) for each in rows for key in each.pictures))
        grid: list[list[Crop | None]] = []
        for each in rows:
            by_column = {_column(key): (key, image) for key, image in each.pictures.items()}
            grid.append(
                [
                    Crop(
                        pixels_HW3=by_column[column][1],
                        title=column if each is rows[0] else "",
                        caption=by_column[column][0].partition("\n")[2],
                    )
                    if column in by_column
                    else None
                    for column in columns
                ]
            )
        names = [each.name.partition(":")[2] for each in rows]
        found[f"pictures-{group}"] = picture_grid(grid, row_names=names)
    return found


def _column(key: str) -> str:
    return key.partition("\n")[0]
