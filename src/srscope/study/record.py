"""The frozen record of a finished analysis, and its ``scores.json`` form.

`analysis` fills a :class:`Study`; `figures` and `report` only read it. Nothing here computes
a score. Suffixes: N images, R t-SNE runs, K sets (degradations), H/W height and width in LR pixels.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from srscope.degradations.record import SuiteInfo
from srscope.errors import UnknownNameError
from srscope.networks.record import NetworkInfo
from srscope.runtime import files
from srscope.scores.record import LayerScores, LayerUse, Runs
from srscope.scores.table import plain_value, scores
from srscope.study.methods import Plot, method

SCHEMA = "srscope.scores/1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """The images that were fed to the network, and where they came from.

    ``patches_NHW3`` are the LR patches as 8-bit RGB (for hover pictures). ``set_N`` and
    ``content_N`` index ``SuiteInfo.sets`` and ``contents``. ``skipped`` lists (file, reason).
    ``photographs`` names, for every content, the photograph it was cut from; empty if unknown.
    """

    patches_NHW3: NDArray[np.uint8]
    set_N: NDArray[np.int64]
    content_N: NDArray[np.int64]
    contents: tuple[str, ...]
    source: str
    skipped: tuple[tuple[str, str], ...]
    photographs: tuple[str, ...] = ()

    @property
    def photograph_N(self) -> NDArray[np.int64]:
        """The photograph of each image, as a number; every content its own where unknown."""
        names = self.photographs or self.contents
        number = {name: index for index, name in enumerate(dict.fromkeys(names))}
        return np.array([number[names[content]] for content in self.content_N], dtype=np.int64)


Kind = Literal["beyond", "masked", "simple", "uncompared", "none", "undecided", "undefined"]
"""A verdict in one word, for the colours of a page."""
Answer = Literal["yes", "no", "not decided"]
Compared = Literal["yes", "no", "not decided", "not compared"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One question about the study, and its answer."""

    question: str
    answer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerVerdict:
    """What may be said of one layer."""

    layer: str
    separates: Answer = "not decided"
    beyond_simple_statistics: Compared = "not compared"
    masked_by_content: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What may be said of a network, from intervals over photographs.

    Args:
        kind: In one word.
        headline: In one sentence.
        layer: The best layer's dotted name; empty where there is no verdict.
        separates: The whole interval of the probe lies above chance by a margin.
        beyond_simple_statistics: The network tells surely more images right than the best simple
            statistic does.
        masked_by_content: The probe separates, but content outweighs the degradation by far.
        would_decide: What would decide what is not decided; ``None`` where all is.
        findings: The questions behind it, with their numbers.
        layers: The same of every layer.
    """

    kind: Kind
    headline: str
    layer: str = ""
    separates: Answer = "not decided"
    beyond_simple_statistics: Compared = "not compared"
    masked_by_content: bool = False
    would_decide: str | None = None
    findings: tuple[Finding, ...] = ()
    layers: tuple[LayerVerdict, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Study:
    """A finished analysis of one network.

    ``protocol`` and ``environment`` are plain JSON values. ``timings`` maps a stage to seconds;
    it is kept out of the deterministic part of ``scores.json``. ``untrained`` has one entry a
    layer of ``layers``, in the same order; ``pixels`` is the raw-pixel control. ``left_out`` lists
    (score, why) of the scores that this design of sets and contents leaves undefined. ``trivial``
    are the simple statistics of the images, ``random`` the layers of the architecture at random,
    draw by draw. ``uses`` tells, where it was asked for, whether the network uses what its layers
    tell: one entry a layer and degraded set. ``verdict`` is what may be said of it all. ``reader``
    returns a layer's features, where they can still be had.
    """

    network: NetworkInfo
    suite: SuiteInfo
    inputs: Inputs
    protocol: Mapping[str, Any]
    environment: Mapping[str, Any]
    layers: tuple[LayerScores, ...]
    pixels: LayerScores
    untrained: tuple[LayerScores, ...]
    timings: Mapping[str, float]
    created: str
    left_out: tuple[tuple[str, str], ...] = ()
    trivial: tuple[LayerScores, ...] = ()
    random: tuple[LayerScores, ...] = ()
    uses: tuple[LayerUse, ...] = ()
    verdict: Verdict | None = None
    reader: Callable[[str], NDArray[np.float32]] | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        inputs = self.inputs
        photographs = len(np.unique(inputs.photograph_N))
        return (
            f"<Study of {self.network.name} on {self.suite.name}: {len(self.layers)} layers, "
            f"{len(inputs.set_N)} images of {photographs} photographs>"
        )

    def _repr_html_(self) -> str:
        return method("_repr_html_", self)

    def layer(self, name: str | None = None) -> LayerScores:
        """Return a layer's scores, or a control's.

        Args:
            name: Dotted name or label; by default the layer that the verdict is about.

        Raises:
            UnknownNameError: If it was not analysed; near matches are named.
        """
        if name is None:
            named = self.verdict.layer if self.verdict else ""
            return next((e for e in self.layers if e.layer == named), None) or best_layer(self)
        entries = (*self.layers, self.pixels, *self.trivial)
        for entry in entries:
            if name in (entry.layer, entry.label):
                return entry
        raise UnknownNameError("layer of this study", name, [each.layer for each in entries])

    def summary(self) -> str:
        """Return the verdict, what it rests on, and the main scores of every layer, as text."""
        return method("summary", self)

    def to_frame(self) -> Any:
        """Return the scores of every layer and control as a ``pandas.DataFrame``.

        Raises:
            SrscopeError: If pandas is not installed.
        """
        return method("to_frame", self)

    def features(self, layer: str | None = None) -> NDArray[np.float32]:
        """Return what a layer made of the images, (N, C, H, W) or the layer's own shape behind N.

        They come from the output folder if they were kept there; else the network is run again.

        Args:
            layer: As for :meth:`layer`; of a network in memory, any layer of it.

        Raises:
            SrscopeError: If there is neither.
        """
        return method("features", self, layer)

    def embedding(self, layer: str | None = None, *, run: int = 0) -> NDArray[np.float32]:
        """Return a layer's t-SNE points (N, 2) of one run.

        Args:
            layer: As for :meth:`layer`.
            run: Which run, from 0.
        """
        return method("embedding", self, layer, run)

    @property
    def plot(self) -> Plot:
        """Figures: ``study.plot()`` of the best layer, ``study.plot.layers()`` of all."""
        return Plot(self)

    def save(self, folder: str | Path) -> None:
        """Write ``report.html``, ``scores.json``, ``study.npz`` and the figures into a folder."""
        method("save", self, folder)

    @classmethod
    def read(cls, folder: str | Path) -> Study:
        """Read what :meth:`save`, or an analysis, wrote."""
        return method("read", folder)


def controls_of(study: Study) -> Iterator[tuple[str, str, tuple[LayerScores, ...]]]:
    """Yield the controls of a study: kind, what it is, its entries; those that were run."""
    for kind, title, entries in (
        ("pixels", "raw pixels of the same images", (study.pixels,) if study.pixels.shape else ()),
        ("trivial", "simple statistics of the same images", study.trivial),
        ("untrained", "the same architecture, untrained", study.untrained),
        ("random", "the same architecture at random", study.random),
    ):
        if entries:
            yield kind, title, entries


def control_label(kind: str, entry: LayerScores) -> str:
    """Return what an entry of a control is called outside a table of its own."""
    return entry.label if kind in ("pixels", "trivial") else f"{kind} {entry.label}"


def plain(value: Any) -> Any:
    """Turn records into JSON values; what is undefined (NaN, the spread of one run) is ``None``."""
    if isinstance(value, Runs) and len(value.runs) < 2:
        return {"mean": plain(value.mean), "std": None, "runs": list(value.runs)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def layer_entry(layer: LayerScores) -> dict[str, Any]:
    """Return a layer as an entry of ``scores.json``."""
    entry: dict[str, Any] = {"layer": layer.layer, "label": layer.label, "shape": list(layer.shape)}
    entry["depth"] = layer.depth
    entry["tsne"] = plain(layer.tsne)
    entry["feature_space"] = plain(layer.feature_space)
    entry["variance"] = plain(layer.variance)
    for name in ("probe", "probe_channel_means", "probe_channel_log_std", "knn_photographs"):
        entry[name] = plain(getattr(layer, name))
    entry["pairs"] = plain(layer.pairs)
    if layer.own:
        entry["own"] = plain(layer.own)
    return entry


def scores_dict(study: Study) -> dict[str, Any]:
    """Return ``study`` in the ``srscope.scores/1`` form, as plain JSON values."""
    suite = plain(study.suite)
    return {
        "schema": SCHEMA,
        "network": plain(study.network),
        "suite": suite,
        "images": {
            "source": study.inputs.source,
            "contents": len(study.inputs.contents),
            "photographs": len(set(study.inputs.photographs)) or None,
            "photograph": list(study.inputs.photographs),
            "skipped": [{"file": name, "reason": why} for name, why in study.inputs.skipped],
        },
        "protocol": plain(study.protocol),
        "environment": plain(study.environment),
        "layers": [layer_entry(layer) for layer in study.layers],
        "controls": {
            "pixels": layer_entry(study.pixels),
            "untrained": [layer_entry(layer) for layer in study.untrained],
            "trivial": [{"name": each.layer, **layer_entry(each)} for each in study.trivial],
            "random": [layer_entry(layer) for layer in study.random],
        },
        "causal": plain(study.uses),
        "verdict": plain(study.verdict),
        "left_out": [{"score": score, "why": why} for score, why in study.left_out],
        "created": study.created,
        "timings": plain(study.timings),
    }


def write_scores(study: Study, path: str | Path) -> None:
    """Write ``scores.json`` atomically, with stable key order and two-space indents."""
    files.write_json(path, scores_dict(study))


@dataclass(frozen=True, kw_only=True, slots=True)
class Restoration:
    """How well a network restores the contents from their clean reductions.

    Args:
        psnr: Mean over the contents, in dB; ``None`` where it is undefined.
        bicubic: The same of bicubic magnification.
        why: Why it is undefined; empty where it is not.
    """

    psnr: float | None = None
    bicubic: float | None = None
    why: str = ""


def best_layer(study: Study) -> LayerScores:
    """Return the layer with the highest mean CHI that is defined, the deeper one of equals."""
    return max(
        reversed(study.layers),
        key=lambda layer: chi if math.isfinite(chi := layer.tsne.chi.mean) else -math.inf,
    )


def best_statistic(study: Study) -> LayerScores | None:
    """Return the simple statistic whose probe is most accurate; ``None`` where none was probed."""
    probed = [each for each in study.trivial if each.best_probe is not None]
    return max(probed, key=lambda e: e.best_probe.accuracy if e.best_probe else 0.0, default=None)


def score_columns() -> tuple[str, ...]:
    """Return the columns of a layer's scores in CSV files."""
    columns: list[str] = []
    for score in scores():
        columns += [f"{score.key}_mean", f"{score.key}_std"] if score.runs else [score.key]
    return tuple(columns)


def layer_row(layer: LayerScores) -> list[Any]:
    """Return a layer's cells of a CSV table: name, label, depth, then :func:`score_columns`."""
    cells: list[Any] = [layer.layer, layer.label, layer.depth]
    for score in scores():
        value = score.value(layer)
        runs = plain(value)
        cells += [runs["mean"], runs["std"]] if score.runs else [plain(plain_value(value))]
    return cells
