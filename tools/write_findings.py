"""Run the analyses past clustering on the networks of this repository, and write what they find.

`python tools/write_findings.py` (or `make findings`) runs `dose`, `generalize`, `identify`,
`intervene` and `attribute` on the bundled networks, and `contrast` on the populations, all on the
bundled photographs. It keeps what their pages say in docs/results/findings/, and writes
docs/findings.md and docs/populations.md. `--only NAME` runs one of them anew; `--missing` those
that nothing is kept of; `--keep` writes the pages from what is kept; `--check` writes nothing and
fails if a page does not say what is kept.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marks import between

from srscope.analyses import ANALYSES
from srscope.errors import SrscopeError

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs" / "results" / "findings"
PAGES = {name: ROOT / "docs" / f"{name}.md" for name in ("findings", "populations")}
IMAGE = "src/srscope/assets/photos/test/LadyBird.jpg"
RUNS = "runs/population"
"""Where tools/train_population.py leaves its networks, with their checkpoints."""
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
        page: The page of the docs that tells it.
    """

    analysis: str
    networks: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    page: str = "findings"

    @property
    def module(self) -> Any:
        """What says how a record of it is told."""
        return importlib.import_module(ANALYSES[self.analysis].module)

    @property
    def command(self) -> str:
        """The command that does the same."""
        words = ["srscope", self.analysis, *self.networks]
        taken = [name for name, _ in ANALYSES[self.analysis].takes]
        words += [str(self.options[name]) for name in taken]
        for name, value in self.options.items():
            if name not in taken:
                words += [f"--{name}", *map(_word, value if isinstance(value, tuple) else (value,))]
        return shlex.join(words)


FINDINGS = {
    "noise": Finding("dose", TWINS, {"layers": LAYERS}),
    "blur": Finding("dose", TWINS, {"layers": LAYERS, "family": "gaussian-blur"}),
    "generalize": Finding("generalize", (*FOUR, "srgan-wgr-noise20")),
    "identify": Finding("identify", ("srgan-wgr",)),
    **{
        f"use-{name}": Finding(
            "intervene",
            (name,),
            {"layers": LAYERS, "suite": "clean-blur4-noise20", "contents": 24},
        )
        for name in (*FOUR, "srgan-wgr-noise20")
    },
    "filters": Finding(
        "attribute", ("srgan-wgr",), {"image": IMAGE, "target": "srgan-wgr-noise20"}
    ),
    **{
        f"{first}-against-{second}": Finding(
            "contrast",
            (f"{RUNS}/{first}-*", f"{RUNS}/{second}-*"),
            {"causal": True},
            page="populations",
        )
        for first, second in (
            ("l1-wgr", "l1-wogr"),
            ("gan-wgr", "gan-wogr"),
            ("gan-wgr", "l1-wgr"),
            ("gan-wogr", "l1-wogr"),
        )
    },
}
"""What is run, by the name it is kept under."""


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def measure(name: str) -> None:
    """Run one analysis and keep what its page says."""
    from srscope.analyses.runner import run_analysis
    from srscope.cli.console import stage_progress
    from srscope.study.cache import default_cache

    finding = FINDINGS[name]
    with stage_progress(quiet=False) as progress:
        record = run_analysis(
            finding.analysis,
            list(finding.networks),
            progress=progress,
            cache=default_cache(),
            **finding.options,
        )
    page = finding.module
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


def text(page: str) -> str:
    """Return what a page tells, as Markdown."""
    names = [name for name, finding in FINDINGS.items() if finding.page == page]
    kept = [KEPT / f"{name}.json" for name in names]
    lines = [
        line
        for path in kept
        if path.is_file()
        for line in lines_of(json.loads(path.read_text("utf-8")))
    ]
    absent = [name for name, path in zip(names, kept, strict=True) if not path.is_file()]
    if absent:
        lines += ["", f"Not run yet: {', '.join(absent)} (`make findings`)."]
    return "\n".join(lines).strip()


def with_findings(page: str, written: str) -> str:
    """Return a page with what stands between its marks replaced."""
    return between(written, "FINDINGS", text(page))


def main() -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--keep", action="store_true", help="use what is kept")
    parser.add_argument("--missing", action="store_true", help="run those not kept alone")
    parser.add_argument("--only", nargs="+", choices=FINDINGS, default=list(FINDINGS))
    options = parser.parse_args()
    code = 0
    for name in () if options.check or options.keep else options.only:
        if options.missing and (KEPT / f"{name}.json").is_file():
            continue
        try:
            measure(name)
        except SrscopeError as error:
            print(f"{name}: {error}", file=sys.stderr)
            code = 1
    for page, path in PAGES.items():
        written = path.read_text("utf-8")
        wanted = with_findings(page, written)
        if options.check and written != wanted:
            print(f"{path.name} is out of date; run make findings", file=sys.stderr)
            code = 1
        elif not options.check:
            path.write_text(wanted, "utf-8")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
