"""Training of a classifier by cross-entropy.

Under several processes, batch normalisation takes each process's own share of the batch for its
statistics, and the first process's running statistics are shipped: as is usual, but not quite what
one process would compute. Suffixes: N images, C channels, H/W height and width, K classes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from lightning.fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from srscope.degradations.catalogue import load_suite
from srscope.degradations.degrade import degrade
from srscope.errors import ParameterError
from srscope.images.cifar10 import ClassImages
from srscope.networks.architectures.resnet import ResNet18, ResNetConfig
from srscope.networks.architectures.unified import UnifiedClassifier, UnifiedClassifierConfig
from srscope.training.config import Recipe, require_positive
from srscope.training.labelled import ClassDataConfig, load_class_data
from srscope.training.task import Task, initialise

SUITE = "clean-blur-noise"
"""The test images are degraded as in this suite, for the card."""
SHOWN = 16
"""Misread test images shown beside the curves, at most."""


@dataclass(frozen=True, kw_only=True)
class ClassifierConfig:
    """Which classifier, and its size.

    Args:
        kind: ``resnet18`` or ``unified-classifier``.
        classes: Classes it tells apart, at least 2.
        channels: Feature channels at the beginning.
        blocks: Blocks of the unified backbone; ResNet18 has eight in any case.
        reduction: Narrowing of the unified backbone's channel attention.

    Raises:
        ParameterError: If a value is out of its range.
    """

    kind: Literal["resnet18", "unified-classifier"] = "resnet18"
    classes: int = 10
    channels: int = 64
    blocks: int = 16
    reduction: int = 16

    def __post_init__(self) -> None:
        self.structure()

    def structure(self) -> ResNetConfig | UnifiedClassifierConfig:
        """Return the network's own config."""
        if self.kind == "resnet18":
            return ResNetConfig(classes=self.classes, channels=self.channels)
        return UnifiedClassifierConfig(
            classes=self.classes,
            channels=self.channels,
            blocks=self.blocks,
            reduction=self.reduction,
        )

    def build(self) -> ResNet18 | UnifiedClassifier:
        """Build the network; its weights come from torch's random state."""
        structure = self.structure()
        if isinstance(structure, ResNetConfig):
            return ResNet18(structure)
        return UnifiedClassifier(structure)


@dataclass(frozen=True, kw_only=True)
class SGDConfig:
    """Stochastic gradient descent with momentum; the rate falls to 0 along a cosine.

    Args:
        learning_rate: Highest step size.
        momentum: Share of the last step kept in the next, in [0, 1).
        weight_decay: Pull of every weight to 0.
        nesterov: Look ahead along the momentum; needs one above 0.
        warm_up: Iterations in which the rate rises linearly to its highest.

    Raises:
        ParameterError: If a value is out of its range.

    Source: Liu et al. 2021, supplement section 3 (rate, cosine, weight decay).
    """

    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    nesterov: bool = True
    warm_up: int = 0

    def __post_init__(self) -> None:
        require_positive("optimizer.learning_rate", self.learning_rate, "the paper starts at 0.1")
        if not 0 <= self.momentum < 1:
            raise ParameterError("optimizer.momentum", "in [0, 1)", self.momentum)
        if not 0 <= self.weight_decay < math.inf:
            raise ParameterError("optimizer.weight_decay", "0 or more", self.weight_decay)
        if self.nesterov and self.momentum == 0:
            raise ParameterError("optimizer.nesterov", "false without momentum", self.nesterov)
        if self.warm_up < 0:
            raise ParameterError("optimizer.warm_up", "0 (none) or more", self.warm_up)

    def optimizer(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """Build the optimizer."""
        return torch.optim.SGD(
            parameters,
            lr=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            nesterov=self.nesterov,
        )

    def schedule(self, optimizer: Optimizer, iterations: int) -> LRScheduler:
        """Build the schedule of a run of ``iterations`` steps."""

        def factor(done: int) -> float:
            if done < self.warm_up:
                return (done + 1) / (self.warm_up + 1)
            falling = max(1, iterations - self.warm_up)
            return 0.5 * (1 + math.cos(math.pi * min(1.0, (done - self.warm_up) / falling)))

        return LambdaLR(optimizer, factor)


@dataclass(frozen=True, kw_only=True)
class ClassificationRecipe(Recipe):
    """A training run of a classifier.

    Args:
        network: Which one.
        data: Where images come from.
        optimizer: SGD and its schedule.

    Raises:
        ParameterError: If the warm-up leaves no iteration, the batch cannot be shared out, or
            there are not as many classes as the data has.
    """

    task: str = "classification"
    network: ClassifierConfig = field(default_factory=ClassifierConfig)
    data: ClassDataConfig = field(default_factory=ClassDataConfig)
    optimizer: SGDConfig = field(default_factory=SGDConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_shares(self.data.batch_size)
        if self.optimizer.warm_up >= self.iterations:
            rule = f"under the {self.iterations} iterations"
            raise ParameterError("optimizer.warm_up", rule, self.optimizer.warm_up)
        if self.network.classes != 10:
            raise ParameterError("network.classes", "10, as the data has", self.network.classes)


class ClassificationTask(Task[ClassificationRecipe]):
    """Cross-entropy between the network's logits and the images' classes.

    Source: Liu et al. 2021, supplement section 3.
    """

    def __init__(self, recipe: ClassificationRecipe, fabric: Fabric) -> None:
        super().__init__(recipe, fabric)
        self._data = load_class_data(recipe.data, seed=recipe.seed)
        self._feed = self._fed(self._data.batches)
        with self._seeded():
            network = recipe.network.build()
        self.init = initialise(network, network.config, recipe)
        self._player = self._plays(network, recipe.optimizer)
        self.players = {"network": self._player}

    def step(self, iteration: int) -> dict[str, Tensor]:
        """Do one step; return the loss and the accuracy on the batch it was made on."""
        images_NCHW, labels_N = self._feed(iteration)
        labels_N = self._fabric.to_device(labels_N)
        logits_NK: Tensor = self._player.live(self._player.arrange(images_NCHW))
        loss = F.cross_entropy(logits_NK, labels_N)
        self._player.update(loss)
        right = (logits_NK.detach().argmax(1) == labels_N).float().mean()
        return {"loss": loss.detach(), "accuracy": right}

    def validate(self) -> dict[str, float]:
        """Return the accuracy on the clean test images.

        Nothing is chosen by it: the schedule ends where it ends, and the last weights are shipped.
        """
        test = self._data.test
        predicted_N = predict(self.shipped(), _clean(test))
        return {"validation_accuracy": _share_of(predicted_N == test.labels_N)}

    def pictures(self) -> dict[str, Tensor]:
        """Return the first misread test images, side by side."""
        images_NCHW, labels_N = _clean(self._data.test), self._data.test.labels_N
        misread_N = np.flatnonzero(predict(self.shipped(), images_NCHW) != labels_N)[:SHOWN]
        if not len(misread_N):
            return {}
        return {"misread": torch.cat([images_NCHW[n] for n in misread_N.tolist()], dim=-1)}

    def facts(self) -> dict[str, Any]:
        """Data and accuracy on the clean, blurred and noisy test images."""
        return {
            "data": {**self._data.facts, "sha256": self._data.batches.sha256()},
            "quality": accuracy_facts(self.shipped(), self._data.test),
        }


@torch.no_grad()
def predict(network: nn.Module, images_NCHW: Tensor, *, batch: int = 250) -> NDArray[np.int64]:
    """Return the class that a network in evaluation mode gives each image.

    Args:
        network: Takes RGB in [0, 1], returns logits; its mode is what it was afterwards.
        images_NCHW: RGB in [0, 1].
        batch: Images at a time.

    Returns:
        Classes, (N,).
    """
    was_training = network.training
    device = next(network.parameters()).device
    network.eval()
    try:
        classes = [
            network(part_NCHW.to(device)).argmax(1).cpu() for part_NCHW in images_NCHW.split(batch)
        ]
    finally:
        network.train(was_training)
    return torch.cat(classes).numpy()


def accuracy_facts(network: nn.Module, test: ClassImages) -> dict[str, Any]:
    """Measure accuracy on test images as they are, and degraded as an analysis degrades them.

    Args:
        network: The classifier.
        test: Clean images with their classes.

    Returns:
        Plain values: a description, the number of images, and an accuracy for each set.
    """
    suite = load_suite(SUITE)
    side = test.contents.crops_NHW3.shape[1]
    degraded = degrade(test.contents, suite, patch=side, scale=1, seed=0)
    predicted_N = predict(network, torch.from_numpy(degraded.images_NCHW))
    right_N = predicted_N == test.labels_N[degraded.content_N]
    accuracy = {
        f"accuracy_{each.name}": round(_share_of(right_N[degraded.set_N == index]), 4)
        for index, each in enumerate(suite.sets)
    }
    sets = {each.name: each.definition for each in degraded.suite.sets}
    return {
        "images": test.contents.source,
        "count": len(test.labels_N),
        **accuracy,
        "sets": sets,
    }


def _clean(test: ClassImages) -> Tensor:
    crops_NCHW = test.contents.crops_NHW3.transpose(0, 3, 1, 2)
    return torch.from_numpy(np.ascontiguousarray(crops_NCHW))


def _share_of(right_N: NDArray[np.bool_]) -> float:
    return float(np.mean(right_N))
