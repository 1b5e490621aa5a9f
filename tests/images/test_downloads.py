"""DIV2K and CIFAR-10 from a server on this machine to photographs and contents."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from srscope.errors import DownloadError
from srscope.images.downloads import (
    CIFAR10,
    DIV2K_TRAINING,
    DIV2K_VALIDATION,
    cifar10_test,
    cifar10_training,
    data_folder,
    div2k_training,
    div2k_validation,
    unpack,
)
from srscope.runtime.fetch import RemoteFile
from support import cifar
from support.servers import Behaviour, serving


def like(published: RemoteFile, url: str, body: bytes) -> RemoteFile:
    checksum = hashlib.new(published.algorithm, body).hexdigest()
    return dataclasses.replace(published, url=url, size=len(body), checksum=checksum)


@pytest.fixture(scope="module")
def div2k_zip() -> bytes:
    buffer, picture = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (12, 8), "green").save(picture, "PNG")
    with zipfile.ZipFile(buffer, "w") as opened:
        opened.writestr("DIV2K_valid_HR/", b"")
        for number in range(801, 901):
            opened.writestr(f"DIV2K_valid_HR/{number:04}.png", picture.getvalue())
    return buffer.getvalue()


def test_div2k_is_downloaded_once_and_unpacked(tmp_path: Path, div2k_zip: bytes) -> None:
    behaviour = Behaviour(div2k_zip, cut_after=len(div2k_zip) // 2 + 1)
    with serving(behaviour) as url:
        remote = like(DIV2K_VALIDATION, url, div2k_zip)
        photos = div2k_validation(tmp_path, remote=remote)
    assert len(photos.photographs) == 100
    assert photos.photographs[0].name == "0801.png"
    assert photos.photographs[0].pixels_HW3.shape == (8, 12, 3)
    assert len(behaviour.requests) == 2
    again = div2k_validation(tmp_path, remote=remote)  # the server is gone
    assert again == photos


def test_div2k_training_photographs_come_the_same_way(tmp_path: Path) -> None:
    buffer, picture = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (12, 8), "green").save(picture, "PNG")
    with zipfile.ZipFile(buffer, "w") as opened:
        for number in range(1, 801):
            opened.writestr(f"DIV2K_train_HR/{number:04}.png", picture.getvalue())
    with serving(Behaviour(buffer.getvalue())) as url:
        remote = like(DIV2K_TRAINING, url, buffer.getvalue())
        photos = div2k_training(tmp_path, remote=remote)
    assert [photos.photographs[n].name for n in (0, -1)] == ["0001.png", "0800.png"]


def test_div2k_placed_by_hand_needs_no_network(tmp_path: Path, div2k_zip: bytes) -> None:
    nowhere = like(DIV2K_VALIDATION, "http://127.0.0.1:9/x.zip", div2k_zip)
    zipped, unpacked = tmp_path / "zipped", tmp_path / "unpacked"
    zipped.mkdir()
    (zipped / "DIV2K_valid_HR.zip").write_bytes(div2k_zip)
    assert len(div2k_validation(zipped, remote=nowhere).photographs) == 100
    with zipfile.ZipFile(io.BytesIO(div2k_zip)) as opened:
        opened.extractall(unpacked)
    assert div2k_validation(unpacked, remote=nowhere).photographs[99].name == "0900.png"


def test_div2k_half_unpacked_by_hand(tmp_path: Path, div2k_zip: bytes) -> None:
    (tmp_path / "DIV2K_valid_HR").mkdir()
    (tmp_path / "DIV2K_valid_HR" / "0801.png").write_bytes(b"x")
    with pytest.raises(
        DownloadError, match=r"holds 1 of the 100 images of DIV2K_valid_HR\.zip; delete it"
    ):
        div2k_validation(tmp_path, remote=like(DIV2K_VALIDATION, "http://127.0.0.1:9/", div2k_zip))


def test_cifar10_is_downloaded_and_unpacked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = cifar.write_archive(tmp_path / "made.tar.gz", monkeypatch, test=3).read_bytes()
    behaviour = Behaviour(body)
    with serving(behaviour) as url:
        remote = like(CIFAR10, url, body)
        first = cifar10_test(tmp_path / "data", per_class=3, remote=remote)
        assert len(first.labels_N) == 30
        cifar10_test(tmp_path / "data", per_class=3, remote=remote)
        assert cifar10_training(tmp_path / "data", remote=remote).levels_NHW3.shape[0] == 50
    assert len(behaviour.requests) == 1
    with pytest.raises(DownloadError, match="is not the published file: its md5 is"):
        cifar10_test(tmp_path / "data")


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_damaged_archive_leaves_nothing(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    archive.write_bytes(b"no archive")
    with pytest.raises(DownloadError, match=r"a\.zip is damaged: .*; delete it and run again"):
        unpack(archive, tmp_path / "out")
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("a", bytes(range(256)) * 50)
    data = bytearray(archive.read_bytes())
    data[60] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(DownloadError, match=r"a\.zip is damaged: "):
        unpack(archive, tmp_path / "out")
    assert left_in(tmp_path) == ["a.zip"]


def test_a_folder_in_the_way_stays(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as opened:
        opened.writestr("a", b"x")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("kept")
    with pytest.raises(DownloadError, match="cannot be unpacked: Directory not empty"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert left_in(tmp_path) == ["a.zip", "out"]
    assert left_in(tmp_path / "out") == ["mine"]


def test_default_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SRSCOPE_DATA", str(tmp_path / "mine"))
    assert data_folder() == tmp_path / "mine"
    monkeypatch.delenv("SRSCOPE_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert data_folder() == tmp_path / "cache" / "srscope"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_folder() == tmp_path / ".cache" / "srscope"


def test_environment_chooses_the_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, div2k_zip: bytes
) -> None:
    monkeypatch.setenv("SRSCOPE_DATA", str(tmp_path))
    (tmp_path / "DIV2K_valid_HR.zip").write_bytes(div2k_zip)
    remote = like(DIV2K_VALIDATION, "http://127.0.0.1:9/", div2k_zip)
    assert div2k_validation(remote=remote).source == str(
        tmp_path / "DIV2K_valid_HR" / "DIV2K_valid_HR"
    )
