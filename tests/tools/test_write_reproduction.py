"""The page that tells the reproduction says what its kept numbers say, of the shipped weights."""

import json
from pathlib import Path

import pytest

from srscope.networks.zoo import list_networks
from srscope.reproduction.claims import CLAIMS
from support.tools import load_tool

tool = load_tool("write_reproduction")


def test_the_page_says_what_is_kept() -> None:
    page = tool.PAGE.read_text("utf-8")
    assert tool.filled(page) == page, "run python tools/write_reproduction.py"


def test_kept_findings_are_of_the_shipped_weights_and_the_papers_protocol() -> None:
    findings = tool.read("findings")
    shipped = {card.name: card.facts["sha256"] for card in list_networks()}
    assert findings["networks"]
    for name, network in findings["networks"].items():
        assert network["sha256"] == shipped[name], f"run make reproduce ({name})"
    config = findings["config"]
    assert (config["contents"], config["runs"], config["networks"]) == (100, 5, "")
    assert not findings["failed"]


def test_every_claim_and_every_figure_is_there() -> None:
    assert [each["id"] for each in tool.read("scorecard")] == [claim.id for claim in CLAIMS]
    shown = set(tool.FIGURE.findall(tool.PAGE.read_text("utf-8")))
    assert shown == {path.stem for path in tool.IMAGES.glob("*.png")}


def test_a_folder_of_some_experiments_deletes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(tool, "IMAGES", tmp_path / "images")
    for folder in ("kept", "images", "out"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "scorecard.json").write_text(folder)
    with pytest.raises(SystemExit, match=r"lacks what the page shows: findings\.json, .*fig7\.png"):
        tool.keep(tmp_path / "out", tool.PAGE.read_text("utf-8"))
    assert (tmp_path / "kept" / "scorecard.json").read_text() == "kept"
    assert (tmp_path / "images" / "scorecard.json").exists()


def test_marks_are_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "KEPT", tmp_path)
    table = {"columns": ["x", "y", "z"], "rows": [["a", 1234.5, None], ["b|c", float("nan"), 2]]}
    (tmp_path / "t-1.json").write_text(json.dumps(table))
    claim = {
        "id": "C1", "claim": "one", "verdict": "holds", "why": "so", "measured": "3|4", "paper": "p"
    }  # fmt: skip
    (tmp_path / "scorecard.json").write_text(json.dumps([claim]))
    page = "a <!-- COUNT -->old<!-- / --> b\n<!-- TABLE t-1: z, x as name -->\n<!-- / -->\nend\n"
    assert tool.filled(page) == (
        "a <!-- COUNT -->**1 of 1 hold**<!-- / --> b\n"
        "<!-- TABLE t-1: z, x as name -->\n| z | name |\n| --- | --- |\n|  | a |\n| 2 | b\\|c |\n"
        "<!-- / -->\nend\n"
    )
    card = tool.filled("<!-- SCORECARD -->\n<!-- / -->")
    assert "| **C1** | one | **holds**. so | 3\\|4 | p |" in card


def test_courses_are_tables_by_iteration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "COURSES", tmp_path)

    def layer(label: str, chi: float) -> dict[str, object]:
        space = {"chi": 2 * chi, "knn_accuracy": 0.5}
        return {"label": label, "tsne": {"chi": {"mean": chi, "std": 0.25}}, "feature_space": space}

    checkpoints = [
        {"iteration": iteration, "layers": [layer("Conv1", 0.0), layer("Last", chi)]}
        for iteration, chi in ((500, 1.0), (20_000, 30.0))
    ]
    (tmp_path / "run.json").write_text(json.dumps({"checkpoints": checkpoints}))
    assert tool.filled("<!-- COURSE run: Last -->\n<!-- / -->") == (
        "<!-- COURSE run: Last -->\n"
        "| iterations | CHI | CHI of PCA-50 | k-NN accuracy |\n| --- | --- | --- | --- |\n"
        "| 500 | 1.00 ± 0.25 | 2.00 | 0.50 |\n| 20 000 | 30.0 ± 0.25 | 60.0 | 0.50 |\n"
        "<!-- / -->"
    )
