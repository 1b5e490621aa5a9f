"""Run the analyses past clustering on the bundled networks, and write what they find into the docs.

`python tools/write_findings.py` (or `make findings`) runs `dose`, `generalize` and `identify` on
the bundled photographs, keeps what their pages say in docs/results/findings/, and writes
docs/findings.md. `--only NAME` runs one of them anew; `--keep` writes the page from what is kept;
`--check` writes nothing and fails if the page does not say what is kept.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs" / "results" / "findings"
PAGE = ROOT / "docs" / "findings.md"
BEGIN, END = "<!-- FINDINGS -->", "<!-- /FINDINGS -->"
TWINS = ("srgan-wgr", "srgan-wgr-noise20")
FOUR = ("srresnet-wogr", "srresnet-wgr", "srgan-wogr", "srgan-wgr")
LAYERS = ("ResBlock4", "ResBlock16")


@dataclass(frozen=True)
class Finding:
    """One run of an analysis.

    Args:
        analysis: Its name.
        networks: What it is run on.
        options: Of the analysis, beside its defaults.
    """

    analysis: str
    networks: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def command(self) -> str:
        """The command that does the same."""
        words = ["srscope", self.analysis, *self.networks]
        for name, value in self.options.items():
            words += [f"--{name}", *([value] if isinstance(value, str) else value)]
        return " ".join(words)


FINDINGS = {
    "noise": Finding("dose", TWINS, {"layers": LAYERS}),
    "blur": Finding("dose", TWINS, {"layers": LAYERS, "family": "gaussian-blur"}),
    "generalize": Finding("generalize", (*FOUR, "srgan-wgr-noise20")),
    "identify": Finding("identify", ("srgan-wgr",)),
}


def measure(name: str) -> None:
    """Run one analysis and keep what its page says."""
    from srscope.analyses.runner import run_analysis
    from srscope.cli.console import stage_progress

    finding = FINDINGS[name]
    with stage_progress(quiet=False) as progress:
        record = run_analysis(
            finding.analysis, list(finding.networks), progress=progress, **finding.options
        )
    page = importlib.import_module(f"srscope.analyses.{finding.analysis}")
    told = {
        "command": finding.command,
        "headline": page.headline(record),
        "sections": [dataclasses.asdict(each) for each in page.sections(record)],
    }
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{name}.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")


def lines_of(told: dict[str, Any]) -> Iterator[str]:
    """Yield what the page of an analysis says, as Markdown."""
    yield from ("", f"### `{told['command']}`", "", told["headline"])
    for section in told["sections"]:
        if section["rows"]:
            yield from ("", f"**{section['title']}.** {section['lead']}", "")
            yield "| " + " | ".join(map(_cell, section["columns"])) + " |"
            yield "|" + " --- |" * len(section["columns"])
            yield from ("| " + " | ".join(map(_cell, row)) + " |" for row in section["rows"])
        yield from (line for note in section["notes"] for line in ("", note))


def text() -> str:
    """Return all findings as Markdown."""
    kept = [KEPT / f"{name}.json" for name in FINDINGS]
    lines = [
        line
        for path in kept
        if path.is_file()
        for line in lines_of(json.loads(path.read_text("utf-8")))
    ]
    return "\n".join(lines).strip() or "They were not run yet: `make findings` fills this page."


def with_findings(page: str) -> str:
    """Return the page with what stands between its marks replaced."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{text()}\n{END}{after}"


def main() -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--keep", action="store_true", help="use what is kept")
    parser.add_argument("--only", nargs="+", choices=FINDINGS, default=list(FINDINGS))
    options = parser.parse_args()
    for name in () if options.check or options.keep else options.only:
        measure(name)
    page = PAGE.read_text("utf-8")
    wanted = with_findings(page)
    if options.check and page != wanted:
        print("docs/findings.md is out of date; run make findings", file=sys.stderr)
        return 1
    if not options.check:
        PAGE.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
