"""Build the photographs of srscope from public packages.

    python tools/build_photos.py train --out data/photos/train
    python tools/build_photos.py test --out data/photos/test
    python tools/build_photos.py pack

`train` and `test` write RGB PNGs, the long side shrunk to at most 2040 pixels as in DIV2K. `pack`
writes the bundled photographs, and the crops of them, into the package's assets. tools/README.md
has the rules.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from typing import Any

import photo_packages
from photo_images import develop, pictures
from photo_manifest import record, write_manifest
from photo_pack import build_pack
from photo_packages import BuildError, Source

from srscope.runtime import files

TOOLS = Path(__file__).resolve().parent
SOURCES = TOOLS / "photo-sources.tsv"
ASSETS = TOOLS.parent / "src/srscope/assets/photos"
PACKAGES = TOOLS.parent / "data/photos/packages"


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
