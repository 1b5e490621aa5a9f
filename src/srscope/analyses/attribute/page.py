"""What an attribution says, in a sentence and in the parts of a page."""

from __future__ import annotations

from srscope.analyses.attribute.record import LAM, AttributeRecord, PixelMap, RandomMap
from srscope.report.plain_page import Section
from srscope.study.words import listed

UNCHANGED = 0.9
"""Rank correlation with the map of all weights at random from which a map is said not to depend on
the weights."""


def headline(record: AttributeRecord) -> str:
    """Say how widely the network looks in each version, and whether that hangs on its weights."""
    side = record.window.side
    indices = [
        f"{_map(version.maps, LAM).diffusion_index:.1f} on {version.name}"
        for version in record.versions
    ]
    told = (
        f"For {side} x {side} pixels of its output, {record.network} looks at its input with a "
        f"diffusion index of {listed(indices)}"
    )
    last = [each for each in record.random if each.method == LAM][-1:]
    if not last:
        return f"{told}; random weights were not tried."
    if last[0].correlation is None:
        return f"{told}; with random weights there is no map to compare with."
    changes = "hardly changes" if last[0].correlation >= UNCHANGED else "is another one"
    return (
        f"{told}; with random weights the map {changes} (rank correlation "
        f"{last[0].correlation:.2f})."
    )


def _map(maps: tuple[PixelMap, ...], method: str) -> PixelMap:
    return next(each for each in maps if each.method == method)


def sections(record: AttributeRecord) -> tuple[Section, ...]:
    """Return the page's parts."""
    return (_pixels(record), *([_random(record)] if record.random else []))


def _pixels(record: AttributeRecord) -> Section:
    window, radius = record.window, record.receptive_radius
    unknown = "It is not known how far an output pixel looks, or that is the whole image."
    incomplete = [
        f"{each.method} on {version.name}"
        for version in record.versions
        for each in version.maps
        if not each.complete
    ]
    return Section(
        title="Where does it look?",
        lead=f"The window of the output is {window.side} pixels wide, from row {window.top} and "
        f"column {window.left}. Its detail is the summed length of the grey gradient.",
        columns=(
            "version", "path", "diffusion index", "like the first", "detail, start to end", "steps",
            "completeness error", "of evenly spaced steps",
        ),
        rows=tuple(
            (
                version.name,
                each.method,
                f"{each.diffusion_index:.2f}",
                "" if each.like_first is None else f"{each.like_first:.2f}",
                f"{each.start:.2f} to {each.end:.2f}",
                str(each.steps),
                f"{each.error:.2%}",
                f"{each.first_error:.2%}",
            )
            for version in record.versions
            for each in version.maps
        ),
        figures=("maps",),
        notes=(
            "LAM follows a Gaussian blur that falls to 0; the straight line goes from the same "
            "blurred image to the input. A map is the absolute attribution over its maximum, drawn "
            "by its square root.",
            "The diffusion index is 100 for a map that is the same everywhere. It counts every "
            "pixel of the input shown, so compare it among inputs of one size only.",
            unknown if radius is None else f"An output pixel looks {radius} input pixels far.",
            *(
                [f"Not complete within the most steps: {listed(incomplete)}; raise --most-steps."]
                if incomplete
                else []
            ),
        ),
    )  # fmt: skip


def _random(record: AttributeRecord) -> Section:
    return Section(
        title="Does the map depend on the weights?",
        lead="Weights are put at random from the output inwards, layer after layer. The map of the "
        f"first version ({record.versions[0].name}) must change with them.",
        columns=("at random", "path", "rank correlation", "why not"),
        rows=tuple(
            (_share(each), each.method, "" if each.correlation is None
             else f"{each.correlation:.2f}", each.why)
            for each in record.random
        ),
        figures=("random-weights",),
        notes=(
            "The first row of each path is the trained network, read in as few steps as the "
            "others: no map can be more alike. All maps lie around the window, so that 0 is not to "
            "be expected where a network looks only near it.",
        ),
    )  # fmt: skip


def _share(each: RandomMap) -> str:
    return f"{each.share:.0%}, from {each.layer} on" if each.layer else "none"
