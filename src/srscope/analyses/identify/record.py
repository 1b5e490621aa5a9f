"""How well degradations are told, and what was told of images; with the files of both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.analyses.identify.config import unit_of
from srscope.report.plain_page import Section
from srscope.runtime import files
from srscope.scores.identify_quality import Identification
from srscope.scores.photographs import RELIABLE_FROM, Estimate
from srscope.study.record import plain


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """One way to read degradations, on held-out photographs and levels.

    Args:
        source: ``"network"``, ``"untrained"``, or ``"statistic"`` of the images.
        layer: The module's dotted name, or the statistic's.
        label: What it is called.
        reading: How the layer was read.
        quality: Accuracy, levels, calibration.
        unknown: AUROC of unknown types, by type; all of them together under ``"all"``.
        knn: Accuracy of 5 nearest neighbours on five divisions of the photographs.
    """

    source: str
    layer: str
    label: str
    reading: str
    quality: Identification
    unknown: dict[str, Estimate]
    knn: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ImageTold:
    """What was told of one image.

    Args:
        name: The image.
        size_HW: In pixels.
        type: Of most of its probability over patches; ``"unknown"`` where more than half of the
            patches are unlike all that was learned.
        probability: Of that type, mean over patches; ``None`` for unknown.
        level: Median over the patches of that type; ``None`` where it has none.
        unknown: Share of patches that are unknown.
        tops: Upper border of each row of patches, in pixels.
        lefts: Left border of each column.
        type_RC: Type of each patch, as index into the types, -1 for unknown.
        probability_RC: Of its likeliest type.
        level_RC: Degree, as of that type; NaN where it has none.
    """

    name: str
    size_HW: tuple[int, int]
    type: str
    probability: float | None
    level: float | None
    unknown: float
    tops: tuple[int, ...]
    lefts: tuple[int, ...]
    type_RC: NDArray[np.int64]
    probability_RC: NDArray[np.float64]
    level_RC: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class IdentifyRecord:
    """How well a network's layers tell degradations, and what they told.

    Args:
        network: Its name.
        types: Types that can be told.
        held_out: Types that were held out as unknown.
        evaluations: Layers of the network, then of the untrained one, then statistics.
        best: Index of the network's evaluation with the highest accuracy; it told the images.
        images: What was told of the user's images; empty where none were given.
        skipped: (file, reason) of images that could not be told.
        patch: Side of a patch, in pixels.
        contents: Contents a type and level.
        photographs: Photographs learned from.
        source: Where these come from.
    """

    network: str
    types: tuple[str, ...]
    held_out: tuple[str, ...]
    evaluations: tuple[Evaluation, ...]
    best: int
    images: tuple[ImageTold, ...]
    skipped: tuple[tuple[str, str], ...]
    patch: int
    contents: int
    photographs: int
    source: str

    @property
    def chosen(self) -> Evaluation:
        """The evaluation of the layer and reading that told the images."""
        return self.evaluations[self.best]


def to_dict(record: IdentifyRecord) -> dict[str, Any]:
    """Return the record as JSON values; patches of images stand in ``patches.csv``."""
    evaluations = [
        {
            **plain({n: getattr(each, n) for n in ("source", "layer", "label", "reading")}),
            "quality": {
                **plain(
                    {
                        n: getattr(each.quality, n)
                        for n in ("types", "accuracy", "chance", "levels", "calibration",
                                  "calibration_error")
                    }
                ),
                "confusion": each.quality.confusion_TT.tolist(),
            },
            "unknown": plain(each.unknown),
            "knn": list(each.knn),
        }
        for each in record.evaluations
    ]  # fmt: skip
    told = ("name", "size_HW", "type", "probability", "level", "unknown")
    names = ("network", "types", "held_out", "best", "skipped", "patch", "contents",
             "photographs", "source")  # fmt: skip
    return {
        **plain({name: getattr(record, name) for name in names}),
        "evaluations": evaluations,
        "images": [plain({name: getattr(each, name) for name in told}) for each in record.images],
        "reliable": record.photographs >= RELIABLE_FROM,
    }


def write(record: IdentifyRecord, folder: Path) -> None:
    """Write ``images.csv``, one line an image, and ``patches.csv``, one line a patch."""
    if not record.images:
        return
    rows = [
        [each.name, *each.size_HW, each.type, _cell(each.probability), _cell(each.level),
         "" if each.level is None else unit_of(each.type), _cell(each.unknown)]
        for each in record.images
    ]  # fmt: skip
    head = ["image", "height", "width", "type", "probability", "level", "unit", "unknown share"]
    files.write_text(folder / "images.csv", files.csv_text(head, rows))
    patches = [
        [each.name, top, left,
         "unknown" if each.type_RC[r, c] < 0 else record.types[each.type_RC[r, c]],
         _cell(each.probability_RC[r, c]),
         "" if each.type_RC[r, c] < 0 else _cell(each.level_RC[r, c])]
        for each in record.images
        for r, top in enumerate(each.tops)
        for c, left in enumerate(each.lefts)
    ]  # fmt: skip
    head = ["image", "top", "left", "type", "probability", "level"]
    files.write_text(folder / "patches.csv", files.csv_text(head, patches))


def _cell(value: float | None) -> str:
    return "" if value is None or not np.isfinite(value) else f"{value:.4g}"


def headline(record: IdentifyRecord) -> str:
    """Return the accuracy of the best layer beside that of the best statistic."""
    best = record.chosen
    statistics = [each for each in record.evaluations if each.source == "statistic"]
    told = (
        f"{record.network} tells {', '.join(record.types)} of photographs and levels not learned "
        f"from with balanced accuracy {best.quality.accuracy.text()} ({best.label}, "
        f"{best.reading}; chance {best.quality.chance:.2f})"
    )
    if statistics:
        rival = max(statistics, key=lambda each: each.quality.accuracy.value)
        told += f"; {rival.label} {rival.quality.accuracy.text()}"
    if "all" in best.unknown:
        told += f"; unseen {', '.join(record.held_out)} is unknown with AUROC "
        told += best.unknown["all"].text()
    return told + "."


def sections(record: IdentifyRecord) -> Iterator[Section]:
    """Return the parts of the page."""
    held = tuple(record.held_out)
    types = tuple(record.types)
    yield Section(
        title="Told on held-out photographs and levels",
        columns=(
            "Layer", "Reading", "Accuracy", *(f"error, {t}" for t in types[1:]),
            *(f"AUROC, {name}" for name in held), "5-NN",
        ),
        rows=tuple(
            (
                f"{each.source}: {each.label}",
                each.reading,
                each.quality.accuracy.text(),
                *(_error(each.quality, name) for name in types[1:]),
                *(each.unknown[name].text() for name in held),
                f"{np.mean(each.knn):.2f}",
            )
            for each in record.evaluations
        ),
        figures=("confusion-and-calibration",),
        notes=(
            f"{record.contents} contents of {record.photographs} photographs ({record.source}) a "
            "type and level. Errors are medians, given the true type. 5-NN: five divisions of the "
            "photographs into 67 % and 33 %, levels not held out. The best layer was chosen by the "
            "accuracy shown, and its interval does not count the choice.",
        ),
    )  # fmt: skip
    if record.images:
        yield Section(
            title="Your images",
            columns=("Image", "Type", "Probability", "Level", "Unknown patches"),
            rows=tuple(
                (
                    each.name,
                    each.type,
                    _cell(each.probability),
                    f"{_cell(each.level)} {unit_of(each.type)}".strip(),
                    f"{100 * each.unknown:.0f} %",
                )
                for each in record.images
            ),
        )


def _error(quality: Identification, name: str) -> str:
    for each in quality.levels:
        if each.type == name:
            return f"{each.absolute.value:.2g} ({100 * each.relative.value:.0f} %)"
    return "-"
