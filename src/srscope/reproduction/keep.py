"""Findings of whole experiments in the cache: numbers, tables and the files of their figures."""

from __future__ import annotations

import dataclasses
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from srscope.reproduction.experiment import Experiment
from srscope.reproduction.lab import Lab, identity_of_images
from srscope.reproduction.population import identity_of_population
from srscope.reproduction.records import Estimate, Finding, Table
from srscope.reproduction.write import environment, figure_files
from srscope.runtime import files
from srscope.runtime.cache import Entry, pack, values_of

_FILE, _SAMPLES = "file:", "samples:"
_PLAIN = ("id", "title", "where", "figures", "notes")


def inputs_of(experiment: Experiment, lab: Lab) -> dict[str, Any]:
    """Return everything that decides a finding, as JSON values.

    The cache adds program and machine.
    """
    return {
        "id": experiment.id,
        "networks": {name: lab.network(name).sha256 for name in experiment.networks},
        "config": dataclasses.asdict(lab.config),
        "tsne": dataclasses.asdict(lab.tsne),
        "photographs": identity_of_images(lab.config.images),
        "population": identity_of_population(lab.config.population),
        "environment": environment() | _optional(),
    }


def _optional() -> dict[str, str]:
    """Return versions of what changes a finding by being installed."""
    try:
        return {"bm3d": metadata.version("bm3d")}
    except metadata.PackageNotFoundError:
        return {}


def packed(finding: Finding, out: Path) -> Entry:
    """Return a finding as a cache entry.

    Args:
        finding: Its figures are named from ``out`` and are there.
        out: The output folder.
    """
    arrays: Entry = {}
    for name in finding.figures:
        for file in figure_files(out, name):
            arrays[_FILE + file] = np.frombuffer((out / file).read_bytes(), dtype=np.uint8)
    for key, estimate in finding.evidence.items():
        arrays[_SAMPLES + key] = estimate.samples
    plain = {name: getattr(finding, name) for name in _PLAIN}
    evidence = {
        key: [each.value, each.std, each.low, each.high] for key, each in finding.evidence.items()
    }
    tables = [dataclasses.asdict(table) for table in finding.tables]
    return pack(arrays, finding=plain, evidence=evidence, tables=tables)


def unpacked(entry: Entry, out: Path) -> Finding:
    """Return the finding of an entry, and write its figures into ``out`` where they are missing.

    Args:
        entry: From :func:`packed`.
        out: The output folder.
    """
    for name, content in entry.items():
        if name.startswith(_FILE):
            path, wanted = out / name.removeprefix(_FILE), content.tobytes()
            if not path.is_file() or path.read_bytes() != wanted:
                files.write_bytes(path, wanted)
    values = values_of(entry)
    plain = values["finding"]
    lists: dict[str, Any] = {name: tuple(plain[name]) for name in ("figures", "notes")}
    return Finding(
        **{**plain, **lists},
        tables=tuple(
            Table(
                name=table["name"],
                title=table["title"],
                columns=tuple(table["columns"]),
                rows=tuple(tuple(row) for row in table["rows"]),
            )
            for table in values["tables"]
        ),
        evidence={
            key: Estimate(value=value, std=std, low=low, high=high, samples=entry[_SAMPLES + key])
            for key, (value, std, low, high) in values["evidence"].items()
        },
    )
