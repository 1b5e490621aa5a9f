"""Run the test suite on the built wheel, with no source tree in reach.

Builds the wheel, installs it alone into a fresh environment that finds all else in the one this
runs in, copies the repository without ``src``, and runs pytest there. What tests look up in
``src/srscope`` (bundled files, the text of modules) they find in the installed package.

    .venv/bin/python tools/try_wheel.py [pytest's arguments]
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KEPT_OUT = {"src", ".git", ".venv", "dist", "build", "site", "runs", "data", "srscope-out"}


def run(*words: str | Path, cwd: Path = ROOT) -> int:
    """Run a command; return its exit code."""
    return subprocess.run([str(word) for word in words], cwd=cwd, check=False).returncode


def build(folder: Path) -> Path:
    """Build the wheel into ``folder``."""
    words = ("-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    if run(sys.executable, *words):
        raise SystemExit("the wheel cannot be built")
    (wheel,) = folder.glob("srscope-*.whl")
    return wheel


def environment(folder: Path, wheel: Path) -> tuple[Path, Path]:
    """Make an environment with the wheel in it; return its Python and the installed package."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    if run(
        sys.executable, "-m", "pip", "--quiet", "--python", python, "install", "--no-deps", wheel
    ):
        raise SystemExit("the wheel cannot be installed")
    (site,) = (folder / "lib").glob("python*/site-packages")
    # As a plain folder: the .pth files in it, and so the editable installation, are not read.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return python, site / "srscope"


def copy(folder: Path, package: Path) -> None:
    """Copy the repository, with the installed package in the place of its source."""
    folder.mkdir()
    for path in sorted(ROOT.iterdir()):
        if path.name in KEPT_OUT or path.name.startswith((".venv", ".pytest", ".ruff", ".hypo")):
            continue
        copied = folder / path.name
        if path.is_dir():
            shutil.copytree(path, copied, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(path, copied)
    (folder / "src").mkdir()
    (folder / "src" / "srscope").symlink_to(package)


def main(arguments: list[str]) -> int:
    """Run the command; return pytest's exit code."""
    with tempfile.TemporaryDirectory(prefix="wheel-") as name:
        folder = Path(name)
        python, package = environment(folder / "environment", build(folder / "dist"))
        copy(folder / "copy", package)
        found = "import srscope, sys; sys.exit(not srscope.__file__.startswith(sys.argv[1]))"
        if run(python, "-c", found, package, cwd=folder / "copy"):
            raise SystemExit("the tests would not see the wheel")
        return run(python, "-m", "pytest", *(arguments or ["tests"]), cwd=folder / "copy")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
