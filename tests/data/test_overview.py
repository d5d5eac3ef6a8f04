from pathlib import Path

from seg_jax.data import DATASETS
from seg_jax.data.overview import overview

PAGE = Path(__file__).parents[2] / "docs" / "datasets.md"


def test_the_page_in_the_repository_is_the_one_of_the_specs():
    assert PAGE.read_text() == overview(), (
        "run `python launch.py list --datasets > docs/datasets.md`"
    )


def test_it_names_every_dataset_and_what_cannot_be_scored():
    text = overview()
    for name in set(DATASETS) - {"folder"}:
        assert f"| `{name}` |" in text
        assert f"\n## {name}\n" in text
    assert "fold" not in text or "5-fold cross-validation over train" in text
