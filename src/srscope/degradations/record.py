"""What a suite was when it was run: the record that travels with every result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> SuiteInfo:
        """Rebuild the record from what ``dataclasses.asdict`` made of it."""
        return cls(
            name=str(plain["name"]),
            sets=tuple(SetInfo(**entry) for entry in plain["sets"]),
            blur_applied_to=str(plain["blur_applied_to"]),
            quantized=bool(plain["quantized"]),
            crossed=bool(plain["crossed"]),
        )
