"""The command line: what it prints, its exit codes, one line for every mistake."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srscope.cli.main import main
from srscope.images.folder import load_folder
from srscope.images.io import read_image
from support.tiny import photographs, tiny_checkpoint

OPTIONS = {
    "contents": 8,
    "patch": 16,
    "pca": 6,
    "runs": 1,
    "permutations": 9,
    "tsne.perplexity": 5,
    "tsne.iterations": 260,
}
FAST = [*(f"--{name}={value}" for name, value in OPTIONS.items()), "--quiet"]


def test_analyze_writes_a_report_and_ends_with_its_path(
    network: str, images: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["analyze", network, "--images", images, "--out", str(out), *FAST]
    assert main([*words, "--layers", "Conv1", "body.2", "--blur-applied-to", "hr"]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == str(out / "report.html")
    assert printed.err == ""
    scores = json.loads((out / "scores.json").read_text())
    assert [layer["layer"] for layer in scores["layers"]] == ["conv_first", "body.2"]
    assert scores["suite"]["blur_applied_to"] == "hr"
    assert scores["protocol"]["tsne"]["perplexity"] == 5
    assert "ResBlock3" in printed.out


def test_the_profile_tells_every_stage_and_the_limit(
    network: str, images: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["analyze", network, "--images", images, "--out", str(tmp_path), *FAST, "--profile"]
    assert main([*words, "--layers", "Conv1", "--untrained", "false"]) == 0
    printed = capsys.readouterr().out
    assert "where the time went" in printed
    for stage in ("starting", "degradation", "features", "pca and feature space", "t-SNE"):
        assert stage in printed
    assert printed.splitlines()[-1] == str(tmp_path / "report.html")


def test_layers_may_be_parted_by_commas(network: str, images: str, tmp_path: Path) -> None:
    words = ["analyze", network, "--images", images, "--out", str(tmp_path), *FAST]
    assert main([*words, "--layers", "conv_first,ResBlock2", "--untrained", "false"]) == 0
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert [layer["label"] for layer in scores["layers"]] == ["Conv1", "ResBlock2"]


def test_sets_are_folders(network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = photographs(tmp_path / "film", count=3, size=(40, 36))
    phone = photographs(tmp_path / "phone", count=4, size=(40, 36))
    words = ["analyze", network, "--set", f"film={film}", "--set", f"phone={phone}", *FAST]
    assert main([*words, "--contents", "20", "--untrained=false", f"--out={tmp_path}"]) == 0
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        "srscope: variance is left out: the sets do not share their contents",
        "srscope: 12 contents instead of 20 in film and phone: no more fit into the photographs, "
        "and CHI depends on their number",
    ]
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert [(s["name"], s["count"]) for s in scores["suite"]["sets"]] == [
        ("film", 12),
        ("phone", 16),
    ]


def test_lists_are_printed(network: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["suites"]) == 0
    assert "clean-blur-noise" in capsys.readouterr().out
    assert main(["layers", network]) == 0
    printed = capsys.readouterr().out
    assert "conv_first" in printed
    assert "ResBlock3" in printed
    assert main(["networks"]) == 0
    printed = capsys.readouterr().out
    for name in ("srresnet-wgr", "srresnet-wogr"):
        assert name in printed


@pytest.mark.parametrize("out", ["", "..", "out", "out/deep"])
def test_degrade_leaves_the_photographs_folder_alone(
    out: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "[in]*?"  # a name, and no pattern
    photographs(folder)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    words = ["degrade", str(folder), "--suite", "noise-10-30", "--quiet"]
    assert main([*words, str(folder / out)]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told.endswith("; give an OUT beside that folder\n")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before
    assert main([*words, str(tmp_path / "beside")]) == 0  # the remedy


def test_degrade_writes_folders(images: str, tmp_path: Path) -> None:
    assert main(["degrade", "--suite", "noise-10-30", images, str(tmp_path), "--quiet"]) == 0
    names = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.png"))
    assert names == [f"noise{s}/photo-{n}.png" for s in (10, 30) for n in (0, 1)]
    assert read_image(tmp_path / "noise10" / "photo-0.png").shape == (50, 65, 3)


def test_upscale_runs_on_a_file_and_on_a_folder(
    network: str, images: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = f"{images}/photo-0.png"
    assert main(["upscale", network, photo, str(tmp_path / "a.png"), "--quiet"]) == 0
    assert main(["upscale", network, images, str(tmp_path / "all"), "--quiet"]) == 0
    whole = read_image(tmp_path / "a.png")
    assert whole.shape == (800, 1040, 3)
    np.testing.assert_array_equal(whole, read_image(tmp_path / "all" / "photo-0.png"))
    assert "2 images in" in capsys.readouterr().out
    assert main(["upscale", network, photo, str(tmp_path / "a.jpg")]) == 2
    assert "results are written as PNG" in capsys.readouterr().err


def test_upscale_passes_over_damaged_images_and_keeps_equal_names_apart(
    network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = photographs(tmp_path / "in", count=1, size=(32, 24))
    Image.open(folder / "photo-0.png").save(folder / "photo-0.jpg")
    whole = (folder / "photo-0.png").read_bytes()
    (folder / "broken.png").write_bytes(whole[: len(whole) // 2])
    assert main(["upscale", network, str(folder), str(tmp_path / "out"), "--quiet"]) == 0
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"photo-0.jpg.png", "photo-0.png"}
    printed = capsys.readouterr()
    assert "2 images in" in printed.out
    assert printed.err.startswith("skipped 'broken.png': ")


def test_train_follows_the_recipe_and_its_overrides(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = photographs(tmp_path / "photographs")
    monkeypatch.setattr("srscope.training.facts.load_bundled", lambda _: load_folder(folder))
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "name: mine\n"
        "network: {blocks: 1, channels: 4}\n"
        f"data: {{folder: {folder}, batch_size: 2, patch: 8}}\n"
        "iterations: 9\naccelerator: cpu\n"
    )
    out = tmp_path / "run"
    words = ["train", str(recipe), "--out", str(out), "--quiet"]
    assert main([*words, "--iterations", "3", "--data.patch=6"]) == 0
    weights = out / "mine.safetensors"
    assert capsys.readouterr().out.splitlines()[-1] == str(weights)
    card = json.loads(weights.with_suffix(".json").read_text())
    assert card["iterations"] == 3
    assert card["recipe"]["data"]["patch"] == 6
    assert card["quality"]["psnr"] > 10
    assert main([*words, "--iterations=3", "--data.patch=6"]) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*words, "--iterations=3", "--data.patch=6", "--resume"]) == 0
    short = ["train", str(recipe), "--quiet", f"--out={tmp_path / 'short'}"]
    assert main([*short, "--minutes=1e-9"]) == 0
    said = capsys.readouterr().out
    assert "stopped after 1 of 9 iterations; go on with srscope train" in said
    assert not (tmp_path / "short" / "mine.safetensors").exists()
    assert main([*short, "--resume"]) == 0
    assert (tmp_path / "short" / "mine.safetensors").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["analyze", "srresnet-wg"], "unknown network 'srresnet-wg'; did you mean 'srresnet-wgr'"),
        (["analyze", "none.pth"], "none.pth: no such file"),
        (["analyze", "NET", "--images", "nowhere"], "nowhere"),
        (["analyze", "NET", "--images", "EMPTY"], "EMPTY"),
        (["analyze", "NET", "--images", "TEXT"], "note.txt"),
        (["analyze", "NET", "--images", "SMALL", *FAST], "the largest is 40x40"),
        (
            ["analyze", "NET", "--images", "IMAGES", "--contents", "4"],
            "pca must be below the number of images, 12",
        ),
        (["analyze", "NET", "--images", "IMAGES", "--layers", "body.9"], "unknown layer 'body.9'"),
        (["analyze", "NET", "--images", "IMAGES", "--suite", "nois-10-30"], "'noise-10-30'"),
        (["analyze", "SPOILT", "--images", "IMAGES", *FAST], "body.1"),
        (["analyze", "NET", "--runs", "0"], "runs must be 1 or more, but is 0"),
        (["analyze", "NET", "--runs", "many"], "runs"),
        (["analyze", "NET", "--tsne.perplexity", "-1"], "perplexity"),
        (["analyze", "NET", "--tsne.dimensions", "3"], "tsne.dimensions must be 2"),
        (["analyze", "NET", "--colour", "red"], "colour"),
        (
            ["analyze", "NET", "--out", "x" * 300, "--images", "IMAGES"],
            "cannot be reached (File",
        ),
        (["analyze", "NET", "--device", "banana", "--images", "IMAGES", *FAST], "device must be"),
        (["analyze", "NET", "--device", "meta", "--images", "IMAGES", *FAST], "device must be"),
        (["layers", "x" * 300], "unknown network"),
        (["layers", "PIPE"], "PIPE.pth: is not a regular file"),
        (["analyze", "NET", "--suite", "PIPE.yaml"], "PIPE.yaml: is not a regular file"),
        (
            ["degrade", "IMAGES", "o", "--suite=clean", "--plugin=leaves.py"],
            "plugin leaves.py fa",
        ),
        (["layers", "leaves:make"], "module 'leaves' cannot be imported (SystemExit"),
        (["analyze", "NET", "--set", "phone"], "--set must be NAME=DIR, but is 'phone'"),
        (["analyze", "NET", "--set", "a=x", "--set", "a=y"], "--set must be given once a name"),
        (["analyze", "NET", "--set", "a=IN", "--set", "b=none", *FAST], "does not exist"),
        (["analyze"], "arguments are required: network (see srscope analyze --help)"),
        (["analyze", "NET", "--runs=x"], "(see srscope analyze --help)"),
        (["analyze", "nothing"], "or give a checkpoint's path"),
        (["analyze", "NET", "--checkpoints", "4"], "must be given for a folder of checkpoints"),
        (["train", "none.yaml"], "no such recipe"),
        (["degrade", "--suite", "nope", "IMAGES", "out"], "unknown suite 'nope'"),
        (["degrade", "IMAGES", "out"], "suite"),
        (["analyse", "NET"], "analyse"),
    ],
    ids=lambda value: " ".join(value[:4]) if isinstance(value, list) else "",
)
def test_a_mistake_gets_one_line_and_exit_code_2(
    words: list[str],
    message: str,
    network: str,
    images: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "EMPTY").mkdir()
    (tmp_path / "note.txt").write_text("not an image")
    photographs(tmp_path / "SMALL", size=(40, 40))
    spoilt = tiny_checkpoint(tmp_path / "spoilt.safetensors", spoil=float("nan"))
    for name in ("PIPE.pth", "PIPE.yaml"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "leaves.py").write_text("import sys\nsys.exit()\n")
    places = {
        "PIPE": "PIPE.pth",
        "NET": network,
        "IMAGES": images,
        "TEXT": "note.txt",
        "SPOILT": str(spoilt),
    }
    try:
        code = main([places.get(word, word) for word in words])
    except SystemExit as leaving:
        code = leaving.code
    printed = capsys.readouterr()
    assert code == 2
    lines = printed.err.splitlines()
    assert len(lines) == 1, printed.err
    assert lines[0].startswith("srscope: ")
    assert message in lines[0]
    assert "Traceback" not in printed.err


def test_interrupting_leaves_quietly(
    network: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("srscope.analyses.separability.analyze", interrupt)
    assert main(["analyze", network]) == 130
    assert capsys.readouterr().err == "srscope: interrupted\n"


@pytest.mark.parametrize("words", [["--version"], ["networks"]], ids=str)
def test_a_reader_that_leaves_is_no_failure(words: list[str]) -> None:
    started = subprocess.Popen(
        [sys.executable, "-m", "srscope", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert started.stdout is not None
    assert started.stderr is not None
    started.stdout.close()
    assert started.stderr.read() == b""
    assert started.wait() in (1, 128 + 13)  # rich, which prints tables, ends with 1
    started.stderr.close()


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes")]
)
def test_too_little_memory_is_one_line(
    error: Exception, network: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("srscope.analyses.separability.analyze", fails)
    assert main(["analyze", network]) == 2
    assert capsys.readouterr().err.startswith("srscope: there is not enough memory; ask for less")


def test_the_installed_command_answers() -> None:
    script = Path(sys.executable).with_name("srscope")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("srscope 0.")
    helped = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)
    for command in ("analyze", "degrade", "train", "networks", "layers", "suites", "upscale"):
        assert command in helped.stdout


def test_fewer_contents_than_asked_for_are_announced_and_one_run_has_no_spread(
    network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = photographs(tmp_path / "in", count=1, size=(200, 140))
    words = ["analyze", network, "--images", str(images), "--out", str(tmp_path / "out"), *FAST]
    assert main([*words, "--untrained", "false"]) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith("srscope: 6 contents instead of 8: ")
    assert "±" not in printed.out
    scores = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert scores["protocol"]["contents"] == 8
    assert scores["suite"]["sets"][0]["count"] == 6
    assert scores["layers"][0]["tsne"]["chi"]["std"] is None
