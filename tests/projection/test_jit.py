"""What is compiled is kept for the next start, wherever it can be written."""

import os
import subprocess
import sys

import pytest

from srscope.projection import jit

MODULE = """
from srscope.projection.jit import compiled

@compiled
def add(a, b):
    return a + b

if __name__ == "__main__":
    assert add(1.5, 2.0) == 3.5
    print(add.stats.cache_path)
    print(sum(add.stats.cache_hits.values()), sum(add.stats.cache_misses.values()))
"""


def start(folder, **variables):
    env = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"} | variables
    given = [sys.executable, "adding.py"]
    done = subprocess.run(given, cwd=folder, env=env, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("writable", [True, False])
def test_only_the_first_start_compiles(tmp_path, writable):
    folder, home = tmp_path / "package", tmp_path / "home"
    folder.mkdir()
    (folder / "adding.py").write_text(MODULE, "utf-8")
    if not writable:
        (folder / "__pycache__").touch()  # a file: no folder can be made, whoever runs this
    variables = {"HOME": str(home), "XDG_CACHE_HOME": str(home), "LOCALAPPDATA": str(home)}
    first, second = (start(folder, **variables) for _ in range(2))
    assert [first[1], second[1]] == ["0 1", "1 0"]
    assert first[0].startswith(str(folder if writable else home))


def test_where_nothing_can_be_written_it_compiles_without_keeping(monkeypatch):
    asked = []

    def njit(**options):
        asked.append(options)
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available for file")
        return lambda function: function

    monkeypatch.setattr(jit, "njit", njit)
    assert jit.compiled(abs)(-1) == 1
    assert [options.get("cache") for options in asked] == [True, None]
    assert all(options["nogil"] for options in asked)
