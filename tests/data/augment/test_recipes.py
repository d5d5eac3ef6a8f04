"""The published recipes of docs/augmentation.md are configs that run."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

from seg_jax.config import apply_overrides, base_config
from seg_jax.data.augment import Augmentation
from seg_jax.validate import validate

DOCS = Path(__file__).parents[3] / "docs" / "augmentation.md"
TABLE = DOCS.read_text().partition("## Published recipes")[2].partition("\n## ")[0]
RECIPES = {
    name.strip(): {
        field: ast.literal_eval(value) for field, value in re.findall(r"`(\w+)=([^`]+)`", fields)
    }
    for name, fields in re.findall(r"^\| ([^|]+)\|([^|]+)\|$", TABLE, re.MULTILINE)
    if "`" in fields and not name.startswith("recipe")
}


def test_the_table_is_read():
    assert len(RECIPES) == 12
    assert RECIPES["torchvision"]["base_size"] == (520,)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_is_valid_and_makes_crops(name):
    recipe = {f"augment.{field}": value for field, value in RECIPES[name].items()}
    config = apply_overrides(base_config(), recipe)
    validate(config)
    device = ("color_jitter", "photometric_distortion")
    fields = {k: v for k, v in config.augment.to_dict().items() if k not in device}
    label = np.zeros((375, 500), np.uint8)
    image, label, _ = Augmentation(**fields)(
        np.zeros((375, 500, 3), np.uint8), label, np.random.default_rng(0)
    )
    assert label.shape == image.shape[:2] == config.augment.crop_size
