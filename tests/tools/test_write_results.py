"""The results in README and docs are those of the kept scores, which are of the shipped weights."""

import json
from pathlib import Path

from srscope.networks.zoo import list_networks
from support.tools import load_tool

tool = load_tool("write_results")


def test_pages_say_what_the_kept_scores_say() -> None:
    for name, path in tool.PAGES.items():
        page = path.read_text("utf-8")
        assert f"<!-- {name} -->" in page
        wanted = tool.with_results(page, tool.written(name), name)
        assert wanted == page, f"run make results ({path.name})"


def test_kept_scores_are_of_the_shipped_weights() -> None:
    shipped = {card.name: card.facts["sha256"] for card in list_networks()}
    for network in tool.NETWORKS:
        for suite in (tool.MAIN, *tool.DEGREES):
            scores = tool.read(network, suite)
            assert scores["network"]["sha256"] == shipped[network]
            assert scores["suite"]["name"] == suite
            assert scores["protocol"]["runs"] == 5


def test_a_changed_score_is_noticed(tmp_path: Path) -> None:
    kept, tool.KEPT = tool.KEPT, tmp_path
    try:
        for path in kept.glob("*.json"):
            (tmp_path / path.name).write_text(path.read_text("utf-8"))
        before = tool.text()
        path = tmp_path / "srresnet-wgr-blur-1-4.json"
        scores = json.loads(path.read_text("utf-8"))
        scores["layers"][0]["tsne"]["chi"]["mean"] += 0.01
        path.write_text(json.dumps(scores))
        assert tool.text() != before
        path = tmp_path / f"srgan-wgr-{tool.MAIN}.json"
        numbers, scores = tool.numbers(), json.loads(path.read_text("utf-8"))
        scores["verdict"]["headline"] = "It does not separate."
        path.write_text(json.dumps(scores))
        assert tool.numbers() != numbers
    finally:
        tool.KEPT = kept


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    page = "a\n<!-- RESULTS -->\nold\n<!-- /RESULTS -->\nb\n"
    wanted = "a\n<!-- RESULTS -->\nnew\n<!-- /RESULTS -->\nb\n"
    assert tool.with_results(page, "new") == wanted


def test_the_pair_shows_what_the_paper_found() -> None:
    chis = {
        network: [layer["tsne"]["chi"]["mean"] for layer in tool.read(network, tool.MAIN)["layers"]]
        for network in tool.NETWORKS
    }
    residual, plain = chis["srresnet-wgr"], chis["srresnet-wogr"]
    assert max(residual[0], plain[0]) < 0.1
    assert residual == sorted(residual)
    assert residual[-1] >= 100
    assert residual[-1] >= 20 * plain[-1]
