"""The parameters of a contrast of two recipes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from srscope.analyses.runner import ImagesConfig
from srscope.errors import ParameterError


@dataclass(frozen=True, kw_only=True)
class Config(ImagesConfig):
    """What of two recipes is compared.

    Args:
        suite: Name of a suite, or the path of a YAML file; its sets must share their contents.
        runs: t-SNE runs a layer, for CHI.
        matched: Also compare at the same PSNR, where the checkpoints are there: the better network
            of two is then taken earlier in its training.
        causal: Also compare what the last of the layers' code does to the output: how much moving
            it to the clean set's gains, beyond random directions.
        clean: Name of the set without degradation, for ``causal``.
        controls: Random directions, for ``causal``.

    Raises:
        ParameterError: If a number is out of its range.
    """

    suite: str = "clean-blur-noise"
    runs: int = 5
    matched: bool = True
    causal: bool = False
    clean: str = "clean"
    controls: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.controls < 2:
            raise ParameterError("controls", "2 or more", self.controls)

    def analysis_config(self, **changes: Any) -> Any:
        """Return the config of the session: the images of this suite."""
        return super().analysis_config(suite=self.suite, runs=self.runs, **changes)
