"""Lines of name tables: numbers, offsets, prefixes."""

import pytest

from seg_jax.weights.names import Place, conv_norm, find, under

NAMES = {
    "stage{i}_block{j}/conv{k}/conv": "layer{i}.{j-1}.conv{k}",
    "stage{i}_up": Place("up{i+2}", "transposed"),
    "stem/conv": "conv1",
}


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("stage3_block12/conv2/conv", Place("layer3.11.conv2")),
        ("stage3_up", Place("up5", "transposed")),
        ("stem/conv", Place("conv1")),
        ("stem/conv/more", None),
        ("stem_conv", None),
        ("stagex_up", None),
    ],
)
def test_numbers_are_carried_over(module, expected):
    assert find(module, NAMES) == expected


def test_a_dot_in_a_name_is_a_dot():
    assert find("a-b", {"a.b": "c"}) is None


def test_a_table_moves_under_prefixes():
    moved = under(NAMES, here="backbone", there="encoder.")
    assert find("backbone/stem/conv", moved) == Place("encoder.conv1")
    assert find("backbone/stage1_up", moved) == Place("encoder.up3", "transposed")
    assert find("stem/conv", moved) is None


def test_convolutions_come_with_their_norms():
    names = conv_norm({"stem{i}": ("c{i}", "n{i}")})
    assert find("stem2/conv", names) == Place("c2")
    assert find("stem2/norm", names) == Place("n2")
