"""What networks are fed: contents, suites and folders."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from srscope.errors import ParameterError
from srscope.networks.description import LoadedNetwork, fitted_side
from srscope.study.config import AnalysisConfig
from srscope.study.inputs import (
    MARGIN,
    degraded_images,
    fed_by_kind,
    kind_of,
    original_contents,
    suite_of,
    suite_of_folders,
)
from support.tiny import photographs


@dataclasses.dataclass(frozen=True)
class Sized:
    """A network as far as its size is concerned."""

    scale: int = 4
    multiple: int = 1

    def fitted(self, side: int) -> int:
        return fitted_side(side, smallest=1, multiple=self.multiple)


def config_of(images: str, **options: Any) -> AnalysisConfig:
    return AnalysisConfig(images=images, contents=6, patch=16, **options)


def folders(tmp_path: Path) -> dict[str, str]:
    return {
        name: str(photographs(tmp_path / name, count=3, size=(48, 40)))
        for name in ("film", "phone")
    }


def test_scale_and_patch_decide_which_images_a_network_is_fed() -> None:
    config = AnalysisConfig(patch=20)
    for network, kind in ((Sized(), (4, 20)), (Sized(scale=2, multiple=8), (2, 24))):
        assert kind_of(cast(LoadedNetwork, network), config) == kind


def test_the_config_overrides_the_suite() -> None:
    plain = suite_of(AnalysisConfig())
    assert (plain.name, plain.blur_applied_to, plain.quantized) == ("clean-blur-noise", "lr", True)
    other = suite_of(AnalysisConfig(blur_applied_to="hr", quantized=False))
    assert (other.blur_applied_to, other.quantized) == ("hr", False)
    assert other.sets == plain.sets


def test_every_content_is_in_every_set_with_its_photograph(images: str) -> None:
    fed = fed_by_kind({(4, 16)}, config_of(images))[(4, 16)]
    assert fed.contents is not None
    assert fed.images.images_NCHW.shape == (18, 3, 16, 16)
    for k in range(3):
        assert fed.images.content_N[fed.images.set_N == k].tolist() == list(range(6))
    assert [name.rpartition("#")[0] for name in fed.images.contents] == list(fed.images.photographs)
    assert set(fed.images.photographs) == {"photo-0.png", "photo-1.png"}
    side = (16 + 2 * MARGIN) * 4
    contents = original_contents((4, 16), config_of(images))
    assert contents is not None
    assert contents.names == fed.contents.names
    assert contents.crops_NHW3.shape == (6, side, side, 3)


def test_the_seed_draws_noise_anew_and_nothing_else(images: str) -> None:
    made = []
    for seed in (0, 0, 1):
        config = config_of(images, seed=seed)
        contents = original_contents((4, 16), config)
        made.append(degraded_images(contents, (4, 16), config))
    np.testing.assert_array_equal(made[0].images_NCHW, made[1].images_NCHW)
    clean = made[0].set_N == 0
    np.testing.assert_array_equal(made[0].images_NCHW[clean], made[2].images_NCHW[clean])
    noise = made[0].set_N == 2
    assert not np.array_equal(made[0].images_NCHW[noise], made[2].images_NCHW[noise])


def test_networks_of_several_kinds_are_fed_as_many_contents(images: str) -> None:
    config = dataclasses.replace(config_of(images), contents=40)
    alone = {kind: fed_by_kind({kind}, config)[kind] for kind in ((1, 16), (4, 16))}
    counts = {kind: len(fed.images.contents) for kind, fed in alone.items()}
    assert counts[1, 16] > counts[4, 16]
    both = fed_by_kind({(1, 16), (4, 16)}, config)
    assert {len(fed.images.contents) for fed in both.values()} == {min(counts.values())}


def test_folders_are_taken_as_they_are(tmp_path: Path) -> None:
    config = AnalysisConfig(sets=folders(tmp_path), contents=5, patch=16)
    assert original_contents((4, 16), config) is None
    fed = fed_by_kind({(4, 16)}, config)[(4, 16)]
    assert fed.contents is None
    assert not fed.images.suite.crossed
    suite = suite_of_folders(config)
    assert (suite.name, [each.name for each in suite.sets]) == ("film-phone", ["film", "phone"])


@pytest.mark.parametrize("inner", ["", "inside"])
def test_an_image_cannot_be_in_two_sets(tmp_path: Path, inner: str) -> None:
    outer = photographs(tmp_path / "outer")
    sets = {"a": str(outer), "b": str(outer / inner)}
    with pytest.raises(ParameterError, match="sets a and b must be different folders"):
        suite_of_folders(AnalysisConfig(sets=sets))
    beside = {"a": str(outer), "b": f"{outer}-two"}  # a longer name is no folder inside
    assert len(suite_of_folders(AnalysisConfig(sets=beside)).sets) == 2
