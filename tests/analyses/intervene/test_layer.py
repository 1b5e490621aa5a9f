from __future__ import annotations

import numpy as np
from torch import nn

from srscope.analyses.intervene.layer import EditedLayer, by_photograph
from srscope.analyses.intervene.passes import Passes
from srscope.analyses.intervene.record import InterveneConfig
from support.interventions import EACH, PHOTOGRAPHS, described, noisy_images, suite_images

PHOTOGRAPH_M = np.arange(PHOTOGRAPHS * EACH) // EACH


class Shows(nn.Module):
    """Shows the image in its layer, and puts out another."""

    def __init__(self) -> None:
        super().__init__()
        self.same = nn.Identity()

    def forward(self, x):
        return 0.9 * self.same(x)


def layer_of(changed: slice = slice(0)) -> EditedLayer:
    """Return the layer of noisy images, of which some are changed by much."""
    images, clean_MCHW = noisy_images()
    noisy_MCHW = images.images_NCHW[len(clean_MCHW) :].copy()
    noisy_MCHW += np.array([0.02, 0.0, 0.0], dtype=np.float32)[:, None, None]
    noisy_MCHW[changed] += np.array([0.0, 0.3, 0.0], dtype=np.float32)[:, None, None]
    network = described(Shows(), "same", channels=3)
    passes = Passes(
        network,
        suite_images({"clean": clean_MCHW, "noise": noisy_MCHW}),
        clean_MCHW,
        batch_size=7,
        device="cpu",
    )
    return EditedLayer.fitted(
        passes, network.taps[0], PHOTOGRAPH_M, 0, InterveneConfig(controls=4, resamples=100)
    )


def test_the_code_that_edits_a_photograph_was_not_fitted_on_it():
    plain, changed = layer_of(), layer_of(slice(0, EACH))  # photograph 0
    for edit in ("move", "move back"):
        before_MC, after_MC = (each.cross_fitted(edit, 1, 1) for each in (plain, changed))
        np.testing.assert_array_equal(before_MC[:EACH], after_MC[:EACH])
        assert np.abs(before_MC[EACH:] - after_MC[EACH:]).min(axis=0).max() > 0.01
    np.testing.assert_array_equal(plain.frames_P[0], changed.frames_P[0])


def test_a_control_is_as_long_as_its_edit_and_beside_its_code():
    layer = layer_of()
    for edit in ("move", "swap", "erase"):
        offsets_MC = layer.cross_fitted(edit, 1, 1)
        for draw in range(4):
            control_MC = layer.control(edit, 1, draw)
            np.testing.assert_allclose(
                np.linalg.norm(control_MC, axis=1), np.linalg.norm(offsets_MC, axis=1)
            )
            for out, code in enumerate(layer.code_P):
                beside = control_MC[out == PHOTOGRAPH_M] @ code.basis_DC.T
                np.testing.assert_allclose(beside, 0, atol=1e-9)


def test_a_draw_is_one_direction_for_all_photographs():
    frames_PRDC = np.stack(layer_of().frames_P)
    cosine = np.einsum("prdc,rdc->prd", frames_PRDC, frames_PRDC[0])
    assert cosine.min() > 0.98


def test_moving_back_is_the_opposite_of_moving():
    layer = layer_of()
    np.testing.assert_array_equal(
        layer.cross_fitted("move back", 1, 1), -layer.cross_fitted("move", 1, 1)
    )


def test_photographs_count_alike_whatever_their_contents():
    assert by_photograph(np.array([1.0, 1, 1, 5]), np.array([0, 0, 0, 1])).mean() == 3
