"""Make the gallery: a real page of each kind of analysis, and the README's thumbnails of them.

`python tools/gallery.py` (or `make gallery`) runs every analysis below on bundled networks and
photographs, with few images where an analysis is slow, and puts its page into docs/gallery, which
git ignores and the site shows. `NAME ...` runs only those. `--thumbnails` writes their thumbnails
into docs/images/gallery, which README and site show; those are kept.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import subprocess
import sys
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "gallery"
THUMBNAILS = ROOT / "docs" / "images" / "gallery"
MADE = ROOT / "srscope-out" / "gallery"
RESULTS = ROOT / "docs" / "results" / "reproduction"
PHOTOGRAPHS = Path("src/srscope/assets/photos/test")
"""From the root, as commands run there."""
WIDTH, LARGEST = 320, 15_000
"""Of a thumbnail: pixels, at most, and bytes."""
TRAINED = MADE / "trained"
SEEDS = (1, 2)


@dataclass(frozen=True, kw_only=True)
class Item:
    """A page of the gallery.

    Args:
        name: Of its file.
        told: What it shows.
        words: srscope's command, without ``--out``; none for the scorecard.
        figure: The figure that the thumbnail is made of, in the output folder; or one of the
            repository's own results, below ``docs``.
        box: Which part of it, in shares of width and height: left, top, right, bottom.
    """

    name: str
    told: str
    words: tuple[str, ...] = ()
    figure: str
    box: tuple[float, float, float, float] = (0, 0, 1, 1)

    @property
    def command(self) -> str:
        """The command's name."""
        return self.words[0] if self.words else self.name


ITEMS = (
    Item(
        name="analyze",
        told="The report on one network, srresnet-wgr",
        words=("analyze", "srresnet-wgr"),
        figure="figures/layers.png",
        box=(0.5, 0.0, 1.0, 0.9),
    ),
    Item(
        name="course",
        told="A short training, checkpoint by checkpoint",
        words=("analyze", str(TRAINED / "wgr-seed1"), "--contents=30", "--runs=2"),
        figure="docs/images/courses/srgan-wgr-blur.png",
        box=(0.0, 0.08, 0.345, 1.0),
    ),
    Item(
        name="compare",
        told="Two networks side by side",
        words=("compare", "srresnet-wgr", "srgan-wgr", "--contents=30", "--runs=2"),
        figure="figures/strongest-layers.png",
    ),
    Item(
        name="dose",
        told="From which noise level on a layer notices it",
        words=("dose", "srresnet-wgr", "--layers", "ResBlock16", "--contents=40", "--steps=6"),
        figure="figures/auc-flattened.png",
        box=(0.0, 0.11, 0.5, 0.862),
    ),
    Item(
        name="identify",
        told="Which degradation photographs have",
        words=("identify", "srgan-wgr", "--contents=16", "--layers", "ResBlock16"),
        figure="figures/confusion-and-calibration.png",
        box=(0.0, 0.0, 0.53, 1.0),
    ),
    Item(
        name="generalize",
        told="How far features shift on degraded inputs",
        words=("generalize", "srgan-wgr", "srgan-wgr-noise20", "--contents=30", "--draws=100",
               "--splits=100"),
        figure="figures/shift-against-loss.png",
        box=(0.0, 0.0, 0.53, 1.0),
    ),
    Item(
        name="intervene",
        told="Whether a layer's code of degradations is used",
        words=("intervene", "srresnet-wgr", "--layers", "ResBlock16", "--contents=16",
               "--controls=19"),
        figure="figures/gain-by-layer.png",
        box=(0.54, 0.0, 1.0, 1.0),
    ),
    Item(
        name="attribute",
        told="What an output depends on",
        words=("attribute", "srresnet-wgr", str(PHOTOGRAPHS / "LadyBird.jpg"),
               "--crop=32", "--steps=10", "--sanity=0", "--orders=1", "--causal=0",
               "--contents=4"),
        figure="figures/maps.png",
        box=(0.27, 0.0, 0.76, 0.67),
    ),
    Item(
        name="contrast",
        told="Two ways of training, over training seeds",
        words=("contrast", str(TRAINED / "wgr-*"), str(TRAINED / "wogr-*"), "--contents=20",
               "--runs=1"),
        figure="figures/differences.png",
        box=(0.0, 0.0, 0.335, 0.48),
    ),
    Item(
        name="maps",
        told="The channels of a layer as images",
        words=("maps", "srresnet-wgr", str(PHOTOGRAPHS / "LadyBird.jpg"), "--crop=96"),
        figure="maps.png",
        box=(0.08, 0.08, 0.56, 0.86),
    ),
    Item(
        name="reproduce",
        told="The paper's claims, judged",
        figure="docs/images/reproduction/fig7-depth.png",
        box=(0.0, 0.14, 1.0, 1.0),
    ),
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Make the pages.

    Args:
        arguments: Words after the script's name; those of the process if absent.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(i.name for i in ITEMS))
    parser.add_argument("--thumbnails", action="store_true", help="write thumbnails as well")
    given = parser.parse_args(arguments)
    unknown = set(given.names) - {each.name for each in ITEMS}
    if unknown:
        parser.error(f"no such page: {', '.join(sorted(unknown))}")
    for item in ITEMS:
        if given.names and item.name not in given.names:
            continue
        page = make(item)
        print(page)
        if given.thumbnails:
            print(thumbnail(item))
    return 0


def make(item: Item) -> Path:
    """Run an analysis and put its page into the gallery."""
    out, page = MADE / item.name, PAGES / f"{item.name}.html"
    PAGES.mkdir(parents=True, exist_ok=True)
    if not item.words:
        page.write_text(scorecard(), "utf-8")
        return page
    train(item)
    srscope(*item.words, f"--out={out}", "--quiet")
    made = out / "report.html"
    page.write_text(made.read_text("utf-8"), "utf-8")
    return page


def srscope(*words: str) -> None:
    """Run a command of srscope."""
    subprocess.run([sys.executable, "-m", "srscope", *words], check=True, cwd=ROOT)


def train(item: Item) -> None:
    """Train the small networks that an item names, shortly; their checkpoints are kept."""
    for name, residual in (("wgr", "true"), ("wogr", "false")):
        for seed in SEEDS:
            out = TRAINED / f"{name}-seed{seed}"
            if not any(fnmatch(str(out), word) for word in item.words):
                continue
            if (out / f"{out.name}.safetensors").is_file():
                continue
            srscope(
                "train", "recipes/small/srresnet-wgr.yaml", f"--name={out.name}",
                f"--out={out}", "--resume", "--init=", "--precision=32-true",
                f"--data.folder={PHOTOGRAPHS}", "--data.validation=[]",
                f"--network.global_residual={residual}", "--network.blocks=4",
                "--network.channels=16", "--data.batch_size=4",
                "--optimizer.milestones=[]", f"--seed={seed}",
                "--iterations=250", "--checkpoint_every=50", "--keep_checkpoints=5",
                "--validate_every=0", "--quiet",
            )  # fmt: skip


def scorecard() -> str:
    """Return the reproduction's page, made of the results that the repository keeps."""
    from srscope.networks.record import NetworkInfo
    from srscope.reproduction.lab import LabConfig
    from srscope.reproduction.outcome import Reproduction
    from srscope.reproduction.page import render
    from srscope.reproduction.records import Finding, Judgement, Table

    kept: dict[str, Any] = json.loads((RESULTS / "findings.json").read_text("utf-8"))
    claims: list[dict[str, Any]] = json.loads((RESULTS / "scorecard.json").read_text("utf-8"))

    def table(name: str) -> Table | None:
        path = RESULTS / f"{name}.json"
        if not path.is_file():
            return None
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return Table(
            name=found["name"],
            title=found["title"],
            columns=tuple(found["columns"]),
            rows=tuple(tuple(row) for row in found["rows"]),
        )

    findings = tuple(
        Finding(
            id=each["id"],
            title=each["title"],
            where=each["where"],
            figures=tuple(figures_of(each["figures"])),
            tables=tuple(found for name in each["tables"] if (found := table(name))),
            notes=tuple(each["notes"]),
            evidence={},
        )
        for each in kept["experiments"]
    )
    networks = tuple(
        NetworkInfo(name=name, source=told["source"], parameters=0, sha256=told["sha256"], scale=4)
        for name, told in kept["networks"].items()
    )
    for each in claims:
        each["interval"] = tuple(each["interval"]) if each["interval"] else None
    return render(
        Reproduction(
            findings=findings, judgements=tuple(Judgement(**each) for each in claims), second=(),
            left_out=(), failures=(), config=LabConfig(**kept["config"]), networks=networks,
            seconds={}, out=PAGES,
        )
    )  # fmt: skip


def figures_of(names: list[str]) -> list[str]:
    """Return those of an experiment's figures that the site has, from the gallery's folder."""
    found = [f"../images/reproduction/{Path(name).name}" for name in names]
    return [name for name in found if (PAGES / f"{name}.png").is_file()]


def thumbnail(item: Item) -> Path:
    """Write the thumbnail of an analysis that was run."""
    folder = ROOT if item.figure.startswith("docs/") else MADE / item.name
    with Image.open(folder / item.figure) as figure:
        width, height = figure.size
        left, top, right, bottom = item.box
        part = figure.convert("RGB").crop(
            (int(left * width), int(top * height), int(right * width), int(bottom * height))
        )
    path = THUMBNAILS / f"{item.name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    for width, colours in itertools.product((WIDTH, 240, 180, 130, 100), (64, 40)):
        small = part.copy()
        small.thumbnail((width, width), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        small.quantize(colours).save(buffer, "PNG", optimize=True)
        if buffer.tell() < LARGEST:
            break
    path.write_bytes(buffer.getvalue())
    return path


if __name__ == "__main__":
    sys.exit(main())
