from __future__ import annotations

import numpy as np
import pytest

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.code import (
    DegradationCode,
    control_offsets,
    erase_offsets,
    fit_code,
    matched_frames,
    move_offset,
    swap_offsets,
)

CHANNELS, CONTENTS = 12, 40
SET_N = np.repeat([0, 1, 2], CONTENTS)


def planted(*, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Channel means: content in correlated directions, plus one shift a set; and the shifts."""
    rng = np.random.default_rng(seed)
    mixing_CC = rng.standard_normal((CHANNELS, CHANNELS)) * np.geomspace(1, 0.05, CHANNELS)[:, None]
    content_MC = rng.standard_normal((CONTENTS, CHANNELS)) @ mixing_CC
    shift_KC = np.vstack([np.zeros(CHANNELS), rng.standard_normal((2, CHANNELS))])
    return np.tile(content_MC, (3, 1)) + shift_KC[SET_N], shift_KC


def fitted() -> tuple[np.ndarray, np.ndarray, DegradationCode]:
    means_NC, shift_KC = planted()
    return means_NC, shift_KC, fit_code(means_NC, SET_N)


def test_planted_shifts_are_found_exactly_where_the_sets_share_contents():
    _, shift_KC, code = fitted()
    assert code.basis_DC.shape == (2, CHANNELS)
    np.testing.assert_allclose(code.basis_DC @ code.basis_DC.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(code.project(shift_KC), shift_KC, atol=1e-12)
    np.testing.assert_allclose(code.mean_KC - code.mean_KC[0], shift_KC, atol=1e-12)


def test_sets_on_one_line_have_one_direction():
    means_NC, shift_KC = planted()
    means_NC[SET_N == 2] += 2 * shift_KC[1] - shift_KC[2]
    assert fit_code(means_NC, SET_N).basis_DC.shape == (1, CHANNELS)


def test_moving_the_whole_way_brings_one_set_to_the_other():
    means_NC, _, code = fitted()
    moved_MC = means_NC[SET_N == 2] + move_offset(code, source=2, target=0)
    np.testing.assert_allclose(moved_MC, means_NC[SET_N == 0], atol=1e-12)
    back = move_offset(code, source=2, target=0, alpha=-0.5)
    np.testing.assert_allclose(back, 0.5 * (code.mean_KC[2] - code.mean_KC[0]))


def test_erasing_gives_all_one_code_and_leaves_the_rest():
    means_NC, _, code = fitted()
    offsets_NC = erase_offsets(code, means_NC)
    found_ND = (means_NC + offsets_NC) @ code.basis_DC.T
    np.testing.assert_allclose(found_ND, np.tile(code.centre_C @ code.basis_DC.T, (120, 1)))
    np.testing.assert_allclose(code.project(offsets_NC), offsets_NC, atol=1e-12)


def test_swapping_takes_over_the_code_and_nothing_else():
    means_NC, _, code = fitted()
    clean_MC = means_NC[SET_N == 0]
    degraded_MC = means_NC[SET_N == 1] + np.random.default_rng(1).standard_normal(CHANNELS)
    swapped_MC = degraded_MC + swap_offsets(code, degraded_MC, clean_MC)
    np.testing.assert_allclose(swapped_MC @ code.basis_DC.T, clean_MC @ code.basis_DC.T)
    beside_MC = swapped_MC - degraded_MC - code.project(swapped_MC - degraded_MC)
    np.testing.assert_allclose(beside_MC, 0, atol=1e-12)


def test_controls_are_orthogonal_to_the_code_and_of_equal_norm_image_by_image():
    means_NC, _, code = fitted()
    frames_RDC = matched_frames(code, draws=20, seed=4)
    assert frames_RDC.shape == (20, 2, CHANNELS)
    offsets_NC = erase_offsets(code, means_NC)
    for frame_DC in frames_RDC:
        np.testing.assert_allclose(frame_DC @ code.basis_DC.T, 0, atol=1e-9)
        np.testing.assert_allclose(frame_DC @ frame_DC.T, np.eye(2), atol=1e-12)
        control_NC = control_offsets(code, offsets_NC, frame_DC)
        np.testing.assert_allclose(
            np.linalg.norm(control_NC, axis=1), np.linalg.norm(offsets_NC, axis=1)
        )


def test_controls_have_the_covariance_of_the_clean_set_beside_the_code():
    """In one direction and before all are made equally long, so by their mean outer product."""
    means_NC, _, _ = fitted()
    two = SET_N < 2
    code = fit_code(means_NC[two], SET_N[two])
    frames_RC = matched_frames(code, draws=20_000, seed=0)[:, 0]
    beside_MC = means_NC[SET_N == 0] - means_NC[SET_N == 0].mean(axis=0)
    beside_MC = beside_MC - code.project(beside_MC)
    value_C, vector_CC = np.linalg.eigh(np.cov(beside_MC, rowvar=False))
    found_C = ((frames_RC @ vector_CC) ** 2).mean(axis=0)
    order = np.argsort(value_C)
    assert (np.diff(found_C[order]) > -2e-3).all()  # as often as the clean set varies there
    assert found_C[order][-1] > 4 / CHANNELS  # and far from alike in all directions
    # Independent reference: scale Gaussian draws of that covariance to length 1.
    drawn_RC = np.random.default_rng(1).multivariate_normal(
        np.zeros(CHANNELS), np.cov(beside_MC, rowvar=False), size=20_000
    )
    drawn_RC /= np.linalg.norm(drawn_RC, axis=1, keepdims=True)
    np.testing.assert_allclose(found_C, ((drawn_RC @ vector_CC) ** 2).mean(axis=0), atol=0.02)


def test_a_draw_is_nearly_one_direction_over_the_folds_of_a_cross_fit():
    """Else its effects would average out over photographs, and the code's would not."""
    means_NC, _, _ = fitted()
    content_N = np.tile(np.arange(CONTENTS), 3)
    frames = [
        matched_frames(
            fit_code(means_NC[content_N // 4 != fold], SET_N[content_N // 4 != fold]),
            draws=5,
            seed=0,
        )
        for fold in range(10)
    ]
    cosine = np.einsum("rdc,rdc->rd", frames[0], frames[1])
    assert cosine.min() > 0.9


def test_the_seed_decides_the_controls():
    _, _, code = fitted()
    first, again = (matched_frames(code, draws=2, seed=1) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, matched_frames(code, draws=2, seed=2))


def test_sets_without_a_difference_have_no_code():
    means_NC, _ = planted()
    alike_NC = np.tile(means_NC[:CONTENTS], (3, 1))
    rounded_NC = alike_NC * (1 + 1e-8 * np.random.default_rng(0).standard_normal(alike_NC.shape))
    for same_NC in (alike_NC, rounded_NC):
        with pytest.raises(DegenerateError, match=r"code of ResBlock1 .*same channel means"):
            fit_code(same_NC, SET_N, name="ResBlock1")


def test_a_mean_that_is_not_finite_is_refused():
    means_NC, _ = planted()
    means_NC[3, 3] = np.nan
    with pytest.raises(DegenerateError, match="a channel mean is not finite"):
        fit_code(means_NC, SET_N)


def test_too_few_directions_for_a_control_are_told():
    code = fit_code(np.array([[0.0, 1.0], [0.0, 1.0], [2.0, 1.0]]), np.array([0, 0, 1]))
    with pytest.raises(DegenerateError, match="too few directions beside the code; give more ph"):
        matched_frames(code, seed=0)


@pytest.mark.parametrize(
    ("set_N", "clean"), [([0, 0, 0], 0), ([0, 0, 2], 0), ([0, 1, 1], 0), ([0, 0, 1], 2)]
)
def test_sets_must_be_two_or_more_with_two_clean_images(set_N, clean):
    with pytest.raises(ParameterError, match="set_N must be numbers from 0 of two or more sets"):
        fit_code(np.eye(3), np.array(set_N), clean=clean)


def test_shapes_must_fit():
    with pytest.raises(ParameterError, match="means_NC must be one row an image"):
        fit_code(np.eye(3), np.array([0, 1]))


@pytest.mark.parametrize(("parameter", "value"), [("draws", 0), ("seed", -1)])
def test_draws_and_seed_must_be_in_range(parameter, value):
    _, _, code = fitted()
    with pytest.raises(ParameterError, match=f"{parameter} must be"):
        matched_frames(code, **{"seed": 0, parameter: value})
