"""Weights as training tools keep them: the right ones are taken, and it is said which."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from srscope.cli.main import main
from srscope.errors import CheckpointError, UnknownNameError
from srscope.networks.adapter import inner_network
from srscope.networks.loading.factory import load_into
from srscope.networks.loading.foreign import detected
from srscope.networks.loading.weights import read_weights, weights_in
from srscope.networks.zoo import load_network
from support.documented import row_of
from support.odd_checkpoints import (
    State,
    discriminator,
    odd_checkpoints,
    optimizer,
    shifted,
    small,
)

MAKER = "support.odd_checkpoints:small"


@pytest.fixture(scope="module")
def state() -> State:
    torch.manual_seed(11)
    return dict(small().state_dict())


def same(network: nn.Module, state: State) -> bool:
    found = inner_network(network).state_dict()
    return found.keys() == state.keys() and all(torch.equal(found[n], state[n]) for n in state)


def saved(path: Path, content: Any) -> str:
    torch.save(content, path)
    return str(path)


def test_generated_checkpoints_are_right_on_both_paths(tmp_path: Path, state: State) -> None:
    odd = list(odd_checkpoints(state))
    assert len(odd) == row_of("checkpoints")[0]
    network, path = small(), tmp_path / "net.pth"
    for each in odd:
        torch.save(each.content, path)
        contents = read_weights(path)
        told, remarks = load_into(network, path)
        assert same(network, each.right), each.name
        assert told == f"net.pth ({each.key})", each.name
        assert f"the weights {each.key} are taken" in remarks[0], each.name
        descriptor, taken = detected(contents)
        assert same(descriptor.model, each.right), each.name
        assert taken.key == each.key, each.name


def test_any_of_the_weights_can_be_named(tmp_path: Path, state: State) -> None:
    average = shifted(state, 1.0)
    path = saved(tmp_path / "net.pth", {"params": state, "params_ema": average})
    assert same(load_network(path).module, average)
    raw = load_network(f"{path}?key=params")
    assert same(raw.module, state)
    assert raw.source == "checkpoint net.pth (params), detected by spandrel as RealESRGAN Compact"
    made = load_network(f"{MAKER}?checkpoint={path}&key=params")
    assert same(made.module, state)
    assert made.source == f"made by {MAKER}, weights of net.pth (params)"
    assert made.remarks == ("of net.pth the weights params are taken",)
    with pytest.raises(UnknownNameError, match=r"weights in net\.pth 'param'; did you mean 'para"):
        load_network(f"{path}?key=param")
    plain = saved(tmp_path / "plain.pth", state)
    assert load_network(plain).remarks == ()
    with pytest.raises(CheckpointError, match=r"holds one set of weights; leave \?key= out"):
        load_network(f"{plain}?key=params")


def test_the_key_is_said_in_terminal_and_record(
    tmp_path: Path, state: State, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(tmp_path / "net.pth", {"model": state, "model_ema": state})
    words = "of net.pth the weights model_ema are taken, beside model (?key= takes another)"
    assert load_network(path).info.remarks == (words,)
    assert main(["layers", path]) == 0
    shown = capsys.readouterr().out
    assert words in shown
    assert "checkpoint net.pth (model_ema)" in shown


def test_networks_alike_are_not_chosen_between(tmp_path: Path, state: State) -> None:
    path = saved(tmp_path / "net.pth", {"net_a": state, "net_b": shifted(state, 1.0)})
    words = r"several networks of one structure: net_a and net_b; choose one, e\.g\. \?key=net_a"
    for spec in (path, f"{MAKER}?checkpoint={path}"):
        with pytest.raises(CheckpointError, match=words):
            load_network(spec)
        joined = "&" if "?" in spec else "?"
        assert same(load_network(f"{spec}{joined}key=net_a").module, state)
    equal = saved(tmp_path / "equal.pth", {"net_a": state, "net_b": state})
    assert load_network(equal).remarks[0].startswith("of equal.pth the weights net_a are taken")


def test_what_is_found_is_named_when_nothing_fits(tmp_path: Path, state: State) -> None:
    content = {"first": {"a.weight": torch.ones(2, 2)}, "second": {"b.c": torch.ones(3, 2)}}
    path = saved(tmp_path / "net.pth", content)
    found = r"it holds first \(1 tensor\), second \(1 tensor\)"
    with pytest.raises(CheckpointError, match=rf"{found}; name the code .*FILE"):
        load_network(path)
    with pytest.raises(CheckpointError, match=r"does not fit SRVGG.*holds first \(1 tensor\), sec"):
        load_network(f"{MAKER}?checkpoint={path}")


def test_a_network_inside_a_larger_one_is_not_taken_unasked(tmp_path: Path, state: State) -> None:
    larger = {f"model.{name}": tensor for name, tensor in state.items()}
    larger["encoder.weight"] = torch.ones(4, 4)
    path = saved(tmp_path / "net.pth", larger)
    with pytest.raises(CheckpointError, match=r"holds model \(11 tensors\); .*part.* \?key=model"):
        load_network(path)
    assert same(load_network(f"{path}?key=model").module, state)


NO_NETWORK = [
    ("optimizer", r"holds the state of an optimizer \(param_groups\), no weights; give the fi"),
    ("state", r"state of an optimizer \(optimizers, schedulers\), no weights"),
    ("netD", r"holds netD \(2 tensors\): by name a discriminator .*; give the file of the gen"),
    ("flat", r"flattened parameters of FSDP.*; save the full state dict \(StateDictType\.FULL"),
    ("named", r"it is a discriminator; name the code that builds"),
    ("empty", r"holds no weights; save network\.state_dict\(\)"),
    ("numbers", r"holds no plain state dict; save network\.state_dict\(\)"),
]


@pytest.mark.parametrize(("content", "words"), NO_NETWORK)
def test_what_is_no_network_is_refused_by_name(
    tmp_path: Path, state: State, content: str, words: str
) -> None:
    held = {
        "optimizer": optimizer(state),
        "state": {"iter": 5, "optimizers": [optimizer(state)], "schedulers": []},
        "netD": {"netD": discriminator()},
        "flat": {"body._fsdp_wrapped_module._flat_param": torch.ones(9)},
        "named": discriminator(),
        "empty": {},
        "numbers": {"epoch": 3},
    }[content]
    with pytest.raises(CheckpointError, match=words):
        load_network(saved(tmp_path / "net.pth", held))
    assert row_of("files without a network") == (len(NO_NETWORK), "refused by name")


def test_a_generator_of_a_discriminators_name_is_loaded_by_name(
    tmp_path: Path, state: State
) -> None:
    path = saved(tmp_path / "net.pth", {"netD": state})
    with pytest.raises(CheckpointError, match=r"this is one after all, \?key=netD"):
        load_network(path)
    assert same(load_network(f"{path}?key=netD").module, state)
    assert same(load_network(f"{MAKER}?checkpoint={path}").module, state)  # it fits


def test_weights_in_parts_are_joined_by_index_and_by_name(tmp_path: Path, state: State) -> None:
    names = sorted(state)
    parts = {"net-00001-of-00002": names[::2], "net-00002-of-00002": names[1::2]}
    for file, inside in parts.items():
        save_file({name: state[name] for name in inside}, tmp_path / f"{file}.safetensors")
    index = tmp_path / "net.safetensors.index.json"
    listed = {name: f"{file}.safetensors" for file, inside in parts.items() for name in inside}
    index.write_text(json.dumps({"metadata": {}, "weight_map": listed}))
    for path in (index, tmp_path / "net-00002-of-00002.safetensors"):
        network = small()
        load_into(network, path)
        assert same(network, state)
        assert same(load_network(str(path)).module, state)
    (tmp_path / "net-00001-of-00002.safetensors").rename(tmp_path / "away")
    for path in (index, tmp_path / "net-00002-of-00002.safetensors"):
        with pytest.raises(CheckpointError, match=r"of which 1 are not there .* put all parts"):
            load_network(str(path))
    index.write_text('{"weight_map": {"a": "../away"}}')
    with pytest.raises(CheckpointError, match="no index of files beside it; put the parts into"):
        load_network(str(index))
    index.write_text("[")
    with pytest.raises(CheckpointError, match="is no index of weights"):
        load_network(str(index))


def test_a_larger_network_is_not_cut_down_to_fit(tmp_path: Path, state: State) -> None:
    larger = {**state, "body.7.weight": torch.ones(4)}
    for held in (larger, {"params": larger}, {**state, "tail.weight": torch.ones(4)}):
        path = saved(tmp_path / "net.pth", held)
        with pytest.raises(CheckpointError, match=r"does not fit SRVGG.*Unexpected key"):
            load_network(f"{MAKER}?checkpoint={path}")
    beside = {**state, "discriminator.w": torch.ones(2, 2), "model_ema.x": torch.ones(2)}
    assert same(
        load_network(f"{MAKER}?checkpoint={saved(tmp_path / 'n.pth', beside)}").module, state
    )


def test_order_is_that_of_the_documentation(state: State) -> None:
    held = {
        "netD": {"w": torch.ones(2, 2)},
        "backup": shifted(state, 1),
        "model": shifted(state, 2),
        "generator": shifted(state, 3),
        "model_ema": shifted(state, 4),
        "generator_ema": shifted(state, 5),
    }
    expected = ["generator_ema", "model_ema", "generator", "model", "backup", "netD"]
    assert [each.key for each in weights_in("net.pth", held).groups] == expected
