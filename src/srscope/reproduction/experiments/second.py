"""The second edition: one experiment a claim, which measures what its criterion asks for."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from pathlib import Path

from srscope.reproduction.experiment import Experiment
from srscope.reproduction.lab import Lab
from srscope.reproduction.population import is_of_population
from srscope.reproduction.records import Cell, Finding, Table
from srscope.reproduction.second_edition import (
    SECOND_CLAIMS,
    Ruling,
    SecondClaim,
    judge_again,
    needed,
)
from srscope.reproduction.second_evidence import PIXELS, SIMPLE
from srscope.reproduction.second_measure import Asked, Measured

NO_NETWORK = (PIXELS, SIMPLE, "bm3d", "bicubic")
PREFIX = "second-"
"""Begins the names of these experiments."""


def networks_of(keys: Sequence[str]) -> list[str]:
    """Return the networks that numbers are about, each once, in the order of their names.

    Example:
        >>> networks_of(["second/probe/pixels/real/set", "second/chi/srgan-wgr/real/set"])
        ['srgan-wgr']
    """
    names = {Asked.of(key).network for key in keys} - set(NO_NETWORK)
    return sorted(names, key=lambda name: [int(p) if p.isdigit() else p
                                           for p in re.split(r"(\d+)", name)])  # fmt: skip


def bundled_networks(claim: SecondClaim) -> tuple[str, ...]:
    """Return the networks of a claim that are none of the population."""
    decisions = (claim.decide, *claim.beside.values())
    names = networks_of([key for decide in decisions for key in needed(decide)])
    return tuple(name for name in names if not is_of_population(name))


def _run(claim_id: str, lab: Lab, folder: Path) -> Finding:
    del folder  # it draws nothing
    claim = next(each for each in SECOND_CLAIMS if each.id == claim_id)
    numbers = Measured(lab)
    judged = judge_again(claim, numbers)
    rows = _rows("", judged.ruling)
    for name, ruling in judged.beside.items():
        rows += _rows(name, ruling)
    own = f"{PREFIX}{claim.id.lower()}"
    return Finding(
        id=own,
        title=f"{claim.id}: {claim.text}",
        where=claim.where,
        tables=(
            Table(
                name=own,
                title=f"{claim.id}, second edition: every condition",
                columns=("decides", "condition", "verdict", "low", "high"),
                rows=tuple(rows),
            ),
        ),
        evidence=dict(numbers.found),
        notes=tuple(
            f"{pair} is {name.replace('~', ' at iteration ')}."
            for pair, name in sorted(numbers.taken.items())
        ),
    )


def _experiment(claim: SecondClaim) -> Experiment:
    return Experiment(
        id=f"{PREFIX}{claim.id.lower()}",
        title=claim.text,
        where=claim.where,
        networks=bundled_networks(claim),
        measure=functools.partial(_run, claim.id),  # by name, as it goes to other processes
    )


def _rows(beside: str, ruling: Ruling) -> list[tuple[Cell, ...]]:
    what = f"beside: {beside}" if beside else "yes"
    if ruling.missing:
        return [(what, f"{ruling.missing} is missing", ruling.verdict, None, None)]
    return [(what, each.text, each.verdict, *each.interval) for each in ruling.conditions]


SECOND_EXPERIMENTS = tuple(_experiment(claim) for claim in SECOND_CLAIMS)
