"""Writes tables as terminal text, Markdown and LaTeX."""

import re

from rich import box
from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text
from tabulate import tabulate

from seg_jax.report.records import Comparison, Sweep
from seg_jax.report.table import Cell, Table
from seg_jax.report.tables import all_tables, main_table

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{EN DASH}": "--",
}


def heading(comparison: Comparison) -> str:
    """Names the images that a comparison was evaluated on."""
    return ", ".join(part for part in (comparison.dataset, comparison.split) if part)


def terminal(sweep: Sweep) -> Group:
    """Renders the main table of every comparison and the trials without a result.

    Returns:
        A rich renderable; a `rich.console.Console` prints it, in bold where it can.
    """
    parts: list[RichTable | Text] = []
    for comparison in sweep.comparisons:
        table = main_table(comparison)
        parts += [*_rich_tables(table, heading(comparison)), Text(table.notes[0], style="dim")]
    for trial in sweep.trials:
        if trial.result is None:
            line = f"{trial.label} (seed {trial.seed}, {trial.uid}): {trial.state}"
            parts.append(Text(f"{line}: {trial.error}" if trial.error else line, style="red"))
    return Group(*parts)


def _rich_tables(table: Table, title: str) -> list[RichTable]:
    """One narrow table per column group, so that a terminal need not wrap cells."""
    rendered = []
    for group in dict.fromkeys(column.group for column in table.columns if column.group):
        kept = [i for i, column in enumerate(table.columns) if column.group == group]
        caption = Text(f"{title}: {group}", style="bold")
        part = RichTable(title=caption, title_justify="left", box=box.SIMPLE_HEAD)
        part.add_column(table.columns[0].title, overflow="fold")
        for i in kept:
            part.add_column(Text(table.columns[i].title), justify="right", no_wrap=True)
        for row in table.rows:
            cells = [Text(row[i].with_spread(), style="bold" if row[i].best else "") for i in kept]
            part.add_row(Text(row[0].text), *cells)
        rendered.append(part)
    return rendered


def markdown(sweep: Sweep) -> str:
    """Writes every table of every comparison as Markdown."""
    lines = [f"# {_markdown_escape(sweep.experiment)}", ""]
    for comparison in sweep.comparisons:
        for table in all_tables(comparison):
            title = f"{table.title}: {heading(comparison)}"
            lines += [f"## {_markdown_escape(title)}", "", _markdown_table(table), ""]
            lines += [*(_markdown_escape(note) for note in table.notes), ""]
    return "\n".join(lines)


def _markdown_table(table: Table) -> str:
    titles = [
        f"{column.title} (%)" if "%" in column.group else column.title for column in table.columns
    ]
    return tabulate(
        [[_markdown_cell(cell) for cell in row] for row in table.rows],
        headers=[_markdown_escape(title) for title in titles],
        tablefmt="pipe",
        disable_numparse=True,
        colalign=["left"] + ["right"] * (len(table.columns) - 1),
    )


def _markdown_cell(cell: Cell) -> str:
    text = _markdown_escape(cell.with_spread())
    return f"**{text}**" if cell.best else text


def _markdown_escape(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))


def latex(sweep: Sweep) -> str:
    r"""Writes every table of every comparison as LaTeX.

    The document needs \usepackage{booktabs} and, to fit wide tables, \usepackage{graphicx}.
    """
    parts = [r"% Needs \usepackage{booktabs,graphicx}."]
    for number, comparison in enumerate(sweep.comparisons):
        for table in all_tables(comparison):
            parts.append(_latex_table(table, heading(comparison), number))
    return "\n\n".join(parts) + "\n"


def _latex_table(table: Table, images: str, number: int) -> str:
    groups, rules = _latex_groups(table)
    titles = " & ".join(latex_escape(column.title) for column in table.columns)
    body = [" & ".join(_latex_cell(cell) for cell in row) + r" \\" for row in table.rows]
    caption = " ".join([f"{table.title} ({images}).", *table.notes])
    reference = re.sub(r"[^a-z0-9]+", "-", table.name.lower())
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{latex_escape(caption)}}}",
            rf"\label{{tab:{reference}-{number}}}",
            r"\resizebox{\linewidth}{!}{%",
            rf"\begin{{tabular}}{{l{'r' * (len(table.columns) - 1)}}}",
            r"\toprule",
            *([groups, rules] if rules else []),
            titles + r" \\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}}",
            r"\end{table}",
        ]
    )


def _latex_groups(table: Table) -> tuple[str, str]:
    """The line of headings over several columns, and the rules under it."""
    heads, rules, i = [], [], 0
    while i < len(table.columns):
        group = table.columns[i].group
        end = i
        while end < len(table.columns) and table.columns[end].group == group:
            end += 1
        if group:
            heads.append(rf"\multicolumn{{{end - i}}}{{c}}{{{latex_escape(group)}}}")
            rules.append(rf"\cmidrule(lr){{{i + 1}-{end}}}")
        else:
            heads.append(" & ".join([""] * (end - i)))
        i = end
    return " & ".join(heads) + r" \\", " ".join(rules)


def _latex_cell(cell: Cell) -> str:
    text = latex_escape(cell.text)
    text = rf"\textbf{{{text}}}" if cell.best else text
    return rf"{text} $\pm$ {latex_escape(cell.spread)}" if cell.spread else text


def latex_escape(text: str) -> str:
    """Returns `text` such that LaTeX prints it as it is."""
    return "".join(_LATEX.get(character, character) for character in " ".join(text.split()))
