"""Recipes and suites with every kind of mistake, and with traps: one line, and nothing run."""

from __future__ import annotations

import itertools
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from srscope.cli.main import main
from srscope.degradations.catalogue import load_suite
from srscope.errors import SrscopeError
from srscope.training.recipes import load_recipe
from support.mutants import SPOILS
from support.trials import Tally

RECIPES = sorted((Path(__file__).parents[2] / "recipes").rglob("*.yaml"))
SUITE: dict[str, Any] = {
    "name": "mine",
    "blur_applied_to": "lr",
    "quantized": True,
    "sets": [
        {"name": "clean", "steps": []},
        {
            "name": "both",
            "steps": [
                {"kind": "gaussian-blur", "sigma": [2, 4]},
                {"kind": "gaussian-noise", "sigma": 10},
                {"kind": "jpeg", "quality": 30},
            ],
        },
    ],
}
NUMBERS = (-1, 0, 10**30, 1.5, float("nan"), float("inf"))
WRONG = (*NUMBERS, None, True, "text", "", [], ["a"], {}, {"a": 1})
FEW = pytest.param(60, id="few")
ALL = pytest.param(300, id="all", marks=pytest.mark.torture)
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in itertools.pairwise("abcdefg")
)


def places(content: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of every value in nested mappings and lists."""
    pairs = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in pairs:
        yield (*at, key)
        if isinstance(value, dict | list):
            yield from places(value, (*at, key))


def spoilt(content: dict[str, Any], rng: random.Random) -> tuple[str, bytes]:
    """Return a mistake in words, and the file that makes it."""
    text = yaml.safe_dump(content, sort_keys=False)
    content = yaml.safe_load(text)
    place = rng.choice(list(places(content)))
    *way, last = place
    inside = content
    for key in way:
        inside = inside[key]
    choice = rng.randrange(4)
    if choice == 0:
        how = rng.choice(list(SPOILS))
        return how, SPOILS[how](text.encode(), rng)
    if choice == 1 and isinstance(last, str):
        inside[rng.choice([last + "s", last[:-1], last.upper(), "no_such_key"])] = inside.pop(last)
        return f"key {place} misspelt", yaml.safe_dump(content).encode()
    inside[last] = rng.choice(WRONG)
    return f"{place} is {inside[last]!r}", yaml.safe_dump(content).encode()


def problem(kind: str, path: Path, what: str) -> str:
    """Return what is said of a file, empty if it is valid."""
    try:
        load_suite(str(path)) if kind == "suite" else load_recipe(path)
    except SrscopeError as error:
        return str(error)
    except Exception as error:
        pytest.fail(f"{what}: {error!r}")
    return ""


@pytest.mark.parametrize("kind", ["recipe", "suite"])
@pytest.mark.parametrize("count", [FEW, ALL])
def test_every_mistake_gets_one_line(tmp_path: Path, kind: str, count: int, tally: Tally) -> None:
    outcomes: Counter[str] = Counter()
    for number in range(count):
        rng = random.Random(number)
        content = SUITE if kind == "suite" else yaml.safe_load(rng.choice(RECIPES).read_text())
        what, data = spoilt(content, rng)
        path = tmp_path / f"{number}.yaml"
        path.write_bytes(data)
        said = problem(kind, path, f"{number}: {what}")
        outcomes["refused in one line" if said else "still valid"] += 1
        assert "\n" not in said, what
        assert len(said) < 900, (what, said)
    tally(f"Mistakes in a {kind}'s YAML", outcomes)


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("iterations", "many", "a whole number"),
        ("iterations", 10.5, "a whole number"),
        ("iterations", True, "a whole number"),
        ("iterations", 10**30, "at most 9007199254740992 in size"),
        ("channels_last", "yes please", "true or false"),
        ("precision", "float8", "one of 'bf16-mixed', '16-mixed', '32-true'"),
        ("name", 3, "text"),
        ("data.patch", [32], "a whole number"),
        ("data.validation", "a.png", "a list"),
        ("data.validation", [3], "text"),
        ("optimizer.milestones", [100, "late"], "a whole number"),
        ("optimizer.learning_rate", "fast", "a number"),
        ("optimizer.learning_rate", -1, "a finite number above 0"),
        ("optimizer", 3, "a mapping (key: value)"),
    ],
)
def test_key_rule_and_value_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str, value: object, rule: str
) -> None:
    content: Any = yaml.safe_load((RECIPES[0].parents[1] / "small/srresnet-wgr.yaml").read_text())
    *way, last = key.split(".")
    inside = content
    for each in way:
        inside = inside.setdefault(each, {})
    inside[last] = value
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(content))
    assert main(["train", str(path), "--out", str(tmp_path / "run")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert key in line
    assert rule in line
    assert repr(value[-1] if isinstance(value, list) else value).strip("'") in line
    assert not (tmp_path / "run").exists()


TRAPS = {
    "billion laughs": LAUGHS,
    "billion laughs in a merge": "a: &a {x: 1}\nb: {<<: *a}\n",
    "itself": "a: &a [*a]\n",
    "itself as a key": "&a {*a : 1}\n",
    "call": "name: !!python/object/apply:os.system ['touch {mark}']\n",
    "new": "name: !!python/object/new:subprocess.Popen [['touch', '{mark}']]\n",
    "eval": "name: !!python/object/apply:builtins.eval [\"open('{mark}', 'w')\"]\n",
    "module": "name: !!python/module:this\n",
    "name": "name: !!python/name:os.system\n",
    "tuple": "name: !!python/tuple [1, 2]\n",
    "own tag": "name: !Recipe {}\n",
    "deep": "a: " + "[" * 5000 + "\n",
    "large": "a: " + "x" * 100_000,
    "two documents": "name: a\n---\nname: b\n",
    "list as key": "? [1, 2]\n: 3\n",
    "binary": "\x00\x01\x02",
    "class by path": "name: x\nnetwork: {class_path: os.system, init_args: {command: 'true'}}\n",
    "file included": "name: x\ndata: /etc/hostname\n",
    "empty": "",
}


@pytest.mark.tallied
def test_traps_are_refused_in_one_line_and_run_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], tally: Tally
) -> None:
    mark, images = tmp_path / "MARK", str(tmp_path)
    refused = 0
    for name, text in TRAPS.items():
        path = tmp_path / "trap.yaml"
        path.write_text(text.replace("{mark}", str(mark)))
        for words in (
            ["train", str(path), "--out", str(tmp_path / "run")],
            ["degrade", images, str(tmp_path / "out"), "--suite", str(path)],
        ):
            assert main(words) == 2, (name, words)
            (line,) = capsys.readouterr().err.splitlines()
            assert line.startswith("srscope: "), name
            assert len(line) < 900, name
            refused += 1
    assert not mark.exists()
    assert "this" not in sys.modules
    assert {path.name for path in tmp_path.iterdir()} == {"trap.yaml"}
    tally("Traps in YAML: billion laughs, `!!python` tags, depth, size", {
        "refused in one line with exit code 2": refused, "ran code": 0,
    })  # fmt: skip
