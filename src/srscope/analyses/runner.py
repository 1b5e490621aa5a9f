"""What all kinds of analysis share: their images, their run, and their files."""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from srscope.analyses import ANALYSES
from srscope.analyses.results import refuse_mixture
from srscope.errors import ParameterError, UnknownNameError
from srscope.images.sources import load_photographs
from srscope.networks.description import LoadedNetwork
from srscope.networks.structure.kept import findings_in
from srscope.runtime.files import write_json, writing_to
from srscope.runtime.processes import is_helper
from srscope.study.assembly import environment
from srscope.study.cache import opened
from srscope.study.config import AnalysisConfig, ImagesGiven, configured
from srscope.study.extraction import Progress
from srscope.study.record import plain
from srscope.study.session import Session
from srscope.training.snapshots import load_trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class ImagesConfig:
    """What every kind of analysis asks of its images; a kind's own config adds its fields.

    Args:
        images: Folder of photographs; ``div2k``; ``bundled:test``; the bundled test photographs if
            absent. In Python, all that :func:`~srscope.images.sources.load_photographs` takes.
        layers: Layers by dotted name, label or pattern; ``all`` for every one. By default those
            that the paper shows, or that are proposed for another network.
        contents: Contents, cut evenly from the photographs.
        patch: Side of the patches that the network is fed, in pixels.
        seed: Of every random choice.
        batch_size: Patches a forward pass.
        device: ``cpu``, ``cuda``, ``mps``, or ``auto`` for the best there is.
        precision: What the network computes in.

    Raises:
        ParameterError: If a number is out of its range.
    """

    images: ImagesGiven = None
    layers: tuple[str, ...] = ()
    contents: int = 100
    patch: int = 32
    seed: int = 0
    batch_size: int = 32
    device: str = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"

    def __post_init__(self) -> None:
        self.analysis_config()  # checks what they have in common

    def analysis_config(self, **changes: Any) -> AnalysisConfig:
        """Return the config of the session that this analysis runs on."""
        shared = {
            field.name: getattr(self, field.name) for field in dataclasses.fields(ImagesConfig)
        }
        return AnalysisConfig(**{**shared, **changes})


def run_analysis(
    name: str,
    networks: Any,
    *,
    out: str | Path | None = None,
    config: Any = None,
    progress: Progress | None = None,
    cache: str | Path | None = None,
    **options: Any,
) -> Any:
    """Run a kind of analysis, and write its files.

    Args:
        name: Of :data:`~srscope.analyses.ANALYSES`.
        networks: One, or a list where the kind takes several: each whatever
            :func:`~srscope.networks.zoo.load_network` takes.
        out: Folder for ``NAME.json``, ``report.html`` and figures; ``None`` writes nothing.
        config: The parameters; alternatively give its fields as keywords.
        progress: Called as the stages advance.
        cache: Folder of finished stages; ``None`` keeps nothing.
        options: Fields of the kind's config.

    Returns:
        The record.

    Raises:
        UnknownNameError: If there is no such kind.
        ParameterError: If several networks are given to a kind that takes one.
        SrscopeError: If an input is wrong; the message says what and how to mend it.
    """
    if name not in ANALYSES:
        raise UnknownNameError("analysis", name, ANALYSES)
    module = importlib.import_module(ANALYSES[name].module)
    settings = configured(config or module.Config(), options)
    given: list[Any] = list(networks) if isinstance(networks, list | tuple) else [networks]
    if len(given) > 1 and not ANALYSES[name].several:
        raise ParameterError("networks", f"one for {name}", len(given))
    take: Callable[[Sequence[Any]], list[Any]] = getattr(module, "take", _loaded)
    if is_helper():  # the first process of several writes
        out = cache = None
    with findings_in(None if cache is None else Path(cache)):
        loaded = take(given)
    refuse_mixture(out, f"{name}.json")
    with writing_to(out):
        with opened(cache) as stages:
            session = Session(settings.analysis_config(), stages=stages, progress=progress)
            record = module.run(session, loaded, settings)
        if out is not None:
            write_record(name, record, loaded, settings, out)
    return record


def _loaded(given: Sequence[Any]) -> list[LoadedNetwork]:
    return [load_trained(each) for each in given]


def record_dict(name: str, record: Any, networks: Sequence[Any], settings: Any) -> dict[str, Any]:
    """Return a record as JSON values, with schema, networks, protocol and environment."""
    module = importlib.import_module(ANALYSES[name].module)
    to_dict: Callable[[Any], Mapping[str, Any]] = getattr(module, "to_dict", plain)
    told = to_dict(record)
    return {
        "schema": f"srscope.{name}/1",
        "networks": [plain(each.info) for each in networks],
        "protocol": plain(_named(settings)),
        "environment": environment(settings.device),
        "headline": headline_of(name, record),
        **told,
        "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    }


def _named(settings: Any) -> Any:
    """Return a config whose images are a name: pixels belong into no JSON file."""
    if settings.images is None or isinstance(settings.images, str):
        return settings
    return dataclasses.replace(settings, images=load_photographs(settings.images).source)


def headline_of(name: str, record: Any) -> str:
    """Return what a record says in one sentence."""
    module = importlib.import_module(ANALYSES[name].module)
    return module.headline(record) if hasattr(module, "headline") else ""


def write_record(
    name: str, record: Any, networks: Sequence[Any], settings: Any, out: str | Path
) -> None:
    """Write ``NAME.json``, the figures, and ``report.html``."""
    from srscope.figures.save import save_figure
    from srscope.report.plain_page import write_page

    module = importlib.import_module(ANALYSES[name].module)
    folder = Path(out)
    told = record_dict(name, record, networks, settings)
    write_json(folder / f"{name}.json", told)
    if hasattr(module, "write"):  # further files, such as tables
        module.write(record, folder)
    figures: Mapping[str, Figure] = module.figures(record) if hasattr(module, "figures") else {}
    for key, figure in figures.items():
        save_figure(figure, folder / "figures" / key)
    sections = module.sections(record) if hasattr(module, "sections") else ()
    write_page(
        folder / "report.html",
        title=f"{ANALYSES[name].question} {', '.join(each.name for each in networks)}",
        kind=name,
        headline=str(told["headline"]),
        sections=sections,
        figures={key: folder / "figures" / f"{key}.svg" for key in figures},
        protocol=told["protocol"],
        environment=told["environment"],
        data=f"{name}.json",
        remarks=[
            f"{each.name}: {remark}"
            for each in networks
            for remark in getattr(each, "remarks", ())  # a folder of networks has none
        ],
    )
