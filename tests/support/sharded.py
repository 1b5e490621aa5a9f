"""``srscope`` with FSDP on CPUs, which Fabric refuses: run as a script in each of two processes.

Fabric's strategy is used but for the one call that wraps the network. The place among the
processes stands in the environment, as Fabric sets it for those that it starts itself.
"""

import torch
from lightning.fabric.strategies.fsdp import FSDPStrategy
from torch import nn
from torch.distributed.fsdp import FullyShardedDataParallel

from srscope.cli.main import main
from srscope.training import launch


class OnCpu(FSDPStrategy):
    """FSDP that does not look for a GPU."""

    def setup_module(self, module: nn.Module) -> nn.Module:
        cpu = torch.device("cpu")
        return FullyShardedDataParallel(module, use_orig_params=True, device_id=cpu)


if __name__ == "__main__":
    setattr(launch, "_strategy", lambda _: OnCpu())  # noqa: B010
    raise SystemExit(main())
