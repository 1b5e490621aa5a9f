from __future__ import annotations

import dataclasses
import functools
import json
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from srscope.analyses.intervene.record import InterveneConfig, InterveneRecord
from srscope.analyses.intervene.run import intervene
from srscope.errors import (
    DegenerateError,
    NetworkError,
    ParameterError,
    UnknownNameError,
)
from srscope.features.edit import FeatureEdit
from srscope.features.edit_functions import add_offset, channel_statistics
from srscope.features.tap import FeatureTap
from srscope.scores.code import fit_code, matched_frames
from srscope.scores.effects import beyond_controls, resampled
from support.interventions import EACH, Gate, described, noisy_images, originals, suite_images
from support.networks import TinySRResNet, assert_no_hooks

QUICK = InterveneConfig(resamples=200, controlled=("move",))


@functools.cache
def of_gate(weight: float, config: InterveneConfig = QUICK) -> InterveneRecord:
    images, clean_MCHW = noisy_images()
    return intervene(described(Gate(weight), "code"), images, clean_MCHW, config=config)


def test_a_network_that_acts_on_a_code_is_found_to_use_it():
    record = of_gate(3.0)
    (layer,) = record.layers
    (noise,) = layer.sets
    assert (layer.layer, layer.directions, noise.name) == ("code", 1, "noise")
    assert noise.use.failed == ()
    assert noise.use.word == "uses it"
    assert noise.effect("move").psnr.low > 3
    assert noise.effect("move back").psnr.high < -1
    assert noise.effect("move").on_clean.high < -3
    assert len(noise.effect("move").controls_R) == 20


def test_a_code_without_outgoing_weight_has_no_effect_at_all():
    """It is decoded as well as the one above."""
    (noise,) = of_gate(0.0).layers[0].sets
    move = noise.effect("move")
    # The code is the strength, but for what the noise moves the image's own channels.
    assert abs(move.psnr.mean) < 0.02
    assert move.change < 1e-6
    assert noise.use.word == "no effect"
    decoded = {each.edit: each for each in noise.decoding}
    assert decoded["none"].means > 0.9


def test_effects_are_those_worked_out_by_hand():
    """A network that passes the image on, and a set whose channels are shifted."""
    clean_MCHW, shift_C = originals(), np.array([0.1, -0.05, 0.02], dtype=np.float32)
    images = suite_images({"shifted": clean_MCHW + shift_C[:, None, None], "clean": clean_MCHW})

    class Halves(nn.Module):
        def __init__(self):
            super().__init__()
            self.same = nn.Identity()

        def forward(self, x):
            return self.same(x) + 0.01

    config = dataclasses.replace(QUICK, alpha=0.5, shrinkage=0.25)
    record = intervene(described(Halves(), "same"), images, clean_MCHW, config=config)
    (shifted,) = record.layers[0].sets

    def mse(share: float) -> float:
        return float(np.square(share * shift_C + 0.01).mean())

    def db(share: float) -> float:
        return -10 * math.log10(mse(share) / mse(1))

    assert shifted.unedited == pytest.approx(-10 * math.log10(mse(1)), abs=1e-4)
    assert record.clean == pytest.approx(40, abs=1e-4)
    gains = {"move": 0.5, "move back": 1.5, "swap": 0, "swap mean and std": 0, "ceiling": 0}
    for edit, left in gains.items():
        effect = shifted.effect(edit)
        assert effect.psnr.mean == pytest.approx(db(left), abs=1e-3), edit
        assert effect.mse == pytest.approx(mse(1) - mse(left), abs=1e-6), edit
        assert effect.share == pytest.approx((mse(1) - mse(left)) / (mse(1) - mse(0)), abs=1e-3)
        assert effect.change == pytest.approx(np.square((1 - left) * shift_C).mean(), abs=1e-7)
    assert shifted.effect("move").on_clean.mean == pytest.approx(
        -10 * math.log10(mse(-0.5) / mse(0)), abs=1e-3
    )
    small = np.square(0.75 * (clean_MCHW + shift_C[:, None, None]) + 0.01 - clean_MCHW)
    expected = -10 * np.log10(small.mean(axis=(1, 2, 3)) / mse(1)).mean()
    assert shifted.effect("shrinkage").psnr.mean == pytest.approx(expected, abs=1e-3)


def test_the_ceiling_is_the_clean_output_where_nothing_passes_beside_the_layer():
    record = of_gate(3.0)
    (noise,) = record.layers[0].sets
    assert noise.effect("ceiling").psnr.mean == pytest.approx(record.clean - noise.unedited)
    assert noise.effect("ceiling").share == pytest.approx(1)


def test_taking_the_means_away_leaves_the_standard_deviations_telling():
    (noise,) = of_gate(3.0).layers[0].sets
    after = {each.edit: each for each in noise.decoding}
    assert after["none"].means > 0.9
    assert after["swap"].means < 0.75
    assert after["erase"].means < 0.75
    assert after["erase"].log_stds > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_an_untrained_network_is_never_said_to_use_a_code(scale):
    clean_MCHW = np.repeat(np.repeat(originals(), 4, axis=2), 4, axis=3)
    images, _ = noisy_images()
    words = []
    for seed in range(4):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            module = TinySRResNet(blocks=2)
        with torch.no_grad():
            for parameter in module.parameters():
                parameter *= scale
        network = described(module, "body.1", scale=4)
        (noise,) = intervene(network, images, clean_MCHW, config=QUICK).layers[0].sets
        words.append(noise.use.word)
    assert "uses it" not in words


def test_a_body_that_carries_the_noise_beside_a_skip_is_not_said_to_be_used():
    """Whatever weakens the body gains, the code's move too: shrinkage gains more."""

    class Body(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Identity()

        def forward(self, x):
            features = torch.cat([x - F.avg_pool2d(x, 3, 1, 1), x, x.square()], dim=1)
            rough = self.body(features)[:, :3]
            return 0.99 * x + 3 * rough

    images, clean_MCHW = noisy_images()
    (noise,) = intervene(described(Body(), "body"), images, clean_MCHW, config=QUICK).layers[0].sets
    assert noise.effect("shrinkage").psnr.low > 0.3
    assert noise.use.word != "uses it"


@pytest.mark.slow
def test_matched_directions_are_called_causal_in_at_most_one_trial_of_twenty():
    """One of 21 such directions takes the place of the code, in a small network, 200 times."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = nn.Sequential(
            nn.Conv2d(3, 12, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(12, 12, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(12, 3, 3, padding=1),
        )
    images, clean_MCHW = noisy_images()
    with FeatureTap(network, ["2"]) as tap:
        features = tap.run(torch.from_numpy(images.images_NCHW))["2"]
    code = fit_code(channel_statistics(features)[0].numpy(), images.set_N)
    noisy = torch.from_numpy(images.images_NCHW[images.set_N == 1][::EACH])
    target = torch.from_numpy(clean_MCHW[::EACH])
    length = np.linalg.norm(code.mean_KC[1] - code.mean_KC[0])

    def error_RP(outputs: torch.Tensor) -> np.ndarray:
        by_draw = outputs.reshape(-1, *target.shape)
        return (by_draw - target).double().square().mean(dim=(2, 3, 4)).numpy()

    with torch.no_grad():
        before_P = error_RP(network(noisy))[0]
    samples_BP = resampled(len(noisy), resamples=100, seed=0)
    strongest = called = 0
    trials = 200
    for trial in range(trials):
        frames_RC = matched_frames(code, draws=21, seed=trial)[:, 0] * length
        offsets = np.repeat(frames_RC, len(noisy), axis=0)
        with FeatureEdit(network, {"2": add_offset(offsets)}):
            after_RP = error_RP(network(noisy.repeat(21, 1, 1, 1)))
        gain_RP = 10 * np.log10(before_P / after_RP)
        strongest += gain_RP[0].mean() > gain_RP[1:].mean(axis=1).max()
        called += beyond_controls(gain_RP[0], gain_RP[1:], samples_BP).low > 0
    assert 0 < strongest < 0.08 * trials  # once in 21 is to be expected
    assert called <= 0.05 * trials


def test_controls_are_drawn_for_the_edits_that_ask_for_them():
    every = dataclasses.replace(QUICK, controlled=("move", "swap", "erase"), controls=3)
    (noise,) = of_gate(3.0, every).layers[0].sets
    for edit in ("move", "move back", "swap", "erase"):
        assert len(noise.effect(edit).controls_R) == 3
        assert noise.effect(edit).beyond_controls is not None
    (noise,) = of_gate(3.0, dataclasses.replace(QUICK, controls=3)).layers[0].sets
    assert noise.effect("swap").controls_R == ()
    assert noise.effect("swap").beyond_controls is None
    assert noise.use.failed == ("fewer than 19 controls were drawn",)


def test_the_seed_reaches_the_controls():
    few = dataclasses.replace(QUICK, controls=3)
    first, again, other = (
        of_gate.__wrapped__(3.0, dataclasses.replace(few, seed=seed))
        .layers[0]
        .sets[0]
        .effect("move")
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first.controls_R != other.controls_R
    assert first.psnr.mean == other.psnr.mean


def test_the_size_of_a_batch_hardly_matters():
    few = dataclasses.replace(QUICK, controls=2)
    whole = of_gate(3.0, few).layers[0].sets[0]
    parts = of_gate(3.0, dataclasses.replace(few, batch_size=3)).layers[0].sets[0]
    for one, other in zip(whole.effects, parts.effects, strict=True):
        assert one.psnr.mean == pytest.approx(other.psnr.mean, abs=1e-4)


def test_progress_ends_with_the_last_pass_and_the_network_is_left_alone():
    told, config = [], dataclasses.replace(QUICK, controls=2, controlled=("move", "erase"))
    images, clean_MCHW = noisy_images()
    network = described(Gate(3.0), "code")
    intervene(
        network, images, clean_MCHW, config=config, progress=lambda *where: told.append(where)
    )
    assert told[-1] == ("code, noise", 16, 16)
    assert [done for _, done, _ in told] == list(range(1, 17))
    assert_no_hooks(network.module)


def test_a_record_is_plain_values():
    told = json.loads(json.dumps(dataclasses.asdict(of_gate(3.0, QUICK))))
    assert told["layers"][0]["sets"][0]["effects"][0]["edit"] == "move"
    assert told["photographs"][0] == "photograph 00"
    assert told["contents"] == 20


def test_a_suite_without_the_clean_set_is_refused():
    with pytest.raises(UnknownNameError, match="unknown set 'cleen'; did you mean 'clean'"):
        of_gate(1.0, dataclasses.replace(QUICK, clean="cleen"))


def test_too_few_photographs_are_refused():
    images, clean_MCHW = noisy_images()
    alike = dataclasses.replace(images, photographs=("one",) * 10 + ("two",) * 10)
    with pytest.raises(ParameterError, match=r"photographs must be 3 or more.*give 8 or more"):
        intervene(described(Gate(1.0), "code"), alike, clean_MCHW, config=QUICK)


def test_sets_of_other_contents_are_refused():
    images, clean_MCHW = noisy_images()
    uncrossed = dataclasses.replace(images, content_N=np.arange(40))
    with pytest.raises(ParameterError, match="images must be every content once in every set"):
        intervene(described(Gate(1.0), "code"), uncrossed, clean_MCHW, config=QUICK)


def test_originals_must_be_one_a_content_and_of_the_outputs_shape():
    images, clean_MCHW = noisy_images()
    network = described(Gate(1.0), "code")
    with pytest.raises(ParameterError, match="originals_MCHW must be one for each of 20 contents"):
        intervene(network, images, clean_MCHW[:5], config=QUICK)
    with pytest.raises(NetworkError, match=r"puts out \(20, 3, 8, 8\) where the originals are"):
        intervene(network, images, clean_MCHW[..., :4], config=QUICK)


def test_a_network_that_restores_no_images_is_refused():
    images, clean_MCHW = noisy_images()
    head = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 2))
    with pytest.raises(NetworkError, match="puts out no image; edits are judged by restored"):
        intervene(described(head, "0"), images, clean_MCHW, config=QUICK)


def test_an_output_that_is_the_original_has_no_gain_in_db():
    images, clean_MCHW = noisy_images()
    same = nn.Sequential(nn.Identity())
    with pytest.raises(DegenerateError, match="an output is the original to the bit"):
        intervene(described(same, "0"), images, clean_MCHW, config=QUICK)
