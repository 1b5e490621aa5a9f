"""What an attribution says, in a sentence and in the parts of a page."""

from __future__ import annotations

from srscope.analyses.attribute.filters import FAIG, SHARES, FilterRecord
from srscope.analyses.attribute.record import LAM, AttributeRecord, PixelMap, RandomMap
from srscope.report.plain_page import Section
from srscope.scores.effects import Interval
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
    parts = [_pixels(record), _random(record), _channels(record), _causal(record)]
    found = [] if record.filters is None else [_filters(record.filters)]
    return (*(part for part in parts if part.rows), *found)


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
        figures=("random-weights",) if record.random else (),
        notes=(
            "The first row of each path is the trained network, read in as few steps as the "
            "others: no map can be more alike. All maps lie around the window, so that 0 is not to "
            "be expected where a network looks only near it.",
        ),
    )  # fmt: skip


def _share(each: RandomMap) -> str:
    return f"{each.share:.0%}, from {each.layer} on" if each.layer else "none"


def _channels(record: AttributeRecord) -> Section:
    return Section(
        title="Which channels matter?",
        lead="A channel's saliency is how much the whole output's detail depends on it. Channels "
        f"are ranked on the first version ({record.versions[0].name}) of the image, and removed on "
        "other photographs; those left are scaled so that the layer keeps its energy.",
        columns=(
            "layer", "channels removed", "lost without the most salient", "the least salient",
            "by chance", "most salient beyond chance", "like random weights",
        ),
        rows=tuple(
            (
                layer.label,
                f"{each.channels} of {layer.saliency_VC.shape[1]}",
                _db(each.salient),
                _db(each.least),
                _db(each.random),
                _db(each.beyond_random),
                "" if layer.random_weights is None else f"{layer.random_weights:.2f}",
            )
            for layer in record.channels
            for each in layer.removals
        ),
        figures=("channels",) if record.channels else (),
        notes=(
            "Losses are of PSNR in dB against the original, with 95 % intervals over photographs. "
            "The last column is the rank correlation of saliency with that of random weights.",
        ),
    )  # fmt: skip


def _causal(record: AttributeRecord) -> Section:
    return Section(
        title="What if parts of the image were others?",
        lead="Blocks of the input are replaced by parts of other photographs, degraded alike. The "
        "effect of a block is the PSNR that the window loses.",
        columns=("version", "PSNR", "blocks beyond twice their error", "largest loss", "where"),
        rows=tuple(
            (
                each.version,
                f"{each.psnr:.2f} dB",
                str(int((abs(each.effect_RQ) > 2 * each.error_RQ).sum())),
                f"{each.effect_RQ.max():.2f} dB",
                "row {}, column {}".format(
                    *divmod(int(each.effect_RQ.argmax()), each.effect_RQ.shape[1])
                ),
            )
            for each in record.causal
        ),
        figures=("causal",) if record.causal else (),
        notes=("Rows and columns count blocks of 8 input pixels from 0.",),
    )


def _filters(record: FilterRecord) -> Section:
    first = record.at(FAIG, SHARES[0])
    beaten = [
        method
        for method, margin in (
            ("chance", first.beyond_chance),
            ("size of change", record.beyond_change),
        )
        if margin is not None and margin.low > 0
    ]
    other = [each for each in ("chance", "size of change") if each not in beaten]
    told = f"Replacing the top 1 % by FAIG loses more than by {listed(beaten)}." if beaten else ""
    if other:
        told += f" It is not shown to lose more than by {listed(other)}."
    return Section(
        title="Which filters deal with the degradation?",
        lead=f"{record.target} was fine-tuned from {record.baseline}. Filters are sought that "
        f"serve {record.degraded} and not {record.other}, and put back to what they were.",
        columns=(
            "chosen by", "share put back", f"lost on {record.degraded}", f"lost on {record.other}",
            "beyond chance",
        ),
        rows=tuple(
            (
                each.method,
                f"{each.share:.0%}",
                _db(each.lost),
                _db(each.lost_other),
                "" if each.beyond_chance is None else _db(each.beyond_chance),
            )
            for each in record.replacements
        ),
        figures=("filters",),
        notes=(
            told.strip(),
            f"The target gains {_db(record.gain)} on {record.degraded} and "
            f"{_db(record.gain_other)} on {record.other}: that is what there is to lose. "
            f"{record.filters:,} filters; judged on {record.photographs} photographs, found on "
            "others.",
            "Most of the top 1 % lie in "
            + listed([f"{name} ({share:.0%})" for name, share in record.by_layer[:5]])
            + ".",
        ),
    )  # fmt: skip


def _db(value: Interval) -> str:
    return f"{value.mean:+.2f} dB [{value.low:+.2f}, {value.high:+.2f}]"
