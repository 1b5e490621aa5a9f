"""One network in training, with what belongs to it: optimizer, schedule, running average."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, Protocol

import torch
from lightning.fabric import Fabric
from lightning.fabric.strategies.fsdp import FSDPStrategy
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


class OptimizerFactory(Protocol):
    """A config that builds an optimizer and its schedule."""

    def optimizer(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """Build the optimizer."""
        ...

    def schedule(self, optimizer: Optimizer, iterations: int) -> LRScheduler:
        """Build the schedule of a run of ``iterations`` steps."""
        ...


class Player:
    """A network in training.

    Args:
        fabric: Launched.
        network: Moved to Fabric's device and wrapped.
        factory: Builds optimizer and schedule.
        iterations: Steps this player will do.
        ema_decay: Decay of the running average of the weights; 0 switches it off.
        channels_last: Keep weights in channels-last memory order.
    """

    def __init__(
        self,
        fabric: Fabric,
        network: nn.Module,
        factory: OptimizerFactory,
        *,
        iterations: int,
        ema_decay: float = 0.0,
        channels_last: bool = True,
    ) -> None:
        self._fabric = fabric
        self._channels_last = channels_last
        # FSDP lays moments back in plain order, so weights in another would get mixed-up ones.
        if channels_last and not isinstance(fabric.strategy, FSDPStrategy):
            network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.plain = network
        self.average: AveragedModel | None = None
        if ema_decay > 0:
            averaging = get_ema_multi_avg_fn(ema_decay)
            self.average = AveragedModel(network, multi_avg_fn=averaging, use_buffers=False)
            self.average.to(fabric.device)
        copied = copy.deepcopy(network)
        self.live = fabric.setup_module(network)
        self._sharded = _sharded_root(self.live)
        self._gathered = copied if self._sharded is not None else None
        self._stale = True  # whether the gathered weights are older than the sharded ones
        optimizer = factory.optimizer(self.live.parameters())
        self.schedule = factory.schedule(optimizer, iterations)
        wrapped = fabric.setup_optimizers(optimizer)
        assert not isinstance(wrapped, tuple)  # it is one for one, several for several
        self.optimizer = wrapped

    @property
    def learning_rate(self) -> float:
        """The rate of the next step."""
        return float(self.schedule.get_last_lr()[0])

    def arrange(self, images_NCHW: Tensor) -> Tensor:
        """Put a batch on the device, in the memory order of the weights."""
        images_NCHW = self._fabric.to_device(images_NCHW)
        if self._channels_last:
            return images_NCHW.contiguous(memory_format=torch.channels_last)
        return images_NCHW

    def update(self, loss: Tensor) -> None:
        """Do one optimizer step down ``loss``, one of the schedule, one of the average."""
        self.optimizer.zero_grad(set_to_none=True)
        self._fabric.backward(loss)
        self.optimizer.step()
        self.schedule.step()
        self._stale = True
        if self.average is not None:
            self.average.update_parameters(self.plain)

    def shipped(self) -> nn.Module:
        """The network that is validated and shipped: the average where there is one.

        Sharded weights are gathered once a step, for which every process must call this.
        """
        if self._sharded is not None:
            return self._gather(self._sharded)
        if self.average is None:
            return self.plain
        for kept, now in zip(self.average.module.buffers(), self.plain.buffers(), strict=True):
            kept.copy_(now)  # an average of batch statistics lags behind the weights' own
        return self.average.module

    def _gather(self, sharded: nn.Module) -> nn.Module:
        from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

        assert self._gathered is not None  # it was copied when the weights were shared out
        if self._stale:
            options = StateDictOptions(full_state_dict=True)
            self._gathered.load_state_dict(get_model_state_dict(sharded, options=options))
            self._stale = False
        return self._gathered

    def state(self) -> dict[str, Any]:
        """Everything a checkpoint must hold; called by every process, used by the first."""
        if self._sharded is not None:
            from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict

            # On a CPU offloading copies nothing: all of Adam's moments would be the last one.
            away = self._fabric.device.type != "cpu"
            options = StateDictOptions(full_state_dict=True, cpu_offload=away)
            network, optimizer = get_state_dict(
                self._sharded, self.optimizer.optimizer, options=options
            )
        else:
            network, optimizer = self.plain.state_dict(), self.optimizer.state_dict()
        return {
            "network": network,
            "optimizer": optimizer,
            "schedule": self.schedule.state_dict(),
            "average": self.average.state_dict() if self.average is not None else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Undo :meth:`state`."""
        if self._sharded is not None:
            from torch.distributed.checkpoint.state_dict import StateDictOptions, set_state_dict

            self._stale = True
            set_state_dict(
                self._sharded,
                self.optimizer.optimizer,
                model_state_dict=state["network"],
                optim_state_dict=state["optimizer"],
                options=StateDictOptions(full_state_dict=True),
            )
        else:
            self.plain.load_state_dict(state["network"])
            self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])


def _sharded_root(live: nn.Module) -> nn.Module | None:
    """Return the outermost module whose weights FSDP has shared out, or ``None``."""
    from torch.distributed.fsdp import FullyShardedDataParallel

    kinds = (each for each in live.modules() if isinstance(each, FullyShardedDataParallel))
    return next(kinds, None)
