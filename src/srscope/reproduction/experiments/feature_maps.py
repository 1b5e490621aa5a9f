"""Fig. 10 and Fig. S4: the channels at ResBlock16 as images, and their content."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Sequence
from pathlib import Path

from srscope.analyses.maps.figures import MOSTLY_CONTENT, all_channels, networks_side_by_side
from srscope.analyses.maps.run import degraded_versions, maps_of
from srscope.degradations.catalogue import load_suite
from srscope.features.channels import FeatureMaps, rank_channels
from srscope.figures.save import save_figure
from srscope.images.bundled import load_bundled
from srscope.images.sources import load_photographs
from srscope.networks.structure.identity import identity_of
from srscope.networks.structure.select import select_layers
from srscope.reproduction.content import LayerContent, layer_content
from srscope.reproduction.evidence import DEEPEST, content_key
from srscope.reproduction.experiment import Experiment
from srscope.reproduction.lab import Lab
from srscope.reproduction.present import NAMES
from srscope.reproduction.records import Cell, Finding, Table
from srscope.runtime.cache import Entry
from srscope.study.words import percent

NETWORKS = ("srresnet-wogr", "srresnet-wgr", "srgan-wogr", "srgan-wgr")
"""In the paper's order: panels (a) to (d)."""
SUITE = "clean-blur4-noise20"
CHANNELS = 8
PICTURE, SIDE = "EveningGlow.jpg", 64
"""The bundled photograph whose middle is shown (the first one of another set), and its LR side."""

_RULE = (
    "Channels are ranked through the eigenvectors of the channel covariance, from the largest "
    "eigenvalue down: each names the channel that it loads on most among those not yet named. "
    "The paper does not say how an eigenvalue belongs to a feature map."
)
_SCALE = "Each channel has one grey scale for the three versions of the image."


def _measured(
    lab: Lab, order: Sequence[str] = NETWORKS
) -> tuple[list[FeatureMaps], list[LayerContent]]:
    """Return the channels of every network for the picture, with shares over all contents.

    Args:
        lab: Where networks and results are.
        order: In which they are measured; what is returned is in the paper's order.
    """
    maps: dict[str, FeatureMaps] = {}
    contents: dict[str, LayerContent] = {}
    for name in order:
        content = layer_content(lab, name, DEEPEST, lab.spec(SUITE))
        contents[name] = content
        maps[name] = dataclasses.replace(
            _maps(lab, name), content_C=content.channel_C, content=content.share.value
        )
    return [maps[name] for name in NETWORKS], [contents[name] for name in NETWORKS]


def _maps(lab: Lab, name: str) -> FeatureMaps:
    loaded = lab.network(name)
    (tap,) = select_layers(loaded, [DEEPEST])
    images = lab.config.images
    # Not the crops that are analysed unless other photographs are given: they have no middle.
    photos = (load_photographs(images) if images else load_bundled("test")).photographs
    photo = next((each for each in photos if each.name == PICTURE), photos[0])
    versions = degraded_versions(
        photo.pixels_HW3, load_suite(SUITE), scale=loaded.scale, crop=SIDE, seed=lab.config.seed
    )
    digest = hashlib.sha256()
    for name_, image_HW3 in versions.items():
        digest.update(f"{name_} {image_HW3.shape}".encode() + image_HW3.tobytes())
    inputs = {
        "network": identity_of(loaded.module) or loaded.sha256,
        "layer": tap.name,
        "images": digest.hexdigest(),
    }

    def compute() -> Entry:
        made = maps_of(loaded, tap, versions)
        return {"inputs_SHW3": made.inputs_SHW3, "maps_SCHW": made.maps_SCHW}

    entry = lab.stages.get("feature-maps", inputs, compute)
    return FeatureMaps(
        network=name,
        layer=tap.name,
        label=tap.label,
        image=photo.name,
        sets=tuple(versions),
        inputs_SHW3=entry["inputs_SHW3"],
        maps_SCHW=entry["maps_SCHW"],
        ranking=rank_channels(entry["maps_SCHW"], name=f"{name} {tap.label}"),
    )


def _caption(letter: str, name: str, content: LayerContent) -> str:
    share = content.share
    low, high = (f"{100 * end:.0f}" for end in (share.low, share.high))
    return f"({letter}) {NAMES[name]}: content {percent(share.value)} [{low}, {high}]"


def _notes(maps: FeatureMaps, content: LayerContent) -> tuple[str, ...]:
    return (
        f"Shares of content are exact, over all features of {content.contents} contents in "
        f"{SUITE}; intervals (95 %) by drawing contents anew. Features that were nothing but "
        f"noise would show {percent(content.noise)}: nearer to that is less content.",
        f"Pictures: the middle of {maps.image}. {_SCALE}",
        _RULE,
    )


def _channel_rows(name: str, maps: FeatureMaps, channels: int) -> list[tuple[Cell, ...]]:
    ranking, total = maps.ranking, float(maps.ranking.eigenvalue_C.sum())
    assert maps.content_C is not None
    rows: list[tuple[Cell, ...]] = []
    for rank, channel in enumerate(ranking.order_C[:channels].tolist()):
        share = float(maps.content_C[channel])
        part = float(ranking.eigenvalue_C[rank]) / total if total > 0 else None
        rows.append((NAMES[name], rank + 1, channel, part, share if math.isfinite(share) else None))
    return rows


_CHANNEL_COLUMNS = ("network", "rank", "channel", "eigenvalue, share of all", "content")


def _run_fig10(lab: Lab, folder: Path) -> Finding:
    maps, contents = _measured(lab)
    captions = [
        _caption(letter, name, content)
        for letter, name, content in zip("abcd", NETWORKS, contents, strict=True)
    ]
    save_figure(networks_side_by_side(maps, captions, channels=CHANNELS), folder / "fig10")
    layers = Table(
        name="fig10",
        title=f"Fig. 10: share of content in the variance at {DEEPEST} (paper: pictures only)",
        columns=(
            "network", "content", "low", "high", "mean channel",
            f"channels of {MOSTLY_CONTENT:.0%} or more", "channels", "paper",
        ),
        rows=tuple(_layer_row(name, c) for name, c in zip(NETWORKS, contents, strict=True)),
    )  # fmt: skip
    channels = Table(
        name="fig10-channels",
        title=f"Fig. 10: the {CHANNELS} channels shown",
        columns=_CHANNEL_COLUMNS,
        rows=tuple(
            row
            for name, each in zip(NETWORKS, maps, strict=True)
            for row in _channel_rows(name, each, CHANNELS)
        ),
    )
    return Finding(
        figures=("fig10",),
        tables=(layers, channels),
        evidence={
            content_key(name): content.share
            for name, content in zip(NETWORKS, contents, strict=True)
        },
        notes=_notes(maps[0], contents[0]),
    )


def _layer_row(name: str, content: LayerContent) -> tuple[Cell, ...]:
    shares = [float(s) for s in content.channel_C if math.isfinite(s)]
    return (
        NAMES[name],
        content.share.value,
        content.share.low,
        content.share.high,
        sum(shares) / len(shares),
        sum(share >= MOSTLY_CONTENT for share in shares),
        len(content.channel_C),
        None,
    )


def _run_figs4(lab: Lab, folder: Path) -> Finding:
    # From the other end than Fig. 10: beside it in another process, they share the work.
    maps, contents = _measured(lab, NETWORKS[::-1])
    figures: list[str] = []
    for name, each in zip(NETWORKS, maps, strict=True):
        figures.append(f"figs4-{name}")
        save_figure(all_channels(each, title=NAMES[name]), folder / figures[-1])
    table = Table(
        name="figs4",
        title=f"Fig. S4: all channels at {DEEPEST} by rank",
        columns=_CHANNEL_COLUMNS,
        rows=tuple(
            row
            for name, each in zip(NETWORKS, maps, strict=True)
            for row in _channel_rows(name, each, len(each.ranking.order_C))
        ),
    )
    return Finding(figures=tuple(figures), tables=(table,), notes=_notes(maps[0], contents[0]))


FIG10 = Experiment(
    id="fig10",
    title="Global residual and GAN remove image content from the feature maps",
    where="Fig. 10",
    networks=NETWORKS,
    measure=_run_fig10,
)
FIGS4 = Experiment(
    id="figs4",
    title=f"All feature maps at {DEEPEST}",
    where="Fig. S4",
    networks=NETWORKS,
    measure=_run_figs4,
)
