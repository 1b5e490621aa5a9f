"""Measure the bundled networks and write the results into README and docs.

`python tools/write_results.py` (or `make results`) analyses every bundled pair on the paper's
suites, keeps each `scores.json` in docs/results/, and rewrites what stands between the RESULTS
marks of README.md and docs/science.md. `--check` writes nothing and fails if the pages do not say
what the kept scores say.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs" / "results"
PAGES = (ROOT / "README.md", ROOT / "docs" / "science.md")
BEGIN, END = "<!-- RESULTS -->", "<!-- /RESULTS -->"
NETWORKS = ("srresnet-wogr", "srresnet-wgr")
MAIN = "clean-blur-noise"
DEGREES = ("noise-5-10-30", "noise-10-30", "noise-10-20", "blur-1-4")


def measure(network: str, suite: str) -> None:
    """Analyse one network on one suite and keep its scores."""
    from srscope.analysis import analyze
    from srscope.console import stage_progress
    from srscope.study import write_scores

    main = suite == MAIN
    layers = () if main else ("ResBlock16",)
    with stage_progress(quiet=False) as progress:
        study = analyze(network, suite=suite, layers=layers, untrained=main, progress=progress)
    write_scores(study, KEPT / f"{network}-{suite}.json")


def read(network: str, suite: str) -> dict[str, Any]:
    """Return kept scores."""
    return json.loads((KEPT / f"{network}-{suite}.json").read_text("utf-8"))


def _chi(layer: dict[str, Any]) -> str:
    chi = layer["tsne"]["chi"]
    return f"{chi['mean']:.2f} ± {chi['std']:.2f} {layer['tsne']['grade']}"


def _depth_table() -> Iterator[str]:
    yield "| layer | network | CHI | CHI in feature space | k-NN | degradation | content |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    scores = {network: read(network, MAIN) for network in NETWORKS}
    for number, first in enumerate(scores[NETWORKS[0]]["layers"]):
        for network in NETWORKS:
            layer = scores[network]["layers"][number]
            space, shares = layer["feature_space"], layer["variance"]
            yield (
                f"| {first['label']} | `{network}` | {_chi(layer)} | {space['chi']:.2f} "
                f"| {space['knn_accuracy']:.0%} | {shares['degradation']:.1%} "
                f"| {shares['content']:.1%} |"
            )
    controls = scores["srresnet-wgr"]["controls"]
    highest = max(controls["untrained"], key=lambda layer: layer["tsne"]["chi"]["mean"])
    for label, layer in (("raw pixels", controls["pixels"]), ("untrained, highest", highest)):
        space, shares = layer["feature_space"], layer["variance"]
        yield (
            f"| {label} | control | {_chi(layer)} | {space['chi']:.2f} "
            f"| {space['knn_accuracy']:.0%} | {shares['degradation']:.1%} "
            f"| {shares['content']:.1%} |"
        )


def _degree_table() -> Iterator[str]:
    yield "| ResBlock16 | " + " | ".join(DEGREES) + " |"
    yield "| --- |" + " --- |" * len(DEGREES)
    for network in NETWORKS:
        cells = [_chi(read(network, suite)["layers"][0]) for suite in DEGREES]
        yield f"| `{network}` | " + " | ".join(cells) + " |"


def _quality_table() -> Iterator[str]:
    yield "| network | iterations | PSNR | bicubic | SSIM | bicubic |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for network in NETWORKS:
        card = ROOT / "src" / "srscope" / "assets" / "weights" / f"{network}.json"
        facts = json.loads(card.read_text("utf-8"))
        measured = facts["quality"]
        yield (
            f"| `{network}` | {facts['iterations']:,} | {measured['psnr']:.2f} dB "
            f"| {measured['bicubic_psnr']:.2f} dB | {measured['ssim']:.4f} "
            f"| {measured['bicubic_ssim']:.4f} |"
        )


def text() -> str:
    """Return the results as Markdown, from the kept scores and the model cards."""
    protocol = read("srresnet-wgr", MAIN)["protocol"]
    lines = [
        "## Results on the bundled networks",
        "",
        f"Written by `make results`. 100 contents a set, {protocol['patch']}-pixel patches, "
        f"{protocol['runs']} t-SNE runs (mean ± standard deviation), seed {protocol['seed']}.",
        "",
        f"CHI by depth, suite `{MAIN}`:",
        "",
        *_depth_table(),
        "",
        "CHI by degree of one degradation:",
        "",
        *_degree_table(),
        "",
        "Restoration on the bundled test photographs (x4, RGB, border of 4 pixels cut):",
        "",
        *_quality_table(),
    ]
    return "\n".join(lines)


def with_results(page: str, results: str) -> str:
    """Return a page with what stands between its marks replaced."""
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    return f"{before}{BEGIN}\n{results}\n{END}" + (after if found else rest)


def main() -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--keep", action="store_true", help="use the kept scores as they are")
    options = parser.parse_args()
    if not (options.check or options.keep):
        for network in NETWORKS:
            for suite in (MAIN, *DEGREES):
                measure(network, suite)
    results, stale = text(), []
    for path in PAGES:
        page = path.read_text("utf-8")
        wanted = with_results(page, results)
        if options.check and page != wanted:
            stale.append(path.name)
        elif not options.check:
            path.write_text(wanted, "utf-8")
    if stale:
        print(f"out of date: {', '.join(stale)}; run make results", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
