"""The published recipes of docs/optimisation.md run; its tables name every field."""

import ast
import inspect
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from seg_jax.assemble import assemble
from seg_jax.config import apply_overrides, base_config
from seg_jax.optim import OPTIMIZERS, SCHEDULES
from seg_jax.registry import resolve
from seg_jax.validate import validate

DOCS = (Path(__file__).parents[2] / "docs" / "optimisation.md").read_text()
RECIPES = {
    title: {
        field: ast.literal_eval(value)
        for field, value in re.findall(r"^config\.([\w.]+) = (.+)$", block, re.MULTILINE)
    }
    for title, block in re.findall(r"^### (.+?)\n.*?```python\n(.*?)```", DOCS, re.M | re.S)
}
DEVICES = {"train.batch_size": 4, "evaluate.batch_size": 4}
SMALLER = {"resnet101": "resnet50", "xception65": "xception41"}


def test_the_recipes_are_read():
    assert len(RECIPES) == DOCS.count("```python") == DOCS.count("\n### ") == 12
    lines = sum(block.count("\n") for block in re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL))
    assert sum(map(len, RECIPES.values())) == lines
    assert RECIPES["FCN-8s, heavy, at once"]["schedule.base_lr"] == 1e-10


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_valid_and_builds_what_it_states(name):
    config = apply_overrides(base_config(), RECIPES[name])
    validate(config)
    task = assemble(apply_overrides(config, DEVICES))
    assert float(task.schedule(0)) == pytest.approx(config.schedule.base_lr)


@pytest.mark.parametrize("name", [name for name in RECIPES if "model" in RECIPES[name]])
def test_the_patterns_of_a_recipe_choose_parameters_of_its_network(name):
    recipe = {**RECIPES[name], **DEVICES}
    # Fewer blocks of the same names, and one scale for the weights that all of them share.
    model = {**recipe["model"], "scales": ()} if "scales" in recipe["model"] else recipe["model"]
    if backbone := model.get("backbone"):
        smaller = SMALLER.get(backbone["name"], backbone["name"])
        model = {**model, "backbone": {**backbone, "name": smaller}}
    task = assemble(apply_overrides(base_config(), {**recipe, "model": model}))
    image = jnp.zeros((1, 33, 33, 3))
    # Shapes are enough to see whether every pattern matches: `init` refuses those that do not.
    params = jax.eval_shape(lambda: task.model.init(jax.random.key(0), image, train=False))
    jax.eval_shape(task.tx.init, params["params"])


def test_a_recipe_states_only_what_is_not_the_default():
    for fields in RECIPES.values():
        base = base_config()
        for field, value in fields.items():
            section, _, leaf = field.partition(".")
            if section != "model" and field != "loss.terms":
                assert base[section][leaf] != value, f"{field} = {value!r} is the default"


@pytest.mark.parametrize(
    ("table", "section", "shared"),
    [
        (OPTIMIZERS, "optimizer", {"schedule", "decay"}),
        (SCHEDULES, "schedule", {"base_lr", "warmup_steps", "num_steps"}),
    ],
)
def test_the_tables_list_every_name_with_the_fields_it_reads(table, section, shared):
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*)\|", DOCS, re.MULTILINE))
    for name in table:
        factory = resolve(name, table, kind=section, field="")
        assert set(re.findall(r"`(\w+)`", rows[name])) == (
            set(inspect.signature(factory).parameters) - shared
        )
