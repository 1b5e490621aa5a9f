"""The kinds of analysis, one file or folder each, and the table of them.

A kind of analysis is a module with ``Config`` (a frozen dataclass; the command line and the Python
call take its fields) and ``run(session, networks, config)``, which returns a record. It may have
``take(given)``, where it takes something else than networks, ``headline(record)``,
``figures(record)`` and ``sections(record)``; :mod:`srscope.analyses.runner` makes JSON, figures and
a page of them. A kind of one's own is a call of :func:`register_analysis`.
"""

from __future__ import annotations

from dataclasses import dataclass

from srscope.errors import ParameterError


@dataclass(frozen=True, kw_only=True, slots=True)
class Analysis:
    """A kind of analysis, as a line of the table.

    Args:
        name: Its command and its Python call.
        question: What it answers, in one line.
        module: Where it is defined; loaded on first use.
        several: It takes several networks.
        takes: What the command takes after the network: a field of its config, and its help.
        more: What else its help says.
        networks: What it takes in place of networks; its module's ``take`` then loads it.
    """

    name: str
    question: str
    module: str
    several: bool = False
    takes: tuple[tuple[str, str], ...] = ()
    more: str = ""
    networks: str = ""


ANALYSES: dict[str, Analysis] = {
    each.name: each
    for each in (
        Analysis(
            name="intervene",
            question="Does a network use what its layers tell of degradations?",
            module="srscope.analyses.intervene.command",
            more="Edits the degradation code of a layer during the pass and measures the output.",
        ),
        Analysis(
            name="dose",
            question="At which level does a layer notice a degradation?",
            module="srscope.analyses.dose",
            several=True,
        ),
        Analysis(
            name="generalize",
            question="Does a network treat degraded inputs as clean ones, and what does it lose?",
            module="srscope.analyses.generalize",
            several=True,
        ),
        Analysis(
            name="contrast",
            question="How do two training recipes differ, over training seeds and at equal PSNR?",
            module="srscope.analyses.contrast",
            several=True,
            more="The seed is a random effect; the photographs are drawn anew with the seeds.",
            networks="two folders or patterns of networks that differ in the seed alone",
        ),
        Analysis(
            name="identify",
            question="Which degradation, how strong, or nothing known?",
            module="srscope.analyses.identify",
        ),
        Analysis(
            name="stream",
            question="What do layers tell apart in more images than memory holds?",
            module="srscope.analyses.streamed",
            more="Reads features once, batch by batch, and keeps their principal components alone.",
        ),
        Analysis(
            name="adapt",
            question="What does it gain to tell a network the degradation?",
            module="srscope.analyses.adapt",
            several=True,
            more="Judges restoration networks that differ in what tells them the degradation, and "
            "networks that transfer one; see recipes/adapt.",
            networks="one or more guided networks: bundled names, or files that srscope train left",
        ),
        Analysis(
            name="attribute",
            question="Which pixels, channels and filters does an output depend on?",
            module="srscope.analyses.attribute",
            takes=(("image", "image file"),),
            more="IMAGE is a photograph: it is reduced by the network's magnification and "
            "degraded, unless --as-is=true.",
        ),
    )
}
"""Every kind of analysis that goes through :mod:`srscope.analyses.runner`, by name."""


def register_analysis(analysis: Analysis) -> Analysis:
    """Add a kind of analysis; a plugin of the user's does so too.

    Raises:
        ParameterError: If another module has the name.

    Example:
        >>> mine = register_analysis(Analysis(name="doctest", question="?", module="my_module"))
        >>> ANALYSES.pop("doctest") is mine
        True
    """
    taken = ANALYSES.get(analysis.name)
    if taken is not None and taken.module != analysis.module:
        rule = f"free, but {taken.module} has it"
        raise ParameterError("the name of an analysis", rule, analysis.name, "rename yours")
    ANALYSES[analysis.name] = analysis
    return analysis
