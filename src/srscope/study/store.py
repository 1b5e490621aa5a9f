"""A study on disk: ``scores.json`` for everybody, ``study.npz`` for what is not in it.

The second holds the patches, their labels and the t-SNE points of every layer and run, so that
the two together give back the whole record: figures, report and exports can be made anew without
the network. Suffixes: N images, R t-SNE runs, H/W height and width.
"""

from __future__ import annotations

import dataclasses
import json
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.degradations.record import SuiteInfo
from srscope.errors import FileProblem
from srscope.networks.record import NetworkInfo
from srscope.runtime.files import atomic_path
from srscope.scores.record import FeatureSpaceScores, LayerScores, Runs, TsneScores, VarianceShares
from srscope.study.record import SCHEMA, Inputs, Study, write_scores

SCORES = "scores.json"
ARRAYS = "study.npz"
_KINDS: dict[str, Any] = {"str": str, "int": int, "bool": bool, "float": (int, float)}
_REMEDY = "give the folder of a finished analysis, as written by srscope analyze --out"


def write_study(study: Study, folder: str | Path) -> None:
    """Write ``scores.json`` and ``study.npz`` into ``folder``, each whole or not at all."""
    inputs = study.inputs
    arrays: dict[str, NDArray[Any]] = {
        "created": np.array(study.created),
        "patches_NHW3": inputs.patches_NHW3,
        "set_N": inputs.set_N,
        "content_N": inputs.content_N,
        "contents": np.array(inputs.contents, dtype=np.str_),
        "photographs": np.array(inputs.photographs, dtype=np.str_),
        "pixels": study.pixels.points_RN2,
    }
    for kind, layers in (("layer", study.layers), ("untrained", study.untrained)):
        arrays |= {f"{kind}_{i}": layer.points_RN2 for i, layer in enumerate(layers)}
    with atomic_path(Path(folder) / ARRAYS) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
    write_scores(study, Path(folder) / SCORES)


def read_study(folder: str | Path) -> Study:
    """Read a finished analysis back.

    Args:
        folder: What ``analyze`` wrote to, with ``scores.json`` and ``study.npz`` in it.

    Returns:
        The study as it was written.

    Raises:
        FileProblem: If a file is missing, damaged, or the two are not of one analysis.
    """
    scores, arrays = _read_scores(Path(folder) / SCORES), _read_arrays(Path(folder) / ARRAYS)
    try:
        if str(arrays["created"]) != scores["created"]:
            problem = f"{SCORES} and {ARRAYS} are of different analyses"
            raise FileProblem(folder, problem, "analyse again")
        study = _study(scores, arrays)
        _check_kinds(study)
        return study
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise FileProblem(
            folder, f"holds a damaged analysis ({error!r})", "analyse again"
        ) from error


def _read_scores(path: Path) -> dict[str, Any]:
    try:
        scores: Any = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise FileProblem(path, "does not exist", _REMEDY) from None
    except (OSError, ValueError) as error:
        raise FileProblem(path, f"cannot be read ({error})", _REMEDY) from error
    if not isinstance(scores, dict) or scores.get("schema") != SCHEMA:
        raise FileProblem(path, f"is not of schema {SCHEMA}", _REMEDY)
    return scores  # pyright: ignore[reportUnknownVariableType]


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except FileNotFoundError:
        remedy = "analyse again: versions before 0.2 did not write it"
        raise FileProblem(path, "does not exist", remedy) from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise FileProblem(path, f"cannot be read ({error})", "analyse again") from error


def _study(scores: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Study:
    images, controls = scores["images"], scores["controls"]
    return Study(
        network=NetworkInfo(**scores["network"]),
        suite=SuiteInfo.of_plain(scores["suite"]),
        inputs=Inputs(
            patches_NHW3=arrays["patches_NHW3"],
            set_N=arrays["set_N"],
            content_N=arrays["content_N"],
            contents=tuple(map(str, arrays["contents"])),
            source=images["source"],
            skipped=tuple((each["file"], each["reason"]) for each in images["skipped"]),
            photographs=tuple(map(str, arrays["photographs"])),
        ),
        protocol=scores["protocol"],
        environment=scores["environment"],
        layers=_layers(scores["layers"], "layer", arrays),
        pixels=_layer(controls["pixels"], arrays["pixels"]),
        untrained=_layers(controls["untrained"], "untrained", arrays),
        timings=scores["timings"],
        created=scores["created"],
        left_out=tuple((each["score"], each["why"]) for each in scores["left_out"]),
    )


def _check_kinds(study: Study) -> None:
    """Raise a TypeError if a value is of another kind than its record says, or one is missing."""
    records: list[Any] = [study.network, study.suite, *study.suite.sets]
    for layer in (*study.layers, study.pixels, *study.untrained):
        records += [layer, layer.tsne, layer.feature_space]
        records += [] if layer.variance is None else [layer.variance]
        _check("shape", layer.shape, tuple)
        for side in layer.shape:
            _check("shape", side, int)
    for record in records:
        for field in dataclasses.fields(record):
            value, kind = getattr(record, field.name), str(field.type).removesuffix(" | None")
            if value is not None or kind == "str":
                _check(field.name, value, _KINDS.get(kind, object))
    for name in ("protocol", "environment", "timings"):
        _check(name, getattr(study, name), Mapping)
    for name in ("pca", "patch", "runs", "seed"):
        _check(name, study.protocol[name], int)
    _check("created", study.created, str)
    if not (study.suite.sets and study.layers):
        raise ValueError("no sets, or no layers")


def _check(name: str, value: Any, kind: Any) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{name} is {value!r}")


def _layers(
    entries: list[dict[str, Any]], kind: str, arrays: Mapping[str, NDArray[Any]]
) -> tuple[LayerScores, ...]:
    return tuple(_layer(entry, arrays[f"{kind}_{i}"]) for i, entry in enumerate(entries))


def _layer(entry: Mapping[str, Any], points_RN2: NDArray[np.float32]) -> LayerScores:
    tsne, variance = entry["tsne"], entry["variance"]
    return LayerScores(
        layer=entry["layer"],
        label=entry["label"],
        shape=tuple(entry["shape"]),
        depth=float(entry["depth"]),
        tsne=TsneScores(
            **{name: _runs(tsne[name]) for name in ("chi", "wd", "bd", "kl")}, grade=tsne["grade"]
        ),
        feature_space=FeatureSpaceScores(**entry["feature_space"]),
        variance=None if variance is None else VarianceShares(**variance),
        points_RN2=points_RN2,
    )


def _runs(plain: Mapping[str, Any]) -> Runs:
    runs = tuple(map(float, plain["runs"]))
    return Runs.of(runs) if runs else Runs(mean=math.nan, std=math.nan, runs=())
