"""The experiments of the paper, in its order. A new one adds its import and its entry here."""

from __future__ import annotations

from srscope.reproduction.experiment import Experiment

EXPERIMENTS: tuple[Experiment, ...] = ()
"""Main paper first, then the supplement; each id is used once."""
