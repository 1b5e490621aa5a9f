"""What was found out about a network is not tried out again; without a hash it always is."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from srscope.networks.structure import describe
from srscope.networks.structure.kept import findings_in, found_again
from srscope.networks.zoo import load_network


def sequence() -> nn.Sequential:
    torch.manual_seed(0)
    blocks = (nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.ReLU()) for _ in range(6))
    return nn.Sequential(*blocks).eval()


def test_a_network_is_described_alike_without_trying(tmp_path: Path, monkeypatch) -> None:
    with findings_in(tmp_path):
        first = load_network(sequence())
        monkeypatch.setattr(describe, "_found", None)  # a second trial would fail
        again = load_network(sequence())
    assert (again.taps, again.default_layers, again.layers) == (
        first.taps, first.default_layers, first.layers
    )  # fmt: skip
    assert (again.notes, again.remarks, again.scale) == (first.notes, first.remarks, first.scale)


def test_another_network_or_question_is_tried(tmp_path: Path) -> None:
    asked: list[int] = []

    def find() -> int:
        asked.append(1)
        return len(asked)

    other = sequence()
    with torch.no_grad():
        other[0][0].weight[0] += 1
    with findings_in(tmp_path):
        found = [found_again("x", each, {"a": 1}, find) for each in (sequence(), sequence(), other)]
        found.append(found_again("x", sequence(), {"a": 2}, find))
        hooked = sequence()
        hooked.register_forward_hook(lambda *_: None)
        found += [found_again("x", hooked, {"a": 1}, find) for _ in range(2)]
    found.append(found_again("x", sequence(), {"a": 1}, find))  # outside
    assert found == [1, 1, 2, 3, 4, 5, 6]
