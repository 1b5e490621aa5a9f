"""Features made by two processes are those of one, bit for bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from srscope.analyses.comparison.run import compare
from srscope.analyses.separability import analyze
from srscope.errors import ParameterError
from srscope.features.store import FeatureStore
from srscope.projection.config import TsneConfig
from support.tiny import photographs, tiny_checkpoint

QUICK = {"contents": 4, "patch": 16, "pca": 4, "runs": 1, "permutations": 9, "batch_size": 5}
UNDRAWN = Path(__file__).parents[1] / "support" / "undrawn.py"
TSNE = TsneConfig(perplexity=3, iterations=250)


@pytest.mark.slow
def test_two_processes_make_the_features_of_one(tmp_path: Path) -> None:
    network = tiny_checkpoint(tmp_path / "tiny.safetensors")
    images = photographs(tmp_path / "photographs")
    words = [f"--{name}={value}" for name, value in {**QUICK, "images": images}.items()]
    words += ["--tsne.perplexity=3", "--tsne.iterations=250", f"--out={tmp_path / 'two'}"]
    environment = {k: v for k, v in os.environ.items() if k not in ("RANK", "LOCAL_RANK")}
    two = subprocess.run(
        [sys.executable, UNDRAWN, "analyze", network, *words, "--quiet", "--devices", "2"],
        env={**environment, "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert two.returncode == 0, two.stderr
    assert two.stderr == ""
    assert two.stdout.splitlines()[-1] == str(tmp_path / "two" / "report.html")
    assert two.stdout.count("report.html") == 1  # the helper prints nothing
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("srscope.figures.save.save_figures", lambda *_: [])
            patch.setattr("srscope.report.html.write_report", lambda *_: None)
            analyze(str(network), out=tmp_path / "one", images=str(images), tsne=TSNE, **QUICK)
    finally:
        torch.set_num_threads(threads)
    for name in ("network", "untrained"):
        one, both = (
            FeatureStore.open(tmp_path / out / "features" / name) for out in ("one", "two")
        )
        assert one.count == both.count == 12  # three batches, the last of them short
        for layer in one.layers:
            assert layer == both.layer(layer.name)  # name, shape and hash of the values
            np.testing.assert_array_equal(one.read(layer.name), both.read(layer.name))
    scores = [json.loads((tmp_path / o / "scores.json").read_text("utf-8")) for o in ("one", "two")]
    assert scores[0]["layers"] == scores[1]["layers"]


def test_several_networks_are_refused(tmp_path: Path) -> None:
    networks = [str(tiny_checkpoint(tmp_path / f"{i}.safetensors", seed=i)) for i in (1, 2)]
    images = str(photographs(tmp_path / "photographs"))
    with pytest.raises(ParameterError, match="devices must be 1 for several networks, but is 2"):
        compare(networks, images=images, devices=2, **QUICK)
