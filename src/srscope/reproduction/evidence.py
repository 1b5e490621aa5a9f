"""The names under which experiments hand estimates to the claims."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from srscope.reproduction.records import Estimate

Evidence = Mapping[str, Estimate]

DEPTHS = ("Conv1", "ResBlock4", "ResBlock8", "ResBlock16")
"""The layers that the paper shows of its super-resolution networks."""
DEEPEST = "ResBlock16"


def chi_key(
    network: str,
    label: str,
    suite: str = "clean-blur-noise",
    *,
    by: Literal["set", "class"] = "set",
    source: Literal["photographs", "digits"] = "photographs",
    variant: str = "",
) -> str:
    """Return the name of a CHI.

    Args:
        network: The network's name.
        label: The layer's label.
        suite: The suite of degradations.
        by: Whether degradations or object classes are the clusters.
        source: What was degraded.
        variant: What was done otherwise than usual, e.g. ``patch16`` or ``pca2``.

    Example:
        >>> chi_key("srgan-wgr", "ResBlock16")
        'chi/srgan-wgr/clean-blur-noise/ResBlock16/set'
        >>> chi_key("resnet18", "Conv5_4", by="class", source="digits", variant="pca2")
        'chi/resnet18/clean-blur-noise@digits/Conv5_4/class/pca2'
    """
    where = suite if source == "photographs" else f"{suite}@{source}"
    return "/".join(["chi", network, where, label, by, *([variant] if variant else [])])


def content_key(network: str, label: str = DEEPEST) -> str:
    """Return the name of the share of content in a layer's variance (Fig. 10)."""
    return f"content/{network}/{label}"


def gain_key(method: str, images: str) -> str:
    """Return the name of a method's gain in PSNR over its input, dB, in the LR image (Fig. 1)."""
    return f"gain/{method}/{images}"


def change_key(method: str, images: str) -> str:
    """Return the name of how much a method changes its input: RMS in levels of 0-255 (Fig. 1)."""
    return f"change/{method}/{images}"


def psnr_key(method: str, images: str) -> str:
    """Return the name of the PSNR in dB of a magnified image against the original (Fig. 11)."""
    return f"psnr/{method}/{images}"
