"""The kinds of analysis as calls, one a command.

Each takes one network, or several where the kind does, and the fields of its config as keywords.
``out`` is a folder for its files; without it nothing is written. ``cache`` is a folder of finished
stages, which other analyses of the same network and photographs find again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from srscope.analyses.runner import run_analysis
from srscope.networks.description import LoadedNetwork

if TYPE_CHECKING:
    from srscope.analyses.dose.record import DoseRecord
    from srscope.analyses.generalize.record import GeneralizeRecord
    from srscope.analyses.identify.record import IdentifyRecord
    from srscope.analyses.intervene.record import InterveneRecord

Network = str | LoadedNetwork


def dose(networks: Network | Sequence[Network], **options: Any) -> DoseRecord:
    """Find the level from which on layers notice a degradation, with an interval.

    Args:
        networks: One or several: bundled names, checkpoints, loaded networks.
        options: ``out``, ``cache``, ``progress``, and the fields of
            :class:`srscope.analyses.dose.config.Config`.

    Raises:
        SrscopeError: If an input is wrong; the message says what and how to mend it.
    """
    return run_analysis("dose", networks, **options)


def generalize(networks: Network | Sequence[Network], **options: Any) -> GeneralizeRecord:
    """Tell whether networks treat degraded inputs as clean ones, and what quality they lose.

    Args:
        networks: One or several.
        options: ``out``, ``cache``, ``progress``, and the fields of
            :class:`srscope.analyses.generalize.config.Config`.

    Raises:
        SrscopeError: If an input is wrong; the message says what and how to mend it.
    """
    return run_analysis("generalize", networks, **options)


def identify(network: Network, **options: Any) -> IdentifyRecord:
    """Learn to tell degradations and their level from a network's features; tell those of images.

    Args:
        network: One.
        options: ``out``, ``cache``, ``progress``, and the fields of
            :class:`srscope.analyses.identify.config.Config`; ``images`` is the folder to tell.

    Raises:
        SrscopeError: If an input is wrong; the message says what and how to mend it.
    """
    return run_analysis("identify", network, **options)


def intervene(network: Network, **options: Any) -> InterveneRecord:
    """Edit what layers tell of degradations during the pass, and measure what the output does.

    Args:
        network: One.
        options: ``out``, ``cache``, ``progress``, and the fields of
            :class:`srscope.analyses.intervene.config.Config`.

    Raises:
        SrscopeError: If an input is wrong; the message says what and how to mend it.
    """
    return run_analysis("intervene", network, **options)
