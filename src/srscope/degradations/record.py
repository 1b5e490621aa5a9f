"""What a suite was when it was run: the record that travels with every result."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class SetInfo:
    """One degraded set of the suite."""

    name: str
    count: int
    definition: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteInfo:
    """The suite as it was run. ``crossed``: every content appears once in every set."""

    name: str
    sets: tuple[SetInfo, ...]
    blur_applied_to: str
    quantized: bool
    crossed: bool
