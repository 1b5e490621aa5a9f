"""The parameters of t-SNE; importing this loads neither NumPy nor an engine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from srscope.errors import ParameterError, UnknownNameError

Engine = Literal["srscope", "openTSNE", "scikit-learn"]


@dataclass(frozen=True, kw_only=True)
class TsneConfig:
    """Every parameter of t-SNE, pinned: the defaults of libraries have changed, these do not.

    The paper says "exactly the same optimization procedure for all experiments" and no more.
    These are the values of scikit-learn's TSNE in the paper's time (0.24), in its conventions.

    Args:
        dimensions: Of the map, 2 or 3; 2 in an analysis.
        perplexity: Effective number of neighbours of a point; below the number of points - 1.
        learning_rate: Step of the gradient descent, for the gradient with its factor 4 as the
            t-SNE paper and scikit-learn have it; openTSNE's own number is 4 times this one.
        iterations: In all, early ones included.
        early_exaggeration: What affinities are multiplied by in the early iterations.
        early_iterations: Iterations with exaggeration; momentum and gains start anew after them.
        early_momentum: Share of the last step kept in the early iterations, in [0, 1).
        momentum: The same, in the later iterations.
        init: ``random``: Gaussian, standard deviation 1e-4, drawn from the run's seed.
        engine: ``srscope``, compiled sums over all pairs up to 5,000 points and openTSNE above;
            or, as references, ``openTSNE`` or ``scikit-learn`` at any size (the latter fixes
            ``early_iterations`` and both momenta at the defaults here).

    Raises:
        ParameterError: If a number is out of its range, or the engine cannot take it.
        UnknownNameError: If ``engine`` or ``init`` is none of those above.

    Source: Liu et al. 2021, section 3.1 and supplement section 4; van der Maaten and Hinton 2008,
        section 3.4.

    Example:
        >>> TsneConfig(perplexity=20).perplexity
        20
    """

    dimensions: int = 2
    perplexity: float = 30.0
    learning_rate: float = 200.0
    iterations: int = 1000
    early_exaggeration: float = 12.0
    early_iterations: int = 250
    early_momentum: float = 0.5
    momentum: float = 0.8
    init: Literal["random"] = "random"
    engine: Engine = "srscope"

    def __post_init__(self) -> None:
        if self.dimensions not in (2, 3):
            raise ParameterError("tsne.dimensions", "2 or 3", self.dimensions)
        for name, least in (("perplexity", 1.0), ("early_exaggeration", 1.0)):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= least):
                rule = f"a finite number of {least:g} or more"
                raise ParameterError(f"tsne.{name}", rule, value)
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            rule = "a finite number above 0"
            raise ParameterError("tsne.learning_rate", rule, self.learning_rate)
        if self.iterations < 1:
            raise ParameterError("tsne.iterations", "1 or more", self.iterations)
        if not 0 <= self.early_iterations <= self.iterations:
            rule = f"between 0 and tsne.iterations ({self.iterations})"
            raise ParameterError("tsne.early_iterations", rule, self.early_iterations)
        for name in ("early_momentum", "momentum"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise ParameterError(f"tsne.{name}", "at least 0 and below 1", value)
        if self.init != "random":
            raise UnknownNameError("t-SNE init", self.init, ["random"])
        if self.engine not in get_args(Engine):
            raise UnknownNameError("t-SNE engine", self.engine, get_args(Engine))
        if self.engine == "scikit-learn":
            fixed = {"early_iterations": 250, "early_momentum": 0.5, "momentum": 0.8}
            for name, value in fixed.items():
                if getattr(self, name) != value:
                    rule = f"{value} with the scikit-learn engine"
                    remedy = "leave it, or use the srscope engine"
                    raise ParameterError(f"tsne.{name}", rule, getattr(self, name), remedy)

    @property
    def degrees_of_freedom(self) -> int:
        """Degrees of freedom of the map's t distribution: 1 in the plane, 2 in space.

        Source: van der Maaten 2009, "Learning a parametric embedding by preserving local
            structure"; scikit-learn does the same, and so did the paper.

        Example:
            >>> TsneConfig(dimensions=3).degrees_of_freedom
            2
        """
        return degrees_of_freedom(self.dimensions)


def degrees_of_freedom(dimensions: int) -> int:
    """Return the degrees of freedom of the t distribution in maps of so many dimensions."""
    return max(1, dimensions - 1)
