"""Write docs/atlas.md from what tools/atlas.py found.

`python tools/atlas_page.py` writes the page from docs/results/atlas.json, where the numbers that it
shows are kept; `--check` writes nothing and fails if the page does not say what is kept.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import atlas
import atlas_packages
from marks import between

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "atlas.md"
KEPT = ROOT / "docs" / "results" / "atlas.json"
NOT_RUN = "It was not run yet: `make atlas` fills this page."
READINGS = ("probe", "probe_channel_means", "probe_channel_log_std")


def collect(folder: Path) -> dict[str, Any]:
    """Return the numbers of the page, network by network, and why some are missing."""
    listed = {file.path: file for file in atlas_packages.read_files()}
    networks: list[dict[str, Any]] = []
    for network in atlas.NETWORKS:
        told = listed[network.path.partition("/")[2]]
        entry: dict[str, Any] = {
            "key": network.key,
            "package": told.package,
            "architecture": told.architecture,
            "scale": int(told.scale),
            "parameters": int(told.parameters),
            "trained_on": told.trained_on,
            "residual": network.residual,
            "noise_in_training": network.noise,
            "failed": {},
            "seconds": {},
        }
        for step in atlas.STEPS:
            job = atlas.Job(network=network, step=step)
            done = atlas.read_done(job, folder)
            if done is None:
                continue
            entry["seconds"][step] = done["seconds"]
            if done["failed"]:
                entry["failed"][step] = done["failed"]
            else:
                entry[step] = _READERS[step](job.folder(folder))
        networks.append(entry)
    job = atlas.Job(network=atlas.NETWORKS[0], step="compare")
    done = atlas.read_done(job, folder)
    twins: dict[str, Any] = {"failed": done["failed"] if done else "not run"}
    if done and not done["failed"]:
        twins = _comparison(job.folder(folder))
    return {"networks": networks, "twins": twins}


def _read(folder: Path, name: str) -> dict[str, Any]:
    return json.loads((folder / f"{name}.json").read_text("utf-8"))


def _separability(folder: Path) -> dict[str, Any]:
    told = _read(folder, "scores")
    verdict = told["verdict"]
    layer = next(e for e in told["layers"] if e["layer"] == verdict["layer"])
    best = max((layer[r] for r in READINGS if layer[r]), key=lambda probe: probe["accuracy"])
    return {
        "contents": told["images"]["contents"],
        "layer": layer["label"],
        "separates": verdict["separates"],
        "beyond": verdict["beyond_simple_statistics"],
        "masked": verdict["masked_by_content"],
        "accuracy": [best[part] for part in ("accuracy", "low", "high")],
        "layers": [
            {
                "label": each["label"],
                "probe": [each["probe"][part] for part in ("accuracy", "low", "high")],
                "noise": next(
                    [pair[part] for part in ("auc", "low", "high")]
                    for pair in each["pairs"]
                    if set(pair["sets"]) == {"clean", "noise"}
                ),
                "chi": each["tsne"]["chi"]["mean"],
            }
            for each in told["layers"]
            if each["probe"]
        ],
    }


def _dose(folder: Path) -> dict[str, Any]:
    """Return the weakest level that any layer and reading notices, and any simple statistic."""
    told = _read(folder, "dose")
    first = told["levels"][0]

    def strength(each: Mapping[str, Any]) -> float:
        found = each["threshold"]
        if found["level"] is None:
            return -1.0 if found["outcome"] == "below the grid" else float("inf")
        return abs(found["level"] / first - 1)

    def shown(entries: list[dict[str, Any]]) -> dict[str, Any]:
        each = min(entries, key=strength)
        return {"label": each["label"], "reading": each["reading"], **each["threshold"]}

    return {
        "unit": told["unit"],
        "network": shown(told["layers"]),
        "simple": shown(told["baselines"]),
    }


def _use(folder: Path) -> dict[str, Any]:
    told = _read(folder, "intervene")
    layer = told["layers"][-1]
    return {
        "layer": layer["label"],
        "sets": [
            {
                "name": each["name"],
                "word": each["use"]["word"],
                "gain": next(
                    [e["psnr"][part] for part in ("mean", "low", "high")]
                    for e in each["effects"]
                    if e["edit"] == "move"
                ),
            }
            for each in layer["sets"]
        ],
    }


def _losses(folder: Path) -> dict[str, Any]:
    told = _read(folder, "generalize")
    if not told["generalization"]:
        return {"why": "; ".join(why for _, why in told["left_out"])}
    (network,) = told["generalization"]
    return {
        "psnr": network["clean_psnr"]["value"],
        "loss": {
            each["name"]: [each["loss_psnr"][part] for part in ("value", "low", "high")]
            for each in network["sets"]
        },
    }


def _comparison(folder: Path) -> dict[str, Any]:
    told = _read(folder, "comparison")
    return {"failed": "", "differences": told["differences"]}


_READERS = {
    "analyze": _separability,
    "noise": _dose,
    "blur": _dose,
    "intervene": _use,
    "generalize": _losses,
}


def _ends(values: list[float], form: str = "{:.2f}") -> str:
    value, low, high = (form.format(each) for each in values)
    return f"{value} [{low}, {high}]"


def _percent(values: list[float]) -> str:
    value, low, high = (f"{100 * each:.0f}" for each in values)
    return f"{value} % [{low}, {high}]"


def _level(found: Mapping[str, Any]) -> str:
    if found["level"] is None:
        return str(found["outcome"])
    low, high = (
        f"{found[end]:.2g}" if found[end] is not None else str(found[f"{end}_outcome"])
        for end in ("low", "high")
    )
    return f"{found['level']:.2g} [{low}, {high}]"


def _missing(entry: Mapping[str, Any], step: str) -> str:
    return "failed" if step in entry["failed"] else "not run"


def main_table(networks: list[dict[str, Any]]) -> list[str]:
    """Return the one table: what each network is, separates, masks, uses and notices."""
    heads = (
        "network", "architecture", "×", "trained on", "residual", "noise in training",
        "separates", "beyond simple statistics", "masked", "best layer, probe", "used",
        "just noticeable noise", "blur", "loss on noise 20, dB", "contents",
    )  # fmt: skip
    lines = ["| " + " | ".join(heads) + " |", "| " + " | ".join("---" for _ in heads) + " |"]
    for each in networks:
        cells = [
            f"`{each['key']}`", each["architecture"], str(each["scale"]), each["trained_on"],
            each["residual"], each["noise_in_training"],
        ]  # fmt: skip
        told = each.get("analyze")
        if told is None:
            cells += [_missing(each, "analyze")] * 4
        else:
            cells += [told["separates"], told["beyond"], "yes" if told["masked"] else "no"]
            cells.append(f"{told['layer']}, {_percent(told['accuracy'])}")
        use = each.get("intervene")
        cells.append(
            _missing(each, "intervene")
            if use is None
            else f"{use['layer']}: "
            + "; ".join(f"{s['name']} {s['word']} ({s['gain'][0]:+.2f} dB)" for s in use["sets"])
        )
        for step in ("noise", "blur"):
            dose = each.get(step)
            cells.append(_missing(each, step) if dose is None else _level(dose["network"]))
        losses = each.get("generalize")
        if losses is None or "loss" not in losses:
            cells.append(_missing(each, "generalize") if losses is None else losses["why"])
        else:
            cells.append(_ends(losses["loss"]["noise20"], "{:.1f}"))
        cells.append(_missing(each, "analyze") if told is None else str(told["contents"]))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return lines


def twins_section(kept: Mapping[str, Any]) -> list[str]:
    """Return the twins layer by layer, their differences, and whether the inverted U is there."""
    own = [each for each in kept["networks"] if each["key"] in atlas.TWINS and "analyze" in each]
    if not own:
        return ["The twins were not analysed."]
    lines = ["| network | layer | probe | AUC of clean and noise | CHI |", "| --- " * 5 + "|"]
    lines += [
        f"| `{each['key']}` | {layer['label']} | {_percent(layer['probe'])} "
        f"| {_ends(layer['noise'])} | {layer['chi']:.1f} |"
        for each in own
        for layer in each["analyze"]["layers"]
    ]
    twins = kept["twins"]
    if twins["failed"]:
        return [*lines, "", f"The twins were not compared: {twins['failed']}."]
    lines += [
        "",
        "Accuracy of the best layer of one less that of the other, photograph by photograph:",
        "",
        "| first | second | difference |",
        "| --- | --- | --- |",
    ]
    lines += [
        f"| `{each['first']}` | `{each['second']}` | "
        f"{_ends([each['value'], each['low'], each['high']], '{:+.2f}')} |"
        for each in twins["differences"]
    ]
    return [*lines, "", inverted_u(twins["differences"])]


def inverted_u(differences: list[dict[str, Any]]) -> str:
    """Say whether some of the twins trained on weak noise separate surely more than both ends."""
    none, *middle, strongest = atlas.TWINS

    def surely_above(first: str, second: str) -> bool:
        for each in differences:
            if (each["first"], each["second"]) == (first, second):
                return each["low"] > 0
            if (each["first"], each["second"]) == (second, first):
                return each["high"] < 0
        return False

    both = [n for n in middle if surely_above(n, none) and surely_above(n, strongest)]
    if both:
        names = ", ".join(f"`{name}`" for name in both)
        return (
            f"The inverted U is there: {names} separates surely more than the twin trained without "
            "noise and than that trained on the strongest."
        )
    return (
        "The inverted U is not sure: none of the twins between separates surely more than both the "
        "one trained without noise and the one trained on the strongest."
    )


def body(kept: Mapping[str, Any]) -> str:
    """Return what stands between the marks."""
    networks = kept["networks"]
    if not any(each["seconds"] for each in networks):
        return NOT_RUN
    failed = [
        f"- `{each['key']}`, {step}: {why}"
        for each in networks
        for step, why in each["failed"].items()
    ]
    seconds = sum(sum(each["seconds"].values()) for each in networks)
    return "\n".join(
        [
            *main_table(networks),
            "",
            f"All steps together took {seconds / 60:.0f} minutes.",
            "",
            "## Twins: the same network, trained on more and more noise",
            "",
            *twins_section(kept),
            "",
            "## What failed",
            "",
            *(failed or ["Nothing."]),
        ]
    )


def with_body(page: str, text: str) -> str:
    """Return a page with what stands between its marks replaced."""
    return between(page, "ATLAS", text)


def write(folder: Path) -> None:
    """Keep what was found in docs/results, and write the page."""
    kept = collect(folder)
    KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
    PAGE.write_text(with_body(PAGE.read_text("utf-8"), body(kept)), "utf-8")


def main() -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    page = PAGE.read_text("utf-8")
    kept = json.loads(KEPT.read_text("utf-8")) if KEPT.is_file() else {"networks": []}
    wanted = with_body(page, body(kept))
    if check and page != wanted:
        print(f"{PAGE.name} is out of date; run tools/{Path(__file__).name}", file=sys.stderr)
        return 1
    if not check:
        PAGE.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
