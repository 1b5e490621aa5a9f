"""A study on disk: ``scores.json`` for everybody, ``study.npz`` for what is not in it.

The second holds the patches, their labels and the t-SNE points of every layer and run, so that
the two together give back the whole record: figures, report and exports can be made anew without
the network. Suffixes: N images, R t-SNE runs, H/W height and width.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.degradations.record import SuiteInfo
from srscope.errors import FileProblem
from srscope.features.store import FeatureStore
from srscope.networks.record import NetworkInfo
from srscope.runtime.files import atomic_path
from srscope.runtime.records import record_of
from srscope.scores.record import LayerScores, LayerUse, Runs, TsneScores
from srscope.study.record import SCHEMA, Inputs, Study, Verdict, write_scores
from srscope.study.verdict import verdict_of

SCORES = "scores.json"
ARRAYS = "study.npz"
_GROUPS = ("layer", "untrained", "trivial", "random")
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
    }
    for kind in _GROUPS:
        arrays |= _arrays(kind, getattr(study, "layers" if kind == "layer" else kind))
    arrays |= _arrays("pixels", (study.pixels,))
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
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise FileProblem(
            folder, f"holds a damaged analysis ({error!r})", "analyse again"
        ) from error
    return dataclasses.replace(study, reader=kept_features(folder))


def kept_features(folder: str | Path) -> Callable[[str], NDArray[np.float32]] | None:
    """Return what reads a layer's features that an analysis left in its output folder, if any."""
    stored = Path(folder) / "features" / "network"
    return functools.partial(_kept, stored) if stored.is_dir() else None


def _kept(folder: Path, layer: str) -> NDArray[np.float32]:
    return FeatureStore.open(folder).read(layer)


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
    images, controls = scores.get("images", {}), scores.get("controls", {})
    study = Study(
        network=record_of(NetworkInfo, scores["network"]),
        suite=record_of(SuiteInfo, scores["suite"]),
        inputs=Inputs(
            patches_NHW3=arrays["patches_NHW3"],
            set_N=arrays["set_N"],
            content_N=arrays["content_N"],
            contents=tuple(map(str, arrays["contents"])),
            source=str(images.get("source", "")),
            skipped=tuple((str(e["file"]), str(e["reason"])) for e in images.get("skipped", ())),
            photographs=tuple(map(str, arrays.get("photographs", ()))),
        ),
        protocol=scores.get("protocol", {}),
        environment=scores.get("environment", {}),
        layers=_layers(scores["layers"], "layer", arrays),
        pixels=_layers([controls["pixels"]], "pixels", arrays)[0],
        untrained=_layers(controls.get("untrained", []), "untrained", arrays),
        trivial=_layers(controls.get("trivial", []), "trivial", arrays),
        random=_layers(controls.get("random", []), "random", arrays),
        timings=scores.get("timings", {}),
        created=str(scores["created"]),
        left_out=tuple((str(e["score"]), str(e["why"])) for e in scores.get("left_out", ())),
        uses=tuple(record_of(LayerUse, each) for each in scores.get("causal", ())),
    )
    told = scores.get("verdict")
    verdict = verdict_of(study) if told is None else record_of(Verdict, told)
    study = dataclasses.replace(study, verdict=verdict)
    for name in ("protocol", "environment", "timings"):
        if not isinstance(getattr(study, name), Mapping):
            raise TypeError(f"{name} is {getattr(study, name)!r}")
    for name in ("pca", "patch", "runs", "seed"):
        if not isinstance(study.protocol.get(name, 0), int):
            raise TypeError(f"protocol.{name} is {study.protocol[name]!r}")
    if not (study.suite.sets and study.layers):
        raise ValueError("no sets, or no layers")
    return study


def _arrays(kind: str, layers: Sequence[LayerScores]) -> dict[str, NDArray[Any]]:
    """Return the arrays of layers: points, and what the probe told where it was run."""
    arrays: dict[str, NDArray[Any]] = {}
    for i, layer in enumerate(layers):
        arrays[f"{kind}_{i}"] = layer.points_RN2
        if layer.told_RN is not None:
            arrays[f"told_{kind}_{i}"] = layer.told_RN
    return arrays


def _layers(
    entries: list[dict[str, Any]], kind: str, arrays: Mapping[str, NDArray[Any]]
) -> tuple[LayerScores, ...]:
    return tuple(
        _layer(entry, _points(arrays, kind, i), arrays.get(f"told_{kind}_{i}"))
        for i, entry in enumerate(entries)
    )


def _points(arrays: Mapping[str, NDArray[Any]], kind: str, number: int) -> NDArray[np.float32]:
    if kind == "pixels" and kind in arrays:  # of versions before 0.2
        return arrays[kind]
    return arrays[f"{kind}_{number}"]


def _layer(
    entry: Mapping[str, Any],
    points_RN2: NDArray[np.float32],
    told_RN: NDArray[np.bool_] | None,
) -> LayerScores:
    layer = record_of(LayerScores, entry, points_RN2=points_RN2, told_RN=told_RN)
    tsne = {
        field.name: Runs.of(runs.runs)
        for field in dataclasses.fields(TsneScores)
        if isinstance(runs := getattr(layer.tsne, field.name), Runs) and runs.runs
    }
    return dataclasses.replace(layer, tsne=dataclasses.replace(layer.tsne, **tsne))
