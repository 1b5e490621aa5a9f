"""The pinned parameters, and a message for each that cannot be."""

import dataclasses

import pytest

from srscope.errors import ParameterError, UnknownNameError
from srscope.projection.config import TsneConfig


def test_the_protocol_is_pinned():
    assert dataclasses.asdict(TsneConfig()) == {
        "dimensions": 2,
        "perplexity": 30.0,
        "learning_rate": 200.0,
        "iterations": 1000,
        "early_exaggeration": 12.0,
        "early_iterations": 250,
        "early_momentum": 0.5,
        "momentum": 0.8,
        "init": "random",
        "engine": "srscope",
    }


def test_it_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TsneConfig().perplexity = 5


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"dimensions": 4}, "tsne.dimensions must be 2 or 3, but is 4"),
        ({"dimensions": 1}, "tsne.dimensions must be 2 or 3, but is 1"),
        ({"perplexity": 0.5}, "tsne.perplexity must be a finite number of 1 or more, but is 0.5"),
        (
            {"perplexity": float("nan")},
            "tsne.perplexity must be a finite number of 1 or more, but is nan",
        ),
        (
            {"early_exaggeration": 0.9},
            "tsne.early_exaggeration must be a finite number of 1 or more, but is 0.9",
        ),
        ({"learning_rate": 0}, "tsne.learning_rate must be a finite number above 0, but is 0"),
        (
            {"learning_rate": float("inf")},
            "tsne.learning_rate must be a finite number above 0, but is inf",
        ),
        ({"iterations": 0}, "tsne.iterations must be 1 or more, but is 0"),
        (
            {"early_iterations": -1},
            "tsne.early_iterations must be between 0 and tsne.iterations (1000), but is -1",
        ),
        (
            {"iterations": 200},
            "tsne.early_iterations must be between 0 and tsne.iterations (200), but is 250",
        ),
        (
            {"early_momentum": 1.0},
            "tsne.early_momentum must be at least 0 and below 1, but is 1.0",
        ),
        ({"momentum": -0.1}, "tsne.momentum must be at least 0 and below 1, but is -0.1"),
        (
            {"engine": "scikit-learn", "momentum": 0.9},
            "tsne.momentum must be 0.8 with the scikit-learn engine, but is 0.9; leave it, or use "
            "the srscope engine",
        ),
        (
            {"engine": "scikit-learn", "early_iterations": 100},
            "tsne.early_iterations must be 250 with the scikit-learn engine, but is 100; leave "
            "it, or use the srscope engine",
        ),
    ],
)
def test_impossible_parameters_are_refused(parameters, message):
    with pytest.raises(ParameterError) as caught:
        TsneConfig(**parameters)
    assert str(caught.value) == message


def test_unknown_names_are_refused_with_near_matches():
    with pytest.raises(UnknownNameError, match=r"unknown t-SNE engine 'opentsne'.*'openTSNE'"):
        TsneConfig(engine="opentsne")
    with pytest.raises(UnknownNameError, match="unknown t-SNE init 'pca'; known: random"):
        TsneConfig(init="pca")
