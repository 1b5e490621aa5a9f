"""Which degradation is in an image, how strong is it, or is it like nothing known?"""

from __future__ import annotations

from srscope.analyses.identify.config import Config
from srscope.analyses.identify.figures import figures
from srscope.analyses.identify.record import headline, sections, to_dict, write
from srscope.analyses.identify.run import run

__all__ = ["Config", "figures", "headline", "run", "sections", "to_dict", "write"]
