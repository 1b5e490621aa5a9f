"""From a foreign module to a network that can be analysed: how it is fed, where it is tapped."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from srscope.errors import NetworkError, ParameterError
from srscope.networks.adapter import AdaptedNetwork, Call
from srscope.networks.description import LoadedNetwork, fitted_side, weights_sha256
from srscope.networks.loading.spec import Value
from srscope.networks.outputs import image_of, told_of
from srscope.networks.structure.alone import check_alone
from srscope.networks.structure.causes import runnable
from srscope.networks.structure.discover import Discovery, discover
from srscope.networks.structure.kept import found_again
from srscope.networks.structure.probe import PATCH, RANGES, Sizes, probe_range, probe_sizes
from srscope.networks.structure.trace import trace_network
from srscope.networks.untrained import State, untrained_maker
from srscope.runtime.records import record_of

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation that classifiers of ImageNet are commonly fed with."""


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """How a network is to be fed: what the user says of it, the rest is read or tried out.

    Args:
        scale: Magnification, 1 or more.
        channels: 3 for RGB, 1 for grey.
        range: Of the values it is fed: ``1`` for [0, 1], ``255``, ``-1..1``, or ``imagenet`` for
            ImageNet's mean and standard deviation.
        multiple: Its sides are multiples of this, in pixels.
        smallest: Its shortest side, in pixels.
        checkpoint: File of its weights.
        key: Which of the weights in the file: see
            :func:`~srscope.networks.loading.weights.weights_in`.
        output: Where in what it returns the image is: see
            :func:`~srscope.networks.outputs.image_of`.

    Raises:
        ParameterError: If a value is out of its range.
    """

    scale: int | None = None
    channels: int | None = None
    range: str | None = None
    multiple: int | None = None
    smallest: int | None = None
    checkpoint: str | None = None
    key: str | None = None
    output: str | None = None

    def __post_init__(self) -> None:
        for name in ("scale", "multiple", "smallest"):
            value: object = getattr(self, name)
            if value is not None and not (type(value) is int and value >= 1):
                raise ParameterError(name, "a whole number from 1 on", value)
        if self.channels not in (None, 1, 3):
            raise ParameterError("channels", "1 (grey) or 3 (RGB)", self.channels)
        if self.range is not None and self.range not in (*RANGES, "imagenet"):
            raise ParameterError("range", "1, 255, -1..1 or imagenet", self.range)
        checkpoint: Any = self.checkpoint
        if checkpoint is not None and not isinstance(checkpoint, str):
            raise ParameterError("checkpoint", "a file", checkpoint)

    @classmethod
    def of(cls, options: Mapping[str, Value]) -> Treatment:
        """Make it of the options of :func:`~srscope.networks.loading.spec.split_options`."""
        values: dict[str, Any] = dict(options)
        for name in ("range", "key", "output"):
            if values.get(name) is not None:
                values[name] = str(values[name])
        return cls(**values)


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What a loader knows of a network; ``None`` for what has to be tried out.

    Args:
        by: Who says so, for the notes.
        scale: Magnification.
        channels: 3 or 1.
        mean_std: Of the normalisation of [0, 1] that it was trained with.
        multiple: Sides are multiples of this.
        smallest: Shortest side.
        sides: Sides that it is likely to take.
    """

    by: str
    scale: int | None = None
    channels: int | None = None
    mean_std: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    multiple: int | None = None
    smallest: int | None = None
    sides: tuple[int, ...] = ()


def describe(
    inner: nn.Module,
    *,
    name: str,
    source: str,
    known: Known,
    treatment: Treatment,
    call: Call | None = None,
    fresh: Callable[[], State] | None = None,
    no_untrained: str = "",
    more_notes: tuple[str, ...] = (),
    remarks: tuple[str, ...] = (),
    batch: str = "let forward() take any number of images, without fixed numbers in view()",
) -> LoadedNetwork:
    """Find out how a network is fed and where it can be tapped.

    What the user says goes before what the loader knows, and that before what can be tried out.

    Args:
        inner: The network with its weights; switched to evaluation mode.
        name: As the user knows it.
        source: Where the weights come from, in words.
        known: What the loader says.
        treatment: What the user says.
        call: How to run it, where ``inner(image)`` is not the way.
        fresh: Builds the architecture anew and returns its state dict.
        no_untrained: Why no untrained control can be made; empty if it can.
        more_notes: What else is to be known of how it is fed.
        remarks: What has to be said of its weights.
        batch: What to do where it does not take two images at a time.

    Raises:
        NetworkError: If the network takes no image, its magnification cannot be told, its features
            are not a function of the image alone, or none of its layers can be recorded.
    """
    inner, changed = runnable(inner, name)
    inner.eval()
    place = treatment.output or ""
    whole = call or _plain
    told = [""]

    def run(network: nn.Module, x_NCHW: Tensor) -> object:
        output, channels = whole(network, x_NCHW), x_NCHW.shape[1]
        told.append(told_of(output, channels, place, reduced=treatment.scale is None))
        return image_of(output, channels, place)

    def find() -> dict[str, Any]:
        return dataclasses.asdict(_found(inner, call, run, known, treatment, told, batch, name))

    asked = {"known": dataclasses.asdict(known), "treatment": dataclasses.asdict(treatment)}
    whole_network = AdaptedNetwork(inner, call=call)
    seen = record_of(_Findings, found_again("structure", whole_network, asked, find))
    sizes, found = seen.sizes, seen.found
    module = _adapted(inner, call, sizes, seen.mean_std, place)
    side = sizes.fitted(PATCH)
    remarks += tuple(each for each in seen.said if each)
    taps = found.taps or found.layers
    proposed = found.proposed or tuple(tap.name for tap in taps)
    grey = "the luma of RGB" if sizes.channels == 1 else "RGB"
    takes = "of any size" if sizes.multiple == 1 else f"sides in multiples of {sizes.multiple}"
    if sizes.smallest > 8:
        takes += f" from {sizes.smallest} pixels on"
    return LoadedNetwork(
        module=module,
        name=name,
        source=source,
        scale=sizes.scale,
        taps=taps,
        default_layers=proposed,
        sha256=weights_sha256(inner),
        untrained=None
        if no_untrained
        else untrained_maker(module, layers=proposed, size_HW=(side, side), fresh=fresh),
        multiple=sizes.multiple,
        smallest=sizes.smallest,
        layers=found.layers,
        no_untrained=no_untrained,
        remarks=remarks,
        notes=(
            f"magnifies by {sizes.scale}; is fed {grey}, {seen.fed}, {takes}",
            f"found out by: {', '.join(seen.tried)}",
            *changed,
            *more_notes,
        ),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Findings:
    """What was read, tried out and assumed about a network."""

    sizes: Sizes
    tried: tuple[str, ...]
    mean_std: tuple[tuple[float, ...], tuple[float, ...]]
    fed: str
    said: tuple[str, ...]
    found: Discovery


def _found(
    inner: nn.Module,
    call: Call | None,
    run: Call,
    known: Known,
    treatment: Treatment,
    told: list[str],
    batch: str,
    name: str,
) -> _Findings:
    """Try a network out; ``told`` fills with what is to be said of its output."""
    sizes, tried = _sizes(inner, run, known, treatment)
    mean_std, fed = _range(inner, run, known, treatment, sizes)
    module = _adapted(inner, call, sizes, mean_std, treatment.output or "")
    side = sizes.fitted(PATCH)
    try:
        trace = trace_network(module, (side, side), wider=(side, 2 * side))
    except NetworkError as error:
        raise NetworkError(f"{error}; it must take two images at a time: {batch}") from error
    said = (told[-1], sizes.told, check_alone(module, (side, side)))
    found = discover(trace)
    if not (found.taps or found.layers):
        raise NetworkError(
            f"{name} has no layer whose output is one tensor an image; where its layers are "
            "functions, make them modules"
        )
    return _Findings(
        sizes=sizes, tried=tuple(tried), mean_std=mean_std, fed=fed, said=said, found=found
    )


def _adapted(
    inner: nn.Module,
    call: Call | None,
    sizes: Sizes,
    mean_std: tuple[tuple[float, ...], tuple[float, ...]],
    place: str,
) -> AdaptedNetwork:
    mean, std = mean_std
    return AdaptedNetwork(
        inner, call=call, channels=sizes.channels, mean=mean, std=std, output=place
    ).eval()


def _plain(inner: nn.Module, x_NCHW: Any) -> Any:
    return inner(x_NCHW)


def _sizes(
    inner: nn.Module, run: Call, known: Known, treatment: Treatment
) -> tuple[Sizes, list[str]]:
    """Return what the network takes, and who said so."""
    names = ("channels", "smallest", "multiple", "scale")
    said = {name: getattr(treatment, name) for name in names}
    told = {name: getattr(known, name) for name in names}
    values: dict[str, Any] = {
        name: told[name] if said[name] is None else said[name] for name in names
    }
    tried = {known.by: [n for n in names if said[n] is None and told[n] is not None]}
    tried["trying"] = [n for n in names if values[n] is None]
    tried["you"] = [n for n in names if said[n] is not None]
    if tried["trying"]:
        sides: tuple[int, ...] = ()
        if values["smallest"] or values["multiple"]:
            smallest, multiple = values["smallest"] or 1, values["multiple"] or 1
            sides = (fitted_side(PATCH, smallest=smallest, multiple=multiple),)
        channels = () if values["channels"] is None else (values["channels"],)
        probed = probe_sizes(
            inner, run, channels=channels, sides=sides, also=known.sides, scale=values["scale"]
        )
        for name in tried["trying"]:
            values[name] = getattr(probed, name)
        values["told"] = probed.told
    sizes = Sizes(**values)
    return sizes, [f"{who} ({', '.join(what)})" for who, what in tried.items() if what]


def _range(
    inner: nn.Module, run: Call, known: Known, treatment: Treatment, sizes: Sizes
) -> tuple[tuple[tuple[float, ...], tuple[float, ...]], str]:
    """Return mean and standard deviation of the normalisation, and words for it."""
    if treatment.range == "imagenet":
        chosen = IMAGENET
    elif treatment.range is not None:
        return RANGES[treatment.range], _words(treatment.range)
    elif known.mean_std is not None:
        chosen = known.mean_std
    else:
        name = probe_range(inner, run, sizes)
        return RANGES[name], _words(name)
    if chosen == RANGES["1"]:
        return chosen, _words("1")
    if sizes.channels == 1:  # one value for all colours: their average
        mean, std = (sum(values) / len(values) for values in chosen)
        chosen = ((mean,), (std,))
    mean, std = (" ".join(f"{value:.3g}" for value in values) for values in chosen)
    return chosen, f"normalised with mean {mean} and deviation {std}"


def _words(name: str) -> str:
    return {"1": "in [0, 1]", "255": "in [0, 255]", "-1..1": "in [-1, 1]"}[name]
