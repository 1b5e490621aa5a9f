"""What tests that disturb the long commands share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.jobs import make_inputs
from support.killer import Killer


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="session")
def killer(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killer]:
    with Killer(inputs / "analyze", tmp_path_factory.mktemp("killer") / "log.txt") as killer:
        yield killer
