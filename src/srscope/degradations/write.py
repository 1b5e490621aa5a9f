"""Writing whole photographs degraded, one folder a set, with a manifest.

Suffixes: C channels, H height, W width.
"""

from __future__ import annotations

import dataclasses
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from torch import Tensor

from srscope.degradations.catalogue import load_suite
from srscope.degradations.degrade import (
    degrade_image,
    downsample,
    folder_photos,
    generator_for,
    set_info,
    suite_info,
)
from srscope.degradations.record import SetInfo, SuiteInfo
from srscope.degradations.suite import Suite
from srscope.errors import FileProblem, ImageError, ParameterError
from srscope.images.bundled import pack_folder
from srscope.images.io import write_image
from srscope.images.record import PhotoFile, PhotoSet
from srscope.images.sources import load_photographs
from srscope.runtime import files

MANIFEST = "suite.json"
SCHEMA = "srscope.degraded/1"
SMALLEST_LR_SIDE = 8
"""LR pixels; smaller images cannot be reflected over the radius of the paper's kernel."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenSuite:
    """What :func:`write_degraded` wrote.

    Args:
        folder: The output folder; each set has a folder of its name in it.
        files: The images, relative to ``folder``, in the order of the manifest.
        suite: The suite as it was run.
        skipped: (file, reason) of every photograph left out.
    """

    folder: Path
    files: tuple[str, ...]
    suite: SuiteInfo
    skipped: tuple[tuple[str, str], ...]


def write_degraded(
    suite: str | Path | Suite,
    photos: Any,
    out: str | Path,
    *,
    scale: int = 4,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> WrittenSuite:
    """Write every set of a suite as a folder of 8-bit PNG files, and ``suite.json`` beside them.

    Photographs are cut to a multiple of ``scale`` at the right and the bottom. Those too small are
    skipped and listed. A set with a folder of its own gets those images as they are. Files are
    rounded to 8 bits even if the suite is not quantized, which then holds before the last step.

    Args:
        suite: The sets to write: a suite, the name of one, or a YAML file.
        photos: HR photographs: all that :func:`~srscope.images.sources.load_photographs` takes.
        out: The output folder, made when absent; files of the same name are replaced.
        scale: Factor between the photographs and what is written.
        seed: Of every random choice; the draws of photograph k are those of content k.
        progress: Called with (images written, images in all) after each, and after each skip.

    Returns:
        The record of what was written.

    Raises:
        ParameterError: If ``scale`` is below 1.
        ImageError: If no photograph is large enough.
        FileProblem: If the folder cannot be written to, is, holds or lies in a folder of the
            photographs, or holds images of an earlier run that this one would not replace, of
            other sets or photographs.
        SrscopeError: If a degradation breaks its promise of shape, type or finite values.
    """
    if scale < 1:
        raise ParameterError("scale", "a whole number above 0", scale)
    suite, photos = load_suite(suite), load_photographs(photos)
    with files.writing_to(out, parts=[f"{each.name}/**" for each in suite.sets]):
        return _written(suite, photos, Path(out), scale, seed, progress)


def _written(
    suite: Suite,
    photos: PhotoSet,
    folder: Path,
    scale: int,
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> WrittenSuite:
    shared = [s for s in suite.sets if s.folder is None]
    own = {s.name: folder_photos(s.folder) for s in suite.sets if s.folder is not None}
    sources = {s.name: own.get(s.name, photos) for s in suite.sets}
    _keep_photographs(folder, sources)
    _refuse_mixing(folder, sources)
    smallest = SMALLEST_LR_SIDE * scale
    total = len(shared) * len(photos.photographs) + sum(len(p.photographs) for p in own.values())
    job = _Job(folder=folder, total=total, progress=progress, skipped=list(photos.skipped))
    usable = job.images(photos, smallest=smallest, sets=len(shared)) if shared else ()
    for index, photograph, name, image_1CHW in usable:
        height, width = (side - side % scale for side in image_1CHW.shape[-2:])
        hr_1CHW = image_1CHW[:, :, :height, :width]
        clean_1CHW = downsample(hr_1CHW, scale=scale, quantized=suite.quantized)
        for degraded_set in shared:
            lr_1CHW, drawn = degrade_image(
                hr_1CHW,
                degraded_set,
                suite,
                scale=scale,
                generator=generator_for(seed, degraded_set.name, index),
                clean_1CHW=clean_1CHW,
            )
            job.write(degraded_set.name, name, photograph, lr_1CHW, drawn)
    for set_name, set_photos in own.items():
        job.skipped += set_photos.skipped
        for _, photograph, name, image_1CHW in job.images(set_photos, smallest=1, sets=1):
            job.write(set_name, name, photograph, image_1CHW, {})

    infos: list[SetInfo] = []
    for degraded_set in suite.sets:
        count = sum(entry["set"] == degraded_set.name for entry in job.entries)
        if count == 0:
            problem = "has no usable image"
            if degraded_set.folder is None:
                problem += f" of at least {smallest}x{smallest} pixels"
            source = sources[degraded_set.name].source
            raise ImageError(source, problem, "give other images or a smaller scale")
        infos.append(set_info(degraded_set, suite, count=count, scale=scale))
    order = [degraded_set.name for degraded_set in suite.sets]
    job.entries.sort(key=lambda entry: order.index(entry["set"]))
    info = suite_info(suite, infos)
    manifest = {
        "schema": SCHEMA,
        "suite": dataclasses.asdict(info),
        "scale": scale,
        "seed": seed,
        "source": photos.source,
        "images": job.entries,
        "skipped": [{"file": file, "reason": reason} for file, reason in job.skipped],
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False)
    files.write_text(folder / MANIFEST, text + "\n")
    return WrittenSuite(
        folder=folder,
        files=tuple(entry["file"] for entry in job.entries),
        suite=info,
        skipped=tuple(job.skipped),
    )


def _refuse_mixing(folder: Path, sources: Mapping[str, PhotoSet]) -> None:
    """Raise if images that an earlier run's manifest lists would stay beside those of this one."""
    try:
        manifest: Any = json.loads((folder / MANIFEST).read_text("utf-8"))
        suite = str(manifest["suite"]["name"])
        images = manifest["images"]
        there = {str(e["file"]): (str(e["set"]), str(e["photograph"])) for e in images}
    except (OSError, ValueError, KeyError, TypeError):  # no manifest, or none of ours
        return
    new = {(name, photo.name) for name, of in sources.items() for photo in of.photographs}
    staying = [file for file, image in there.items() if image not in new]
    if staying and any((folder / file).is_file() for file in staying):
        sets = ", ".join(dict.fromkeys(file.partition("/")[0] for file in staying))
        raise FileProblem(
            folder,
            f"holds images of an earlier run that this one would not replace: of suite {suite}, "
            f"in {sets}",
            "name another output folder, or delete what is in this one",
        )


@dataclass(kw_only=True, slots=True)
class _Job:
    """A running write: what was written and what was left out so far."""

    folder: Path
    total: int
    progress: Callable[[int, int], None] | None
    skipped: list[tuple[str, str]]
    entries: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def images(
        self, photos: PhotoSet, *, smallest: int, sets: int
    ) -> Iterator[tuple[int, str, str, Tensor]]:
        """Yield index, name, safe name and pixels (1, C, H, W) of each usable photograph.

        The others are noted as skipped, and no longer expected in ``sets`` sets.
        """
        taken: set[str] = set()
        for index, photograph in enumerate(photos.photographs):
            height, width = photograph.size_HW
            try:
                if min(height, width) < smallest:
                    least = f"at least {smallest}x{smallest} are needed"
                    raise ImageError(photograph.name, f"{width}x{height} pixels, {least}")
                pixels_HW3 = photograph.pixels_HW3  # raises for a file damaged beyond its header
            except ImageError as error:
                self.skipped.append((photograph.name, error.problem))
                self.total -= sets
                self.report()
                continue
            image_1CHW = torch.from_numpy(pixels_HW3).permute(2, 0, 1)[None].contiguous()
            yield index, photograph.name, _free_name(photograph.name, taken), image_1CHW

    def write(
        self,
        set_name: str,
        name: str,
        photograph: str,
        image_1CHW: Tensor,
        drawn: dict[str, float],
    ) -> None:
        """Write one image as 8-bit PNG and note it."""
        path = self.folder / set_name / name
        write_image(path, image_1CHW[0].permute(1, 2, 0).numpy())
        self.entries.append(
            {
                "file": f"{set_name}/{name}",
                "set": set_name,
                "photograph": photograph,
                "parameters": drawn,
            }
        )
        self.report()

    def report(self) -> None:
        """Tell how far it is."""
        if self.progress is not None:
            self.progress(len(self.entries), self.total)


def _keep_photographs(folder: Path, sources: Mapping[str, PhotoSet]) -> None:
    """Refuse an output folder that is, holds or lies in a folder of photographs to be read.

    The sets would lie among the photographs, and a later run would take them for originals.
    """
    out = folder.resolve()
    for photos in sources.values():
        for photo in photos.photographs:
            if not isinstance(photo, PhotoFile) or pack_folder() in photo.path.parents:
                continue
            # Names are relative to the folder; a link in it may lead elsewhere.
            source = photo.path.absolute().parents[photo.name.count("/")].resolve()
            place = photo.path.resolve().parent
            if out in (source, *source.parents, place, *place.parents):
                problem = "holds the photographs that are to be degraded"
            elif source in out.parents:
                problem = f"lies in the folder of the photographs that are to be degraded, {source}"
            else:
                continue
            raise FileProblem(folder, problem, "give an OUT beside that folder")


def safe_name(name: str) -> PurePosixPath:
    """Return a relative path ending in .png that is safe on every system and stays in its folder.

    Example:
        >>> safe_name("summer/Dune.JPG")
        PurePosixPath('summer/Dune.png')
        >>> safe_name("../../etc/pass:wd")
        PurePosixPath('etc/pass_wd.png')
    """
    parts = [
        re.sub(r'[\x00-\x1f\x7f<>:"|?*]', "_", part).rstrip(" .")
        for part in name.replace("\\", "/").split("/")
    ]
    kept = [_shortened(part) for part in parts if part] or ["image"]
    stem, dot, _ = kept[-1].rpartition(".")
    kept[-1] = (stem if dot and stem else kept[-1]) + ".png"
    return PurePosixPath(*kept)


def _shortened(part: str) -> str:
    """Cut one part of a path to 200 bytes; the rest of the 255 allowed is for what is added."""
    return part.encode()[:200].decode(errors="ignore")


def _free_name(name: str, taken: set[str]) -> str:
    """Return a safe name not taken yet: a.jpg and a.tif both want a.png. Mark it as taken."""
    wanted = safe_name(name)
    candidate, number = wanted, 2
    while (key := unicodedata.normalize("NFC", str(candidate)).casefold()) in taken:
        candidate, number = wanted.with_stem(f"{wanted.stem}-{number}"), number + 1
    taken.add(key)
    return str(candidate)
