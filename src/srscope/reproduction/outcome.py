"""What came of a reproduction, as records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from srscope.networks.record import NetworkInfo
from srscope.reproduction.lab import LabConfig
from srscope.reproduction.records import Finding, Judgement


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """An experiment that could not be run for want of networks."""

    id: str
    title: str
    networks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An experiment that failed.

    Args:
        id: The experiment.
        title: What it would have shown.
        problem: What went wrong, in one line.
        details: The traceback where the fault is ours; empty where it is in what was given.
    """

    id: str
    title: str
    problem: str
    details: str = ""


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """What came of it all.

    Args:
        findings: Of the experiments that were run, in the paper's order.
        judgements: Of every claim, in order, by the first edition of the criteria.
        second: By the second edition.
        left_out: Experiments without their networks.
        failures: Experiments that failed.
        config: How it was measured.
        networks: Every network used.
        seconds: What each experiment took, by id.
        out: The output folder.
    """

    findings: tuple[Finding, ...]
    judgements: tuple[Judgement, ...]
    second: tuple[Judgement, ...]
    left_out: tuple[LeftOut, ...]
    failures: tuple[Failure, ...]
    config: LabConfig
    networks: tuple[NetworkInfo, ...]
    seconds: dict[str, float]
    out: Path

    @property
    def exit_code(self) -> int:
        """0 if every experiment with its networks was done; 1 for a fault of ours; else 2."""
        return 1 if any(f.details for f in self.failures) else 2 if self.failures else 0
