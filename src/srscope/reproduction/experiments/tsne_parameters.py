"""Supplement, section 5: the parameters of t-SNE, and its seed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from srscope.figures.panels import panel_grid
from srscope.figures.save import save_figure
from srscope.projection.config import TsneConfig
from srscope.reproduction.conditions import TSNE_VARIANTS
from srscope.reproduction.evidence import DEEPEST, chi_key
from srscope.reproduction.experiment import Experiment
from srscope.reproduction.lab import Lab
from srscope.reproduction.present import NAMES, OWN_COLUMNS, Measured, measure, own_cells, panel
from srscope.reproduction.records import Cell, Finding, Table

NETWORK = "srgan-wgr"
OTHER_SEEDS = 1000
"""Added to the lab's seed: no run of ``seeds`` starts where one of the others does."""


def variant_of(plain: TsneConfig, name: str) -> tuple[TsneConfig, str]:
    """Return the parameters of a variant and how it is written.

    Raises:
        AssertionError: If the claims name a variant that is not made here.
    """
    for prefix, field in (("perplexity", "perplexity"), ("learning-rate", "learning_rate")):
        if name.startswith(prefix):
            value = float(name.removeprefix(prefix))
            return dataclasses.replace(
                plain, **{field: value}
            ), f"{prefix.replace('-', ' ')} {value:g}"
    assert name == "seeds", name
    return plain, "other seeds"


def run(lab: Lab, folder: Path) -> Finding:
    """Map SRGAN-wGR's last block with one parameter changed at a time."""
    layer = lab.layers(NETWORK, (DEEPEST,), lab.spec())[0]
    plain = lab.tsne
    usual = f"perplexity {plain.perplexity:g}, learning rate {plain.learning_rate:g}"
    found: dict[str, tuple[TsneConfig, str, int, Measured]] = {
        "": (plain, usual, lab.config.seed, measure(lab, [layer])[0])
    }
    for name in TSNE_VARIANTS:
        config, title = variant_of(plain, name)
        seed = lab.config.seed + (OTHER_SEEDS if name == "seeds" else 0)
        found[name] = (config, title, seed, measure(lab, [layer], tsne=config, seed=seed)[0])
    figure = panel_grid(
        [panel(m, title) for _, title, _, m in found.values()],
        columns=3,
        colour_names=[s.name for s in layer.images.suite.sets],
    )
    save_figure(figure, folder / "tsne-parameters")
    rows: list[tuple[Cell, ...]] = [
        (NETWORK, DEEPEST, config.perplexity, config.learning_rate, seed,
         float(m.maps.kl_R.mean()), *own_cells(m))
        for config, _, seed, m in found.values()
    ]  # fmt: skip
    return Finding(
        figures=("tsne-parameters",),
        tables=(
            Table(
                name="tsne-parameters",
                title=f"{NAMES[NETWORK]} at {DEEPEST} by t-SNE's parameters (the paper states "
                "that they hardly matter, and gives no numbers)",
                columns=(
                    "network", "layer", "perplexity", "learning rate", "first seed",
                    "KL divergence", *OWN_COLUMNS,
                ),
                rows=tuple(rows),
            ),
        ),
        evidence={
            chi_key(NETWORK, DEEPEST, variant=name): m.chi for name, (_, _, _, m) in found.items()
        },
    )  # fmt: skip


EXPERIMENT = Experiment(
    id="tsne-parameters",
    title="Parameters and seed of t-SNE",
    where="supplement section 5",
    networks=(NETWORK,),
    measure=run,
)
