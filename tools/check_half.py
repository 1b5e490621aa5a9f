"""Show what storing weights in half precision changes.

`python tools/check_half.py RUN...` takes folders of finished runs, whose checkpoints hold float32
weights, analyses each network as trained and as shipped, and keeps both scores side by side in
docs/results/half-precision.json.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import nn

from srscope.analyses.separability import analyze
from srscope.networks.architectures.build import architecture_metadata
from srscope.networks.zoo import load_network
from srscope.training.snapshots import shipped_by

KEPT = Path(__file__).resolve().parents[1] / "docs" / "results" / "half-precision.json"
SUITE = "clean-blur-noise"
RUNS = 20
"""Of t-SNE: where clusters only begin, five of them scatter as much as rounding could move them."""


def as_trained(run: Path) -> nn.Module:
    """Return the float32 network of a run's newest checkpoint: its average if there is one."""
    newest = max(run.glob("checkpoint-*.pt"), default=None)
    network = None if newest is None else shipped_by(newest)
    if network is None:
        raise SystemExit(f"{run} holds no checkpoint")
    return network


def scores(spec: str, layer: str) -> dict[str, Any]:
    """Return the scores of a network's deepest layer."""
    study = analyze(spec, suite=SUITE, layers=(layer,), runs=RUNS, untrained=False)
    found = study.layers[0]
    return {
        "chi": {"mean": found.tsne.chi.mean, "std": found.tsne.chi.std},
        "feature_space_chi": found.feature_space.chi,
        "knn_accuracy": found.feature_space.knn_accuracy,
        "degradation_share": None if found.variance is None else found.variance.degradation,
    }


def main() -> None:
    """Compare, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, help="folders of finished runs")
    kept: dict[str, Any] = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    for run in parser.parse_args().runs:
        name = run.name
        shipped = load_network(name)
        full = as_trained(run)
        largest = max(
            float((a - b).detach().abs().max())
            for a, b in zip(full.parameters(), shipped.module.parameters(), strict=True)
        )
        layer = shipped.default_layers[-1]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.safetensors"
            state = {key: tensor.contiguous() for key, tensor in full.state_dict().items()}
            save_file(state, path, metadata={"format": "pt", **architecture_metadata(full)})
            kept[name] = {
                "suite": SUITE,
                "runs": RUNS,
                "layer": layer,
                "largest_change_of_a_weight": largest,
                "float32": scores(str(path), layer),
                "float16": scores(name, layer),
                "sha256": shipped.sha256,
            }
        print(name, json.dumps(kept[name], indent=2))
    KEPT.write_text(json.dumps(dict(sorted(kept.items())), indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
