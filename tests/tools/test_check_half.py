"""What is kept on half precision is of the shipped weights, and within the spread over runs."""

import json
from pathlib import Path

from srscope.networks.zoo import list_networks

KEPT = Path(__file__).parents[2] / "docs" / "results" / "half-precision.json"


def test_rounding_moves_scores_less_than_another_start_of_tsne() -> None:
    shipped = {card.name: card.facts["sha256"] for card in list_networks()}
    kept = json.loads(KEPT.read_text("utf-8"))
    assert kept.keys() == shipped.keys()
    for name, each in kept.items():
        assert each["sha256"] == shipped[name], f"run tools/check_half.py ({name})"
        full, half = each["float32"], each["float16"]
        spread = max(full["chi"]["std"], half["chi"]["std"])
        assert abs(full["chi"]["mean"] - half["chi"]["mean"]) < spread
        assert abs(full["feature_space_chi"] / half["feature_space_chi"] - 1) < 0.001
        assert abs(full["knn_accuracy"] - half["knn_accuracy"]) < 0.01
