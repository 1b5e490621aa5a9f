"""The parameters of an analysis of more images than memory holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from srscope.analyses.runner import ImagesConfig
from srscope.errors import ParameterError
from srscope.projection.config import TsneConfig
from srscope.study.config import configured


@dataclass(frozen=True, kw_only=True)
class Config(ImagesConfig):
    """What is fed, and what is kept of it.

    Args:
        suite: Name or YAML file of a suite whose sets are all made of the same contents.
        pca: Principal components kept.
        tsne: Parameters of t-SNE.
        runs: t-SNE maps a layer, with seeds ``seed``, ``seed + 1``, ...; 0 for none.
        devices: Processes that share the passes, each with such a device of its own.
        memory: GiB that the process may take, about. Layers that do not fit together are read in
            passes of their own.

    Raises:
        ParameterError: If a number is out of its range.
    """

    contents: int = 10_000
    suite: str = "clean-blur-noise"
    pca: int = 50
    tsne: TsneConfig = field(default_factory=TsneConfig)
    runs: int = 1
    devices: int = 1
    memory: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        given: Any = self.tsne
        if isinstance(given, Mapping):
            object.__setattr__(self, "tsne", configured(TsneConfig(), given, prefix="tsne."))
        for name, least in (("pca", 1), ("runs", 0), ("devices", 1)):
            if getattr(self, name) < least:
                raise ParameterError(name, f"{least} or more", getattr(self, name))
        if not self.memory > 0:
            raise ParameterError("memory", "above 0 GiB", self.memory)
