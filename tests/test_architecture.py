"""The house rules that no single module can check: who imports whom, and what importing costs."""

from __future__ import annotations

import ast
import functools
import graphlib
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
TESTS = Path(__file__).resolve().parent

# Lowest first: a folder imports only itself and what stands before it. Inside a folder there is no
# circle of modules either.
LAYERS = (
    "errors", "runtime", "images", "degradations", "networks", "features", "projection", "scores",
    "study", "figures", "report", "exports", "training", "analyses", "reproduction", "cli",
    "__main__",
)  # fmt: skip
RANK = {part: rank for rank, part in enumerate(LAYERS)}
# Modules that work on arrays alone: neither they nor anything they import at the top loads torch.
WITHOUT_TORCH = (
    "errors", "runtime.files", "runtime.cache", "images", "degradations.record", "networks.record",
    "projection", "scores", "study.config", "study.record", "study.store", "study.verdict",
    "figures", "report", "exports", "analyses.comparison.record", "analyses.comparison.figures",
    "analyses.comparison.page", "analyses.course.record", "analyses.course.figures",
    "analyses.course.page",
)  # fmt: skip
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
    assert parts == RANK.keys()


def test_three_files_lie_at_the_root() -> None:
    names = {path.name for path in SOURCE.glob("*.py")}
    assert names == {"__init__.py", "__main__.py", "errors.py"}


def name_of(path: Path) -> str:
    """Return a module's dotted name below the package."""
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


def imported_modules(path: Path) -> set[str]:
    """Return the modules of the package that a module imports anywhere, also for types alone."""
    names = {name_of(each) for each in MODULES}
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.removeprefix("srscope.") for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("srscope."):
            module = (node.module or "").removeprefix("srscope.")
            inner = {f"{module}.{alias.name}" for alias in node.names}
            found |= {each if each in names else module for each in inner}
    return found & names


def test_no_circle_of_modules() -> None:
    graph = {name_of(path): imported_modules(path) for path in MODULES}
    graph.pop("__init__")  # the lazy table of public names
    try:
        tuple(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        pytest.fail(f"these modules import each other in a circle: {error.args[1]}")


def test_a_circle_would_be_noticed() -> None:
    with pytest.raises(graphlib.CycleError):
        tuple(graphlib.TopologicalSorter({"a": {"b"}, "b": {"a"}}).static_order())


def _named(path: Path) -> str:
    return "srscope." + ".".join(path.relative_to(SOURCE).with_suffix("").parts)


def _mentioned(path: Path) -> set[str]:
    """Return the modules that a file imports, or names as text: tables load theirs by name."""
    tree = ast.parse(path.read_text("utf-8"))
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return {
        *(each.module for each in imports_of(path)),
        *(f"{node.module}.{name.name}" for node in froms for name in node.names),
        *(text.partition(":")[0] for text in texts if isinstance(text, str)),
    }


def without_tests() -> set[str]:
    """Return the modules that no test of their place in the tree is about.

    One is about `a/b/c.py` that is called tests/a/b/test_c.py; or that stands in tests/a/b, or
    above, and imports it; or that is about a module of a/b which imports it.
    """
    own = {_named(path): path for path in MODULES if not path.stem.startswith("__main")}
    tested: set[str] = set()
    for module, path in own.items():
        place = TESTS / path.relative_to(SOURCE).parent
        folders = [place, *place.parents][: len(path.relative_to(SOURCE).parts)]
        files = [file for folder in folders for file in folder.glob("test_*.py")]
        named = place / f"test_{path.stem.removeprefix('_')}.py"
        if named.is_file() or any(module in _mentioned(file) for file in files):
            tested.add(module)
        if path.stem == "__init__" and any(place.glob("test_*.py")):
            tested.add(module)  # a kind of analysis is run by its name
    waiting = list(tested)
    while waiting:
        path = own[waiting.pop()]
        for module in _mentioned(path) & own.keys() - tested:
            if own[module].parent == path.parent:
                tested.add(module)
                waiting.append(module)
    return {each for each in own if not each.endswith("__init__")} - tested


def test_tests_mirror_the_source() -> None:
    assert without_tests() == set()


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
            assert show(path) == "networks/loading/foreign.py", f"{path}:{imported.line}"
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
        "from srscope.cli.main import main\n"
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
