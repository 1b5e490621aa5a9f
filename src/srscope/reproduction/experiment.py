"""An experiment of the paper: what it is called, what it needs, how it is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from srscope.reproduction.lab import Lab
from srscope.reproduction.records import Finding


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One figure or table of the paper.

    Args:
        id: Its short name on the command line, e.g. ``fig7``.
        title: What it shows, in a line.
        where: Where in the paper.
        networks: Names of the networks it needs.
        measure: Measures, writes its figures below the folder it is given, returns the finding
            without what it is called.
    """

    id: str
    title: str
    where: str
    networks: tuple[str, ...]
    measure: Callable[[Lab, Path], Finding]

    def run(self, lab: Lab, folder: Path) -> Finding:
        """Return the finding, called as the experiment is."""
        found = self.measure(lab, folder)
        return replace(found, id=self.id, title=self.title, where=self.where)

    def missing(self, lab: Lab) -> list[str]:
        """Return the networks it needs that the lab does not have."""
        return [name for name in self.networks if not lab.has_network(name)]
