"""The parameters of an analysis; importing this loads neither torch nor a projection engine."""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from srscope.errors import ParameterError, UnknownNameError
from srscope.projection.config import TsneConfig

if TYPE_CHECKING:
    ImagesGiven = Any
else:
    ImagesGiven = str | None  # what the command line can say

Config = TypeVar("Config")


@dataclass(frozen=True, kw_only=True)
class AnalysisConfig:
    """How a network is analysed. The defaults are the paper's protocol on the bundled photographs.

    Args:
        images: Folder of photographs, searched recursively; ``div2k`` for DIV2K's validation set,
            downloaded once; the bundled test photographs if absent. In Python, all that
            :func:`~srscope.images.sources.load_photographs` takes: files, arrays, tensors, PIL
            images.
        suite: Name of a suite (see ``srscope suites``) or the path of a YAML file that defines one.
        layers: Layers to analyse, by dotted name, label or pattern (``*``, ``**``, ``?``); ``all``
            for every tap point. By default those that the paper shows, or that are proposed for
            another network.
        sets: Folders to compare as they are, by the name of the set, in place of a suite: nothing
            is reduced or degraded, and the sets need not show the same things.
        reducer: How a layer's output becomes one vector: flatten, mean-pool or gram-diagonal.
        patch: Side of the LR patches, in pixels; a network that takes no such patch gets the next
            larger one that it takes.
        contents: Contents in every set; of a folder, patches at most.
        pca: Dimensions kept by PCA before t-SNE and for the scores in feature space.
        tsne: Parameters of t-SNE; a dict of those that differ from the defaults is enough.
        runs: t-SNE runs a layer, with seeds ``seed``, ``seed + 1``, ...
        most_runs: t-SNE runs a layer at most. More than ``runs`` are added until the mean of CHI is
            known to 10 %, and told beside the score of the first ones.
        seed: Decides degradations, t-SNE, permutations and the untrained control.
        permutations: Random turns or shuffles behind the p-value.
        blur_applied_to: Overrides the suite: blur the ``lr`` or the ``hr`` image.
        quantized: Overrides the suite: clip and round degraded images to 8 bits, or keep floats.
        untrained: Also analyse the same architecture with fresh weights, as a control.
        random: Draws of the same architecture at random, with filters that see no brightness and
            branches at full strength, as further controls; 0 to 3.
        control_budget: What all these control networks may cost together, in passes of the network
            itself: 1 shows each of two of them half of the contents. By default 1, and no limit
            for bundled networks.
        trivial: Also score simple statistics of the images, as controls.
        causal: Also tell whether the network uses what its layers tell: move their code during the
            pass and measure the output, on 50 contents at most. Takes some minutes.
        keep_features: Leave the features in the output folder, so that scores can be recomputed.
        batch_size: Patches a forward pass.
        device: ``cpu``, ``cuda``, ``mps``, or ``auto`` for the best there is.
        precision: What the network computes in: ``float32``, ``bfloat16`` or ``float16``. ``auto``
            is bfloat16 for a bundled network on CUDA, where it was shown to change no score, and on
            a processor with instructions for it where some of the images give the same scores in
            both; float32 for anything else. Below float32, batches are fed channels-last.
        devices: Processes that share the network's passes, each with such a device of its own.

    Raises:
        ParameterError: If a number is out of its range, or ``sets`` are given together with what
            only a suite needs.

    Source: Liu et al. 2021, sections 4.1 and 4.2, supplement sections 3 to 5.
    """

    images: ImagesGiven = None
    suite: str = "clean-blur-noise"
    layers: tuple[str, ...] = ()
    sets: Mapping[str, str] = field(default_factory=dict[str, str])
    reducer: str = "flatten"
    patch: int = 32
    contents: int = 100
    pca: int = 50
    tsne: TsneConfig = field(default_factory=TsneConfig)
    runs: int = 5
    most_runs: int = 40
    seed: int = 0
    permutations: int = 999
    blur_applied_to: Literal["lr", "hr"] | None = None
    quantized: bool | None = None
    untrained: bool = True
    random: int = 1
    control_budget: float | None = None
    trivial: bool = True
    causal: bool = False
    keep_features: bool = True
    batch_size: int = 32
    device: str = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    devices: int = 1

    def __post_init__(self) -> None:
        given: Any = self.tsne
        if isinstance(given, Mapping):
            object.__setattr__(self, "tsne", configured(TsneConfig(), given, prefix="tsne."))
        elif not isinstance(given, TsneConfig):
            raise ParameterError("tsne", "a dict or a TsneConfig", given)
        if isinstance(self.layers, str):
            object.__setattr__(self, "layers", (self.layers,))
        least = {"patch": 8, "contents": 2, "pca": 1, "runs": 1, "seed": 0, "batch_size": 1}
        least |= {"permutations": 1, "devices": 1}
        for name in (*least, "random", "most_runs"):
            value: Any = getattr(self, name)
            if not isinstance(value, numbers.Integral):
                raise ParameterError(name, "a whole number", value)
            object.__setattr__(self, name, int(value))
        for name, kind in {
            "reducer": str,
            "device": str,
            "untrained": bool,
            "trivial": bool,
            "causal": bool,
        }.items():
            if not isinstance(getattr(self, name), kind):
                rule = "a name" if kind is str else "True or False"
                raise ParameterError(name, rule, getattr(self, name))
        for name, smallest in least.items():
            if getattr(self, name) < smallest:
                raise ParameterError(name, f"{smallest} or more", getattr(self, name))
        if not 0 <= self.random <= 3:
            raise ParameterError("random", "0 to 3", self.random)
        if self.control_budget is not None and not self.control_budget > 0:
            remedy = "--untrained=false --random=0 leave the control networks out"
            raise ParameterError("control_budget", "above 0", self.control_budget, remedy)
        if self.tsne.dimensions != 2:
            remedy = "figures and report are flat; srscope.projection.tsne.embed makes others"
            raise ParameterError("tsne.dimensions", "2", self.tsne.dimensions, remedy)
        if not self.sets:
            return
        if len(self.sets) < 2:
            remedy = "there is nothing to tell one set from"
            raise ParameterError("sets", "two folders or more", dict(self.sets), remedy)
        for name, unused in _ONLY_FOR_A_SUITE.items():
            if getattr(self, name) != unused:
                rule = "left out beside sets, whose images are taken as they are"
                raise ParameterError(name, rule, getattr(self, name))

    @property
    def suite_name(self) -> str:
        """The suite's name, or one made of the names of the sets."""
        joined = "-".join(self.sets)
        return (joined if len(joined) <= 60 else "photographs") or Path(self.suite).stem


_ONLY_FOR_A_SUITE = {"images": None, "suite": AnalysisConfig.suite, "blur_applied_to": None}


def configured(config: Config, options: Mapping[str, Any], *, prefix: str = "") -> Config:
    """Return a config with some of its fields replaced.

    Args:
        config: A dataclass.
        options: Fields by name.
        prefix: Stands before the names in messages.

    Raises:
        UnknownNameError: If it has no such field; near matches are named.

    Example:
        >>> configured(TsneConfig(), {"perplexity": 20}).perplexity
        20
    """
    names = [each.name for each in dataclasses.fields(config)]  # pyright: ignore[reportArgumentType]
    for name in options:
        if name not in names:
            raise UnknownNameError("option", prefix + name, [prefix + each for each in names])
    return dataclasses.replace(config, **options)  # pyright: ignore[reportArgumentType,reportReturnType]
