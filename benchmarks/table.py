"""The results of a run as Markdown, for people."""

from __future__ import annotations

from typing import Any

from common import shown


def as_markdown(record: dict[str, Any]) -> str:
    """Return tables of the ratios, the times and the rest."""
    about = record["machine"]
    lines = [
        "# Benchmarks",
        "",
        f"{about['processor']}, {about['cores']} cores, {about['threads']} threads of PyTorch; "
        + ", ".join(
            f"{name} {about[name]}"
            for name in ("python", "torch", "numpy", "numba", "scikit-learn", "openTSNE")
        )
        + ". Made by `make bench`; what each line means is told in `benchmarks/*.py`.",
        "",
    ]
    if record["idle"] is None:
        lines += ["This system does not tell its load: whether it was idle is not known.", ""]
    elif not record["idle"]:
        lines += ["**Measured on a busy machine, or in small: these are not results.**", ""]
    lines += [
        "## What is aimed for",
        "",
        "| job | what | median | range | aim | |",
        "|---|---|--:|--:|---|---|",
    ]
    for ratio in record["ratios"]:
        reached = {None: "", True: "reached", False: "**not reached**"}[ratio["holds"]]
        lines.append(
            f"| {ratio['job']} | {ratio['what']} | {ratio['value']:.3g} | "
            f"{min(ratio['rounds']):.3g} to {max(ratio['rounds']):.3g} | "
            f"{ratio['target'].replace('>=', '≥').replace('<=', '≤')} | {reached} |"
        )
    lines += ["", "## Times", "", "| job | who | seconds | range | |", "|---|---|--:|--:|---|"]
    for timing in record["timings"]:
        facts = ", ".join(f"{name} {shown(value)}" for name, value in timing["facts"].items())
        lines.append(
            f"| {timing['job']} | {timing['who']} | {timing['seconds']:.3f} | "
            f"{min(timing['rounds']):.3f} to {max(timing['rounds']):.3f} | {facts} |"
        )
    total = sum(record["seconds"].values())
    lines += ["", "## More", "", f"- the whole run took {total / 60:.0f} minutes"]
    tables: dict[str, list[dict[str, Any]]] = {}
    for fact in record["facts"]:
        if "table" in fact:
            tables.setdefault(fact["table"], []).append(fact)
            continue
        values = ", ".join(f"{name} {shown(v)}" for name, v in fact.items() if name != "what")
        lines.append(f"- {fact['what']}: {values}")
    for title, rows in tables.items():
        columns = [name for name in rows[0] if name not in ("what", "table")]
        lines += ["", f"## {title}", "", f"| | {' | '.join(columns)} |"]
        lines.append("|---|" + "--:|" * len(columns))
        for row in rows:
            lines.append(f"| {row['what']} | {' | '.join(shown(row[c]) for c in columns)} |")
    return "\n".join(lines) + "\n"
