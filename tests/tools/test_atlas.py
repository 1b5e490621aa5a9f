"""The atlas: its list, what is cached and retried, and a page that says what was found."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from support.tools import load_tool

atlas, atlas_page = load_tool("atlas"), load_tool("atlas_page")
atlas_packages = load_tool("atlas_packages")
GIVEN = argparse.Namespace(contents=20, again=False, minutes=1.0, threads=1)


def test_the_networks_are_listed_files_of_four_architectures_and_more() -> None:
    listed = {f"{file.package}/{file.path}": file for file in atlas_packages.read_files()}
    for network in atlas.NETWORKS:
        assert listed[network.path].architecture, network.key
    assert len(atlas.NETWORKS) >= 10
    assert len({listed[each.path].architecture for each in atlas.NETWORKS}) >= 4
    twins = {listed[e.path].architecture for e in atlas.NETWORKS if e.key in atlas.TWINS}
    assert twins == {"waifu2x upconv_7"}
    assert len(atlas.TWINS) == 5


def test_layers_are_taken_evenly_with_the_deepest() -> None:
    shown = argparse.Namespace(default_layers=tuple("abcdefg"))
    assert atlas.layers_of(shown) == ("b", "e", "g")
    assert atlas.layers_of(argparse.Namespace(default_layers=("a",))) == ("a",)


def planted(folder: Path, step: str = "analyze") -> Any:
    """Return a job whose network's files are there."""
    job = atlas.Job(network=atlas.NETWORKS[0], step=step)
    for file in atlas.files_of(job.network, folder):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"weights")
    return job


def test_a_step_is_run_once_and_again_when_its_settings_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[list[str]] = []

    def run(command: list[str], **_: Any) -> argparse.Namespace:
        runs.append(command)
        return argparse.Namespace(returncode=len(runs) == 1, stderr="Traceback\nValueError: no\n")

    monkeypatch.setattr(atlas.subprocess, "run", run)
    job = planted(tmp_path)
    assert atlas.run_job(job, tmp_path, GIVEN) == "ValueError: no"
    assert atlas.read_done(job, tmp_path)["failed"] == "ValueError: no"
    assert atlas.run_job(job, tmp_path, GIVEN) == "done before"
    again = argparse.Namespace(**{**vars(GIVEN), "again": True})
    assert atlas.run_job(job, tmp_path, again).endswith(" s")
    assert atlas.run_job(job, tmp_path, again) == "done before"  # it did not fail
    more = argparse.Namespace(**{**vars(GIVEN), "contents": 30})
    assert atlas.run_job(job, tmp_path, more).endswith(" s")
    (tmp_path / job.network.path).write_bytes(b"others")
    assert atlas.run_job(job, tmp_path, more).endswith(" s")
    assert len(runs) == 4


def test_what_takes_too_long_or_is_missing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(command: list[str], **_: Any) -> None:
        raise atlas.subprocess.TimeoutExpired(command, 60)

    monkeypatch.setattr(atlas.subprocess, "run", late)
    assert atlas.run_job(planted(tmp_path), tmp_path, GIVEN) == "took over 1 minutes"
    absent = atlas.Job(network=atlas.NETWORKS[1], step="noise")
    assert "its file is missing" in atlas.run_job(absent, tmp_path, GIVEN)
    kept = atlas_page.collect(tmp_path)
    text = atlas_page.body(kept)
    assert f"- `{atlas.NETWORKS[0].key}`, analyze: took over 1 minutes" in text
    assert "its file is missing" in text


def leave(folder: Path, key: str, step: str, name: str, told: dict[str, Any]) -> None:
    path = folder / "results" / key / step
    path.mkdir(parents=True)
    (path / f"{name}.json").write_text(json.dumps(told))
    (path / "done.json").write_text(json.dumps({"stamp": {}, "failed": "", "seconds": 60.0}))


def probe(value: float) -> dict[str, float]:
    return {"accuracy": value, "low": value - 0.05, "high": value + 0.05}


def test_the_page_says_what_each_network_separates_uses_and_notices(tmp_path: Path) -> None:
    layer = {
        "layer": "body.1", "label": "conv6", "probe": probe(0.6), "probe_channel_means": None,
        "probe_channel_log_std": probe(0.8), "tsne": {"chi": {"mean": 12.0}},
        "pairs": [{"sets": ["clean", "noise"], "auc": 0.9, "low": 0.8, "high": 0.95}],
    }  # fmt: skip
    verdict = {"layer": "body.1", "separates": "yes", "beyond_simple_statistics": "not decided",
               "masked_by_content": True}  # fmt: skip
    scores = {"verdict": verdict, "layers": [layer], "images": {"contents": 100}}
    edge = {"low_outcome": "within the grid", "high_outcome": "within the grid"}
    weak, strong = (
        {"label": label, "reading": "means",
         "threshold": {"level": level, "low": level / 2, "high": 2 * level, "outcome": "", **edge}}
        for label, level in (("conv6", 2.0), ("conv1", 9.0))
    )  # fmt: skip
    dose = {"levels": [0.5, 50.0], "unit": "of 255", "layers": [strong, weak], "baselines": [weak]}
    effect = {"edit": "move", "psnr": {"mean": 1.5, "low": 1.0, "high": 2.0}}
    used = {"layers": [{"label": "conv6", "sets": [
        {"name": "noise20", "use": {"word": "uses it"}, "effects": [effect]}]}]}  # fmt: skip
    loss = {"name": "noise20", "loss_psnr": {"value": 4.0, "low": 3.0, "high": 5.0}}
    shift = {"generalization": [{"clean_psnr": {"value": 30.0}, "sets": [loss]}], "left_out": []}
    key = atlas.TWINS[0]
    for step, name, told in (
        ("analyze", "scores", scores), ("noise", "dose", dose), ("blur", "dose", dose),
        ("intervene", "intervene", used), ("generalize", "generalize", shift),
    ):  # fmt: skip
        leave(tmp_path, key, step, name, told)
    row = next(
        line
        for line in atlas_page.body(atlas_page.collect(tmp_path)).splitlines()
        if f"`{key}`" in line
    )
    for words in (
        "| yes | not decided | yes | conv6, 80 % [75, 85] |", "conv6: noise20 uses it (+1.50 dB)",
        "| 2 [1, 4] | 2 [1, 4] |", "| 4.0 [3.0, 5.0] | 100 |",
    ):  # fmt: skip
        assert words in row


@pytest.mark.parametrize(("low", "there"), [(0.01, True), (-0.01, False)])
def test_an_inverted_u_needs_both_ends_surely_below(low: float, there: bool) -> None:
    none, first, *_, strongest = atlas.TWINS
    told = atlas_page.inverted_u(
        [
            {"first": none, "second": first, "low": -0.4, "high": -0.1},
            {"first": first, "second": strongest, "low": low, "high": 0.3},
        ]
    )
    assert ("is there" in told) is there
    assert (f"`{first}`" in told) is there


def test_the_page_says_what_is_kept() -> None:
    page = atlas_page.PAGE.read_text("utf-8")
    kept: dict[str, Any] = {"networks": []}
    if atlas_page.KEPT.is_file():
        kept = json.loads(atlas_page.KEPT.read_text("utf-8"))
    wanted = atlas_page.with_body(page, atlas_page.body(kept))
    assert wanted == page, "run python tools/atlas_page.py"
