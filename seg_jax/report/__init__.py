"""Result files -> comparison tables, figures and one self-contained HTML page.

Knows JSON and npz files only: nothing here imports jax, so a report can be made on any machine
that can read the sweep's folder.
"""
