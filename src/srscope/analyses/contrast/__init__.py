"""How do two training recipes differ, over training seeds and at the same PSNR?"""

from __future__ import annotations

from srscope.analyses.contrast.config import Config
from srscope.analyses.contrast.figures import figures
from srscope.analyses.contrast.record import headline, sections
from srscope.analyses.contrast.run import run, take

__all__ = ["Config", "figures", "headline", "run", "sections", "take"]
