"""From a finished analysis on disk to every format, in one go and one by one."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from srscope.analyses.separability import analyze
from srscope.cli.main import main
from srscope.errors import FileProblem, UnknownNameError
from srscope.exports.export import FORMATS, export
from srscope.projection.config import TsneConfig
from support.tiny import FAST, photographs, tiny_checkpoint


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    network = str(tiny_checkpoint(folder / "tiny.safetensors"))
    options = {**FAST, "runs": 1, "tsne": TsneConfig(perplexity=5, iterations=260)}
    images = str(photographs(folder / "in"))
    analyze(network, out=folder / "out", images=images, **options)
    return folder / "out"


def test_all_formats_are_written(finished: Path, tmp_path: Path) -> None:
    written = export(finished, to=tmp_path)
    assert all(path.is_file() for path in written)
    names = {path.relative_to(tmp_path).as_posix() for path in written}
    assert {
        "projector/projector_config.pbtxt", "images.parquet", "embeddings.npz", "scores.tex",
        "figures/chi-by-depth.png", "figures/chi-by-depth.svg", "figures/chi-by-depth.pdf",
    } <= names  # fmt: skip
    with np.load(tmp_path / "embeddings.npz") as arrays:
        assert arrays["pixels_pca"].shape == (24, 6)
        assert arrays["Conv1_pca"].shape == (24, 6)
        assert arrays["untrained-Conv1_tsne"].shape == (1, 24, 2)
    # Figures from the files are those from the analysis.
    for path in (tmp_path / "figures").glob("*.svg"):
        assert path.read_bytes() == (finished / "figures" / path.name).read_bytes()


def test_without_features_there_is_no_pca(finished: Path, tmp_path: Path) -> None:
    for name in ("scores.json", "study.npz"):
        shutil.copy(finished / name, tmp_path)
    assert export(tmp_path, ["npz"]) == [tmp_path / "export" / "embeddings.npz"]
    with np.load(tmp_path / "export" / "embeddings.npz") as arrays:
        assert not [name for name in arrays.files if name.endswith("_pca")]
        assert "Conv1_tsne" in arrays.files


def test_the_command_prints_what_it_wrote(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["export", str(finished), "--format", "latex", "npz", "--to", str(tmp_path)]
    assert main(words) == 0
    assert capsys.readouterr().out.split() == [
        str(tmp_path / "scores.tex"),
        str(tmp_path / "embeddings.npz"),
    ]
    assert main(["export", str(tmp_path)]) == 2
    assert "give the folder of a finished analysis" in capsys.readouterr().err


def test_parquet_is_left_out_without_pyarrow_unless_asked_for(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("srscope.exports.export.can_write", lambda: False)
    monkeypatch.setattr("srscope.exports.export.save_figures", lambda *_, **__: [])
    export(finished, to=tmp_path)
    assert not (tmp_path / "images.parquet").exists()
    assert (tmp_path / "scores.tex").exists()


def test_wrong_input_is_named(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown format 'latx'; did you mean 'latex'"):
        export(finished, ["latx"])
    (tmp_path / "taken").write_text("")
    with pytest.raises(FileProblem, match="is a file, not a folder; name another with --to"):
        export(finished, ["npz"], to=tmp_path / "taken")
    assert FORMATS[0] == "projector"
