"""The house rules that no single module can check: who imports whom, and what importing costs."""

from __future__ import annotations

import ast
import functools
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "srscope"
MODULES = sorted(SOURCE.rglob("*.py"))

# Lowest first; a part imports only itself and what stands before it. Parts of one row are equals
# and do not import each other.
LAYERS = (
    {"errors"},
    {"allocation", "files", "interrupts", "user_code", "yaml_file"},
    {"stage_cache"},
    {"study"},
    {"comparison", "processes", "study_file"},
    {"course"},
    {"images"},
    {"degradations"},
    {"networks"},
    {"features"},
    {"projection"},
    {"scores"},
    {"figures"},
    {"report"},
    {"exports"},
    {"training"},
    {"analysis_config"},
    {"analysis_cache"},
    {"analysis_features", "analysis_restore", "analysis_scores"},
    {"analysis", "analysis_export", "analysis_maps", "analysis_photographs", "analysis_profile"},
    {"analysis_compare"},
    {"analysis_course"},
    {"reproduction"},
    {"console"},
    {"cli_common"},
    {"cli_analysis", "cli_export", "cli_features", "cli_maps", "cli_upscale"},
    {"cli_compare"},
    {"cli"},
    {"__main__"},
)
RANK = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}
# Parts that work on arrays alone: neither they nor anything they import at the top loads torch.
WITHOUT_TORCH = (
    "errors",
    "files",
    "study",
    "study_file",
    "comparison",
    "course",
    "images",
    "projection",
    "scores",
    "figures",
    "report",
    "exports",
    "analysis_config",
)
TORCH = {"torch", "torchvision", "torchmetrics", "lightning"}
FOREIGN_LOADERS = {"spandrel", "timm"}
HEAVY = {
    *TORCH, "numpy", "numba", "scipy", "sklearn", "matplotlib", "plotly", "openTSNE",
    "jsonargparse",
}  # fmt: skip
# A path to somebody's machine: a home, a mount, a work folder, a drive.
MACHINE_PATH = re.compile(
    r"""(?<![\w.:/<])(?:/(?:home|Users|root|work|mnt|media|opt|tmp|data|srv|scratch)/|[A-Z]:\\)"""
)


@dataclass(frozen=True)
class Import:
    """One imported module, with where it stands."""

    module: str
    line: int
    in_function: bool


@functools.cache
def imports_of(path: Path) -> tuple[Import, ...]:
    return tuple(_walk(ast.parse(path.read_text("utf-8")), path, in_function=False))


def _walk(node: ast.AST, path: Path, *, in_function: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, in_function)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{path}:{child.lineno} imports relatively: use the full name"
            module = child.module or ""
            yield Import(module, child.lineno, in_function)
            if module == "srscope":  # from srscope import files
                for alias in child.names:
                    yield Import(f"srscope.{alias.name}", child.lineno, in_function)
        inner = in_function or isinstance(
            child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
        )
        yield from _walk(child, path, in_function=inner)


def part_of(path: Path) -> str | None:
    """Return the part a source file belongs to; None for the package's own ``__init__``."""
    first = path.relative_to(SOURCE).parts[0]
    return None if first == "__init__.py" else first.removesuffix(".py")


def show(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def test_every_part_has_its_place_in_the_order() -> None:
    parts = {part_of(path) for path in MODULES} - {None}
    assert parts <= RANK.keys(), f"no place in LAYERS: {sorted(parts - RANK.keys())}"


@pytest.mark.parametrize("path", MODULES, ids=show)
def test_imports_go_one_way(path: Path) -> None:
    part = part_of(path)
    if part is None:
        return  # the lazy table of public names, tested in test_public_names.py
    for imported in imports_of(path):
        names = imported.module.split(".")
        if names[0] != "srscope" or len(names) == 1 or names[1] == part:
            continue
        assert names[1] in RANK, f"{path}:{imported.line} imports unknown {imported.module}"
        assert RANK[names[1]] < RANK[part], (
            f"{path}:{imported.line}: {part} may not import {imported.module}, "
            "which stands later in the line of stages"
        )


@pytest.mark.parametrize("path", MODULES, ids=show)
def test_scores_and_projection_never_name_torch(path: Path) -> None:
    if part_of(path) in ("scores", "projection"):
        named = [i for i in imports_of(path) if i.module.split(".")[0] in TORCH]
        assert not named, f"{path}:{named[0].line} imports {named[0].module}"


@pytest.mark.parametrize("path", MODULES, ids=show)
def test_foreign_loaders_stay_in_foreign_inside_functions(path: Path) -> None:
    for imported in imports_of(path):
        if imported.module.split(".")[0] in FOREIGN_LOADERS:
            assert show(path) == "networks/foreign.py", f"{path}:{imported.line}"
            assert imported.in_function, f"{path}:{imported.line} must import inside the function"


@pytest.mark.parametrize("path", MODULES, ids=show)
def test_file_is_short_enough_to_read(path: Path) -> None:
    lines = len(path.read_text("utf-8").splitlines())
    assert lines < 400, f"{path} has {lines} lines: where is the seam?"


@pytest.mark.parametrize("path", MODULES, ids=show)
def test_no_path_of_a_machine(path: Path) -> None:
    found = MACHINE_PATH.search(path.read_text("utf-8"))
    assert found is None, f"{path} names {found.group()!r}"


@pytest.mark.parametrize(
    ("text", "caught"),
    [
        ('Path("/home/ada/photos")', True),
        ('open("/home/me/x")', True),
        ('"C:\\Users"', True),
        ('"</data/>"', False),
        ("https://example.org/data/set", False),
        ("src/data/set", False),
    ],
)
def test_machine_paths_are_recognised(text: str, *, caught: bool) -> None:
    assert bool(MACHINE_PATH.search(text)) == caught


def loaded_by(statement: str) -> tuple[set[str], float]:
    """Run ``statement`` in a fresh interpreter; return the packages it loads, and seconds.

    The seconds are the processor's: other programs may be busy.
    """
    script = (
        "import json, sys, time\n"
        f"start = time.process_time()\n{statement}\n"
        "seconds = time.process_time() - start\n"
        "print(json.dumps([sorted({m.split('.')[0] for m in sys.modules}), seconds]))\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    modules, seconds = json.loads(answer.stdout)
    return set(modules), float(seconds)


def test_importing_srscope_is_light_and_quick() -> None:
    runs = [loaded_by("import srscope") for _ in range(3)]
    modules = runs[0][0]
    assert "srscope" in modules
    assert not modules & HEAVY
    assert min(seconds for _, seconds in runs) < 0.15


def test_help_is_light_and_quick() -> None:
    statement = (
        "import contextlib, io\n"
        "from srscope.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    main(['--help'])"
    )
    runs = [loaded_by(statement) for _ in range(2)]
    assert "srscope" in runs[0][0]
    assert not runs[0][0] & (HEAVY - {"jsonargparse"})
    assert min(seconds for _, seconds in runs) < 0.5


@pytest.mark.parametrize("part", WITHOUT_TORCH)
def test_array_parts_load_no_torch(part: str) -> None:
    modules, _ = loaded_by(
        "import importlib, pkgutil\n"
        f"part = importlib.import_module('srscope.{part}')\n"
        "for found in pkgutil.walk_packages(getattr(part, '__path__', ()), part.__name__ + '.'):\n"
        "    importlib.import_module(found.name)"
    )
    assert "srscope" in modules
    assert not modules & TORCH
