"""From a finished analysis to the files of other tools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srscope.errors import FileProblem, UnknownNameError
from srscope.exports.arrays import write_arrays
from srscope.exports.latex import write_latex
from srscope.exports.parquet import can_write, write_parquet
from srscope.exports.projector import write_projector
from srscope.exports.spaces import Exported, PcaPoints, exported
from srscope.features.store import FeatureStore
from srscope.figures.save import save_figures
from srscope.projection.pca import pca
from srscope.runtime.files import writing_to
from srscope.study.record import Study
from srscope.study.store import SCORES, read_study

FIGURES = ("png", "svg", "pdf")
_WRITERS: dict[str, Callable[[Exported, Path], list[Path]]] = {
    "projector": lambda data, out: write_projector(data, out / "projector"),
    "parquet": write_parquet,
    "npz": write_arrays,
    "latex": write_latex,
    **{
        suffix: lambda data, out, suffix=suffix: save_figures(
            data.study, out / "figures", suffixes=(suffix,)
        )
        for suffix in FIGURES
    },
}
FORMATS = tuple(_WRITERS)
"""What :func:`export` can write."""


def export(
    folder: str | Path, formats: Sequence[str] = (), *, to: str | Path | None = None
) -> list[Path]:
    """Write a finished analysis in the formats of other tools.

    Args:
        folder: What ``analyze`` wrote to. With its ``features``, the PCA points are exported as
            well as those of t-SNE. Of what ``compare`` wrote to, every network is exported.
        formats: Of :data:`FORMATS`; by default all, but ``parquet`` only where pyarrow is
            installed.
        to: Folder for the files, of a comparison one in it for each network; ``export`` in
            ``folder``, or in the network's, by default.

    Returns:
        The files written; of the projector's, its configuration last.

    Raises:
        UnknownNameError: If there is no such format.
        FileProblem: If the folder is no finished analysis.
        SrscopeError: If ``parquet`` is asked for and pyarrow is not installed.
    """
    for name in formats:
        if name not in _WRITERS:
            raise UnknownNameError("format", name, FORMATS)
    wanted = formats or [name for name in FORMATS if name != "parquet" or can_write()]
    out = Path(to) if to is not None else Path(folder) / "export"
    if out.exists() and not out.is_dir():
        raise FileProblem(out, "is a file, not a folder", "name another with --to")
    inside = _compared(Path(folder))
    if inside:
        return [
            path
            for each in inside
            for path in export(each, formats, to=None if to is None else out / each.name)
        ]
    study = read_study(folder)
    points = pca_points(study, Path(folder) / "features")
    data = exported(study, points)
    with writing_to(out):
        return [path for name in dict.fromkeys(wanted) for path in _WRITERS[name](data, out)]


def _compared(folder: Path) -> list[Path]:
    """Return the folder of every network of a comparison; none for another folder."""
    if not (folder / "comparison.json").is_file():
        return []
    return sorted(path.parent for path in folder.glob(f"networks/*/{SCORES}"))


def pca_points(study: Study, features: Path) -> PcaPoints:
    """Take the PCA points of features that are on disk; none where they are not.

    Args:
        study: The analysis; says how many components.
        features: Its folder of features.

    Raises:
        FileProblem: If the features are of other images than the study.
    """
    if not features.is_dir():
        return PcaPoints()
    components = int(study.protocol["pca"])

    def of_store(name: str) -> dict[str, NDArray[np.float32]]:
        if not (features / name).is_dir():
            return {}
        store = FeatureStore.open(features / name)
        if store.count != len(study.inputs.set_N):
            problem = (
                f"has features of {store.count} images, the analysis {len(study.inputs.set_N)}"
            )
            raise FileProblem(features, problem, "analyse again")
        of: object = store.metadata.get("network", {}).get("sha256")
        if of not in (None, study.network.sha256):
            problem = "has features of another network than the analysis"
            raise FileProblem(features, problem, "delete that folder, or analyse again")
        return {e.name: _pca(store.read(e.name), components, e.name) for e in store.layers}

    images_NCHW = FeatureStore.open(features / "network").array("images_NCHW")
    return PcaPoints(
        layers=of_store("network"),
        untrained=of_store("untrained"),
        pixels=_pca(images_NCHW.reshape(len(images_NCHW), -1), components, "pixels"),
    )


def _pca(features_ND: NDArray[np.float32], components: int, name: str) -> NDArray[np.float32]:
    return pca(features_ND, components=components, name=name).points_NC.astype(np.float32)
