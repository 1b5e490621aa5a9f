from __future__ import annotations

import dataclasses
from pathlib import Path

from matplotlib.figure import Figure

from srscope.analyses.comparison.figures import chi_over_depth, figures, variance_over_depth
from srscope.figures.save import save_each
from support import several, studies


def texts(figure: Figure) -> set[str]:
    legends = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return {*legends, *(axes.get_title() for axes in figure.axes)}


def test_every_network_has_a_curve_over_depth() -> None:
    made = several.comparison()
    figure = chi_over_depth(made)
    assert texts(figure) >= {"srgan-wgr", "net_x2", "resnet18", "untrained"}
    lines = {container.get_label(): container for container in figure.axes[0].containers}
    x, y = lines["net_x2"].lines[0].get_data()
    assert list(x) == [0, 0.25, 0.5, 0.75, 1]
    assert list(y) == [layer.tsne.chi.mean for layer in made.entries[1].study.layers]
    without = tuple(
        dataclasses.replace(e, study=dataclasses.replace(e.study, untrained=()))
        for e in made.entries
    )
    assert "untrained" not in texts(chi_over_depth(dataclasses.replace(made, entries=without)))


def test_figures_are_written_and_the_split_only_where_there_is_one(tmp_path: Path) -> None:
    made = several.comparison(names=("a" * 90 + "1", "a" * 90 + "2", "$x_1$"))
    written = save_each(figures(made), tmp_path)
    assert len(written) == 6
    assert all(path.stat().st_size > 1000 for path in written)
    study = studies.make(contents=6, crossed=False, layers=1)
    entries = tuple(dataclasses.replace(entry, study=study) for entry in made.entries)
    assert variance_over_depth(dataclasses.replace(made, entries=entries)) is None
