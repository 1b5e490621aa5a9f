"""``srscope restore``, ``transfer`` and ``edit-degradation``: photographs in, photographs out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonargparse

from srscope.errors import FileProblem, ParameterError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESTORE = "Restore photographs by a network that is told the degradation."
RESTORE_MORE = """Results are PNG, as those of upscale; the estimated blur width and noise sigma of
each photograph are printed."""
TRANSFER = "Give the content of one image the degradation of another."
EDIT = "Give an image a degradation of a level, or a strip of levels."
GUIDED = "bundled name, or a file that srscope train recipes/adapt/... left"


def add_restore(parser: jsonargparse.ArgumentParser) -> None:
    """Add what ``srscope restore`` has beside the options of upscale."""
    text = "blur width in pixels, for a network that is told it"
    parser.add_argument("--blur", type=float | None, help=text)
    text = "noise sigma of 255, for a network that is told it"
    parser.add_argument("--noise", type=float | None, help=text)


def run_restore(args: Any) -> None:
    """Restore a file or a folder, and print what was estimated of each photograph."""
    from srscope.analyses.adapt.networks import load_guided, restorer_for, restorer_of
    from srscope.cli.upscale import run_on_files
    from srscope.networks.description import LoadedNetwork

    guided = load_guided(args.network)
    told = None
    if args.blur is not None or args.noise is not None:
        told = (args.blur or 0.0, args.noise or 0.0)

    def of(pixels_HWC: NDArray[np.float32], name: str) -> LoadedNetwork:
        loaded, levels = restorer_for(guided, pixels_HWC, told)
        if levels is not None:
            width, sigma = levels
            print(f"{name}: blur width about {width:.1f} px, noise sigma about {sigma:.0f} of 255")
        return loaded

    run_on_files(args, restorer_of(guided), of, verb="restoring")


def add_transfer(parser: jsonargparse.ArgumentParser) -> None:
    """Add the arguments of ``srscope transfer``."""
    parser.add_argument("content", metavar="CONTENT", type=str, help="image file")
    text = "image file whose degradation is given"
    parser.add_argument("like", metavar="LIKE", type=str, help=text)
    _add_common(parser)


def add_edit(parser: jsonargparse.ArgumentParser) -> None:
    """Add the arguments of ``srscope edit-degradation``."""
    parser.add_argument("image", metavar="IMAGE", type=str, help="image file")
    _add_common(parser)
    parser.add_argument("--family", type=str, required=True, help="noise or blur")
    text = "sigma of 255 or width in pixels; several, joined by commas, give a strip"
    parser.add_argument("--level", type=str, required=True, help=text)


def _add_common(parser: jsonargparse.ArgumentParser) -> None:
    parser.add_argument("out", metavar="OUT", type=str, help="image (.png)")
    text = f"{GUIDED} [transfer-block8]"
    parser.add_argument("--network", type=str | None, help=text)
    parser.add_argument("--seed", type=int, default=0, help="of the noise [0]")


def run_transfer(args: Any) -> None:
    """Transfer, and write the result."""
    from srscope.analyses.adapt.networks import TRANSFER as DEFAULT
    from srscope.analyses.adapt.networks import transfer
    from srscope.images.io import write_image

    _check_out(args.out, args.content, args.like)
    network = args.network or DEFAULT
    made_HW3 = transfer(args.content, args.like, network=network, seed=args.seed)
    write_image(args.out, made_HW3)
    print(args.out)


def run_edit(args: Any) -> None:
    """Edit, and write the result: the levels side by side where there are several."""
    import numpy as np

    from srscope.analyses.adapt.networks import TRANSFER as DEFAULT
    from srscope.analyses.adapt.networks import edit_degradation, transfer_network
    from srscope.images.io import write_image

    _check_out(args.out, args.image)
    try:
        levels = [float(word) for word in args.level.split(",")]
    except ValueError:
        rule = "numbers joined by commas"
        raise ParameterError("level", rule, args.level, "say --level 5,15,30") from None
    guided = transfer_network(args.network or DEFAULT)
    strip = [
        edit_degradation(
            args.image, family=args.family, level=level, network=guided, seed=args.seed
        )
        for level in levels
    ]
    write_image(args.out, np.concatenate(strip, axis=1))
    print(args.out)


def _check_out(out: str, *sources: str) -> None:
    """Refuse a result that is no PNG, or would be written over an input."""
    if Path(out).suffix.lower() != ".png":
        raise FileProblem(out, "is not a .png name", "results are written as PNG")
    if Path(out).resolve() in {Path(each).resolve() for each in sources}:
        raise FileProblem(out, "would be written over the input", "give another OUT")
