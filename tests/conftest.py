"""What many tests share, and tests at full count (the marker ``torture``), run only when asked for.

``make torture`` runs them, prints a table and writes it, as JSON, where ``--torture-table`` says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from support.trials import Tally


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--torture-table", type=Path, metavar="FILE", help="JSON file to renew with the tallies"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked ``torture``, whatever else ``-m`` says, unless it names it."""
    if "torture" in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("torture")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("torture")]


@pytest.fixture(autouse=True, scope="session")
def _own_data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what commands cache out of the user's folder, in processes that tests start too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SRSCOPE_DATA", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the path of a small SRResNet's weights, for all to read."""
    from support.tiny import tiny_checkpoint  # torch, which not every run of pytest needs

    return str(tiny_checkpoint(tmp_path_factory.mktemp("network") / "tiny.safetensors"))


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the path of a folder with two photographs, for all to read."""
    from support.tiny import photographs

    return str(photographs(tmp_path_factory.mktemp("photographs") / "in"))


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """Return a function that records what was tried, for the table."""

    def record(what: str, outcomes: Mapping[str, int]) -> None:
        request.node.user_properties.append((f"torture: {what}", dict(outcomes)))

    return record


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the table; renew its rows in the file, keeping those of tests that did not run."""
    if "torture" not in config.option.markexpr:
        return
    rows = {
        name.removeprefix("torture: "): outcomes
        for report in terminalreporter.stats.get("passed", [])
        for name, outcomes in report.user_properties
        if name.startswith("torture: ")
    }
    for what, outcomes in rows.items():
        words = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
        terminalreporter.write_line(f"{what}: {sum(outcomes.values())} tried; {words}")
    path: Path | None = config.option.torture_table
    if path is not None and rows:
        kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
        path.write_text(json.dumps(kept | rows, indent=1) + "\n", "utf-8")
