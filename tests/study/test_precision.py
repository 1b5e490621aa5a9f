"""bfloat16 is taken where the processor has it and the scores agree."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import srscope
from srscope.networks.structure.kept import findings_in
from srscope.networks.zoo import load_network
from srscope.study import precision
from srscope.study.precision import agreed_precision, precision_of
from srscope.study.session import Session
from support.tiny import FASTEST, photographs

HALF = {"autocast": "bfloat16", "channels_last": True}
WHOLE = {"autocast": None, "channels_last": False}


class Fine(nn.Module):
    """Hides its features under an offset that bfloat16 rounds them away beside."""

    def __init__(self, offset: float) -> None:
        super().__init__()
        self.first, self.offset = nn.Conv2d(3, 4, 3, padding=1), offset
        self.second = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x) + self.offset).to(x.dtype) - self.offset


@pytest.mark.parametrize(("offset", "has", "expected"), [
    (0.0, True, HALF), (1000.0, True, WHOLE), (0.0, False, WHOLE),
])  # fmt: skip
def test_auto_tries_bfloat16_where_the_processor_has_it(
    offset: float, has: bool, expected: dict[str, object], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(precision, "computes_bfloat16", lambda: has)
    torch.manual_seed(0)
    network = load_network(Fine(offset).eval())
    config = srscope.AnalysisConfig(**{**FASTEST, "images": str(photographs(tmp_path / "in"))})
    images = Session(config).fed(network).images
    taps = [tap for tap in network.layers if tap.name == "second"]
    given = (network, "cpu", images, taps)
    with findings_in(tmp_path / "cache"):
        assert agreed_precision("auto", *given, reducer="flatten") == expected
        monkeypatch.setattr(precision, "_apart", None)  # a second trial would fail
        assert agreed_precision("auto", *given, reducer="flatten") == expected
    assert agreed_precision("float32", *given, reducer="flatten") == WHOLE
    assert precision_of("auto", network, "cpu") == WHOLE


def test_the_record_says_it_and_features_come_again_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "computes_bfloat16", lambda: True)
    torch.manual_seed(0)
    blocks = [nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.ReLU()) for _ in range(3)]
    images = str(photographs(tmp_path / "in"))
    study = srscope.analyze(nn.Sequential(*blocks), images=images, device="cpu", **FASTEST)
    assert study.protocol["precision"] == "bfloat16"
    again = srscope.analyze(
        nn.Sequential(*blocks), images=images, device="cpu", precision="bfloat16", **FASTEST
    )
    layer = study.layers[-1].layer
    assert (study.features(layer) == again.features(layer)).all()
