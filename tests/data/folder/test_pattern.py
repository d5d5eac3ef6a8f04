import pytest

from seg_jax.data.folder.pattern import Match, Pattern, without_ending


@pytest.mark.parametrize(
    ("text", "name", "id"),
    [
        ("images/*.jpg", "images/a.b.jpg", "a.b"),
        ("images/*.jpg", "images/a.JPG", "a"),
        ("Images/*.jpg", "images/a.jpg", "a"),
        ("images/*", "images/a.jpg", "a"),
        ("masks/*_mask.png", "masks/a_mask.png", "a"),
        ("masks/{id}_mask.png", "masks/deep/er/a_mask.png", "deep/er/a"),
        ("**/*.png", "x/y/a.png", "x/y/a"),
        ("**/*.png", "a.png", "a"),
        ("*/img/*.png", "s1/img/a.png", "s1/a"),
        ("*/{id}.png", "s1/a.png", "a"),
        ("ann/*.json", "ann/a.jpg.json", "a"),
        ("a?.png", "ab.png", "b"),
    ],
)
def test_the_id_is_what_the_stars_stand_for(text, name, id):
    assert Pattern(text).match(name) == Match(id, "", "")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("images/*.jpg", "images/sub/a.jpg"),
        ("images/*.jpg", "images/a.png"),
        ("images/*.jpg", "other/images/a.jpg"),
        ("images/*.jpg", "images/axjpg"),
    ],
)
def test_a_star_stays_within_its_folder_and_a_dot_is_a_dot(text, name):
    assert Pattern(text).match(name) is None


def test_splits_and_classes_are_read_from_the_name():
    pattern = Pattern(
        "{split}/{id}_{class}.png", split=("train", "val"), class_=("edge", "leaf_edge", "leaf")
    )
    assert pattern.match("val/a_b_leaf_edge.png") == Match("a_b", "val", "leaf_edge")
    first = Pattern("{class}_{id}.png", class_=("leaf", "leaf_edge"))
    assert first.match("leaf_edge_a.png") == Match("a", "", "leaf_edge")
    assert pattern.match("test/a_leaf.png") is None
    assert pattern.match("val/a_stem.png") is None


def test_the_folder_to_look_through_ends_before_the_first_wildcard():
    assert Pattern("a/b/c_*.png").base == "a/b"
    assert Pattern("{split}/*.png").base == ""
    assert Pattern("a/instances.json").base == "a"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("../masks/*.png", "leads out of the folder"),
        ("/masks/*.png", "leads out of the folder"),
        ("masks/{name}.png", r"\{name\} which is not known"),
        ("{id}/{id}.png", r"\{id\} more than once"),
    ],
)
def test_patterns_that_cannot_be_used_are_refused(text, fault):
    with pytest.raises(ValueError, match=f"some.field=.*{fault}"):
        Pattern(text).check("some.field")


def test_endings_of_pictures_only_are_taken_off():
    assert without_ending("a.b.TIFF") == "a.b"
    assert without_ending("a.b") == "a.b"
