import pytest

from seg_jax.data.folder.classes import colors
from seg_jax.data.folder.description import FORMS, NAME_FORMS, parse_description
from seg_jax.labels import IGNORE_LABEL

BASE = {"path": "~/x", "images": "images/*.jpg", "labels": "masks/*.png", "classes": ("a", "b")}
ONE_FILE = {**BASE, "labels": "labels.json", "background": "a"}


def parse(**changes):
    return parse_description({**BASE, **changes})


def test_ten_lines_do():
    found = parse()
    assert (found.form, found.overlap, found.skip) == ("index", "later", ())
    assert found.classes.names == ("a", "b")
    assert found.classes.by_value == {0: 0, 1: 1}
    assert found.splits.shares == {"train": 0.8, "val": 0.2}


def test_a_mapping_is_ordered_by_its_values_since_configs_sort_keys():
    found = parse(classes={"zebra": (5, 6), "background": 255, "ant": 9}, ignore=7).classes
    assert found.names == ("zebra", "ant", "background")
    assert found.by_value == {5: 0, 6: 0, 9: 1, 255: 2, 7: IGNORE_LABEL}
    red, green = (255, 0, 0), (0, 255, 0)
    found = parse(form="rgb", classes={"ant": red, "zebra": green, "background": (0, 0, 0)})
    assert found.classes.names == ("background", "ant", "zebra")
    assert colors(found.classes) == ((0, 0, 0), red, green)


def test_pairs_keep_their_order():
    pairs = [["zebra", [0, 0, 1]], ["ant", [[0, 0, 2], [0, 0, 3]]]]
    found = parse(form="rgb", classes=pairs, ignore=(9, 9, 9)).classes
    assert found.names == ("zebra", "ant")
    assert found.by_value == {(0, 0, 1): 0, (0, 0, 2): 1, (0, 0, 3): 1, (9, 9, 9): 255}


def test_names_stand_for_themselves_and_the_background_for_what_nothing_covers():
    found = parse(form="labelme", classes=("leaf", "background"), ignore="blur").classes
    assert found.by_value == {"leaf": 0, "blur": IGNORE_LABEL}
    assert found.elsewhere == 1
    found = parse(form="labelme", classes={"background": "soil", "plant": ("leaf", "stem")})
    assert found.classes.by_value == {"soil": 0, "leaf": 1, "stem": 1}
    assert found.classes.elsewhere == 0
    found = parse(form="labelme", background="ignore").classes
    assert (found.by_value, found.elsewhere) == ({"a": 0, "b": 1}, IGNORE_LABEL)


def test_palettes_have_a_colour_a_class():
    assert colors(parse().classes) == ((0, 0, 0), (128, 0, 0))


def test_the_hash_tells_descriptions_apart_and_lists_from_tuples_not():
    assert parse().short_hash == parse(classes=["a", "b"]).short_hash
    others = [
        parse(path="~/y"),
        parse(classes=("b", "a")),
        parse(ignore=255),
        parse(splits={"train": 0.7, "val": 0.3}),
        parse(splits={"train": "a/*", "val": "b/*"}),
    ]
    hashes = {found.short_hash for found in [parse(), *others]}
    assert len(hashes) == 1 + len(others)


@pytest.mark.parametrize("field", ["path", "images", "labels", "classes"])
def test_what_is_missing_is_named(field):
    section = {key: value for key, value in BASE.items() if key != field}
    with pytest.raises(ValueError, match=rf"config.dataset.folder has no {field}: .*own_data.md"):
        parse_description(section)
    with pytest.raises(ValueError, match="no path and no images and no labels and no classes"):
        parse_description({})


FAULTS = [
    ({"lables": "x"}, "Unknown field 'lables'. Did you mean 'labels'"),
    ({"form": "coc"}, r"Unknown form of labels 'coc'. Did you mean 'coco'.*folder.form"),
    ({"path": ""}, "folder.path is ''"),
    ({"images": ()}, r"folder.images is empty"),
    ({"images": 3}, r"folder.images is 3"),
    ({"images": "images"}, r"folder.images is 'images', which names one file"),
    ({"images": "../*.jpg"}, r"folder.images='../\*.jpg' leads out"),
    ({"labels": "mask.png"}, r"folder.labels is 'mask.png', which names one file"),
    ({"labels": "{class}/*.png"}, r"folder.labels is .*form='per_class', and it alone"),
    ({"form": "per_class", "background": "a"}, "has {class} where the names of classes stand"),
    (
        {**ONE_FILE, "form": "coco", "labels": "*.json"},
        "one file has the labels of all images in this form",
    ),
    ({"images": "{split}/*.jpg"}, r"folder.images holds \{split\}: list the names"),
    ({"splits": ("train", "val")}, r"folder.splits lists only names, so that .*folder.images="),
    ({"splits": ("train", "train")}, "with one name twice"),
    ({"splits": {}}, "folder.splits is {}; map the name"),
    ({"splits": {"train": 0.8}}, r"folder.splits has the shares .*together they have to be 1"),
    ({"splits": {"train": 1.2, "val": -0.2}}, "each has to be above 0"),
    ({"splits": {"train": True}}, r"folder.splits\['train'\] is True"),
    ({"splits": {"tr/ain": 1.0}}, "holds 'tr/ain'; letters, digits and _"),
    ({"splits": {"all": 1.0}}, "holds 'all', which TFDS takes for all splits"),
    ({"splits": {"train": "../list.txt"}}, r"folder.splits\['train'\]=.* leads out"),
    ({"classes": ()}, r"folder.classes is \(\); set it to the names"),
    ({"classes": {}}, "folder.classes is empty"),
    ({"classes": "leaf"}, "folder.classes is 'leaf'"),
    ({"classes": ("a", "a")}, "folder.classes holds 'a' more than once"),
    ({"classes": ("a", ("b", 1))}, "folder.classes holds 'a'; give either names only"),
    ({"classes": ("a", "")}, "folder.classes is ''"),
    ({"classes": tuple(map(str, range(256)))}, "holds 256 classes"),
    ({"classes": {"a": 0, "b": 0}}, "folder.classes gives 0 to both 'a' and 'b'"),
    ({"ignore": 1}, "folder.classes gives 1 to both 'b' and 'ignore'"),
    ({"classes": {"a": (0, "x")}}, r"folder.classes\['a'\] is 'x'; form='index' takes"),
    ({"classes": {"a": 0, "b": ()}}, "folder.classes gives 'b' no value"),
    ({"classes": {"a": 0, "b": 70000}}, "is 70000; form='index' takes a pixel value 0..65535"),
    ({"classes": {"a": 0, "b": True}}, "is True; form='index' takes"),
    ({"form": "rgb"}, "holds names without colours, but form='rgb' needs the colour of each"),
    ({"form": "rgb", "classes": {"a": 0}}, r"folder.classes\['a'\] is 0; form='rgb' takes"),
    ({"form": "rgb", "classes": {"a": (0, 0, 256)}}, r"is \(0, 0, 256\); form='rgb' takes"),
    (
        {"form": "rgb", "classes": {"a": (0, 0, 1), "b": (0, 0, 1)}},
        r"gives \(0, 0, 1\) to both 'a' and 'b'",
    ),
    ({"form": "labelme"}, "folder.background is 'background', which is not among the classes"),
    ({"form": "labelme", "background": "c"}, "folder.background is 'c', which is not among"),
    ({"form": "labelme", "background": "a", "overlap": "first"}, "folder.overlap is 'first'"),
    ({"form": "labelme", "background": "a", "skip": 3}, "folder.skip is 3"),
    ({"overlap": "ignore"}, "folder.overlap has no meaning for form='index'"),
    ({"skip": "*"}, "folder.skip has no meaning"),
]


@pytest.mark.parametrize(("changes", "sentence"), FAULTS, ids=[s for _, s in FAULTS])
def test_every_mistake_has_its_sentence(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse(**changes)


def test_every_form_is_described():
    for form in FORMS:
        changes = {"form": form}
        if form == "rgb":
            changes["classes"] = {"a": (0, 0, 0), "b": (1, 1, 1)}
        if form in NAME_FORMS:
            changes["background"] = "a"
        if form == "per_class":
            changes["labels"] = "{class}/*.png"
        if form in ("coco", "cvat"):
            changes["labels"] = "labels.file"
        assert parse(**changes).form == form
