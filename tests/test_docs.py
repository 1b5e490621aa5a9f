"""What README and docs tell people to type exists, parses and resolves.

Every fenced block is checked by its language; a language or a command that no check knows fails.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import importlib
import importlib.util
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from torch.distributed.run import get_args_parser as torchrun_parser

import srscope
from srscope.cli.main import _recipe_overrides, _with_underscores
from srscope.degradations.catalogue import load_suite, unregister_suite
from srscope.degradations.family import unregister
from srscope.degradations.plugin import load_plugins
from srscope.errors import ParameterError
from srscope.features.trivial import TRIVIAL
from srscope.scores import decision
from srscope.scores.photographs import RELIABLE_FROM
from srscope.scores.record import LayerUse
from srscope.study import assembly
from srscope.study import verdict as rules
from srscope.study.config import AnalysisConfig
from srscope.study.record import scores_dict
from srscope.training.recipes import load_recipe
from support import browser as browsers
from support import studies

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^( *)```(\S*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks() -> Iterator[Block]:
    for page in PAGES:
        text = page.read_text("utf-8")
        for found in FENCE.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            yield Block(page, line, found[2], found[3])


BLOCKS = list(blocks())


def of(language: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == language], ids=str)


def files_of(page: Path) -> dict[str, str]:
    """Return the Python files that a page tells the reader to write, by the module's name."""
    starts = [(re.match(r"# (\w+)\.py\n", b.text), b.text) for b in BLOCKS if b.page == page]
    return {found[1]: text for found, text in starts if found}


def test_every_block_has_a_language_that_is_checked() -> None:
    unknown = [
        str(b) for b in BLOCKS if b.language not in ("sh", "python", "yaml", "math", "bibtex")
    ]
    assert not unknown


# --- shell


@functools.cache
def help_of(command: str) -> str:
    """Return what ``srscope COMMAND --help`` prints; fail if there is no such command."""
    run = subprocess.run(
        [sys.executable, "-c", "from srscope.cli.main import main; main()", command, "--help"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout


def check_srscope(words: list[str]) -> None:
    command, *rest = words
    shown = help_of(command)
    if command == "train":  # options that are not the command's own are the recipe's
        rest, overrides = _recipe_overrides(_with_underscores(rest))
        load_recipe(ROOT / rest[0], overrides)
    for word in rest:
        if word.startswith("--"):
            option = word.partition("=")[0]
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", shown), f"{command} has no {option}"
        elif word.endswith(".yaml") and word.startswith("recipes/"):
            assert (ROOT / word).exists(), f"no recipe {word}"


def check_make(words: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in (word for word in words if "=" not in word):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"no target {target}"


def check_pip(words: list[str]) -> None:
    assert words[0] == "install"
    (what,) = words[1:]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert what in (".", *(f".[{extra}]" for extra in extras))


def check_pre_commit(words: list[str]) -> None:
    assert words == ["install"]
    assert (ROOT / ".pre-commit-config.yaml").exists()


def check_python(words: list[str]) -> None:
    script = (ROOT / words[0]).read_text("utf-8")
    for word in words[1:]:
        if word.startswith("--"):
            assert f'"{word}"' in script, f"{words[0]} has no {word}"


def check_tensorboard(words: list[str]) -> None:
    assert words[0] == "--logdir"
    assert importlib.util.find_spec("tensorboard")


def check_torchrun(words: list[str]) -> None:
    parsed = torchrun_parser().parse_args(words)
    assert parsed.module
    assert parsed.training_script == "srscope"
    check_srscope(parsed.training_script_args)


def check_srun(words: list[str]) -> None:
    check_srscope(words[words.index("srscope") + 1 :])  # srun's own options: not checked


def check_docker(words: list[str]) -> None:
    assert words[0] in ("build", "run")
    assert "srscope" in words
    assert (ROOT / "Dockerfile").exists()
    if words[0] == "run":
        check_srscope(words[words.index("srscope") + 1 :])


def check_conda(words: list[str]) -> None:
    assert words[:3] == ["env", "create", "--file"]
    assert (ROOT / words[3]).exists()


CHECKS: dict[str, Callable[[list[str]], None]] = {
    "srscope": check_srscope,
    "make": check_make,
    "pip": check_pip,
    "python": check_python,
    "tensorboard": check_tensorboard,
    "torchrun": check_torchrun,
    "docker": check_docker,
    "conda": check_conda,
    "srun": check_srun,
    ".venv/bin/pre-commit": check_pre_commit,
}


@of("sh")
def test_commands_and_options_exist(block: Block) -> None:
    for line in block.text.splitlines():
        words = shlex.split(line, comments=True)
        if words:
            assert words[0] in CHECKS, f"{block}: no check for {words[0]!r}"
            CHECKS[words[0]](words[1:])


def test_the_checks_of_commands_can_fail() -> None:
    with pytest.raises(AssertionError, match="analyze has no --sweet"):
        check_srscope(["analyze", "srresnet-wgr", "--sweet", "blur-1-4"])
    with pytest.raises(AssertionError):
        check_srscope(["analyse", "srresnet-wgr"])
    with pytest.raises(ParameterError, match="nodez"):
        check_srun(["-n", "2", "srscope", "train", "recipes/paper/srresnet-wgr.yaml", "--nodez=2"])
    with pytest.raises(AssertionError, match="no target dmeo"):
        check_make(["dmeo"])


def test_readme_fits_on_a_few_screens() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 120


def test_commands_of_the_readme_are_there() -> None:
    run = subprocess.run(
        [sys.executable, "-c", "from srscope.cli.main import main; main()", "--help"],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    named = set(re.findall(r"^\| `srscope (\w+)", (ROOT / "README.md").read_text("utf-8"), re.M))
    assert named
    missing = [name for name in sorted(named) if not re.search(rf"\b{name}\b", run.stdout)]
    assert not missing


# --- Python


@of("python")
def test_python_parses_and_its_names_resolve(block: Block) -> None:
    tree = ast.parse(block.text, filename=str(block))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                known = alias.name in files_of(block.page) or importlib.util.find_spec(alias.name)
                assert known, f"{block}: no module {alias.name}"
        elif isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module or "")
            for alias in node.names:
                assert hasattr(module, alias.name), f"{block}: no {node.module}.{alias.name}"
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "srscope":
            assert node.attr in srscope.__all__, f"{block}: no srscope.{node.attr}"


def test_the_script_for_scores_runs_on_real_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "srscope-out" / "demo" / "scores.json"
    target.parent.mkdir(parents=True)
    study = studies.make()
    page = ROOT / "docs" / "how-to" / "scores.md"
    (script,) = [b for b in BLOCKS if b.page == page and b.language == "python"]
    monkeypatch.chdir(tmp_path)
    for record, lines in ((study, 2), (dataclasses.replace(study, untrained=()), 1)):
        target.write_text(json.dumps(scores_dict(record)))
        exec(compile(script.text, str(script), "exec"), {})
        assert len(capsys.readouterr().out.splitlines()) == lines * len(study.layers)


# --- suites


@of("yaml")
def test_suites_load(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(block.text)
    mine = files_of(block.page)
    for name, text in mine.items():
        (tmp_path / f"{name}.py").write_text(text)
    try:
        load_plugins([str(tmp_path / f"{name}.py") for name in mine])
        assert load_suite(str(path)).sets
    finally:
        for name in mine:
            sys.modules.pop(name, None)
            unregister(name)
            unregister_suite(f"clean-{name}")


# --- scores.json


def documented() -> dict[str, str]:
    """Return field -> type of every table row of scores-json.md."""
    text = (ROOT / "docs" / "scores-json.md").read_text("utf-8")
    return dict(re.findall(r"^\| `([^`]+)` \| ([^|]+?) \|", text, re.MULTILINE))


def fields_of(value: Any, prefix: str = "") -> Iterator[str]:
    """Yield the dotted path of every field, ``[]`` for entries of lists of objects."""
    if isinstance(value, dict):
        for key, inner in value.items():
            path = f"{prefix}.{key}" if prefix else key
            yield path
            yield from fields_of(inner, path)
    elif isinstance(value, list):
        for inner in value:
            yield from fields_of(inner, f"{prefix}[]")


def abstract(path: str) -> str:
    """Return ``path`` as the page writes it: E for a layer entry, * for a t-SNE score."""
    if path == "controls.trivial[].name":
        return path
    path = re.sub(r"^(layers\[\]|controls\.(pixels|(untrained|trivial|random)\[\]))\.", "E.", path)
    path = re.sub(r"^E\.(probe_channel_\w+|knn_photographs)\.", "E.probe.", path)
    return re.sub(r"^E\.tsne\.(chi|wd|bd|kl)\.", "E.tsne.*.", path)


FREE = ("protocol.", "environment.", "timings.")  # filled by the analysis: see the test after


def test_protocol_and_environment_are_documented_as_the_analysis_fills_them() -> None:
    provenance = {"extraction": {"autocast": None}}
    limited = {"budget": 1.0, "contents": 50, "networks": ["untrained"]}
    metadata = {"patch": 32, "controls": limited}
    store = SimpleNamespace(metadata=metadata, reducer="flatten", provenance=provenance)
    filled = {
        "protocol": assembly._protocol(AnalysisConfig(), store),
        "environment": assembly.environment("cpu"),
    }
    written = {path for path in documented() if path.startswith(FREE)}
    assert set(fields_of(filled)) - {"protocol", "environment"} == written


def test_every_field_of_scores_json_is_documented_and_no_other() -> None:
    study = studies.make(skipped=(("notes.txt", "not an image"),))
    use = LayerUse(
        layer="body", label="body", set="noise", word="uses it", gain=1.0, low=0.5, high=1.5,
        share=0.4, controls=20, strongest=0.1, z=8.0, shrinkage=0.2,
    )  # fmt: skip
    study = dataclasses.replace(study, left_out=(("variance", "no shared contents"),), uses=(use,))
    found = {abstract(path) for path in fields_of(scores_dict(study))}
    found = {path for path in found if not path.startswith(FREE)}
    written = {path for path in documented() if not path.startswith(FREE)}
    assert found == written


# --- the site


@pytest.mark.slow
def test_site_builds_without_warnings(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    loads = re.compile(r"""<(?:script|link|img|iframe)[^>]+(?:src|href)="https?://""")
    for page in (tmp_path / "site").rglob("*.html"):
        found = loads.search(page.read_text("utf-8"))
        assert found is None, f"{page.name} loads from elsewhere: {found.group()}"
    with browsers.chromium() as browser:  # skips where there is none
        opened = browser.new_page()
        opened.goto((tmp_path / "site" / "how-to" / "network.html").as_uri())
        opened.locator("#__search").evaluate("box => box.click()")
        opened.locator("input.md-search__input").focus()
        opened.keyboard.type("probe")
        found = opened.locator(".md-search-result__item").first
        found.wait_for(state="attached", timeout=20_000)


# --- the verdict


def test_rules_of_the_verdict_are_those_in_the_documents() -> None:
    section = (ROOT / "docs" / "verdict.md").read_text("utf-8")
    science = (ROOT / "docs" / "science.md").read_text("utf-8")
    rule = science.partition("## How the verdict is made")[2].partition("\n## ")[0]
    assert (decision.MARGIN, decision.EQUIVALENT) == (0.1, 0.02)
    assert (decision.CHI_LINE, decision.MASKED_BELOW) == (20, 0.1)
    for page in (section, rule):
        assert "a tenth of the way" in page
        assert "below 2 points" in page
        assert "below 10 %" in page
    assert "40 % for three sets and 55 % for two" in rule
    assert "above 40 %" in section
    assert f"fewer than {RELIABLE_FROM} photographs" in rule
    assert rules.PAPERS_DESIGN == (300, 3)
    assert all("300 images in 3 sets" in page for page in (section, rule))


def test_sentences_of_the_page_are_those_of_verdicts() -> None:
    section = (ROOT / "docs" / "verdict.md").read_text("utf-8")
    phrases = re.findall(r'^\| "(?:…,? )?(.*?)(?: …)?" \|', section, re.MULTILINE)
    assert len(phrases) == 8
    design: dict[str, Any] = {"contents": 100, "side": 8, "runs": 1}
    open_ = {**design, "contents": 20, "chis": [0, 0, 0, 400], "trivial": (0.85,)}
    made = [
        studies.make(**design),
        studies.make(**design, trivial=(0.94,)),
        studies.make(**open_),
        studies.make(**design, trivial=()),
        studies.make(**design, chis=[0.0, 0.0, 0.0, 1.0]),
        studies.make(**design, chis=[0.0, 0.0, 0.0, 8.0]),
    ]
    masked = made[0]
    for index, layer in enumerate(masked.layers):
        assert layer.variance is not None
        split = dataclasses.replace(layer.variance, components=studies.components(0.02, 0.5))
        masked = studies.with_layer(masked, index, variance=split)
    made.append(masked)
    told = [study.verdict.headline for study in made if study.verdict]
    assert [p for p in phrases if not any(p in sentence for sentence in told)] == []


def test_the_table_of_simple_statistics_is_the_registry() -> None:
    science = (ROOT / "docs" / "science.md").read_text("utf-8")
    section = science.partition("| simple statistic |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (.+?) \| ", section.replace("\\|", "¦"), re.MULTILINE)
    assert [row.replace("¦", "|") for row in rows if row != "---"] == [
        each.label for each in TRIVIAL.values()
    ]
