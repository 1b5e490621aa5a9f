"""``srscope upscale``: depth, alpha, profile from file to file; progress; what is left behind."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from srscope.cli.main import main
from srscope.images.picture import read_picture
from srscope.networks import zoo
from srscope.networks.upscale import upscale
from srscope.networks.zoo import load_network
from support import pngs, tiffs
from support.tiny import photographs, tiny_checkpoint


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("network")
    return str(tiny_checkpoint(folder / "tiny.safetensors", blocks=1))


def run(network: str, source: Path, out: Path, *options: str) -> int:
    return main(["upscale", network, str(source), str(out), "--quiet", *options])


def test_device_is_told_to_the_network_or_refused(
    network: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Image.new("RGB", (6, 5)).save(tmp_path / "in.png")
    assert run(network, tmp_path / "in.png", tmp_path / "out.png", "--device=tpu") == 2
    assert "device must be one that PyTorch can use here" in capsys.readouterr().err
    moved: list[torch.device] = []
    monkeypatch.setattr(torch.nn.Module, "to", lambda _, device: moved.append(device))
    assert run(network, tmp_path / "in.png", tmp_path / "out.png", "--device=cpu") == 0
    assert torch.device("cpu") in moved


def deep_file(folder: Path, name: str) -> Path:
    """Write a 16-bit colour file with random values."""
    channels = {"rgb.png": 3, "la.png": 2, "rgba.png": 4, "rgb.tif": 3, "rgba.tif": 4}[name]
    random = np.random.default_rng(0)
    values_HWC = random.integers(1, 65536, (9, 8, channels), dtype=np.uint16)
    if name.endswith("tif"):
        data = tiffs.tiff16(values_HWC, deflate=True, extra=2 if channels == 4 else None)
    else:
        data = pngs.png16(values_HWC, colour={3: 2, 2: 4, 4: 6}[channels], filters=[4, 1])
    (folder / name).write_bytes(data)
    return folder / name


@pytest.mark.parametrize("name", ["rgb.png", "la.png", "rgba.png", "rgb.tif", "rgba.tif"])
def test_16_bits_stay_16_from_file_to_file(network: str, tmp_path: Path, name: str) -> None:
    source = deep_file(tmp_path, name)
    assert run(network, source, tmp_path / "out.png") == 0
    result = read_picture(tmp_path / "out.png")
    assert result.bits == 16
    expected_HWC = upscale(load_network(network), read_picture(source).pixels_HWC)
    np.testing.assert_allclose(result.pixels_HWC, expected_HWC, rtol=0, atol=0.51 / 65535)


@pytest.mark.parametrize("name", ["[1].png", "a*.png", "b?scale=3.png"])
def test_a_file_is_no_pattern(network: str, tmp_path: Path, name: str) -> None:
    for each in (name, "1.png", "ab.png"):
        Image.new("RGB", (8, 6), "red" if each == name else "blue").save(tmp_path / each)
    assert run(network, tmp_path / name, tmp_path / "out.png") == 0
    expected_HWC = upscale(load_network(network), read_picture(tmp_path / name).pixels_HWC)
    result = read_picture(tmp_path / "out.png")
    np.testing.assert_allclose(result.pixels_HWC, expected_HWC, rtol=0, atol=0.51 / 255)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
def test_channels_are_those_of_the_input(network: str, tmp_path: Path, mode: str) -> None:
    Image.new(mode, (6, 5)).save(tmp_path / "in.png")
    assert run(network, tmp_path / "in.png", tmp_path / "out.png") == 0
    with Image.open(tmp_path / "out.png") as image:
        assert (image.mode, image.size) == (mode, (24, 20))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("name", ["8.png", "rgb.png"])
def test_bits_may_be_chosen(network: str, tmp_path: Path, name: str, bits: int) -> None:
    if name == "8.png":
        Image.new("RGB", (5, 4), (10, 20, 30)).save(tmp_path / name)
    else:
        deep_file(tmp_path, name)
    assert run(network, tmp_path / name, tmp_path / "out.png", "--bits", str(bits)) == 0
    assert read_picture(tmp_path / "out.png").bits == bits


def test_other_depths_are_refused(
    network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (5, 4)).save(tmp_path / "in.png")
    with pytest.raises(SystemExit) as leaving:
        run(network, tmp_path / "in.png", tmp_path / "out.png", "--bits", "12")
    assert leaving.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "bits" in lines[0]


def test_the_profile_is_kept_and_other_metadata_dropped(network: str, tmp_path: Path) -> None:
    profile, exif = bytes(16) + b"RGB " + bytes(128), Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    image = Image.new("RGB", (8, 4))
    image.save(tmp_path / "in.jpg", icc_profile=profile, exif=exif, dpi=(300, 300))
    assert run(network, tmp_path / "in.jpg", tmp_path / "out.png") == 0
    with Image.open(tmp_path / "out.png") as result:
        assert result.size == (16, 32)
        assert result.info == {"icc_profile": profile}


def test_progress_moves_by_tiles_over_all_images(
    network: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, int, int]] = []

    class Bar:
        def __enter__(self) -> object:
            return lambda *call: calls.append(call)

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr("srscope.cli.console.stage_progress", lambda *, quiet: Bar())
    folder = photographs(tmp_path / "in", size=(16, 24))
    whole = (folder / "photo-0.png").read_bytes()
    (folder / "damaged.png").write_bytes(whole[: len(whole) // 2])
    assert run(network, folder, tmp_path / "out", "--tile", "8") == 0
    assert calls == [("upscaling, tile", number, 18) for number in range(1, 19)]


def test_an_interruption_leaves_no_file(
    network: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = photographs(tmp_path / "in", count=1, size=(16, 24)) / "photo-0.png"
    old = tmp_path / "out" / "old.png"
    old.parent.mkdir()
    old.write_bytes(b"an older result")
    tiles: list[object] = []

    def interrupted(*arguments: object) -> object:
        tiles.append(arguments)
        if len(tiles) == 4:
            raise KeyboardInterrupt
        return run_tile(*arguments)

    from srscope.networks import upscale as module

    run_tile = module._run
    monkeypatch.setattr(module, "_run", interrupted)
    assert run(network, source, old, "--tile", "8") == 130
    assert len(tiles) == 4
    assert [path.name for path in old.parent.iterdir()] == ["old.png"]
    assert old.read_bytes() == b"an older result"


def test_older_results_are_replaced_and_inputs_never(
    network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = photographs(tmp_path / "in", count=1, size=(8, 8))
    original = (folder / "photo-0.png").read_bytes()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "photo-0.png").write_bytes(b"an older result")
    assert run(network, folder, tmp_path / "out") == 0
    assert read_picture(tmp_path / "out" / "photo-0.png").pixels_HWC.shape == (32, 32, 3)
    for source, out in ((folder, folder), (folder / "photo-0.png", folder / "photo-0.png")):
        capsys.readouterr()
        assert run(network, source, out) == 2
        assert "would be written over the input; give another OUT" in capsys.readouterr().err
    assert (folder / "photo-0.png").read_bytes() == original


def test_what_was_skipped_is_not_written_over_either(
    network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = photographs(tmp_path / "in", count=1, size=(8, 8))
    (folder / "photo-0.png").rename(folder / "scan.bmp")
    Image.open(folder / "scan.bmp").save(folder / "scan.jpg")
    (folder / "scan.png").write_bytes(b"cannot be read")
    assert run(network, folder, folder) == 2
    assert "scan.png: would be written over the input" in capsys.readouterr().err
    assert (folder / "scan.png").read_bytes() == b"cannot be read"


def test_every_image_gets_a_result_of_its_own(
    network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, form in (("a.jpg", "JPEG"), ("a.tif", "TIFF"), ("a.tif.png", "PNG")):
        Image.new("RGB", (8, 8)).save(folder / name, format=form)
    assert run(network, folder, tmp_path / "out") == 0
    assert "3 images" in capsys.readouterr().out
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"a.png", "a.tif-2.png", "a.tif.png"}


@pytest.mark.parametrize(("tile", "warned"), [("8", True), ("0", False), ("16", False)])
def test_tiles_of_a_network_without_known_reach_are_warned_of(
    network: str,
    tmp_path: Path,
    tile: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    warned: bool,
) -> None:
    known = load_network(network)
    assert known.receptive_radius == 5
    boundless = dataclasses.replace(known, receptive_radius=None)
    monkeypatch.setattr(zoo, "load_network", lambda _: boundless)
    folder = photographs(tmp_path / "in", size=(16, 16))
    assert run(network, folder, tmp_path / "out", "--tile", tile) == 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == warned
    assert not warned or "how far tiny looks is unbounded or unknown" in lines[0]


def test_help_says_what_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["upscale", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for words in ("ICC profile are kept", "Grey stays grey", "replaced", "channel attention"):
        assert words in text
