"""At which level does a layer notice a degradation, and how does its response grow?"""

from __future__ import annotations

from srscope.analyses.dose.config import Config
from srscope.analyses.dose.figures import figures
from srscope.analyses.dose.record import headline, sections, to_dict
from srscope.analyses.dose.run import run

__all__ = ["Config", "figures", "headline", "run", "sections", "to_dict"]
