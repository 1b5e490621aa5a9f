"""The parameters of an attribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from srscope.analyses.runner import ImagesConfig
from srscope.errors import ParameterError


@dataclass(frozen=True, kw_only=True)
class Config(ImagesConfig):
    """What is attributed, and how finely.

    Args:
        image: Image file.
        suite: Versions of the image that stand side by side; the first one is what others are
            compared with.
        as_is: Feed the image neither reduced nor degraded; there is then one version.
        crop: Side of the middle of the image that is taken, in pixels of the network's input; 0
            for the whole.
        window: Side of the window of the output that is attributed, in output pixels.
        top: First row of the window, in output pixels; if absent, the window is the most detailed
            one in the middle half of the output.
        left: First column of the window; give both or neither.
        steps: Of a path, before some of them are halved.
        tolerance: Completeness error to reach, as a share.
        most_steps: Of a path; the error stays what it is then.
        sanity: Networks with ever more random weights that maps are compared with; 0 for none.

        orders: Random orders that channels are removed in, beside those by saliency; 0 leaves
            channels out. The layer is the deepest that is shown by default, unless layers are
            named.
        causal: Trials of each block of the causal effect map, 50 as published; 0 leaves it out: it
            takes thousands of passes.
        target: A network fine-tuned from NETWORK for a degradation, of the same architecture: the
            filters it deals with the degradation by are sought. None are without.
        filter_set: Set of the suite whose filters are sought; the last one if absent.
        filter_other: Set that they should not serve; the first one if absent.
        filter_steps: On the line from target to NETWORK.

    Raises:
        ParameterError: If a number is out of its range.
    """

    image: str = ""
    suite: str = "clean-blur4-noise20"
    as_is: bool = False
    contents: int = 20
    crop: int = 64
    window: int = 16
    top: int | None = None
    left: int | None = None
    steps: int = 50
    tolerance: float = 0.01
    most_steps: int = 400
    sanity: int = 5
    orders: int = 5
    causal: int = 0
    target: str | None = None
    filter_set: str | None = None
    filter_other: str | None = None
    filter_steps: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (
            ("window", 1),
            ("steps", 2),
            ("sanity", 0),
            ("orders", 0),
            ("filter_steps", 1),
            ("crop", 0),
        ):
            if getattr(self, name) < least:
                raise ParameterError(name, f"{least} or more", getattr(self, name))
        if self.causal != 0 and self.causal < 2:
            raise ParameterError("causal", "0, or 2 or more trials", self.causal)
        if self.causal and self.as_is:
            remedy = "as an image fed as it stands has no original to compare with"
            raise ParameterError("causal", "0 with as_is", self.causal, remedy)
        if self.most_steps < self.steps:
            raise ParameterError("most_steps", f"{self.steps} or more, as steps", self.most_steps)
        if not 0 < self.tolerance < 1:
            raise ParameterError("tolerance", "above 0 and below 1", self.tolerance)
        if (self.top is None) != (self.left is None):
            raise ParameterError("top and left", "given both or neither", (self.top, self.left))
        if self.precision not in ("auto", "float32"):
            raise ParameterError("precision", "float32 for gradients", self.precision)

    def analysis_config(self, **changes: Any) -> Any:
        """Return the config of the session: images in the suite of this analysis."""
        return super().analysis_config(suite=self.suite, pca=1, **changes)
