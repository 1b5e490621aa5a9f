"""Judge guided networks: restoration against twins, a steered denoiser, transfer.

Suffixes: M contents, C channels, H/W height and width, 3 red, green and blue.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srscope.analyses.adapt.config import CLEAN, SCALE, SUITE, UNSEEN, Config
from srscope.analyses.adapt.networks import GuidedNetwork, load_guided, restore
from srscope.analyses.adapt.record import AdaptRecord, Gain, SetQuality, Shown, Steered
from srscope.analyses.adapt.restoring import Images, Restoring
from srscope.analyses.adapt.transferring import Contents, judge_transfer
from srscope.degradations.degrade import downsample
from srscope.errors import ParameterError
from srscope.images.bundled import load_bundled
from srscope.networks.architectures.guided import Restorer
from srscope.study.inputs import MARGIN, fed_with
from srscope.study.session import Session
from srscope.training.mixture import MARGIN as OF_BLUR

HISTORIC_SIDE = 160
"""Side of what is shown of a historic photograph, in pixels."""


def take(given: Sequence[Any]) -> list[GuidedNetwork]:
    """Load the networks.

    Raises:
        ParameterError: If two of them have one name.
    """
    networks = [load_guided(each) for each in given]
    names = [each.name for each in networks]
    if len(set(names)) < len(names):
        raise ParameterError("networks", "networks of different names", names, "rename a file")
    return networks


def run(session: Session, networks: Sequence[GuidedNetwork], config: Config) -> AdaptRecord:
    """Judge guided networks on photographs that none of them has seen.

    Args:
        session: Receives progress.
        networks: Restoration networks, the unguided twin among them, and transfer networks.
        config: The parameters.

    Raises:
        SrscopeError: If images cannot be used.
    """
    fed = fed_with(
        SUITE, config.images, (SCALE, config.patch), contents=config.contents, seed=config.seed
    )
    count, photograph_M = len(fed.images.contents), fed.images.photograph_M
    by_set = torch.from_numpy(fed.images.images_NCHW).split(count)
    names = [each.name for each in fed.images.suite.sets]
    degraded = dict(zip(names, by_set, strict=True))
    images = Images(
        degraded=degraded,
        levels={
            name: None if name in UNSEEN else _levels(fed.images.parameters[number * count])
            for number, name in enumerate(names)
        },
        clean_MCHW=degraded[CLEAN],
        photograph_M=photograph_M,
    )
    restorers = [each for each in networks if isinstance(each.network, Restorer)]
    qualities: tuple[SetQuality, ...] = ()
    gains: tuple[Gain, ...] = ()
    steered: tuple[Steered, ...] = ()
    shown: list[Shown] = []
    if restorers:
        restoring = Restoring(restorers, images, session.progress)
        (qualities, gains), steered = restoring.judged(), restoring.steered()
        shown += _crops(restoring, config.pictures)
        shown += _historic(restorers, config.historic)
    assert fed.contents is not None  # the suite has no folders
    inside = slice(MARGIN - OF_BLUR, OF_BLUR - MARGIN)
    wide = [
        downsample(_tensor(crop_HW3), scale=SCALE, quantized=True)[..., inside, inside]
        for crop_HW3 in fed.contents.crops_NHW3
    ]
    contents = Contents(wide_MCHW=torch.cat(wide).numpy(), photograph_M=photograph_M)
    transfers = [
        found
        for each in networks
        if not isinstance(each.network, Restorer)
        for found in judge_transfer(each, contents, seed=config.seed, progress=session.progress)
    ]
    return AdaptRecord(
        qualities=qualities,
        gains=gains,
        steered=steered,
        transfers=tuple(transfers),
        sets={each.name: each.definition for each in fed.images.suite.sets} if restorers else {},
        known=images.known,
        contents=count,
        photographs=len(np.unique(photograph_M)),
        source=fed.images.source,
        shown=tuple(shown),
    )


def _levels(parameters: Mapping[str, float]) -> tuple[float, float]:
    names = ("gaussian-blur.sigma", "gaussian-noise.sigma")
    width, sigma = (float(parameters.get(name, 0.0)) for name in names)
    return width, sigma


def _crops(restoring: Restoring, count: int) -> Iterator[Shown]:
    """Yield some contents of every set, spread over the photographs."""
    images = restoring.images
    places = np.linspace(0, len(images.clean_MCHW) - 1, count + 2).round().astype(int)[1:-1]
    for place in places.tolist():
        for name, images_MCHW in images.degraded.items():
            pictures = {"clean": images.clean_MCHW[place], "input": images_MCHW[place]}
            for each in restoring.networks:
                if (each.name, name) in restoring.restored:
                    pictures[each.name] = restoring.restored[each.name, name][place]
            yield Shown(
                name=f"sets:{name}", pictures={key: _picture(p) for key, p in pictures.items()}
            )


def _historic(restorers: Sequence[GuidedNetwork], count: int) -> Iterator[Shown]:
    """Yield the middle of historic photographs, whose degradation nobody knows."""
    for photo in load_bundled("historic").photographs[:count]:
        whole_HW3 = photo.pixels_HW3
        top, left = ((side - HISTORIC_SIDE) // 2 for side in whole_HW3.shape[:2])
        inside = (slice(max(0, top), max(0, top) + HISTORIC_SIDE),
                  slice(max(0, left), max(0, left) + HISTORIC_SIDE))  # fmt: skip
        pictures = {"input": whole_HW3[inside]}
        for each in restorers:
            if each.guide is not None:
                found = restore(each, np.ascontiguousarray(whole_HW3[inside]))
                told = "" if found.levels is None else "\nblur {:.1f}, noise {:.0f}"
                pictures[each.name + told.format(*(found.levels or ()))] = found.pixels_HWC
        yield Shown(name=f"historic:{photo.name.rpartition('.')[0]}", pictures=pictures)


def _picture(image_CHW: Tensor) -> NDArray[np.float32]:
    return image_CHW.permute(1, 2, 0).numpy()


def _tensor(crop_HW3: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(crop_HW3.transpose(2, 0, 1)))[None]
