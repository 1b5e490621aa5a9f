"""Training a classifier: it learns, resumes to the same bits, and is measured fairly."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from srscope.errors import ParameterError
from srscope.images.cifar10 import ClassImages
from srscope.images.digits import CLASSES
from srscope.images.record import Contents
from srscope.networks.architectures.resnet import ResNet18
from srscope.networks.architectures.unified import UnifiedClassifier
from srscope.networks.description import weights_sha256
from srscope.networks.zoo import load_network
from srscope.training import labelled
from srscope.training.classification import (
    ClassificationRecipe,
    ClassifierConfig,
    SGDConfig,
    accuracy_facts,
    predict,
)
from srscope.training.export import export
from srscope.training.labelled import ClassDataConfig
from srscope.training.loop import Trained, train
from srscope.training.recipes import load_recipe
from support.pictures import make_photos
from support.tiny import photographs

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClassificationRecipe:
    few = labelled.digits_test(per_class=2, photos=make_photos(("a.png", 140, 180)))
    monkeypatch.setattr(labelled, "digits_test", lambda: few)
    return ClassificationRecipe(
        name="tiny",
        # 8 or more: of fewer, strided 1x1 convolutions hang or go wrong in training where a
        # processor has AVX2 only (oneDNN issue 6035).
        network=ClassifierConfig(channels=8),
        data=ClassDataConfig(folder=str(photographs(tmp_path / "in")), batch_size=8),
        optimizer=SGDConfig(learning_rate=0.05, warm_up=2),
        iterations=8,
        log_every=2,
        validate_every=4,
        checkpoint_every=3,
        accelerator="cpu",
    )


def equal(first: Trained, second: Trained) -> bool:
    a, b = first.network.state_dict(), second.network.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_a_run_is_reproducible_and_logs_loss_and_accuracy(
    recipe: ClassificationRecipe, tmp_path: Path
) -> None:
    seen: list[dict[str, float]] = []
    first = train(recipe, out=tmp_path / "1", report=lambda _, numbers: seen.append(numbers))
    assert equal(first, train(recipe, out=tmp_path / "2"))
    assert not equal(first, train(dataclasses.replace(recipe, seed=1), out=tmp_path / "3"))
    assert {"loss", "accuracy", "learning_rate"} <= seen[0].keys()
    assert "validation_accuracy" in seen[1]
    assert not first.network.training


def test_a_stopped_run_resumes_to_the_same_bits(
    recipe: ClassificationRecipe, tmp_path: Path
) -> None:
    def stop(done: int, _: dict[str, float]) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(recipe, out=tmp_path / "1", report=stop)
    resumed = train(recipe, out=tmp_path / "1", resume=True)
    assert equal(resumed, train(recipe, out=tmp_path / "2"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["resnet18", "unified-classifier"])
def test_it_learns(recipe: ClassificationRecipe, tmp_path: Path, kind: str) -> None:
    losses: list[float] = []
    recipe = dataclasses.replace(
        recipe,
        network=ClassifierConfig(kind=kind, channels=8, blocks=1, reduction=4),
        data=dataclasses.replace(recipe.data, batch_size=32),
        optimizer=SGDConfig(warm_up=2),
        iterations=80,
        log_every=20,
        validate_every=0,
    )
    train(recipe, out=tmp_path / kind, report=lambda _, n: losses.append(n["loss"]))
    assert losses[-1] < losses[0] - 0.2


def test_facts_tell_data_and_accuracy(recipe: ClassificationRecipe, tmp_path: Path) -> None:
    facts = train(dataclasses.replace(recipe, iterations=3), out=tmp_path / "1").facts()
    assert facts["data"]["digits"] == 770
    assert facts["data"]["photographs"] == 2
    assert len(facts["data"]["sha256"]) == 64
    quality = facts["quality"]
    assert quality["count"] == 20
    for name in ("clean", "blur", "noise"):
        assert 0 <= quality[f"accuracy_{name}"] <= 1


def test_exported_weights_load_and_their_card_tells_the_accuracy(
    recipe: ClassificationRecipe, tmp_path: Path
) -> None:
    trained = train(dataclasses.replace(recipe, iterations=3, export="float16"), out=tmp_path / "1")
    path = export(trained, tmp_path / "out")
    loaded = load_network(str(path))
    assert isinstance(loaded.module, ResNet18)
    assert loaded.sha256 == weights_sha256(trained.network)
    assert loaded.default_layers == ("conv1", "conv2.1", "conv3.1", "conv4.1", "conv5.1")
    text = path.with_suffix(".md").read_text("utf-8")
    assert "770 digits" in text
    assert "accuracy, clean, blur, noise" in text
    assert "20 test images" in text


class Brightest(nn.Module):
    """Takes the mean grey level for the class, 0.05 is class 0, 0.15 class 1, ..."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, x_NCHW: Tensor) -> Tensor:
        assert not self.training
        level_N = x_NCHW.mean((1, 2, 3)) * self.weight
        return -(level_N[:, None] - (torch.arange(10) + 0.5) / 10).abs()


def grey_images(labels: list[int]) -> ClassImages:
    levels = np.rint((np.array(labels) + 0.5) * 25.5).astype(np.float32) / np.float32(255)
    crops_NHW3 = np.broadcast_to(levels[:, None, None, None], (len(labels), 32, 32, 3)).copy()
    contents = Contents(
        crops_NHW3=crops_NHW3,
        names=tuple(f"{n}" for n in range(len(labels))),
        photographs=("grey",) * len(labels),
        source="grey",
        skipped=(),
        margin=0,
        requested=len(labels),
    )
    return ClassImages(
        contents=contents, labels_N=np.array(labels, dtype=np.int64), classes=CLASSES
    )


def test_accuracy_is_counted_set_by_set() -> None:
    images = grey_images([2, 3, 4, 5, 6, 7])
    facts = accuracy_facts(Brightest(), images)
    assert facts["accuracy_clean"] == facts["accuracy_blur"] == facts["accuracy_noise"] == 1
    assert facts["count"] == 6
    assert set(facts["sets"]) == {"clean", "blur", "noise"}
    assert "sigma" in facts["sets"]["noise"]
    wrong = dataclasses.replace(images, labels_N=np.array([2, 3, 4, 9, 9, 9]))
    assert accuracy_facts(Brightest(), wrong)["accuracy_blur"] == 0.5


def test_predicting_leaves_the_mode_and_does_not_depend_on_the_batch() -> None:
    network = Brightest().train()
    images_NCHW = torch.rand(7, 3, 4, 4)
    whole_N = predict(network, images_NCHW)
    assert network.training
    np.testing.assert_array_equal(predict(network.eval(), images_NCHW, batch=2), whole_N)
    assert not network.training


def test_the_rate_rises_linearly_then_falls_along_a_cosine_to_zero() -> None:
    config = SGDConfig(learning_rate=0.2, warm_up=3)
    optimizer = config.optimizer([nn.Parameter(torch.zeros(1))])
    schedule = config.schedule(optimizer, 11)
    rates: list[float] = []
    for _ in range(12):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert rates[:4] == pytest.approx([0.05, 0.1, 0.15, 0.2])
    assert rates[7] == pytest.approx(0.1)
    assert rates[11] == pytest.approx(0)
    assert optimizer.defaults["weight_decay"] == 5e-4
    assert optimizer.defaults["nesterov"]


def test_each_kind_builds_its_network() -> None:
    assert isinstance(ClassifierConfig(channels=4).build(), ResNet18)
    unified = ClassifierConfig(kind="unified-classifier", channels=4, blocks=1, reduction=2).build()
    assert isinstance(unified, UnifiedClassifier)
    assert unified.config.blocks == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": {"learning_rate": 0.0}}, r"optimizer\.learning_rate must be a finite"),
        ({"optimizer": {"momentum": 1.0}}, r"optimizer\.momentum must be in \[0, 1\), but is 1"),
        ({"optimizer": {"weight_decay": -1.0}}, r"optimizer\.weight_decay must be 0 or more"),
        ({"optimizer": {"momentum": 0.0}}, r"optimizer\.nesterov must be false without momentum"),
        ({"optimizer": {"warm_up": -1}}, r"optimizer\.warm_up must be 0 \(none\) or more"),
        ({"optimizer": {"warm_up": 9}, "iterations": 9}, r"optimizer\.warm_up must be under the 9"),
        ({"network": {"classes": 7}}, r"network\.classes must be 10, as the data has, but is 7"),
        ({"network": {"channels": 0}}, "channels must be at least 1, but is 0"),
        ({"devices": 3}, r"data\.batch_size must be a multiple of devices x num_nodes = 3"),
    ],
)
def test_mistakes_are_named(changes: dict[str, object], message: str) -> None:
    kinds = {"optimizer": SGDConfig, "network": ClassifierConfig}
    with pytest.raises(ParameterError, match=message):
        ClassificationRecipe(
            name="x", **{k: kinds[k](**v) if k in kinds else v for k, v in changes.items()}
        )


@pytest.mark.parametrize("budget", ["small", "paper"])
@pytest.mark.parametrize("name", ["resnet18", "unified-classifier"])
def test_shipped_recipes_name_their_network(budget: str, name: str) -> None:
    recipe = load_recipe(RECIPES / budget / f"{name}.yaml")
    assert isinstance(recipe, ClassificationRecipe)
    assert recipe.network.kind == name
    assert recipe.data.source == ("cifar10" if budget == "paper" else "digits")


def test_paper_recipes_have_the_paper_numbers_and_200_passes() -> None:
    for name in ("resnet18", "unified-classifier"):
        recipe = load_recipe(RECIPES / "paper" / f"{name}.yaml")
        assert isinstance(recipe, ClassificationRecipe)
        assert (recipe.optimizer.learning_rate, recipe.optimizer.weight_decay) == (0.1, 5e-4)
        assert recipe.iterations * recipe.data.batch_size == 200 * 50_000


def test_unified_sr_recipes_are_those_of_srresnet_but_for_the_network() -> None:
    pairs = {
        "paper/unified-sr": "paper/srresnet-wgr",
        "small/unified-sr-stage1": "small/srresnet-wgr-stage1",
        "small/unified-sr": "small/srresnet-wgr",
    }
    for name, twin in pairs.items():
        mine = load_recipe(RECIPES / f"{name}.yaml", ["--network.reduction=4"])
        other = load_recipe(RECIPES / f"{twin}.yaml")
        assert mine.network.reduction == 4
        assert mine.network.global_residual
        assert (mine.data, mine.optimizer) == (other.data, other.optimizer)
        assert (mine.iterations, mine.seed) == (other.iterations, other.seed)
