"""Packages of another Debian release than this machine's, fetched with apt.

apt gets a configuration of its own: the address of the archive and its key are this machine's, the
release is the one asked for. Nothing of the machine's own apt is changed.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def download(release: str, package: str, folder: Path) -> None:
    """Download a package of a Debian release into ``folder``.

    Args:
        release: Its code name, such as ``trixie``.
        package: Name of the package.
        folder: Gets the package, and apt's lists in ``apt/``.

    Raises:
        OSError: If there is no apt, or no Debian archive in its configuration.
        subprocess.CalledProcessError: If apt fails.
    """
    options = _configuration(release, folder / "apt")
    if not list((folder / "apt" / "lists").glob("*_Packages*")):
        subprocess.run(["apt-get", *options, "--quiet", "update"], check=True)
    subprocess.run(["apt-get", *options, "download", package], cwd=folder, check=True)


def _configuration(release: str, root: Path) -> list[str]:
    """Write a configuration of apt's under ``root``; return the options that make apt use it."""
    root = root.resolve()
    for name in ("lists/partial", "cache/archives/partial", "sources"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "status").touch()
    (root / "sources" / "debian.sources").write_text(
        f"Types: deb\nURIs: {_archive()}\nSuites: {release}\nComponents: main\n"
        f"Signed-By: {KEYRING}\n"
    )
    return [
        "-oDir::Etc::SourceList=/dev/null",
        f"-oDir::Etc::SourceParts={root / 'sources'}",
        f"-oDir::State::Lists={root / 'lists'}",
        f"-oDir::State::status={root / 'status'}",
        f"-oDir::Cache={root / 'cache'}",
    ]


def _archive() -> str:
    """Return the address of the Debian archive that this machine's apt uses."""
    wanted = ["Created-By: Packages", "Origin: Debian", "Label: Debian"]
    told = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE)", *wanted],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    if not told:
        raise OSError("this machine's apt has no Debian archive")
    return told[0]
