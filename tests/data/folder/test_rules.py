import pytest

from seg_jax.data.folder.rules import parse_splits, read_list, share_of

SHARES = {"train": 0.7, "val": 0.2, "test": 0.1}
IDS = [f"picture_{i}" for i in range(3000)]


def test_shares_come_out_near_what_was_asked():
    counts = dict.fromkeys(SHARES, 0)
    for id in IDS:
        counts[share_of(id, SHARES)] += 1
    for split, share in SHARES.items():
        assert abs(counts[split] / len(IDS) - share) < 0.03


def test_a_share_depends_on_the_name_alone_and_never_changes():
    assert [share_of(f"p{i}", {"train": 0.5, "val": 0.5}) for i in range(8)] == [
        "train" if bit else "val" for bit in (1, 0, 1, 1, 0, 1, 1, 1)
    ]
    reordered = dict(reversed(SHARES.items()))
    assert all(share_of(id, SHARES) == share_of(id, reordered) for id in IDS[:200])


def test_shares_patterns_and_lists_are_told_apart():
    found = parse_splits({"train": 0.5, "val": 0.5, "b": "b/*", "c": "lists/c.txt"})
    assert found.shares == {"train": 0.5, "val": 0.5}
    assert (found.patterns, found.lists) == ({"b": "b/*"}, {"c": "lists/c.txt"})
    assert not found.by_folder
    assert parse_splits(["train", "val"]).by_folder


KNOWN = {"a": ["a"], "images/a.jpg": ["a"], "b": ["x/b"], "x/b": ["x/b"], "c": ["1/c", "2/c"]}


def test_a_line_is_an_id_or_a_file_name_or_starts_with_one():
    text = "\n  images/a.jpg masks/a.png\n\nb\r\n"
    assert read_list(text, "train", KNOWN) == ["a", "x/b"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a\nq1\nq2\nq3\nq4", r"'train'\] is a list of which 4 lines .* 'q1' \(no image\), .*'q3'"),
        ("c", r"'c' \(several images\)"),
        ("a\nb\nimages/a.jpg", "names 'a' twice"),
    ],
)
def test_lines_that_name_no_image_are_named(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_list(text, "train", KNOWN)
