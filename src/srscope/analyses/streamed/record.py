"""What was found in more images than memory holds, and how it is told.

Suffixes: N images, C components, R t-SNE runs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from srscope.degradations.record import SetInfo
from srscope.figures.panels import Panel, panel_grid
from srscope.figures.scatter import columns_of
from srscope.report.plain_page import Section
from srscope.runtime.files import atomic_path
from srscope.scores.record import ProbeScore, Runs
from srscope.study import words
from srscope.study.record import plain

_DRAWN = 3000
_NOTE = (
    "The probe is tested on photographs that were left out; the principal components that it reads "
    "are those of all images, found without their sets."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamedLayer:
    """One layer, or what simple statistics of the images say.

    Args:
        layer: Its dotted name, or the statistic's.
        label: How it is shown.
        shape: Of one image's features.
        chi: CHI of its principal components.
        probe: Of its principal components; ``None`` where a set is of one photograph.
        probe_channel_means: Of its channel means.
        map_chi: CHI of its t-SNE maps; ``None`` where none were made.
        points_NC: Its principal components.
        maps_RN2: Its t-SNE maps.
    """

    layer: str
    label: str
    shape: tuple[int, ...]
    chi: float
    probe: ProbeScore | None
    probe_channel_means: ProbeScore | None = None
    map_chi: Runs | None = None
    points_NC: NDArray[np.float32] = field(repr=False, compare=False)
    maps_RN2: NDArray[np.float32] = field(repr=False, compare=False)

    @property
    def accuracy(self) -> float:
        """The probe's accuracy, the better of both readings; 0 where there is none."""
        readings = (self.probe, self.probe_channel_means)
        return max((each.accuracy for each in readings if each is not None), default=0.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamRecord:
    """What was found.

    Args:
        network: Its name.
        sets: The sets of the suite.
        photographs: How many.
        source: Where these come from.
        skipped: (file, reason) of those that gave nothing.
        layers: In depth order.
        controls: Raw pixels and simple statistics.
        passes: The layers that were read together, in each pass over the images.
        seconds: By stage.
        set_N: The set of each image.
        content_N: The content of each image.
        photograph_N: The photograph of each image.
    """

    network: str
    sets: tuple[SetInfo, ...]
    photographs: int
    source: str
    skipped: tuple[tuple[str, str], ...]
    layers: tuple[StreamedLayer, ...]
    controls: tuple[StreamedLayer, ...]
    passes: tuple[tuple[str, ...], ...]
    seconds: dict[str, float]
    set_N: NDArray[np.int64] = field(repr=False, compare=False)
    content_N: NDArray[np.int64] = field(repr=False, compare=False)
    photograph_N: NDArray[np.int64] = field(repr=False, compare=False)


def to_dict(record: StreamRecord) -> dict[str, Any]:
    """Return the record as JSON values; points and labels are in ``points.npz``."""
    told = {
        each.name: plain(getattr(record, each.name))
        for each in dataclasses.fields(record)
        if not each.name.endswith("_N") and each.name not in ("network", "layers", "controls")
    }
    for group in ("layers", "controls"):
        told[group] = [
            {
                each.name: plain(getattr(layer, each.name))
                for each in dataclasses.fields(layer)
                if each.name not in ("points_NC", "maps_RN2")
            }
            for layer in getattr(record, group)
        ]
    return {"images": len(record.set_N), **told}


def write(record: StreamRecord, folder: Path) -> None:
    """Write ``points.npz``: labels, principal components and maps."""
    arrays: dict[str, Any] = {
        name: getattr(record, name) for name in ("set_N", "content_N", "photograph_N")
    }
    for each in (*record.layers, *record.controls):
        arrays[f"{each.layer}_pca"], arrays[f"{each.layer}_tsne"] = each.points_NC, each.maps_RN2
    with atomic_path(folder / "points.npz") as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


def headline(record: StreamRecord) -> str:
    """Return the best layer and the best statistic, and how many images they were read from."""
    best = max(record.layers, key=lambda each: each.accuracy)
    simple = max(record.controls, key=lambda each: each.accuracy)
    return (
        f"In {len(record.set_N)} images of {record.photographs} photographs, a probe of "
        f"{record.network} is right for {words.percent(best.accuracy)} at {best.label}, its best "
        f"layer, and of {simple.label} for {words.percent(simple.accuracy)}; chance is "
        f"{words.percent(1 / len(record.sets))}."
    )


def sections(record: StreamRecord) -> Iterator[Section]:
    """Return the parts of the page."""
    yield Section(
        title="Layers and simple statistics",
        columns=("What", "CHI of maps", "CHI of components", "Probe", "Probe of channel means"),
        rows=tuple(
            (
                each.label,
                words.UNDEFINED if each.map_chi is None else words.with_spread(each.map_chi),
                words.number(each.chi),
                _probed(each.probe),
                _probed(each.probe_channel_means),
            )
            for each in (*record.layers, *record.controls)
        ),
        figures=("maps",) if any(len(each.maps_RN2) for each in record.layers) else (),
        notes=(
            _NOTE,
            "CHI grows with the number of images.",
            f"A map shows {_DRAWN} of the images at most.",
        ),
    )
    yield Section(
        title="Sets",
        columns=("Set", "Images", "Definition"),
        rows=tuple((each.name, str(each.count), each.definition) for each in record.sets),
    )
    if record.skipped:
        yield Section(title="Skipped", columns=("File", "Why"), rows=record.skipped)


def _probed(probe: ProbeScore | None) -> str:
    if probe is None:
        return words.UNDEFINED
    return f"{words.percent(probe.accuracy)} [{100 * probe.low:.0f}, {100 * probe.high:.0f}]"


def figures(record: StreamRecord) -> dict[str, Figure]:
    """Return the maps of the layers; of many images an even part is drawn."""
    shown = [each for each in record.layers if len(each.maps_RN2)]
    if not shown:
        return {}
    step = -(-len(record.set_N) // _DRAWN)
    set_N = record.set_N[::step]
    panels = [
        Panel(
            title=each.label,
            points_N2=each.maps_RN2[0][::step],
            colour_N=set_N,
            marker_N=set_N,
            caption="" if each.map_chi is None else f"CHI {words.with_spread(each.map_chi)}",
        )
        for each in shown
    ]
    names = [each.name for each in record.sets]
    grid = panel_grid(panels, columns=columns_of(len(panels)), colour_names=names, letters=False)
    return {"maps": grid}
