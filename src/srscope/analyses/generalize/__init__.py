"""Does a network treat degraded inputs as it treats clean ones, and does that predict its loss?"""

from __future__ import annotations

from srscope.analyses.generalize.config import Config
from srscope.analyses.generalize.figures import figures
from srscope.analyses.generalize.record import headline, sections, to_dict
from srscope.analyses.generalize.run import run

__all__ = ["Config", "figures", "headline", "run", "sections", "to_dict"]
