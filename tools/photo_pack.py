"""The bundled pack: whole photographs, crops, manifest and attribution."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import photo_crops
import photo_hash
from photo_attribution import attribution
from photo_images import (
    LEAST_PSNR_DB,
    LONG_SIDE,
    Picture,
    develop,
    near_lossless_jpeg,
    pictures,
    upright,
)
from photo_manifest import provenance, record, write_manifest
from photo_packages import BuildError, Source
from PIL import Image

from srscope.runtime import files

LICENCE_TEXTS = Path("/usr/share/common-licenses")
MOST_BYTES = {"photographs": 15_000_000, "crops": 8_000_000}
# Then 100 contents of fifty photographs are of 100 crops.
LEAST_CROPS = 2
# Two photographs differ by 31 of 63 bits on average.
LEAST_DISTANCE = 12


def build_pack(sources: tuple[Source, ...], assets: Path, packages: Path) -> None:
    """Write the bundled photographs, their crops, their manifest and their attribution.

    Whole test photographs become near-lossless JPEG, and so do crops; historic photographs are
    kept byte for byte. Of training photographs only the hashes are noted.

    Raises:
        BuildError: If the pack is too large, or two photographs look like editions of one.
    """
    entries: list[dict[str, Any]] = []
    trained_on: list[dict[str, str]] = []
    texts: dict[str, str] = {}
    for picture in pictures(sources, packages):
        source = picture.source
        image = develop(picture.data)
        if source.split == "train":
            digest = photo_hash.perceptual_hash(image)
            trained_on.append({"name": source.stem, "sha256": source.sha256, "hash": digest})
            continue
        if source.split != "test-crops":
            entries.append(whole(picture, image, assets))
        if source.split != "historic":
            entries.append(crops(picture, image, assets))
        if picture.credit.text:
            texts[source.package] = picture.credit.text
        print(source.split, source.stem, f"{image.width}x{image.height}", flush=True)
    require_apart(entries, {entry["name"]: entry["hash"] for entry in trained_on})
    require_small(entries)
    for name in ("GPL-2", "GPL-3", "LGPL-3"):
        text = LICENCE_TEXTS / name
        if not text.is_file():
            raise BuildError(f"{text} is missing; build the pack on Debian or Ubuntu")
        texts[name] = text.read_text("utf-8")
    for name, text in texts.items():
        files.write_text(assets / "licences" / f"{name}.txt", text)
    remove_stale(entries, assets)
    files.write_text(assets / "ATTRIBUTION.md", attribution(entries, changes=changes()))
    write_manifest(
        assets,
        entries,
        psnr_against="the picture shrunk to long_side, before encoding",
        least_detail_of_crops=photo_crops.LEAST_DETAIL,
        trained_on=sorted(trained_on, key=lambda entry: entry["name"].casefold()),
    )


def whole(picture: Picture, image: Image.Image, assets: Path) -> dict[str, Any]:
    """Write a whole photograph; return its entry."""
    file = f"{picture.source.split}/{picture.source.stem}.jpg"
    if picture.source.split == "historic":
        data, image = picture.data, upright(picture.data)
        if max(image.size) > LONG_SIDE:
            raise BuildError(f"{file} is {image.width}x{image.height}: too large to keep whole")
        how: dict[str, Any] = {"encoding": "as in the package, byte for byte", "psnr_db": None}
    else:
        data, quality, reached = near_lossless_jpeg(image)
        encoding = f"progressive JPEG 4:4:4, quality {quality}"
        how = {"encoding": encoding, "psnr_db": round(reached, 2)}
    files.write_bytes(assets / file, data)
    return record(picture, file, data, image) | how


def crops(picture: Picture, image: Image.Image, assets: Path) -> dict[str, Any]:
    """Write the crops of a photograph; return its entry, which names them all."""
    stem = picture.source.stem
    written: list[dict[str, Any]] = []
    for number, place in enumerate(photo_crops.places(image), start=1):
        square = photo_crops.cut(image, place)
        data, quality, reached = near_lossless_jpeg(square)
        file = f"test-crops/{stem}-{number}.jpg"
        files.write_bytes(assets / file, data)
        written.append(
            {
                "file": file,
                "left": place[0],
                "top": place[1],
                "width": square.width,
                "height": square.height,
                "bytes": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
                "encoding": f"progressive JPEG 4:4:4, quality {quality}",
                "psnr_db": round(reached, 2),
            }
        )
    if len(written) < LEAST_CROPS:
        raise BuildError(
            f"{stem}: only {len(written)} squares of {photo_crops.SIDE} pixels show detail, fewer"
            f" than {LEAST_CROPS}; leave the photograph out"
        )
    return {
        "name": stem,
        "set": "test-crops",
        "width": image.width,
        "height": image.height,
        **provenance(picture),
        # Up to rounding in the file's own compression.
        "grey": bool(np.ptp(np.asarray(image), axis=2).mean() < 1),
        "well_known": picture.credit.well_known,
        "hash": photo_hash.perceptual_hash(image),
        "crops": written,
    }


def require_apart(entries: list[dict[str, Any]], trained_on: dict[str, str]) -> None:
    """Require that no test photograph looks like an edition of one trained on, or of another."""
    seen = {f"{name}, which is trained on": digest for name, digest in trained_on.items()}
    for entry in entries:
        if entry["set"] != "test-crops":
            continue
        if seen:
            least, other = photo_hash.nearest(entry["hash"], seen)
            if least < LEAST_DISTANCE:
                raise BuildError(
                    f"{entry['name']} is as good as {other}: their hashes differ in {least} of 63"
                    f" bits, fewer than {LEAST_DISTANCE}; leave one of them out"
                )
        seen[entry["name"]] = entry["hash"]


def require_small(entries: list[dict[str, Any]]) -> None:
    """Require that the whole photographs and the crops keep to MOST_BYTES; print what they take."""
    cut = [crop for entry in entries for crop in entry.get("crops", ())]
    for kind, parts in (("photographs", [e for e in entries if "file" in e]), ("crops", cut)):
        total = sum(part["bytes"] for part in parts)
        print(f"{kind}: {len(parts)} files, {total:,} bytes")
        if total > MOST_BYTES[kind]:
            raise BuildError(
                f"the pack's {kind} take {total:,} bytes, more than {MOST_BYTES[kind]:,}"
            )


def remove_stale(entries: list[dict[str, Any]], assets: Path) -> None:
    """Remove pictures that an earlier pack had and this one has not."""
    kept = {entry["file"] for entry in entries if "file" in entry}
    kept |= {crop["file"] for entry in entries for crop in entry.get("crops", ())}
    for split in ("test", "historic", "test-crops"):
        for file in (assets / split).glob("*"):
            if f"{split}/{file.name}" not in kept:
                file.unlink()


def changes() -> dict[str, str]:
    """Return what was done to the pictures of each set."""
    shrunk = f"turned upright, shrunk to at most {LONG_SIDE} pixels on the long side"
    anew = f"encoded anew as JPEG (at least {LEAST_PSNR_DB:.0f} dB)"
    return {
        "test": f"Changed: {shrunk}, {anew}.",
        "test-crops": f"Changed: {shrunk}, cut into squares of {photo_crops.SIDE} pixels, {anew}.",
        "historic": "Unchanged.",
    }
