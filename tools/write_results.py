"""Measure the bundled networks and write the results into README and docs.

`python tools/write_results.py` (or `make results`) analyses every bundled pair on the paper's
suites, keeps each `scores.json` in docs/results/, and rewrites what stands between marks: all
tables in docs/science.md (RESULTS), four numbers in README.md (NUMBERS). `--check` writes nothing
and fails if the pages do not say what the kept scores say.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from marks import between

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs" / "results"
PAGES = {"NUMBERS": ROOT / "README.md", "RESULTS": ROOT / "docs" / "science.md"}
"""What stands between which marks, and on which page."""
WEIGHTS = ROOT / "src" / "srscope" / "assets" / "weights"
NETWORKS = ("srresnet-wogr", "srresnet-wgr", "srgan-wogr", "srgan-wgr")
MAIN = "clean-blur-noise"
DEGREES = ("noise-5-10-30", "noise-10-30", "noise-10-20", "blur-1-4")


def measure(network: str, suite: str) -> None:
    """Analyse one network on one suite and keep its scores."""
    from srscope.analyses.separability import analyze
    from srscope.cli.console import stage_progress
    from srscope.study.record import write_scores

    main = suite == MAIN
    layers = () if main else ("ResBlock16",)
    with stage_progress(quiet=False) as progress:
        study = analyze(network, suite=suite, layers=layers, untrained=main, progress=progress)
    write_scores(study, KEPT / f"{network}-{suite}.json")


def read(network: str, suite: str) -> dict[str, Any]:
    """Return kept scores."""
    return json.loads((KEPT / f"{network}-{suite}.json").read_text("utf-8"))


VIEWS = ("probe", "probe_channel_means", "probe_channel_log_std")


def _chi(layer: dict[str, Any]) -> str:
    chi = layer["tsne"]["chi"]
    return f"{chi['mean']:.2f} ± {chi['std']:.2f} {layer['tsne']['grade']}"


def _percent(score: dict[str, Any] | None) -> str:
    """Return an accuracy with its interval over photographs."""
    if score is None:
        return "-"
    return f"{score['accuracy']:.0%} [{100 * score['low']:.0f}, {100 * score['high']:.0f}]"


def _best(layers: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the layer or control that a probe reads best, and that probe."""
    found = [(layer, layer[view]) for layer in layers for view in VIEWS if layer[view] is not None]
    return max(found, key=lambda each: each[1]["accuracy"])


def _verdict_table() -> Iterator[str]:
    """Yield what each network's verdict rests on, a row a network."""
    yield (
        "| network | separates | beyond simple statistics | masked by content | best layer | probe "
        "| best simple statistic | untrained | at random | CHI of that layer |"
    )
    yield "| --- |" + " --- |" * 9
    for network in NETWORKS:
        scores = read(network, MAIN)
        verdict, controls = scores["verdict"], scores["controls"]
        layer = next(each for each in scores["layers"] if each["layer"] == verdict["layer"])
        statistic, simple = _best([controls["pixels"], *controls["trivial"]])
        cells = [
            f"`{network}`",
            verdict["separates"],
            verdict["beyond_simple_statistics"],
            "yes" if verdict["masked_by_content"] else "no",
            layer["label"],
            _percent(_best([layer])[1]),
            f"{_percent(simple)}, {statistic['label']}",
            _percent(_best(controls["untrained"])[1]),
            _percent(_best(controls["random"])[1]),
            _chi(layer),
        ]
        yield "| " + " | ".join(cells).replace("|Laplacian|", r"\|Laplacian\|") + " |"


def _depth_table() -> Iterator[str]:
    yield (
        "| layer | network | probe | on channel means | on their log std | k-NN | degradation "
        "| content | CHI |"
    )
    yield "| --- |" + " --- |" * 8
    scores = {network: read(network, MAIN) for network in NETWORKS}
    for number, first in enumerate(scores[NETWORKS[0]]["layers"]):
        for network in NETWORKS:
            yield _row(first["label"], f"`{network}`", scores[network]["layers"][number])
    controls = scores["srresnet-wgr"]["controls"]
    for kind in ("untrained", "random"):
        yield _row(f"{kind}, best layer", "control", _best(controls[kind])[0])
    for entry in (controls["pixels"], *controls["trivial"]):
        yield _row(entry["label"].replace("|", r"\|"), "control", entry)


def _row(label: str, network: str, layer: dict[str, Any]) -> str:
    parts = layer["variance"]["components"]
    cells = [
        label,
        network,
        *(_percent(layer[view]) for view in (*VIEWS, "knn_photographs")),
        *(f"{parts[of]:.1%}" for of in ("degradation", "content")),
        _chi(layer),
    ]
    return "| " + " | ".join(cells) + " |"


def _degree_table() -> Iterator[str]:
    yield "| ResBlock16 | " + " | ".join(DEGREES) + " |"
    yield "| --- |" + " --- |" * len(DEGREES)
    for network in NETWORKS:
        cells = [_chi(read(network, suite)["layers"][0]) for suite in DEGREES]
        yield f"| `{network}` | " + " | ".join(cells) + " |"


def _cards() -> list[dict[str, Any]]:
    return [json.loads(path.read_text("utf-8")) for path in sorted(WEIGHTS.glob("*.json"))]


def _iterations(facts: dict[str, Any]) -> str:
    """Return a network's iterations, and those of the weights it started from."""
    counts = [f"{facts['iterations']:,}"]
    known = {card["sha256"]: card for card in _cards()}
    known |= {
        card["sha256"]: card
        for card in (json.loads(p.read_text("utf-8")) for p in WEIGHTS.glob("stages/*.json"))
    }
    while facts.get("init"):
        facts = known[facts["init"]["sha256"]]
        counts.append(f"{facts['iterations']:,}")
    return " after ".join(counts)


def _quality_table() -> Iterator[str]:
    yield "| network | iterations | PSNR | bicubic | SSIM | bicubic | detail | bicubic |"
    yield "| --- |" + " --- |" * 7
    for facts in _cards():
        measured = facts["quality"]
        if "psnr" in measured:
            yield (
                f"| `{facts['name']}` | {_iterations(facts)} "
                f"| {measured['psnr']:.2f} dB | {measured['bicubic_psnr']:.2f} dB "
                f"| {measured['ssim']:.4f} | {measured['bicubic_ssim']:.4f} "
                f"| {measured['detail']:.2f} | {measured['bicubic_detail']:.2f} |"
            )


def _accuracy_table() -> Iterator[str]:
    classifiers = [facts for facts in _cards() if "accuracy_clean" in facts["quality"]]
    if not classifiers:
        return
    sets = list(classifiers[0]["quality"]["sets"])
    yield from ("", "Accuracy on the bundled test images, digits on photographs:", "")
    yield "| network | iterations | " + " | ".join(sets) + " |"
    yield "| --- |" + " --- |" * (1 + len(sets))
    for facts in classifiers:
        cells = [f"{facts['quality'][f'accuracy_{name}']:.1%}" for name in sets]
        yield f"| `{facts['name']}` | {_iterations(facts)} | " + " | ".join(cells) + " |"


def summary() -> str:
    """Return the verdicts as Markdown, from the kept scores."""
    scores = read("srresnet-wgr", MAIN)
    photographs = scores["images"]["photographs"]
    return "\n".join(
        [
            f"Suite `{MAIN}`, {scores['suite']['sets'][0]['count']} contents of {photographs} "
            "photographs, written by `make results`. Probe: share of images whose degradation a "
            "linear probe tells in the layer and reading where it tells most, with 95 % interval "
            "over photographs; these intervals do not pay for that choice, those of the verdicts "
            "do. Chance is 33 %.",
            "",
            *(f"- {_plain(read(network, MAIN)['verdict']['headline'])}" for network in NETWORKS),
            "",
            *_verdict_table(),
        ]
    )


def text() -> str:
    """Return all results as Markdown, from the kept scores and the model cards."""
    protocol = read("srresnet-wgr", MAIN)["protocol"]
    lines = [
        "## Results on the bundled networks",
        "",
        summary(),
        "",
        f"By depth ({protocol['patch']}-pixel patches; components of variance free of noise; CHI "
        f"over {protocol['runs']} t-SNE runs, mean ± standard deviation; seed {protocol['seed']}):",
        "",
        *_depth_table(),
        "",
        "CHI by degree of one degradation:",
        "",
        *_degree_table(),
        "",
        "Restoration on the bundled test photographs (x4, RGB, border of 4 pixels cut): `cincgan` "
        "on reductions degraded by `mild`, all others on clean ones, which `srgan-wgr-noise20` was "
        "not trained on. *Detail* is the energy beyond the input's Nyquist frequency over the "
        "original's:",
        "",
        *_quality_table(),
        *_accuracy_table(),
    ]
    return "\n".join(lines)


def numbers() -> str:
    """Return each network's verdict as Markdown: its interval pays for the choice of the layer."""
    scores = {network: read(network, MAIN) for network in NETWORKS}
    images = scores[NETWORKS[0]]["images"]
    lines = [
        "## Four verdicts",
        "",
        f"On {images['contents']} contents of {images['photographs']} photographs; chance is 33 %, "
        "and the intervals pay for the choice of the best layer. "
        "[All results](docs/science.md#results-on-the-bundled-networks).",
        "",
        *(f"- {_plain(scores[network]['verdict']['headline'])}" for network in NETWORKS),
    ]
    return "\n".join(lines)


def _plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def written(name: str) -> str:
    """Return what stands between the marks of this name."""
    return numbers() if name == "NUMBERS" else text()


def with_results(page: str, results: str, name: str = "RESULTS") -> str:
    """Return a page with what stands between its marks replaced."""
    return between(page, name, results)


def main() -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--keep", action="store_true", help="use the kept scores as they are")
    parser.add_argument("--only", nargs="+", choices=NETWORKS, default=NETWORKS, metavar="NETWORK",
                        help="measure these anew, keep the others' scores")  # fmt: skip
    options = parser.parse_args()
    if not (options.check or options.keep):
        for network in options.only:
            for suite in (MAIN, *DEGREES):
                measure(network, suite)
    stale: list[str] = []
    for name, path in PAGES.items():
        page = path.read_text("utf-8")
        wanted = with_results(page, written(name), name)
        if options.check and page != wanted:
            stale.append(path.name)
        elif not options.check:
            path.write_text(wanted, "utf-8")
    if stale:
        print(f"out of date: {', '.join(stale)}; run make results", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
