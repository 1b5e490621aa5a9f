"""Which analysis an output folder holds, so that none is mixed with another or lost unsaid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from srscope.analyses import ANALYSES
from srscope.errors import FileProblem

SCORES, COMPARISON, COURSE = "scores.json", "comparison.json", "course.json"
_COMMANDS = {
    SCORES: "analyze",
    COMPARISON: "compare",
    COURSE: "analyze of a folder of checkpoints",
}


def refuse_mixture(out: str | Path | None, file: str) -> None:
    """Refuse a folder that holds the result of another kind of analysis.

    Its report and figures would be written over, and the rest of it left.

    Args:
        out: The folder, there or not; ``None`` for nothing to write.
        file: In which this kind writes its numbers.

    Raises:
        FileProblem: If the folder holds those of another kind.
    """
    known = {**_COMMANDS, **{f"{name}.json": name for name in ANALYSES}}
    for other, command in known.items() if out is not None else ():
        if other != file and Path(out or "", other).is_file():
            raise FileProblem(
                out or "",
                f"holds the result of srscope {command} ({other})",
                "name another folder with --out, or move that result away",
            )


def held(out: str | Path, file: str) -> str:
    """Return of which networks, and on which suite, a folder holds a result; empty for none.

    Args:
        out: The folder, there or not.
        file: In which this kind of analysis writes its numbers.
    """
    try:
        record: Any = json.loads(Path(out, file).read_text("utf-8"))
        networks = record.get("networks") or [record["network"]]
        suite = record.get("suite") or networks[0].get("suite") or {}
        told = ", ".join(
            f"{each['name']} ({each.get('network', each).get('sha256', '')[:8]})"
            for each in networks
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return ""
    return f"{told} on {suite['name']}" if "name" in suite else told
