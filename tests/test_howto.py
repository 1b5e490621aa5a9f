"""The how-tos, done as they say: every command runs and every script, in the order of the page.

What stands in for the reader's files is small, patches and runs are few, and figures and reports,
which other tests look at, are not drawn. Training, maps and the paper's rerun are left to their own
tests.
"""

from __future__ import annotations

import functools
import importlib
import json
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import srscope
from srscope.cli.main import main
from srscope.degradations.catalogue import unregister_suite
from srscope.degradations.family import unregister
from srscope.images.folder import load_folder
from srscope.networks.architectures.srresnet import SRResNet, SRResNetConfig
from srscope.networks.zoo import list_networks
from srscope.projection.config import TsneConfig
from support.foreign import SPANDREL, Swapped, scripted
from support.labs import save_network
from support.ncnn_files import NcnnWriter
from support.onnx_files import OnnxWriter
from support.onnx_files import weights as filters
from support.tiny import photographs, tiny_checkpoint
from test_docs import FENCE

PAGES = Path(__file__).resolve().parents[1] / "docs" / "how-to"
DONE = (
    "attribute", "compare", "degradation", "dose", "export", "generalize", "identify", "intervene",
    "network", "notebook",
    "photographs", "suite", "upscale",
)  # fmt: skip
# Long ones; scores.md is run by test_docs on a study that has all fields.
ELSEWHERE = ("adapt", "maps", "reproduce", "scores", "seeds", "speed", "train")
QUICK = {
    "contents": 4, "patch": 16, "pca": 4, "runs": 1, "permutations": 9, "untrained": False,
    "random": 0, "trivial": False,
}  # fmt: skip
TSNE = TsneConfig(perplexity=3, iterations=250)
WORDS = [
    *(f"--{name}={str(value).lower()}" for name, value in QUICK.items()),
    "--tsne.perplexity=3", "--tsne.iterations=250", "--quiet",
]  # fmt: skip
QUICKLY: dict[str, dict[str, Any]] = {
    "attribute": {
        "crop": 16, "steps": 2, "most_steps": 2, "sanity": 0, "orders": 1, "causal": 0,
        "contents": 4, "patch": 16, "filter_steps": 1,
    },
    "dose": {"contents": 16, "patch": 16, "steps": 3, "draws": 20},
    "generalize": {"contents": 4, "patch": 16, "draws": 20, "splits": 20},
    "identify": {"contents": 4, "patch": 16, "training": "photos"},
    "intervene": {"contents": 4, "patch": 16, "controls": 1, "resamples": 100},
}  # fmt: skip
SHORTER = {
    "analyze": WORDS,
    "compare": WORDS,
    "features": ["--quiet"],
    "degrade": ["--quiet"],
    **{
        name: [*(f"--{key}={value}" for key, value in options.items()), "--quiet"]
        for name, options in QUICKLY.items()
    },
    "upscale": ["--quiet"],
}
"""Options that come before those of the page, which therefore count where it gives the same."""
NOT_RUN = ("torchrun", "tensorboard", "pip")  # started or installed by them: test_docs reads these


def test_every_how_to_is_done_here_or_elsewhere() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} == {*DONE, *ELSEWHERE}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what the pages take for granted."""
    folder = tmp_path_factory.mktemp("reader")
    for name in ("photos", "scans", "DCIM"):
        photographs(folder / name, count=8 if name == "photos" else 4, size=(140, 132))
    for path in (folder / "scans").iterdir():
        path.rename(path.with_stem(path.stem.replace("photo", "film")))
    shutil.copy(folder / "photos" / "photo-0.png", folder / "photo.jpg")
    torch.manual_seed(7)
    torch.save({"params": SPANDREL["DAT"][0]().state_dict()}, folder / "DAT_light_x2.pth")
    scripted(Swapped().eval(), folder / "denoiser.pt")
    import timm

    network = timm.create_model("resnet18", num_classes=10)
    torch.save(network.state_dict(), folder / "mine.pth")
    for stem, channels in (
        ("realesrgan-x4plus-anime", 3),
        ("noise1_scale2.0x_model", 3),
        ("srmd_x4", 19),
    ):
        writer = NcnnWriter().conv("a", "in", filters(8, channels, 3, 3), k4=1)
        writer.conv("b", "a", filters(3, 8, 3, 3), k4=1).write(folder, stem)
    onnx = OnnxWriter().conv("x", "a", filters(8, 3, 3, 3), torch.zeros(8))
    onnx.conv("a", "b", filters(3, 8, 3, 3), torch.zeros(3)).write(folder, "b")
    for step in (1000, 2000):
        for run in ("runs/srresnet-wgr", "models"):
            (folder / run).mkdir(parents=True, exist_ok=True)
            weights = tiny_checkpoint(folder / "w.safetensors", blocks=2, seed=step)
            weights.rename(folder / run / f"net_g_{step}.safetensors")
    for step in (1000, 2000):  # BasicSR's own format
        path = folder / "models" / f"net_g_{step}.safetensors"
        state = srscope.load_network(str(path)).module.state_dict()
        torch.save({"params": state}, path.with_suffix(".pth"))
    _narrow_networks(folder / "bundled")
    return folder


def _narrow_networks(folder: Path) -> None:
    """Make networks of few channels that stand in for the bundled ones, under their names."""
    folder.mkdir()
    for card in list_networks():
        shutil.copy(card.path.with_suffix(".json"), folder)
        if card.name.startswith("sr"):
            config = SRResNetConfig(channels=8, global_residual="wgr" in card.name)
            save_network(folder, card.name, SRResNet(config))
        else:
            (folder / card.path.name).symlink_to(card.path)


@pytest.fixture
def place(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in a copy of the folder, which is the home too; leave nothing behind."""
    folder = tmp_path / "reader"
    shutil.copytree(files, folder, symlinks=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])  # as python, notebooks and IDEs do
    monkeypatch.setattr("srscope.networks.zoo.WEIGHTS", files / "bundled")
    few = load_folder(folder / "photos")
    monkeypatch.setattr("srscope.images.sources.load_bundled", lambda _: few)
    for drawn in ("save_figures", "save_each"):
        monkeypatch.setattr(f"srscope.figures.save.{drawn}", lambda *_, **__: [])
    monkeypatch.setattr("srscope.report.html.write_report", lambda *_: None)
    for kind in ("comparison", "course"):
        monkeypatch.setattr(f"srscope.analyses.{kind}.page.render", lambda *_: "")
        monkeypatch.setattr(f"srscope.analyses.{kind}.figures.figures", lambda *_: {})
    for name in ("analyze", "compare", "over_training"):
        quick = functools.partial(getattr(srscope, name), **QUICK, tsne=TSNE)
        monkeypatch.setattr(srscope, name, quick)
    for name, options in QUICKLY.items():
        monkeypatch.setattr(srscope, name, functools.partial(getattr(srscope, name), **options))
    monkeypatch.setattr("srscope.analyses.runner.write_record", lambda *_: None)
    # Three trials a block, whatever the page asks for.
    monkeypatch.setattr("srscope.analyses.attribute.causal.MATTERS", 1e9)
    modules = set(sys.modules)
    yield folder
    for name in set(sys.modules) - modules:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
    unregister("salt")
    for suite in ("clean-salt", "clean-salt-noise"):
        unregister_suite(suite)


def _best(folder: Path) -> None:
    """Make the checkpoint that the page loads into its own network."""
    network = importlib.import_module("my_networks").Net(blocks=12)
    torch.save(network.state_dict(), folder / "best.pth")


AFTER: dict[str, Callable[[Path], None]] = {"my_networks.py": _best}


@pytest.mark.slow
@pytest.mark.parametrize("page", DONE)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_the_page_says_works(
    page: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if page == "export":  # what it exports
        srscope.analyze("srresnet-wgr", out="srscope-out/demo")
    steps: list[tuple[str, str]] = []
    for found in FENCE.finditer((PAGES / f"{page}.md").read_text("utf-8")):
        language, text = found[2], found[3]
        if file := re.match(r"# (\w+\.py)\n", text):
            (place / file[1]).write_text(text)
            AFTER.get(file[1], lambda _: None)(place)
        elif language == "yaml":
            name = text.splitlines()[0].removeprefix("name: ")
            (place / f"{name}.yaml").write_text(text)
        else:
            steps.append((language, text))
    names: dict[str, Any] = {}
    for language, text in steps:
        if language == "python":
            exec(compile(text, f"{page}.md", "exec"), names)
            continue
        for line in text.splitlines():
            _type(line, capsys)


def test_the_notebook_runs_and_holds_what_it_showed(place: Path) -> None:
    path = PAGES.parent / "notebooks" / "salt.ipynb"
    assert path.stat().st_size < 150_000
    cells = [each for each in json.loads(path.read_text("utf-8"))["cells"] if "outputs" in each]
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(cells, start=1):
        assert cell["execution_count"] == number  # run from the top, in order
        kinds = {output["output_type"] for output in cell["outputs"]}
        assert kinds <= {"stream", "execute_result"}, "an error or a warning is kept"
        source = "".join(cell["source"]).replace("%matplotlib inline\n", "")
        source = re.sub(r"CONTENTS, RUNS = \d+, \d+", "CONTENTS, RUNS = 4, 1", source)
        exec(compile(source, f"cell {number}", "exec"), names)
    assert names["study"].inputs.set_N.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    shown = [kind for cell in cells for o in cell["outputs"] for kind in o.get("data", {})]
    assert shown.count("image/png") == 2


def _type(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Run a line of a shell."""
    program, *words = shlex.split(line, comments=True)
    if program in NOT_RUN:
        return
    assert program == "srscope", line
    words = [str(Path(word).expanduser()) if word[0] == "~" else word for word in words]
    if "--devices" in words:  # would start this test once more; see test_analysis_devices
        return
    command, *rest = words
    code = main([command, *SHORTER.get(command, []), *rest])
    shown = capsys.readouterr()
    assert code == 0, f"{line}\n{shown.err}"
