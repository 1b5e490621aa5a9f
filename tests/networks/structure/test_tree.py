"""The table of layers: nesting, shapes, marks, and what is left out of it."""

from __future__ import annotations

from srscope.networks.structure.tree import layer_rows
from srscope.networks.zoo import load_network


def test_rows_tell_nesting_class_output_and_tap_points() -> None:
    rows, side = layer_rows(load_network("srresnet-wgr"))
    assert side == 32
    by_name = {row.name: row for row in rows}
    assert [row.name for row in rows][:5] == [
        "conv_first", "body", "body.0", "body.0.conv1", "body.0.conv2",
    ]  # fmt: skip
    assert [row.depth for row in rows][:5] == [0, 0, 1, 2, 2]
    assert by_name["body.3"].label == "ResBlock4"
    assert by_name["body.3"].is_default
    assert not by_name["body.4"].is_default
    assert by_name["body.0"].output == "64 × 32 × 32 (C H W)"
    assert by_name["conv_last"].output == "3 × 128 × 128 (C H W)"


def test_blocks_like_an_earlier_one_are_not_opened_unless_asked_for() -> None:
    network = load_network("srresnet-wgr")
    rows, _ = layer_rows(network)
    by_name = {row.name: row for row in rows}
    assert by_name["body.0"].hidden == 0
    assert by_name["body.7"].hidden == 2
    assert "body.7.conv1" not in by_name
    full, _ = layer_rows(network, full=True)
    assert "body.7.conv1" in {row.name for row in full}
    assert len(full) == len(rows) + sum(row.hidden for row in rows)
    assert not any(row.hidden for row in full)


def test_a_block_with_a_tap_inside_is_opened() -> None:
    rows, _ = layer_rows(load_network("timm:test_vit?pretrained=false&img_size=32&depth=1"))
    network = load_network("timm:test_vit?pretrained=false&img_size=32&depth=1")
    assert {tap.name for tap in network.taps} <= {row.name for row in rows}


def test_layouts_and_what_cannot_be_recorded_are_told() -> None:
    rows, _ = layer_rows(load_network("support.foreign:Transformer"))
    by_name = {row.name: row for row in rows}
    assert by_name["blocks.0"].output == "256 × 8 (L C)"
    assert by_name["blocks.0:1"].label == "_Mixer2"
    assert by_name["blocks.0.attention"].output == "tuple of 2"
    rows, _ = layer_rows(load_network("support.foreign:Swapped"))
    assert {row.name: row.output for row in rows}["blocks.3"] == "32 × 32 × 5 (H W C)"
