"""A user's own file or module: run where it is named, and mistakes in it told in one line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from srscope.cli.main import main
from srscope.degradations.catalogue import list_suites, load_suite, register_suite, unregister_suite
from srscope.degradations.family import definition_of, unregister
from srscope.degradations.plugin import load_plugins
from srscope.degradations.registry import build, kind_of, registered
from srscope.degradations.suite import DegradedSet, Suite
from srscope.errors import FileProblem, ParameterError, SrscopeError

INVERT = """
from __future__ import annotations
from dataclasses import dataclass
from srscope.degradations import DegradedSet, Suite, register, register_suite
import beside_invert

@register("test-invert")
@dataclass(frozen=True)
class Invert:
    strength: float = beside_invert.STRENGTH
    def __call__(self, images_NCHW, *, generator):
        return images_NCHW + self.strength * (1 - 2 * images_NCHW)

sets = (DegradedSet(name="clean"), DegradedSet(name="invert", steps=(Invert(),)))
register_suite(Suite(name="test-inverts", sets=sets))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    inside = tmp_path / "mine"
    inside.mkdir()
    (inside / "invert_plugin.py").write_text(INVERT)
    (inside / "beside_invert.py").write_text("STRENGTH = 0.75")
    (inside / "fails.py").write_text("raise RuntimeError('broken\\nin two lines')")
    (inside / "clean.py").write_text(
        "from srscope.degradations import register\n"
        "@register('clean')\nclass Clean:\n    def __call__(self, images): ...\n"
    )
    monkeypatch.chdir(tmp_path)
    path, modules = list(sys.path), set(sys.modules)
    yield inside
    assert sys.path == path
    for name in set(sys.modules) - modules:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
    unregister("test-invert")
    unregister_suite("test-inverts")


def test_what_a_file_registers_is_there_under_its_name(folder: Path) -> None:
    assert "test-invert" not in registered()
    (module,) = load_plugins(["mine/invert_plugin.py"])
    assert sys.modules["invert_plugin"] is module
    degradation = build("test-invert", {})
    assert kind_of(degradation) == "test-invert"
    grey = torch.full((1, 3, 2, 2), 0.25)
    assert float(degradation(grey, generator=torch.Generator()).mean()) == 0.625
    suite = load_suite("test-inverts")
    assert list_suites()[-1] is suite
    assert suite.sets[1].steps == (degradation,)
    load_plugins([str(folder / "invert_plugin.py")])  # again, as a second call in one process does
    assert registered().count("test-invert") == 1


def test_a_module_of_the_current_folder_or_an_installed_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    load_plugins(["invert_plugin", "srscope.degradations.clean"])
    assert load_suite("test-inverts").name == "test-inverts"


def test_the_command_line_runs_it_for_suites_and_shows_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["suites"]) == 0
    assert "test-inverts" not in capsys.readouterr().out
    assert main(["suites", "--plugin", str(folder / "invert_plugin.py")]) == 0
    shown = capsys.readouterr().out
    assert "test-inverts" in shown
    assert "Invert(strength=0.75)" in shown


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("mine/gone.py", FileProblem, "gone.py: no such file; give --plugin a .py file or"),
        ("mine/fails.py", SrscopeError, "plugin mine/fails.py fails: RuntimeError: broken"),
        ("mine/clean.py", ParameterError, "name must be free, but srscope.degradations.clean:Cle"),
        ("no_such_plugin", SrscopeError, "cannot be imported: ModuleNotFoundError: No module nam"),
        ("my plugin", SrscopeError, "plugin 'my plugin' is neither a .py file nor a module's nam"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_mistakes_are_one_line(name: str, error: type[Exception], message: str) -> None:
    modules = set(sys.modules)
    with pytest.raises(error) as caught:
        load_plugins([name])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert set(sys.modules) == modules


@pytest.mark.parametrize("stem", ["random", "two words", "torch"])
def test_a_file_does_not_take_the_place_of_another_module(folder: Path, stem: str) -> None:
    path, ran = folder / f"{stem}.py", folder / "ran"
    path.write_text(f"open({str(ran)!r}, 'w').close()")
    before = sys.modules.get(stem)
    with pytest.raises(FileProblem, match="rename the file"):
        load_plugins([str(path)])
    assert not ran.exists()
    assert sys.modules.get(stem) is before


def test_a_suite_of_the_package_keeps_its_name() -> None:
    with pytest.raises(ParameterError, match=r"suite name must be another than .* 'blur-1-4'"):
        register_suite(Suite(name="blur-1-4", sets=(DegradedSet(name="clean"),)))


def test_no_address_in_memory_gets_into_a_definition() -> None:
    class Plain:
        def __init__(self) -> None:
            self.share = 0.5

        def __call__(self, images_NCHW: torch.Tensor, *, generator: object) -> torch.Tensor:
            return images_NCHW

    def function(images_NCHW: torch.Tensor, *, generator: object) -> torch.Tensor:
        return images_NCHW

    assert definition_of(Plain(), "px") == "Plain(share=0.5)"
    assert definition_of(function, "px") == "function"
    assert definition_of(Plain().__call__, "px") == "__call__"
