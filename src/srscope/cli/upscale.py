"""``srscope upscale``: what it does with files and folders, and which it never writes over."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import jsonargparse

from srscope.cli.common import print_remarks, print_skipped
from srscope.errors import FileProblem, ImageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from srscope.images.record import PhotoFile
    from srscope.networks.description import LoadedNetwork


HELP = "Run a network on an image or a folder of images."
MORE = """Results are PNG; files of the same name are replaced, the images in IN never. Grey
stays grey, 16 bits stay 16, alpha and ICC profile are kept, other metadata is not. Colours under
fully transparent pixels are not kept. Tiles give what the whole image would, unless --overlap is
below its default or the network looks at the whole image (channel attention), which is warned of.
"""


def add_options(sub: jsonargparse.ArgumentParser) -> None:
    """Add what commands share that turn images into images."""
    sub.add_argument("source", metavar="IN", type=str, help="image or folder")
    sub.add_argument("out", metavar="OUT", type=str, help="image (.png) or folder")
    sub.add_argument("--tile", type=int, default=192, help="input pixels a tile, 0 for whole [192]")
    overlap = "input pixels round a tile; less shows seams [what the network's outputs depend on]"
    sub.add_argument("--overlap", type=int | None, help=overlap)
    sub.add_argument("--bits", type=Literal[8, 16] | None, help="of a value [8 or 16, as in IN]")
    sub.add_argument("--device", type=str, default="cpu", help="cpu, cuda, mps or auto [cpu]")


def run(args: Any) -> None:
    """Upscale a file or a folder, tile by tile, and say what was written."""
    from srscope.networks.zoo import load_network

    network = load_network(args.network)
    run_on_files(args, network, lambda _, __: network, verb="upscaling")
    print_remarks(args.network, network.remarks)


def run_on_files(
    args: Any,
    network: LoadedNetwork,
    network_for: Callable[[NDArray[np.float32], str], LoadedNetwork],
    *,
    verb: str,
) -> None:
    """Run a network on a file or a folder, tile by tile, and say what was written.

    Args:
        args: Of the command: source, out, tile, overlap, bits, device, quiet.
        network: Says how images are cut into tiles.
        network_for: Returns the network as it is for a picture, of these pixels and this name.
        verb: What is done, for the progress bar.
    """
    from srscope.cli.console import stage_progress
    from srscope.features.stream import checked_device
    from srscope.images.folder import load_folder
    from srscope.images.io import read_size
    from srscope.images.picture import read_picture
    from srscope.images.png_write import write_png
    from srscope.images.record import PhotoFile
    from srscope.networks.upscale import count_tiles, upscale_strips
    from srscope.study.extraction import device_of

    source, out, device = Path(args.source), Path(args.out), checked_device(device_of(args.device))
    skipped: list[tuple[str, str]] = []
    if source.is_dir():
        photos = load_folder(source)
        skipped += photos.skipped
        jobs = _targets(out, [each for each in photos.photographs if isinstance(each, PhotoFile)])
    elif out.suffix.lower() != ".png":
        raise FileProblem(args.out, "is not a .png name", "results are written as PNG")
    else:
        jobs = {out: PhotoFile(name=source.name, path=source, size_HW=read_size(source))}
    _keep_originals(jobs, source)
    tiles = [count_tiles(network, photo.size_HW, tile=args.tile) for photo in jobs.values()]
    if network.receptive_radius is None and max(tiles) > 1:
        print(
            f"srscope: how far {network.name} looks is unbounded or unknown: tiles come near the "
            "result of the whole image, but may show; --tile 0 runs it whole",
            file=sys.stderr,
        )
    written = 0
    with stage_progress(quiet=args.quiet) as progress:
        ticks = itertools.count(1)

        def after_tile() -> None:
            if progress is not None:
                progress(f"{verb}, tile", next(ticks), sum(tiles))

        for (target, photo), count in zip(jobs.items(), tiles, strict=True):
            try:
                picture = read_picture(photo.path)
            except ImageError as error:
                if not source.is_dir():
                    raise
                skipped.append((photo.name, error.problem))
                for _ in range(count):
                    after_tile()
                continue
            fitted = network_for(picture.pixels_HWC, photo.name)
            fitted.module.to(device)
            height, width, channels = picture.pixels_HWC.shape
            write_png(
                target,
                upscale_strips(
                    fitted,
                    picture.pixels_HWC,
                    tile=args.tile,
                    overlap=args.overlap,
                    after_tile=after_tile,
                ),
                size_HW=(height * network.scale, width * network.scale),
                channels=channels,
                bits=args.bits or picture.bits,
                icc_profile=picture.icc_profile,
            )
            written += 1
    print_skipped(skipped)
    print(f"{written} image{'' if written == 1 else 's'} in {args.out}")


def _keep_originals(jobs: Mapping[Path, PhotoFile], source: Path) -> None:
    """Refuse to write a result over an image that is to be read, or any other file among them."""
    originals = {photo.path.resolve() for photo in jobs.values()}
    for target in jobs:
        place = target.resolve()
        if place in originals or (source.resolve() in place.parents and place.exists()):
            raise FileProblem(target, "would be written over the input", "give another OUT")


def _targets(out: Path, photos: Sequence[PhotoFile]) -> dict[Path, PhotoFile]:
    """Name each result after its photograph; where two would be one, keep the old suffix too."""
    targets: dict[Path, PhotoFile] = {}
    taken = {Path(photo.name) for photo in photos}
    for photo in photos:
        name = Path(photo.name).with_suffix(".png")
        own = Path(photo.name)  # even where that is another's, to be refused
        number = 1
        while name in taken and name != own:
            name = Path(f"{photo.name}{f'-{number}' if number > 1 else ''}.png")
            number += 1
        targets[out / name] = photo
        taken.add(name)
    return targets
