"""The kinds of analysis as calls, one a command.

Each takes what :func:`~srscope.networks.zoo.load_network` does, once or, where the kind compares,
several times in a list, and the fields of its config as keywords.
``out`` is a folder for its files; without it nothing is written. ``cache`` is a folder of finished
stages, which other analyses of the same network and photographs find again.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from srscope.analyses.runner import run_analysis

if TYPE_CHECKING:
    from srscope.analyses.adapt.record import AdaptRecord
    from srscope.analyses.attribute.record import AttributeRecord
    from srscope.analyses.dose.record import DoseRecord
    from srscope.analyses.generalize.record import GeneralizeRecord
    from srscope.analyses.identify.record import IdentifyRecord
    from srscope.analyses.intervene.record import InterveneRecord


def adapt(networks: Any, **options: Any) -> AdaptRecord:
    """Judge restoration networks that are told the degradation, and those that transfer one.

    Args:
        networks: One or several guided networks, the unguided twin among them: bundled names, or
            files that a training of ``recipes/adapt`` left.
        options: ``out``, ``cache``, ``progress``, and the fields of
            :class:`srscope.analyses.adapt.config.Config`.

    Raises:
        SrscopeError: If an input is wrong; the message says what and how to mend it.
    """
    return run_analysis("adapt", networks, **options)


def attribute(network: Any, image: str | Path, **options: Any) -> AttributeRecord:
    """Find what a network's output depends on: which pixels, channels and filters.

    Args:
        network: One that puts out images, of any magnification.
        image: A photograph.
        options: ``out``, ``cache``, ``progress``, and the fields of
            :class:`srscope.analyses.attribute.config.Config`.

    Raises:
        SrscopeError: If an input is wrong; the message says what and how to mend it.

    Source: Gu and Dong 2021 (LAM); Sundararajan et al. 2017 (integrated gradients); Adebayo et al.
        2018 (random weights); Kong et al. 2022 (channels); Hu et al. 2024 (causal effect maps); Xie
        et al. 2021 (filters).
    """
    return run_analysis("attribute", network, image=str(image), **options)


def dose(networks: Any, **options: Any) -> DoseRecord:
    """Find the level from which on layers notice a degradation, with an interval.

    Args:
        networks: One, or several in a list.
        options: ``out``, ``cache``, ``progress``, and the fields of
            :class:`srscope.analyses.dose.config.Config`.

    Raises:
        SrscopeError: If an input is wrong; the message says what and how to mend it.
    """
    return run_analysis("dose", networks, **options)


def generalize(networks: Any, **options: Any) -> GeneralizeRecord:
    """Tell whether networks treat degraded inputs as clean ones, and what quality they lose.

    Args:
        networks: One, or several in a list.
        options: ``out``, ``cache``, ``progress``, and the fields of
            :class:`srscope.analyses.generalize.config.Config`.

    Raises:
        SrscopeError: If an input is wrong; the message says what and how to mend it.
    """
    return run_analysis("generalize", networks, **options)


def identify(network: Any, **options: Any) -> IdentifyRecord:
    """Learn to tell degradations and their level from a network's features; tell those of images.

    Args:
        network: One.
        options: ``out``, ``cache``, ``progress``, and the fields of
            :class:`srscope.analyses.identify.config.Config`; ``images`` is the folder to tell.

    Raises:
        SrscopeError: If an input is wrong; the message says what and how to mend it.
    """
    return run_analysis("identify", network, **options)


def intervene(network: Any, **options: Any) -> InterveneRecord:
    """Edit what layers tell of degradations during the pass, and measure what the output does.

    Args:
        network: One.
        options: ``out``, ``cache``, ``progress``, and the fields of
            :class:`srscope.analyses.intervene.config.Config`.

    Raises:
        SrscopeError: If an input is wrong; the message says what and how to mend it.
    """
    return run_analysis("intervene", network, **options)
