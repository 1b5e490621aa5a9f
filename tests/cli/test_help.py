"""What the command shows without work: help, examples, completion, hints, lines in a log."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from srscope.cli.console import stage_progress
from srscope.cli.help import EXAMPLES, ORDER
from srscope.cli.main import OWN_COMMANDS, main
from support.tiny import photographs


def shown(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    try:
        code = main(words)
    except SystemExit as leaving:
        code = leaving.code
    assert code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["--help"]], ids=["alone", "help"])
def test_alone_it_shows_three_examples_and_every_command(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    text = shown(words, capsys)
    assert text.count("\n  srscope ") == 3
    for name in (*OWN_COMMANDS, "dose", "identify"):
        assert f"\n  {name} " in text
    assert text.index("analyze") < text.index("train ")
    assert {name for _, names in ORDER for name in names} >= set(OWN_COMMANDS)


def test_options_stand_in_groups_in_plain_words(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(["analyze", "--help"], capsys)
    assert text.startswith("usage: srscope analyze NETWORK [options]\n")
    order = ["Arguments:", "Common options:", "--images", "--contents N", "Further options:",
             "--permutations N", "t-SNE:", "--tsne.perplexity X", "Examples:"]  # fmt: skip
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    for mark in ("`", "Optional[", "Literal", "type:", "null", "True", "<class"):
        assert mark not in text
    assert "[100]" in text
    assert "auto|float32|bfloat16|float16" in text
    assert all(len(line) <= 100 for line in text.splitlines())


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_of_their_command(name: str) -> None:
    assert all(each.startswith(f"srscope {name} ") for each in EXAMPLES[name])


def test_bash_completes_commands_options_and_networks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = shown(["completion"], capsys)
    ask = (
        '{script}\nfor words in "ana" "analyze srresnet-wg" "dose --dev"; do\n'
        "COMP_WORDS=(srscope $words); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _srscope\n"
        "echo ${{COMPREPLY[@]}}\ndone\n"
    )
    (tmp_path / "ask.sh").write_text(ask.format(script=script))
    done = subprocess.run(
        ["bash", str(tmp_path / "ask.sh")], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["analyze", "srresnet-wgr", "--device"]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["analyze", "srresnet-wgr", "PICTURES"], "photographs are given as --images PICTURES"),
        (["analyze", "PICTURES/photo-0.png"], "is a picture, not a network; name a network first"),
        (["analyze", "PICTURES"], "holds pictures and no checkpoints; name a network first"),
        (
            ["train", "RECIPE"],
            "or build those of the recipes by python tools/build_photos.py train",
        ),
    ],
)
def test_hints_say_what_was_meant(
    words: list[str],
    hint: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = Path(__file__).parents[2] / "recipes" / "small" / "srresnet-wgr-stage1.yaml"
    monkeypatch.chdir(tmp_path)
    photographs(tmp_path / "PICTURES", count=1, size=(40, 30))
    try:
        code = main([word.replace("RECIPE", str(recipe)) for word in words])
    except SystemExit as leaving:
        code = leaving.code
    assert code == 2
    told = capsys.readouterr().err.splitlines()
    (line,) = (each for each in told if each.startswith("srscope: "))
    assert hint in line


def test_a_log_gets_one_line_a_stage(capsys: pytest.CaptureFixture[str]) -> None:
    with stage_progress(quiet=False) as progress:
        assert progress is not None
        for done in (1, 2, 3):
            progress("features", done, 3)
        progress("t-SNE", 1, 2)
        progress("t-SNE", 2, 2)
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" in ")[0] for line in lines] == [
        "srscope: features: 3",
        "srscope: t-SNE: 2",
    ]
    assert all(line.endswith(" s in all)") for line in lines)
