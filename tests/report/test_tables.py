from __future__ import annotations

import dataclasses
import html
import re
from typing import Any

import pytest

from srscope.report import tables
from srscope.report.markup import text
from srscope.scores.table import Score, scores
from srscope.study import words
from srscope.study.record import Study
from srscope.study.verdict import probe_text
from support import studies


def rows(markup: str) -> list[list[str]]:
    """Return the text of the cells of every row of the body."""
    body = markup.partition("<tbody>")[2]
    return [
        [re.sub(r"<[^>]*>", "", c) for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body)
    ]


PROBES = (
    "probe", "probe_channel_means", "probe_channel_log_std", "best_probe", "knn_photographs",
)  # fmt: skip


def cells_of(record: Study, row: int) -> dict[str, str]:
    """Return a row of the table of all columns, by the scores' keys."""
    _, *cells = rows(tables.score_table(record, all_columns=True))[row]
    return dict(zip((score.key for score in scores()), cells, strict=True))


def score_named(key: str) -> Score:
    return next(each for each in scores() if each.key == key)


def test_a_row_holds_every_score_of_its_layer() -> None:
    record = studies.make()
    entry = record.layers[-1]
    split = entry.variance
    assert split is not None
    assert split.components is not None
    parts = split.components
    shares = (
        split.degradation, split.content, split.interaction, parts.degradation, parts.content,
    )  # fmt: skip
    probes = (
        entry.probe, entry.probe_channel_means, entry.probe_channel_log_std,
        entry.probe_channel_means, entry.knn_photographs,
    )  # fmt: skip
    assert probe_text(probes[0]) != probe_text(probes[1])
    accuracy = entry.feature_space.knn_accuracy
    assert accuracy is not None
    row = rows(tables.score_table(record, all_columns=True))[4]
    space, thin = "\N{NO-BREAK SPACE}", "\N{THIN SPACE}"
    wd, bd = (f"{s.mean:,.0f}".replace(",", thin) for s in (entry.tsne.wd, entry.tsne.bd))
    assert row == [
        f"ResBlock16body.15 · 64{space}×{space}32{space}×{space}32",
        f"{entry.tsne.chi.mean:.0f} ± {entry.tsne.chi.std:.0f}",
        "+++",
        words.score_text(score_named("chi_known"), entry),
        "0.90",
        "0.85",
        wd,
        bd,
        f"{entry.feature_space.chi:.1f}",
        f"{entry.feature_space.silhouette:.2f}",
        f"{100 * accuracy:.0f}{space}%",
        "0.001",
        *(probe_text(probe) for probe in probes),
        *(f"{100 * share:.0f}{space}%" for share in shares),
    ]


def heads_of(table: str) -> list[str]:
    found = re.findall(r'<th scope="row(?:group)?"[^>]*>(?:<span>)?([^<]*)', table)
    return [html.unescape(name) for name in found]


def test_layers_come_first_then_every_control() -> None:
    record = studies.make(layers=2)
    assert heads_of(tables.score_table(record, all_columns=True)) == [
        "Network",
        "Conv1",
        "ResBlock1",
        "Control: raw pixels of the same images",
        "raw pixels",
        "Control: simple statistics of the same images",
        *(each.label for each in record.trivial),
        "Control: the same architecture, untrained",
        "Conv1",
        "ResBlock1",
        "Control: the same architecture at random",
        "Conv1, draw 1",
        "ResBlock1, draw 1",
    ]


def test_of_an_untrained_network_the_main_table_has_the_highest_layers() -> None:
    record = studies.make(layers=4)
    chis = [e.tsne.chi.mean for e in record.untrained]
    probes = [e.best_probe.accuracy if e.best_probe else 0.0 for e in record.untrained]
    highest = sorted({chis.index(max(chis)), probes.index(max(probes))})
    heads = heads_of(tables.score_table(record))
    start = heads.index("Control: the same architecture, untrained") + 1
    end = heads.index("Control: the same architecture at random")
    assert heads[start:end] == [record.untrained[i].label for i in highest]
    assert len(highest) < 4


def test_controls_that_were_not_run_have_no_part() -> None:
    record = studies.make(layers=2, trivial=(), random_chi=None)
    record = dataclasses.replace(record, untrained=())
    assert tables.score_table(record).count("Control: ") == 1


def test_without_the_untrained_control_its_part_is_missing() -> None:
    record = dataclasses.replace(studies.make(layers=2), untrained=())
    assert "untrained" not in tables.score_table(record)


def test_what_is_undefined_is_said_so() -> None:
    record = studies.make(crossed=False)
    gone = studies.without_chi(record.layers[0])
    record = dataclasses.replace(record, layers=(gone, *record.layers[1:]))
    row = cells_of(record, 1)
    assert (row["chi"], row["grade"], row["knn_accuracy"]) == ("undefined", "–", "undefined")
    shares = ("degradation", "content", "interaction", "component_degradation", "component_content")
    assert {row[key] for key in shares} == {"undefined"}
    assert "undefined" not in {row[key] for key in PROBES}


def test_without_a_probe_its_columns_are_undefined() -> None:
    record = studies.make(contents=3)
    gone: dict[str, Any] = dict.fromkeys(
        ("probe", "probe_channel_means", "probe_channel_log_std", "knn_photographs", "told_RN")
    )
    row = cells_of(studies.with_layer(record, 0, **gone), 1)
    assert {row[key] for key in PROBES} == {"undefined"}


def test_every_column_is_explained_on_hover_and_below() -> None:
    table = tables.score_table(studies.make(), all_columns=True)
    below = tables.column_meanings()
    assert len(scores()) >= 11
    for column in scores():
        assert f'title="{text(column.meaning)}"' in table
        assert text(column.meaning) in below


def test_samples_show_every_set_of_a_content() -> None:
    markup = tables.samples(studies.make(contents=20))
    assert markup.count("<img ") == 8 * 3
    assert 'alt="noise: Harbour.png#1"' in markup


def test_samples_of_sets_that_share_nothing_have_no_common_heads() -> None:
    assert "<thead>" not in tables.samples(studies.make(crossed=False))


@pytest.mark.parametrize(
    ("skipped", "said"),
    [
        ((), "None: every file could be used."),
        ((("a.png", "not an image"),), "1 file was left out"),
        ((("a.png", "x"), ("b.png", "y")), "2 files were left out"),
    ],
)
def test_skipped_files_are_counted_and_named(
    skipped: tuple[tuple[str, str], ...], said: str
) -> None:
    markup = tables.skipped(studies.make(skipped=skipped))
    assert said in markup
    for name, why in skipped:
        assert f"<td>{name}</td><td>{why}</td>" in markup
