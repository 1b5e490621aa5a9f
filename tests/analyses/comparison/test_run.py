"""Several networks alike: each as analyze has it, on the same images, in one folder of files."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import srscope
from srscope.analyses.comparison.record import Comparison
from srscope.analyses.comparison.run import compare
from srscope.analyses.separability import analyze
from srscope.cli.main import main
from srscope.errors import FileProblem, ParameterError, UnknownNameError
from srscope.projection.config import TsneConfig
from srscope.study.record import Study, scores_dict
from srscope.study.store import read_study
from support.tiny import FAST, FAST_WORDS, photographs, tiny_checkpoint

OPTIONS: dict[str, Any] = {
    **FAST, "runs": 1, "permutations": 9, "tsne": TsneConfig(perplexity=5, iterations=260),
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photographs, two networks at x4 and one at x2."""
    folder = tmp_path_factory.mktemp("compared")
    photographs(folder / "in", size=(200, 140))  # six contents at x4, more at x2
    tiny_checkpoint(folder / "a.safetensors")
    tiny_checkpoint(folder / "b.safetensors", blocks=2, seed=5)
    tiny_checkpoint(folder / "half.safetensors", scale=2)
    return folder


@pytest.fixture(scope="module")
def finished(place: Path) -> tuple[Comparison, Path]:
    networks = [str(place / f"{name}.safetensors") for name in ("a", "b", "half")]
    stages: set[str] = set()
    options = {**OPTIONS, "images": str(place / "in"), "contents": 20}
    made = compare(
        networks, out=place / "out", progress=lambda stage, *_: stages.add(stage), **options
    )
    assert {"a: t-SNE", "b: PSNR", "half: features, untrained"} <= stages
    return made, place / "out"


def layers_of(study: Study) -> Any:
    scores = scores_dict(study)
    return scores["layers"], scores["controls"], scores["suite"], scores["images"]


def test_every_network_is_as_analyze_has_it(finished: tuple[Comparison, Path], place: Path) -> None:
    alone = analyze(
        str(place / "b.safetensors"), images=str(place / "in"), **{**OPTIONS, "contents": 20}
    )
    assert layers_of(finished[0].entries[1].study) == layers_of(alone)


def test_images_are_the_same_at_one_scale_and_as_many_at_another(
    finished: tuple[Comparison, Path],
) -> None:
    a, b, half = (entry.study.inputs for entry in finished[0].entries)
    np.testing.assert_array_equal(a.patches_NHW3, b.patches_NHW3)
    assert a.contents == b.contents == half.contents
    assert a.patches_NHW3.shape == half.patches_NHW3.shape == (36, 16, 16, 3)
    assert not np.array_equal(a.patches_NHW3, half.patches_NHW3)


def test_each_network_has_its_psnr(finished: tuple[Comparison, Path]) -> None:
    restored = [entry.restoration for entry in finished[0].entries]
    assert all(each.psnr is not None and each.why == "" for each in restored)
    assert restored[0].psnr != restored[1].psnr
    assert restored[0].bicubic == restored[1].bicubic != restored[2].bicubic


def test_files_are_written_whole(finished: tuple[Comparison, Path]) -> None:
    made, out = finished
    assert {path.name for path in out.iterdir()} == {
        "report.html", "comparison.json", "comparison.csv", "figures", "networks",
    }  # fmt: skip
    assert {path.name for path in (out / "figures").iterdir()} == {
        f"{name}.{suffix}"
        for name in ("chi-by-depth", "strongest-layers", "variance-by-depth")
        for suffix in ("png", "svg")
    }
    written = json.loads((out / "comparison.json").read_text())
    assert [entry["name"] for entry in written["networks"]] == ["a", "b", "half"]
    rows = list(csv.DictReader((out / "comparison.csv").read_text().splitlines()))
    assert {row["network"] for row in rows} == {"a", "b", "half"}
    for entry in made.entries:
        own = out / "networks" / entry.name
        assert {path.name for path in own.iterdir()} == {
            "report.html", "scores.json", "study.npz"
        }  # fmt: skip
        assert layers_of(read_study(own)) == layers_of(entry.study)


def test_networks_of_one_name_go_by_what_the_user_wrote(place: Path) -> None:
    (place / "twin").mkdir(exist_ok=True)
    other = tiny_checkpoint(place / "twin" / "a.safetensors", blocks=1)
    networks = [str(place / "a.safetensors"), str(other)]
    options = {**OPTIONS, "images": str(place / "in"), "untrained": False}
    made = compare(networks, psnr=False, **options)
    assert [entry.name for entry in made.entries] == networks
    assert [entry.restoration.why for entry in made.entries] == ["not measured, as asked for"] * 2


def test_psnr_is_left_out_of_tables_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "srresnet-wgr", "--no-psnr"]) == 2
    assert "--no-psnr must be given for a folder, whose tables have PSNR" in capsys.readouterr().err


def test_folders_have_no_psnr(place: Path, tmp_path: Path) -> None:
    sets = {
        "film": str(photographs(tmp_path / "film", count=4, size=(60, 40))),
        "phone": str(photographs(tmp_path / "phone", count=4, size=(60, 40))),
    }
    networks = [str(place / f"{name}.safetensors") for name in ("a", "half")]
    made = compare(networks, sets=sets, **{**OPTIONS, "untrained": False})
    first, second = made.entries
    assert "taken as they are" in first.restoration.why
    # Nothing is reduced, so that even networks of different scale are fed the same pixels.
    np.testing.assert_array_equal(first.study.inputs.patches_NHW3, second.study.inputs.patches_NHW3)


@pytest.mark.parametrize(
    ("networks", "error", "message"),
    [
        (["a"], ParameterError, "networks must be two or more, but is 1; .* srscope analyze"),
        (["a", "a"], ParameterError, "networks must be each given once"),
        (["a", "srresnet-wg"], UnknownNameError, "did you mean 'srresnet-wgr'"),
    ],
)
def test_wrong_networks_are_named(
    place: Path, networks: list[str], error: type[Exception], message: str
) -> None:
    paths = [str(place / "a.safetensors") if name == "a" else name for name in networks]
    with pytest.raises(error, match=message):
        compare(paths, **OPTIONS)


def test_an_output_that_is_a_file_is_refused(place: Path) -> None:
    networks = [str(place / "a.safetensors"), str(place / "b.safetensors")]
    with pytest.raises(FileProblem, match="is a file, not a folder"):
        compare(networks, out=place / "a.safetensors", **OPTIONS)


def test_the_command_prints_a_row_a_network(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    networks = [str(place / "a.safetensors"), str(place / "b.safetensors")]
    words = ["compare", *networks, "--images", str(place / "in"), "--out", str(tmp_path)]
    assert main([*words, *FAST_WORDS]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.splitlines()[-1] == str(tmp_path / "report.html")
    assert "PSNR (over bicubic)" in printed.out
    assert "None of 2 networks surely separates clean, blur and noise" in printed.out
    assert (tmp_path / "networks" / "b" / "report.html").is_file()


def test_the_package_offers_it() -> None:
    assert srscope.compare is compare
