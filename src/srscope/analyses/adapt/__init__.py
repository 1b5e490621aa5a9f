"""What does it gain to tell a network the degradation, and can it give one to another image?"""

from __future__ import annotations

from srscope.analyses.adapt.config import Config
from srscope.analyses.adapt.figures import figures
from srscope.analyses.adapt.record import headline, sections, to_dict
from srscope.analyses.adapt.run import run, take

__all__ = ["Config", "figures", "headline", "run", "sections", "take", "to_dict"]
