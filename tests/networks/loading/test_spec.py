"""What a user writes for a network is taken apart as documented."""

from __future__ import annotations

from pathlib import Path

import pytest

from srscope.errors import ParameterError, UnknownNameError
from srscope.networks.loading.spec import (
    file_options,
    is_snapshots,
    parse_spec,
    refuse_options,
    short_name,
    split_options,
    split_query,
)


@pytest.mark.parametrize(
    ("spec", "kind", "target"),
    [
        ("srresnet-wgr", "name", "srresnet-wgr"),
        ("no-such-network", "name", "no-such-network"),
        ("gone.pth?scale=2", "file", "gone.pth"),
        ("timm:resnet18.a1_in1k?pretrained=false", "timm", "resnet18.a1_in1k"),
        ("my_code.networks:build", "factory", "my_code.networks:build"),
        ("networks:Model.small?blocks=2", "factory", "networks:Model.small"),
        ("C:\\nets\\a.pth", "file", "C:\\nets\\a.pth"),
    ],
)
def test_kinds_are_told_apart(spec: str, kind: str, target: str) -> None:
    parsed = parse_spec(spec)
    assert (parsed.kind, parsed.target) == (kind, target)


def test_a_file_is_a_file_whatever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("plain", "odd?name=1.pth", "pack:age"):
        Path(name).touch()
        assert parse_spec(name).kind == "file"
        assert parse_spec(name).target == name
    assert parse_spec("plain?scale=2").options == {"scale": 2}


def test_values_are_what_they_mean_in_python_or_text() -> None:
    options = parse_spec(
        "a:b?i=2&f=1e-3&t=True&n=none&l=[2,2]&s=text&minus=-1..1&path=a/b=c.pth&quoted='1'"
    ).options
    assert options == {
        "i": 2, "f": 1e-3, "t": True, "n": None, "l": [2, 2], "s": "text", "minus": "-1..1",
        "path": "a/b=c.pth", "quoted": "1",
    }  # fmt: skip


@pytest.mark.parametrize("query", ["scale", "=2", "scale=2&", "a b=1", "1a=2"])
def test_what_is_no_option_is_refused(query: str) -> None:
    with pytest.raises(ParameterError, match=r"network must be followed by \?name=value&name=v"):
        parse_spec(f"net.pth?{query}")


def test_an_option_given_twice_is_refused() -> None:
    with pytest.raises(ParameterError, match="network must be given 'scale' once"):
        parse_spec("net.pth?scale=2&scale=3")
    with pytest.raises(ParameterError, match="network must be given 'scale' once"):
        split_options(parse_spec("a:b?scale=2&srscope.scale=3").options)


def test_srscope_takes_its_words_unless_the_constructor_has_them() -> None:
    options = parse_spec("a:b?scale=2&range=255&blocks=3").options
    assert split_options(options) == ({"scale": 2, "range": 255}, {"blocks": 3})
    assert split_options(options, theirs={"scale"}) == ({"range": 255}, {"scale": 2, "blocks": 3})
    both = parse_spec("a:b?scale=2&srscope.scale=4").options
    assert split_options(both, theirs={"scale"}) == ({"scale": 4}, {"scale": 2})
    with pytest.raises(UnknownNameError, match=r"'srscope\.scael'; did you mean 'srscope\.scale'"):
        split_options({"srscope.scael": 2})


def test_options_that_a_kind_does_not_have_are_named() -> None:
    refuse_options(["scale"], ["scale", "range"])
    with pytest.raises(UnknownNameError, match="option of this network 'rnage'; did you mean 'ra"):
        refuse_options(["rnage"], ["scale", "range"])


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("srresnet-wgr", "srresnet-wgr"),
        ("runs/../best model.v2.pth?scale=2", "best-model.v2"),
        ("timm:vit_tiny?pretrained=false&img_size=32", "timm-vit_tiny"),
        ("pkg.nets:Net?a=/", "pkg.nets-Net"),
        ("...", "network"),
    ],
)
def test_short_names_are_folder_names(spec: str, name: str) -> None:
    assert short_name(spec) == name


def test_a_file_takes_srscopes_options_but_no_other_file() -> None:
    assert file_options({"scale": 2, "srscope.range": 255}) == {"scale": 2, "range": 255}
    for name in ("checkpoint", "srscope.checkpoint", "width"):
        with pytest.raises(UnknownNameError, match="unknown option of this network"):
            file_options({name: "x"})


def test_a_file_or_a_name_is_no_folder_of_checkpoints(tmp_path: Path) -> None:
    (tmp_path / "net.safetensors").write_bytes(b"")
    assert not is_snapshots(str(tmp_path / "net.safetensors"))
    assert not is_snapshots("srresnet-wgr")
    assert is_snapshots(str(tmp_path / "net_*.pth"))
    assert is_snapshots(f"{tmp_path}?global_residual=false")


@pytest.mark.parametrize("name", ["net_*.pth", "a?b.pth", "[1]*?.pth", "a?scale=3.pth"])
def test_a_file_that_exists_is_no_pattern_and_keeps_its_name(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / name)
    Path(path).write_bytes(b"")
    for spec, options in ((path, {}), (f"{path}?scale=2", {"scale": 2})):
        assert not is_snapshots(spec)
        parsed = parse_spec(spec)
        assert (parsed.kind, parsed.target, parsed.options) == ("file", path, options)


def test_a_folder_that_exists_is_no_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "run?[1]*"
    folder.mkdir()
    assert is_snapshots(str(folder))
    assert split_query(f"{folder}?scale=2") == (str(folder), "scale=2")
    assert split_query(f"{tmp_path}/none?scale=2") == (f"{tmp_path}/none", "scale=2")
