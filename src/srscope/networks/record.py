"""Which network was analysed, as a record that needs no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkInfo:
    """Which network was analysed; ``scale`` is its magnification, ``sha256`` of its weights.

    ``remarks`` are what a reader must know of how it was read and of what it does.
    """

    name: str
    source: str
    parameters: int
    sha256: str
    scale: int
    remarks: tuple[str, ...] = ()
