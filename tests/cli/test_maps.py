"""``srscope maps``: what it writes and prints, and its exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from srscope.cli.main import main
from support.tiny import photographs, tiny_checkpoint


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("network")
    return str(tiny_checkpoint(folder / "tiny.safetensors", blocks=1))


@pytest.fixture
def photo(tmp_path: Path) -> str:
    return str(photographs(tmp_path / "photographs", count=1) / "photo-0.png")


def test_maps_are_written_and_their_channels_printed(
    network: str, photo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    options = ["--contents", "3", "--channels", "4", "--crop", "24"]
    assert main(["maps", network, photo, *options]) == 0
    out = Path("srscope-out/maps-tiny-photo-0")
    assert (out / "maps.png").is_file()
    assert (out / "channels.csv").is_file()
    assert {path.name for path in (out / "channels").iterdir()} == {"clean", "blur4", "noise20"}
    printed = capsys.readouterr().out
    assert "of the layer's variance, on 3 contents of bundled test photographs" in printed
    assert printed.splitlines()[-1] == str(out / "report.html")


def test_layer_suite_and_input_may_be_chosen(network: str, photo: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    more = ["--layer", "Conv1", "--suite", "blur-1-4", "--contents", "0", "--out", str(out)]
    assert main(["maps", network, photo, "--quiet", *more]) == 0
    assert {path.name for path in (out / "channels").iterdir()} == {"blur1", "blur4"}
    as_is = tmp_path / "as-is"
    again = ["--as-is", "--contents", "0", "--crop", "16", "--out", str(as_is)]
    assert main(["maps", network, photo, "--quiet", *again]) == 0
    assert {path.name for path in (as_is / "channels").iterdir()} == {"as-is"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (["--layer", "ResBlock99"], "unknown layer 'ResBlock99'"),
        (["--suite", "nonsense"], "unknown suite 'nonsense'"),
        (["--suite", "real"], "folder of other images"),
        (["--channels", "0"], "channels must be 1 or more"),
        (["--crop", "-1"], "crop must be 0"),
        (["--contents", "1"], "contents must be 0 for none"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    network: str, photo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    changes: list[str], says: str,
) -> None:  # fmt: skip
    out = tmp_path / "out"
    assert main(["maps", network, photo, "--quiet", "--out", str(out), *changes]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert says in lines[0]
    assert not out.exists()


def test_a_missing_network_or_image_is_exit_code_2(network: str, photo: str) -> None:
    assert main(["maps", network, "nowhere.png", "--quiet"]) == 2
    assert main(["maps", "srresnet-wgrr", photo, "--quiet"]) == 2
