"""The protocols of docs/protocols.md are valid, and are what they are called."""

import re
from pathlib import Path

import pytest

from seg_jax.config import base_config
from seg_jax.data.pipeline.frames import Framing
from seg_jax.evaluate.protocol import Protocol
from seg_jax.validate import validate

TEXT = (Path(__file__).parents[2] / "docs" / "protocols.md").read_text()
BLOCKS = re.findall(r"```python\n# (.*?)\n(.*?)```", TEXT, flags=re.DOTALL)


def test_there_are_the_published_ones():
    assert len(BLOCKS) == TEXT.count("```python") == 10


@pytest.mark.parametrize(("described", "lines"), BLOCKS)
def test_a_block_is_a_valid_protocol(described, lines):
    config = base_config()
    exec(lines, {"config": config})
    validate(config)
    names = [*Protocol.__dataclass_fields__]
    fields = {name: config.evaluate[name] for name in names}
    assert lines.count("config.evaluate.") == len(lines.splitlines())
    assert Protocol(**fields).describe() == described
    framing = Framing(**{name: fields[name] for name in names if name in vars(Framing())})
    assert len(framing.plan((375, 500)).views) == len(config.evaluate.scales)
