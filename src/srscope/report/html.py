"""A study as one HTML file that opens offline and asks nothing of the network.

Style sheet and scripts stand in the file, admitted by their hashes; everything else is refused
by the content security policy. We draw the plots ourselves: plotly's script alone is 4.8 MB and
needs inline styles, which the policy would then have to admit for everyone.
"""

from __future__ import annotations

from pathlib import Path

from srscope.report import charts, explorer, lead, markup, pictures, provenance, tables
from srscope.report.markup import prose, text
from srscope.report.page import Plots, document, filled, joined, resource
from srscope.runtime import files
from srscope.study import words
from srscope.study.record import Study
from srscope.study.verdict import verdict_of


def _facts(record: Study) -> str:
    network, inputs, suite = record.network, record.inputs, record.suite
    pairs = [
        ("Network", f"{words.network_name(record)}, ×{network.scale}"),
        ("Parameters", f"{network.parameters:,}".replace(",", "\N{THIN SPACE}")),
        ("Suite", suite.name),
        ("Images", f"{len(inputs.set_N)}: {len(suite.sets)} sets, {len(inputs.contents)} contents"),
        ("From", inputs.source),
        ("Made", markup.moment(record.created)),
    ]
    if not network.parameters:  # of features made elsewhere nothing is known
        pairs = [each for each in pairs if each[0] != "Parameters"]
    if inputs.skipped:
        pairs.append(("Skipped", f"{len(inputs.skipped)} unusable files, listed at the end"))
    return markup.definitions(pairs)


def _provenance(record: Study) -> str:
    network = record.network
    pairs = [
        ("network", network.name),
        ("weights", network.source),
        ("weights' SHA-256", network.sha256),
        *provenance.of_images(record),
        *markup.flat(record.protocol),
    ]
    return markup.definitions(pairs)


def _environment(record: Study) -> str:
    seconds = [(f"seconds for {stage}", f"{s:.1f}") for stage, s in record.timings.items()]
    return markup.definitions([*markup.flat(record.environment), *seconds])


def _controls_lead(record: Study) -> str:
    told = "The controls went through the same analysis as the network. Of an untrained or "
    told += "random network, the layers where CHI and the probe are highest."
    if isinstance(limited := record.protocol.get("controls"), dict):
        told += (
            f" The control networks were shown {limited['contents']} contents a set, so that all "
            "of them together cost no more than "
            f"{words.number(float(limited['budget']))} passes of the network."
        )
    return told if record.untrained else f"{told} The untrained control was not run."


def parted(headline: str) -> tuple[str, str]:
    """Return a verdict's sentence as two: what it says, and the numbers behind it.

    Example:
        >>> parted("net separates a and b: at conv, a probe is right for 90 % of the images.")
        ('net separates a and b.', 'At conv, a probe is right for 90 % of the images.')
    """
    said, colon, numbers = headline.partition(": at ")
    return (f"{said}.", f"At {numbers}") if colon else (headline, "")


def render(record: Study) -> str:
    """Return the whole report as HTML."""
    outcome = record.verdict or verdict_of(record)
    sprite = pictures.sprite(record.inputs.patches_NHW3)
    name = text(words.network_name(record))
    headline, detail = parted(outcome.headline)
    variance = charts.variance_by_depth(record)
    questions = [(f.question, f.answer) for f in outcome.findings]
    if outcome.would_decide:
        questions.append(("What would decide it?", outcome.would_decide))
    findings = "".join(
        f"<div><dt>{text(question)}</dt><dd>{prose(answer)}</dd></div>"
        for question, answer in questions
    )
    main = filled(
        "study.html",
        network=name,
        kind=text(outcome.kind),
        headline=prose(headline),
        maps=lead.lead(record, detail),
        findings=findings,
        facts=_facts(record) + tables.remarks(record.network),
        controls_lead=_controls_lead(record),
        scores=tables.score_table(record),
        all_scores=tables.score_table(record, all_columns=True),
        left_out=tables.left_out(record),
        controls=resource("controls.html"),
        inspector=resource("inspector.html"),
        tell_apart="degradations" if record.suite.crossed else "sets of images",
        meanings=tables.column_meanings(),
        variance=variance
        or "<p>The sets do not share their contents, so the variance cannot be "
        "split into degradation and content.</p>",
        variance_key=charts.variance_key() if variance else "",
        chi=charts.chi_by_depth(record),
        chi_key=charts.chi_key(record),
        evidence=charts.evidence_by_depth(record)
        or "<p>No layer could be probed: give images of two photographs or more in every set.</p>",
        use=charts.use_by_depth(record),
        samples=tables.samples(record),
        sets=tables.sets(record),
        protocol=provenance.protocol(_provenance(record), _environment(record)),
        skipped=tables.skipped(record),
    )
    return document(
        title=f"{name}: what its features tell apart",
        kind="report",
        sections=(("layers", "Layers"), ("scores", "Scores"), ("depth", "Depth"),
                  ("samples", "Samples"), ("protocol", "Protocol")),
        first=("verdict", "verdict"),
        main=main,
        footer="The numbers are in <code>scores.json</code> beside this file.",
        style=joined("report.css"),
        plots=Plots(
            script=joined("common.js", "scatter.js", "explorer.js", "report.js"),
            data=markup.script_json(explorer.payload(record, sprite)),
            sheets=[("sprite", sprite.uri)],
        ),
    )  # fmt: skip


def write_report(record: Study, path: str | Path) -> None:
    """Write the report of ``record`` to ``path``, whole or not at all."""
    files.write_text(path, render(record))
