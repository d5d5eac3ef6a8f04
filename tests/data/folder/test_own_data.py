"""The examples of docs/own_data.md are understood, all of them."""

import ast
import re
from pathlib import Path

import pytest

from seg_jax.config import base_config
from seg_jax.data.datasets.folder import builder_of
from seg_jax.data.folder.description import FIELDS, FORMS

PAGE = (Path(__file__).parents[3] / "docs" / "own_data.md").read_text()
EXAMPLES = [
    ast.literal_eval(node.value)
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    for node in ast.walk(ast.parse(block))
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "config.dataset.folder"
]


@pytest.mark.parametrize("section", EXAMPLES)
def test_an_example_is_understood_through_a_config(section):
    config = base_config()
    config.dataset.folder = section
    spec = builder_of(config.dataset.folder.to_dict()).SPEC
    assert set(spec.classes) == set(section["classes"])


def test_every_form_has_an_example_and_every_field_a_line():
    assert {section.get("form", "index") for section in EXAMPLES} == set(FORMS)
    assert {field for field in FIELDS if f"\n| `{field}` |" in PAGE} == set(FIELDS)
