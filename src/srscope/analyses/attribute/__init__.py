"""Which pixels, channels and filters does a network's output depend on?"""

from __future__ import annotations

from srscope.analyses.attribute.config import Config
from srscope.analyses.attribute.figures import figures
from srscope.analyses.attribute.page import headline, sections
from srscope.analyses.attribute.record import to_dict, write
from srscope.analyses.attribute.run import run

__all__ = ["Config", "figures", "headline", "run", "sections", "to_dict", "write"]
