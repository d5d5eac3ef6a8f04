import pytest

from seg_jax.data.datasets.layout import find


@pytest.mark.parametrize("above", ["", "set", "set/zip"])
def test_a_path_is_found_up_to_two_folders_down(tmp_path, above):
    wanted = tmp_path / above / "images" / "train"
    wanted.mkdir(parents=True)
    assert find(tmp_path, "images/train") == wanted


def test_the_nearest_and_then_the_first_by_name_is_taken(tmp_path):
    for above in ("b", "a", "a/a"):
        (tmp_path / above / "images").mkdir(parents=True)
    assert find(tmp_path, "images") == tmp_path / "a" / "images"


def test_deeper_is_not_looked(tmp_path):
    (tmp_path / "a" / "b" / "c" / "images").mkdir(parents=True)
    assert find(tmp_path, "images") is None
