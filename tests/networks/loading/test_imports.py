"""spandrel is there without torch._dynamo, and torchvision's operators work all the same."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from srscope.networks.loading.imports import without_dynamo
with without_dynamo():
    import spandrel
print("torch._dynamo" in sys.modules, "torch._dynamo.utils" in sys.modules)
import torch, torchvision
boxes = torch.tensor([[0.0, 0.0, 0.0, 4.0, 4.0]])
print(tuple(torchvision.ops.roi_align(torch.rand(1, 2, 8, 8), boxes, (2, 2)).shape))
from torchvision.ops import roi_align
import torch._dynamo.utils
print(roi_align.__globals__["is_compile_supported"]("cpu") is
      torch._dynamo.utils.is_compile_supported("cpu"))
with without_dynamo():
    print(type(sys.modules["torch._dynamo.utils"]).__name__)
"""


def test_dynamo_is_imported_when_it_is_used() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:4] == ["False False", "(1, 2, 2, 2)", "True", "module"]
