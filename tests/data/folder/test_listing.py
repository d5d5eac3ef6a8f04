import json

import pytest

from seg_jax.data.folder.rules import share_of

ALL = {"train": 0.5, "val": 0.5}
ONE = {"one": 1.0}


def pairs(*ids, images="images/{}.jpg", labels="masks/{}.png"):
    return [form.format(id) for id in ids for form in (images, labels)]


def ids(items):
    return {split: [item.id for item in members] for split, members in items.items()}


def test_images_and_labels_meet_by_their_id(tree, listed):
    root = tree(*pairs("b", "a"), "images/.hidden.jpg", "images/notes.txt", "elsewhere/c.jpg")
    (a, b) = listed(root, splits=ONE)["one"]
    assert (a.id, b.id) == ("a", "b")
    assert (a.image, a.label) == (root / "images/a.jpg", root / "masks/a.png")


def test_several_patterns_of_images_and_links_to_folders(tree, listed, tmp_path):
    root = tree(*pairs("a"), "more/b.png", "masks/b.png")
    (root / "more" / "loop").symlink_to(root / "more")
    far = tmp_path / "far"
    far.mkdir()
    (far / "c.jpg").write_text("")
    (root / "more" / "far").symlink_to(far)
    (root / "masks" / "far").mkdir()
    (root / "masks" / "far" / "c.png").write_text("")
    found = listed(root, splits=ONE, images=("images/*.jpg", "more/**/*"), labels="masks/**/*.png")
    assert ids(found) == {"one": ["a", "b", "far/c"]}


def test_shares_are_a_function_of_the_id(tree, listed):
    names = [f"p{i}" for i in range(30)]
    before = ids(listed(tree(*pairs(*names)), splits=ALL))
    assert before == {
        split: [id for id in sorted(names) if share_of(id, ALL) == split] for split in ALL
    }
    after = ids(listed(tree(*pairs(*(f"a{i}" for i in range(30)))), splits=ALL))
    assert all(set(before[split]) < set(after[split]) for split in ALL)


def test_lists_and_patterns_come_before_shares(tree, listed):
    lists = {"lists/val.txt": "\ufeffz\nimages/a.jpg\n"}
    root = tree(*pairs("a", "b", "night_1", "night_2", "z"), of=lists)
    splits = {"train": 1.0, "val": "lists/val.txt", "night": "images/night_*"}
    assert ids(listed(root, splits=splits)) == {
        "train": ["b"],
        "val": ["z", "a"],  # in the order of the list
        "night": ["night_1", "night_2"],
    }
    # What no list names need have no label, and is left out.
    (root / "masks/b.png").unlink()
    splits = {"train": "images/night_*", "val": "lists/val.txt"}
    assert ids(listed(root, splits=splits)) == {"train": ["night_1", "night_2"], "val": ["z", "a"]}


def test_a_split_may_be_a_folder(tree, listed):
    root = tree(
        *pairs("a", "b", images="train/img/{}.jpg", labels="train/gt/{}.png"),
        *pairs("a", images="val/img/{}.jpg", labels="val/gt/{}.png"),
        *pairs("c", images="other/img/{}.jpg", labels="other/gt/{}.png"),
    )
    found = listed(
        root,
        images="{split}/img/*.jpg",
        labels="{split}/gt/*.png",
        splits=("train", "val"),
    )
    assert ids(found) == {"train": ["a", "b"], "val": ["a"]}
    assert found["val"][0].label == root / "val/gt/a.png"
    by_pattern = listed(
        root,
        images="*/img/*.jpg",
        labels="*/gt/*.png",
        splits={"train": "train/*", "val": "val/*"},
    )
    assert ids(by_pattern) == {"train": ["train/a", "train/b"], "val": ["val/a"]}


PER_CLASS = {"form": "per_class", "classes": ("background", "leaf", "stem"), "splits": ONE}


@pytest.mark.parametrize("labels", ["masks/{class}/{id}.png", "masks/{id}_{class}.png"])
def test_masks_of_classes_are_gathered(tree, listed, labels):
    names = [
        labels.replace("{class}", name).replace("{id}", id)
        for id, name in (("a_1", "leaf"), ("a_1", "stem"), ("a_1", "background"), ("b", "stem"))
    ]
    root = tree("images/a_1.jpg", "images/b.jpg", *names)
    a, b = listed(root, labels=labels, **PER_CLASS)["one"]
    assert (a.id, a.label) == ("a_1", None)
    assert sorted(a.annotation) == sorted(
        zip(("leaf", "stem", "background"), (root / name for name in names[:3]), strict=True)
    )
    assert b.annotation == (("stem", root / names[3]),)


def test_masks_of_unknown_classes_are_refused_or_skipped(tree, listed):
    root = tree("images/a.jpg", "masks/a_leaf.png", "masks/a_steem.png")
    fields = {"labels": "masks/{id}_{class}.png", **PER_CLASS}
    with pytest.raises(ValueError, match=r"1 masks .* such as masks/a_steem.png: 'steem' is not"):
        listed(root, **fields)
    for skip in ("steem", "*"):
        (a,) = listed(root, skip=skip, **fields)["one"]
        assert ("leaf", root / "masks/a_leaf.png") in a.annotation


def coco(*names):
    images = [{"id": i, "file_name": name, "height": 4, "width": 5} for i, name in enumerate(names)]
    outline = {"id": 1, "image_id": 0, "category_id": 3, "segmentation": [[0, 0, 2, 0, 2, 2]]}
    return json.dumps(
        {
            "images": images,
            "annotations": [outline],
            "categories": [{"id": 3, "name": "leaf"}, {"id": 4, "name": "unused"}],
        }
    )


ONE_FILE = {"form": "coco", "labels": "labels.json", "splits": ONE}


def test_one_file_of_labels_finds_its_images_by_the_end_of_their_path(tree, listed):
    root = tree("images/a.jpg", "images/b.jpg", of={"labels.json": coco("b.jpg", "images/a.jpg")})
    a, b = listed(root, **ONE_FILE)["one"]
    assert (a.id, a.label) == ("a", root / "labels.json")
    names, objects = b.annotation
    assert names == {3: "leaf"}
    assert objects.size == (4, 5)


def test_folders_in_a_file_of_labels_are_compared_as_a_whole(tree, listed):
    names = ("x/a.jpg", "max/a.jpg")
    root = tree(*(f"images/{name}" for name in names), of={"labels.json": coco(*names)})
    found = listed(root, **{**ONE_FILE, "images": "images/**/*.jpg"})
    assert {item.id: bool(item.annotation[0]) for item in found["one"]} == {
        "x/a": True,
        "max/a": False,
    }


def test_a_file_of_labels_a_split(tree, listed):
    of = {"train.json": coco("a.jpg"), "val.json": coco("a.jpg")}
    root = tree("train/a.jpg", "val/a.jpg", of=of)
    fields = {"form": "coco", "labels": "{split}.json", "images": "{split}/*.jpg"}
    found = listed(root, splits=("train", "val"), **fields)
    assert found["val"][0].label == root / "val.json"
    assert found["val"][0].image == root / "val/a.jpg"


def test_a_file_that_names_too_little_or_too_much_is_refused(tree, listed):
    root = tree("images/a.jpg", "images/b.jpg", of={"labels.json": coco("a.jpg")})
    with pytest.raises(ValueError, match=r"1 of 2 images have no label: images/b.jpg"):
        listed(root, **ONE_FILE)
    root = tree(of={"labels.json": coco("a.jpg", "b.jpg", "gone.jpg")})
    with pytest.raises(ValueError, match=r"1 of 3 labels have no image: gone.jpg"):
        listed(root, **ONE_FILE)
    root = tree(of={"labels.json": coco("a.jpg", "b.jpg", "images/a.jpg")})
    with pytest.raises(ValueError, match=r"both label the image 'images/a.jpg', or one does so"):
        listed(root, **ONE_FILE)
    root = tree("images/x/a.jpg", of={"labels.json": coco("a.jpg", "b.jpg")})
    with pytest.raises(ValueError, match=r"lists the image 'a.jpg', which may be images/a.jpg or"):
        listed(root, **{**ONE_FILE, "images": "images/**/*.jpg"})


FAULTS = [
    (
        pairs("a") + [f"images/x{i}.jpg" for i in range(5)],
        {},
        r"5 of 6 images have no label: images/x0.jpg, images/x1.jpg, images/x2.jpg and 2 more. "
        r"config.dataset.folder.labels='masks/\*.png' has none for the id 'x0'",
    ),
    (
        [*pairs("a"), "masks/y.png", "masks/z.png"],
        {},
        r"2 of 3 labels have no image: y, z. config.dataset.folder.images='images/\*.jpg' finds",
    ),
    (
        [*pairs("a"), "images/a.jpeg"],
        {"images": ("images/*.jpg", "images/*.jpeg")},
        r"images/a.jpeg and images/a.jpg have the same id, 'a'",
    ),
    (
        [*pairs("a"), "masks/a.tif"],
        {"labels": "masks/*"},
        r"masks/a.png and masks/a.tif are both the label of 'a'",
    ),
    (
        pairs("a"),
        {"images": "pictures/*.jpg"},
        r"folder.images='pictures/\*.jpg' matches no file below .*tree lies: images/, masks/\.",
    ),
    (
        pairs(*"abcdefg"),
        {"labels": "masks/*_mask.png"},
        r"folder.labels=.* in .*masks lies: a.png, .*e.png and 2 more. Correct the field",
    ),
    (pairs("a"), ONE_FILE, r"folder.labels='labels.json' matches no file"),
    (pairs("a"), {"splits": {"train": "x.txt"}}, r"folder.splits\['train'\]='x.txt' matches no"),
    (
        pairs("a"),
        {"splits": {"train": "images/*", "val": "images/b*"}},
        r"folder.splits gives 'val' none of the 1 images. Correct what it is mapped to",
    ),
    (pairs("a"), {"splits": ALL}, r"none of the 1 images. Shares say where each goes by its name"),
    (
        pairs("a", "b"),
        {"splits": {"train": "images/*", "val": "images/b*"}},
        r"puts image 'b' into both 'train' and 'val'",
    ),
]


@pytest.mark.parametrize(("names", "fields", "sentence"), FAULTS)
def test_what_does_not_pair_is_said(tree, listed, names, fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        listed(tree(*names), **{"splits": ONE, **fields})
