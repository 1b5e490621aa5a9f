"""More images than memory holds: their layers' principal components, as the features come."""

from __future__ import annotations

from srscope.analyses.streamed.config import Config
from srscope.analyses.streamed.record import figures, headline, sections, to_dict, write
from srscope.analyses.streamed.run import run

__all__ = ["Config", "figures", "headline", "run", "sections", "to_dict", "write"]
