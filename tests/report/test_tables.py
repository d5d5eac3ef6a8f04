"""The tables as data, and as Markdown, LaTeX, CSV and terminal text."""

import csv
import io
import json
import re
import statistics

import pytest
from rich.console import Console

from seg_jax.report.collect import read_sweep
from seg_jax.report.csv_files import configurations_csv, trials_csv
from seg_jax.report.formats import latex, latex_escape, markdown, terminal
from seg_jax.report.statistics import Summary
from seg_jax.report.table import MISSING, Column, duration, measured, percent, significant
from seg_jax.report.tables import class_table, main_table, probe_tables


def column(table, title):
    index = [c.title for c in table.columns].index(title)
    return [row[index] for row in table.rows]


def test_main_table_shows_percent_of_mean_and_std(make_sweep, toy):
    table = main_table(read_sweep(make_sweep(seeds=3)).comparisons[0])
    for label, cell in zip(toy.labels, column(table, "mIoU"), strict=True):
        scores = [100 * toy.miou(label, seed) for seed in range(3)]
        assert cell.text == f"{statistics.mean(scores):.1f}"
        assert cell.spread == f"{statistics.stdev(scores):.1f}"
    assert [cell.best for cell in column(table, "mIoU")] == [False, False, True]
    assert [cell.best for cell in column(table, "params (M)")] == [True, False, False]
    assert [cell.text for cell in column(table, "params (M)")] == ["1.23", "2.47", "3.70"]
    assert [cell.text for cell in column(table, "GFLOPs")] == ["2.50"] * 3
    assert [cell.text for cell in column(table, "train time")] == ["1.5 min"] * 3
    assert "boundary 2 px" in [c.title.replace("\N{NO-BREAK SPACE}", " ") for c in table.columns]
    assert any("24\N{MULTIPLICATION SIGN}32" in note for note in table.notes)


def test_rows_without_a_result_stay_visible(make_sweep, folder_of):
    workdir = make_sweep()
    for seed in range(2):
        (folder_of(workdir, "fcn8s", seed) / "result.json").unlink()
    (folder_of(workdir, "deeplab_v3", 1) / "result.json").unlink()
    comparison = read_sweep(workdir).comparisons[0]
    table = main_table(comparison)
    assert [cell.text for cell in column(table, "seeds")] == ["0 of 2", "2", "1 of 2"]
    assert column(table, "mIoU")[0].text == MISSING
    assert column(table, "mIoU")[2].spread == ""
    assert len(class_table(comparison).rows) == 2


def test_class_table_states_absent_and_partly_defined_classes(make_sweep):
    table = class_table(read_sweep(make_sweep()).comparisons[0])
    assert {cell.text for cell in column(table, "never")} == {MISSING}
    notes = " ".join(table.notes)
    assert "left out of mIoU: never." in notes
    assert "pole_50% of fcn8s (1 of 2 seeds)" in notes


def test_probe_table_has_a_column_per_level(make_sweep):
    (table,) = probe_tables(read_sweep(make_sweep()).comparisons[0])
    assert [c.title for c in table.columns] == ["Architecture", "6 px", "12 px", "24 px"]
    assert [row[3].text for row in table.rows] == [MISSING] * 3


def test_what_reads_the_same_is_equally_good_and_one_value_is_no_best():
    summaries = [Summary((71.23,)), Summary((71.21,)), Summary((70.0,)), None]
    cells = measured(Column("x", best="max"), summaries, percent)
    assert [cell.best for cell in cells] == [True, True, False, False]
    assert not measured(Column("x", best="max"), [Summary((1.0,)), None], percent)[0].best
    assert [c.best for c in measured(Column("x", best="min"), summaries, percent)][2]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.01234, "0.0123"),
        (1.0, "1.00"),
        (99.96, "100"),
        (134.4, "134"),
        (20_512.0, "20512"),
        (0.0, "0.00"),
    ],
)
def test_three_significant_digits(value, text):
    assert significant(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.21, "3.2 s"), (42.4, "42 s"), (150.0, "2.5 min"), (9000.0, "2.5 h")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_csv_has_one_row_per_configuration_and_reads_back(make_sweep, toy):
    rows = list(csv.DictReader(io.StringIO(configurations_csv(read_sweep(make_sweep(seeds=3))))))
    assert [row["architecture"] for row in rows] == list(toy.labels)
    for row in rows:
        scores = [100 * toy.miou(row["architecture"], seed) for seed in range(3)]
        assert float(row["miou_percent"]) == pytest.approx(statistics.mean(scores), rel=1e-10)
        assert float(row["miou_percent_std"]) == pytest.approx(statistics.stdev(scores), rel=1e-9)
        assert row["iou/never_percent"] == ""
        assert row["size/24 px_percent"] == ""
        assert row["seeds"] == "3"
    assert float(rows[1]["boundary_miou/16 px_percent"]) == pytest.approx(
        100 * statistics.mean(toy.miou(toy.labels[1], seed) - 0.05 for seed in range(3))
    )


def test_trial_csv_holds_raw_fractions_of_every_trial(make_sweep, folder_of, toy):
    workdir = make_sweep()
    (folder_of(workdir, "fcn8s", 1) / "result.json").write_text("{")
    rows = list(csv.DictReader(io.StringIO(trials_csv(read_sweep(workdir)))))
    assert len(rows) == 6
    for row in rows:
        if (row["label"], row["seed"]) == ("fcn8s", "1"):
            assert (row["state"], row["miou"]) == ("unreadable", "")
            assert "result.json" in row["error"]
        else:
            score = toy.miou(row["label"], int(row["seed"]))
            assert float(row["miou"]) == pytest.approx(score, rel=1e-11)
        assert json.loads(row["overrides"])["label"] == row["label"]


def test_markdown_rows_have_as_many_cells_as_headings(make_sweep, toy):
    text = markdown(read_sweep(make_sweep()))
    blocks = re.findall(r"(?:^\|.*\n?)+", text, flags=re.MULTILINE)
    assert len(blocks) == 4
    for block in blocks:
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in block.strip().split("\n")}
        assert len(counts) == 1
    scores = [100 * toy.miou("deeplab_v3", seed) for seed in (0, 1)]
    assert f"**{statistics.mean(scores):.1f} ± {statistics.stdev(scores):.1f}**" in text
    assert "<b>" not in text.replace(r"\<b\>", "")


def test_latex_is_balanced_escaped_and_rectangular(make_sweep):
    text = latex(read_sweep(make_sweep()))
    plain = re.sub(r"\\[\\{}$&#_%]", lambda m: r"\\" if m[0] == r"\\" else "", text)
    assert plain.count("{") == plain.count("}")
    assert plain.count("$") % 2 == 0
    for name in ("table", "tabular"):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}") == 4
    assert "#" not in plain
    assert "_" not in re.sub(r"\\label\{.*?\}", "", plain)
    comments = [line for line in plain.split("\n") if re.search(r"%(?!$)", line)]
    assert comments == [r"% Needs \usepackage{booktabs,graphicx}."]
    for tabular in re.findall(r"\\begin\{tabular\}\{(lr*)\}(.*?)\\end", text, flags=re.DOTALL):
        columns, body = tabular
        lines = [line for line in body.split("\n") if line.rstrip().endswith(r"\\")]
        assert len(lines) >= 4
        for line in lines:
            spans = [int(n) - 1 for n in re.findall(r"\\multicolumn\{(\d+)\}", line)]
            cells = len(re.findall(r"(?<!\\)&", line)) + 1 + sum(spans)
            assert cells == len(columns)


def test_latex_escapes_every_special_character():
    assert latex_escape(r"a_b & 50% #1 {x} $y$ ~ ^ \n") == (
        r"a\_b \& 50\% \#1 \{x\} \$y\$ \textasciitilde{} \textasciicircum{} \textbackslash{}n"
    )


def test_terminal_text_fits_eighty_columns_and_names_what_is_missing(make_sweep, folder_of):
    workdir = make_sweep()
    (folder_of(workdir, "fcn8s", 1) / "result.json").write_text("{")
    console = Console(file=io.StringIO(), width=80)
    console.print(terminal(read_sweep(workdir)))
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    assert "u_net" in text
    assert "1 of 2" in text
    assert "unreadable" in text
