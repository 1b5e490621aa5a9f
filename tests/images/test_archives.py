"""ZIP files that must not get out of their folder."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from srscope.errors import DownloadError
from srscope.images.archives import unzip


def make_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in files.items():
            opened.writestr(name, data)
    return path


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_files_and_folders_come_out(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {"set/": b"", "set/1.png": b"one", "2.png": b"two"})
    folder = unzip(archive, tmp_path / "out", most_bytes=6)
    assert (folder / "set" / "1.png").read_bytes() == b"one"
    assert (folder / "2.png").read_bytes() == b"two"
    assert left_in(tmp_path) == ["a.zip", "out"]


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/evil", "a\\..\\evil", "C:evil"])
def test_no_file_outside_the_folder(tmp_path: Path, name: str) -> None:
    archive = make_zip(tmp_path / "a.zip", {"good": b"x", name: b"x"})
    with pytest.raises(DownloadError, match="holds a file outside its folder: "):
        unzip(archive, tmp_path / "sub" / "out", most_bytes=100)
    assert left_in(tmp_path) == ["a.zip", "sub"]
    assert left_in(tmp_path / "sub") == []


def test_no_symbolic_links(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as opened:
        opened.writestr(link, "/etc/passwd")
    with pytest.raises(DownloadError, match="holds a symbolic link: 'link'"):
        unzip(tmp_path / "a.zip", tmp_path / "out", most_bytes=100)


def test_no_more_than_allowed_comes_out(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {"zeros": bytes(5_000_000)})
    assert archive.stat().st_size < 10_000
    with pytest.raises(DownloadError, match="unpacks to more than 1,000 bytes"):
        unzip(archive, tmp_path / "out", most_bytes=1000)
    assert left_in(tmp_path) == ["a.zip"]


def test_damaged_archive(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    archive.write_bytes(b"no archive")
    with pytest.raises(DownloadError, match=r"a\.zip is damaged: .*; delete it and run again"):
        unzip(archive, tmp_path / "out", most_bytes=100)
    make_zip(archive, {"a": bytes(range(256)) * 50})
    data = bytearray(archive.read_bytes())
    data[60] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(DownloadError, match=r"a\.zip is damaged: "):
        unzip(archive, tmp_path / "out", most_bytes=100_000)
    assert left_in(tmp_path) == ["a.zip"]


def test_folder_in_the_way(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {"a": b"x"})
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("kept")
    with pytest.raises(DownloadError, match="cannot be unpacked: Directory not empty"):
        unzip(archive, tmp_path / "out", most_bytes=100)
    assert left_in(tmp_path) == ["a.zip", "out"]
    assert left_in(tmp_path / "out") == ["mine"]
