"""Networks planted so that the truth is known get the verdict that is true of them.

Nobody can claim of a fixed filter, or of one drawn at random, that it has learnt anything; both
have a high CHI, which has fooled a verdict before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from srscope.analyses.separability import analyze
from srscope.projection.config import TsneConfig
from srscope.study.record import Study, Verdict

OPTIONS: dict[str, Any] = {
    "contents": 40,
    "patch": 16,
    "pca": 20,
    "runs": 1,
    "permutations": 9,
    "tsne": TsneConfig(perplexity=15, iterations=260),
    "untrained": False,
    "random": 0,
    "device": "cpu",
    "layers": ("body",),
}


def study_of(name: str, **options: Any) -> Study:
    return analyze(f"support.planted:{name}", **{**OPTIONS, **options})


def verdict_on(study: Study) -> Verdict:
    assert study.verdict is not None
    return study.verdict


@pytest.mark.parametrize("name", ["Laplacian", "RandomFilters"])
def test_untrained_filters_show_no_more_than_simple_statistics(name: str) -> None:
    study = study_of(name, patch=32, contents=40)
    verdict = verdict_on(study)
    assert verdict.separates == "yes"
    assert verdict.beyond_simple_statistics == "no"
    assert verdict.kind == "simple"
    assert "no more than a simple statistic of the images does" in verdict.headline
    if name == "Laplacian":  # its CHI alone would have been called separation
        assert study.layers[0].tsne.chi.mean > 20


def folders(path: Path, *, photographs: int = 40, side: int = 24) -> dict[str, str]:
    """Write two folders of alike pictures that differ by the parity of every red value alone."""
    random = np.random.default_rng(0)
    sets: dict[str, str] = {}
    for name, parity in (("even", 0), ("odd", 1)):
        (path / name).mkdir(parents=True)
        sets[name] = str(path / name)
        for number in range(photographs):
            coarse = random.integers(30, 220, (4, 4, 3), dtype=np.uint8)
            picture = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
            values = np.asarray(picture).astype(int) + random.integers(-4, 5, (side, side, 3))
            values[..., 0] = values[..., 0] // 2 * 2 + parity
            Image.fromarray(values.astype(np.uint8)).save(path / name / f"{name}-{number}.png")
    return sets


def test_what_simple_statistics_cannot_see_is_beyond_them(tmp_path: Path) -> None:
    study = study_of("Parity", sets=folders(tmp_path))
    verdict = verdict_on(study)
    assert (verdict.separates, verdict.beyond_simple_statistics) == ("yes", "yes")
    assert verdict.kind == "beyond"
    assert not verdict.masked_by_content
    controls = [each.best_probe for each in (study.pixels, *study.trivial)]
    assert all(each is not None and each.low < 0.5 for each in controls)


def test_features_that_do_not_depend_on_the_degradation_do_not_separate() -> None:
    study = study_of("NoiseAlone", suite="clean-blur-noise", contents=100)
    verdict = verdict_on(study)
    assert verdict.separates != "yes"
    assert verdict.kind in ("none", "undecided")
    assert verdict.beyond_simple_statistics != "yes"
    assert not verdict.masked_by_content
