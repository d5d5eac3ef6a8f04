"""What is written and printed: the page, the contact sheet, the record and the terminal's text."""

import dataclasses
import html.parser
import json
import re

import cv2
import numpy as np
import pytest
from rich.console import Console

from seg_jax.data.datasets.camvid import CamVid
from seg_jax.doctor.examine import examine_dataset
from seg_jax.doctor.looking import Where
from seg_jax.doctor.page import render
from seg_jax.doctor.pictures import RARE, SPREAD, choose, paint, show_examples
from seg_jax.doctor.sheet import draw_sheet
from seg_jax.doctor.terminal import to_terminal
from seg_jax.doctor.write import write_diagnosis
from seg_jax.labels import IGNORE_LABEL

VOID_TAGS = {"meta", "link", "img", "br"}


class Checker(html.parser.HTMLParser):
    """Checks that tags nest, and collects whatever a browser would load."""

    def __init__(self):
        super().__init__()
        self.open, self.loaded, self.images, self.text = [], [], [], []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID_TAGS:
            self.open.append(tag)
        values = dict(attributes)
        self.loaded += [values[name] for name in ("src", "href") if name in values]
        if tag == "img":
            self.images.append(values["src"])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read_page(text):
    checker = Checker()
    checker.feed(text)
    assert checker.open == []
    return checker


@pytest.fixture
def diagnosis(prepared):
    return examine_dataset(Where("camvid", str(prepared)))


def printed(diagnosis, width=80):
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        for part in to_terminal(diagnosis):
            console.print(part)
    return console.export_text()


def test_the_files_are_whole_and_load_nothing_from_elsewhere(diagnosis, tmp_path):
    page = write_diagnosis(diagnosis, tmp_path / "out")
    checker = read_page(page.read_text())
    assert all(target.startswith(("#", "data:")) for target in checker.loaded)
    assert not re.search(r"url\(|@import|https?://", page.read_text())
    assert len(checker.images) == 2 * (4 + 3 + 2)  # every usable example, twice
    record = json.loads((tmp_path / "out" / "diagnosis.json").read_text())
    assert record["splits"]["train"]["count"] == 4
    assert record["class_weights"]["split"] == "train"
    sheet = cv2.imread(str(tmp_path / "out" / "contact_sheet.png"))
    assert sheet.shape[1] > 1000


def test_the_files_are_the_same_on_every_run(diagnosis, tmp_path):
    for name in ("a", "b"):
        write_diagnosis(diagnosis, tmp_path / name)
    for file in ("index.html", "contact_sheet.png", "diagnosis.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_without_pictures_an_old_sheet_does_not_stay(diagnosis, tmp_path):
    write_diagnosis(diagnosis, tmp_path)
    page = write_diagnosis(dataclasses.replace(diagnosis, examined={}, weighed=""), tmp_path)
    assert not (tmp_path / "contact_sheet.png").exists()
    assert read_page(page.read_text()).images == []


def test_names_of_the_users_cannot_become_markup(diagnosis):
    classes = ("<script>alert(1)</script>", *diagnosis.spec.classes[1:])
    hostile = dataclasses.replace(
        diagnosis, spec=dataclasses.replace(diagnosis.spec, classes=classes)
    )
    assert "<script>alert" not in render(hostile, [])
    odd = ("[bold]", *diagnosis.spec.classes[1:])
    spec = dataclasses.replace(diagnosis.spec, classes=odd)
    assert "[bold]" in printed(dataclasses.replace(diagnosis, spec=spec))


def test_every_class_is_on_the_page_and_the_ends_of_many_in_the_terminal(diagnosis):
    many = 60
    spec = dataclasses.replace(
        diagnosis.spec,
        classes=tuple(f"name{k:02}" for k in range(many)),
        palette=((1, 2, 3),) * many,
    )
    one = diagnosis.examined["train"]
    pixels = (*range(many), 7)
    facts = dataclasses.replace(
        one.facts, pixels=pixels, present=(1,) * (many + 1), around=(9000,) * (many + 1)
    )
    large = dataclasses.replace(
        diagnosis, spec=spec, examined={"train": dataclasses.replace(one, facts=facts)}
    )
    page = "".join(read_page(render(large, [])).text)
    assert all(name in page for name in spec.classes)
    text = printed(large)
    assert "... 40 more ..." in text
    shown = re.findall(r"name(\d\d)", text)
    # The first of the classes has no pixel, which is not what rarest means.
    assert shown == [f"{k:02}" for k in [*range(59, 49, -1), *range(10, 0, -1)]]


def test_the_terminal_says_the_findings_first_in_eighty_columns(sound_tree, tmp_path):
    (sound_tree / "valannot" / "val_1.png").unlink()
    diagnosis = examine_dataset(Where("camvid", str(tmp_path), str(sound_tree)))
    text = printed(diagnosis)
    assert max(map(len, text.splitlines())) <= 80
    order = ["Not sound: 1 fault, no warnings.", "fault  missing label (val)", "-> Add", "Splits"]
    positions = [text.index(part) for part in [*order, "Classes"]]
    assert positions == sorted(positions)


def test_examples_are_spread_and_show_the_rarest_classes(diagnosis):
    facts = diagnosis.facts["train"]
    images = tuple("" if i % 10 == 0 else str(i) for i in range(100))
    present = (100, 3, 50, 2, *(0,) * 7, 100)
    richest = (5, 77, 1, 42, *(None,) * 7, 3)
    facts = dataclasses.replace(facts, count=100, images=images, present=present, richest=richest)
    chosen = choose(CamVid.SPEC, facts)
    assert len(chosen) == SPREAD + RARE
    positions = [position for position, _ in chosen]
    assert positions[:SPREAD] == [1, 25, 51, 75]  # numbers 0, 22, 45, 67 of the 90 usable ones
    assert chosen[SPREAD:] == [(42, "most of road"), (77, "most of building")]


def test_an_example_that_cannot_be_read_is_left_off_the_sheet(diagnosis):
    def damaged(position):
        raise RuntimeError(f"record {position} is damaged")

    broken = {"train": dataclasses.replace(diagnosis.examined["train"], load=damaged)}
    assert show_examples(diagnosis.spec, broken) == []


def test_classes_are_painted_in_their_colours_and_ignored_pixels_in_stripes():
    image = np.full((240, 240, 3), 100, np.uint8)
    label = np.zeros((240, 240), np.uint8)
    label[:, 80:160] = 3
    label[:, 160:] = IGNORE_LABEL
    painted = paint(image, label, CamVid.SPEC)
    assert painted.shape == image.shape
    for column, k in ((40, 0), (120, 3)):
        expected = 100 + 0.55 * (np.array(CamVid.SPEC.palette[k]) - 100.0)
        np.testing.assert_allclose(painted[120, column], expected, atol=0.51)
    np.testing.assert_array_equal(painted[120, 80], CamVid.SPEC.palette[3])  # the border
    assert len(np.unique(painted[100:140, 180:220])) == 2  # dark and light
    assert np.ptp(painted[100:140, 180:220].astype(int)) > 80


def test_the_class_background_keeps_the_colours_of_the_image():
    spec = dataclasses.replace(
        CamVid.SPEC, classes=("background", *CamVid.SPEC.classes[1:]), derived={}
    )
    image = np.random.default_rng(0).integers(0, 256, (240, 240, 3), np.uint8)
    np.testing.assert_array_equal(paint(image, np.zeros((240, 240), np.uint8), spec), image)


def test_the_sheet_shows_image_and_painted_label_side_by_side(diagnosis):
    shown = show_examples(diagnosis.spec, diagnosis.examined)
    sheet = draw_sheet(diagnosis.spec, shown)
    first = shown[0]
    for picture, left in ((first.image, 12), (first.overlay, 12 + 320 + 12)):
        height = round(picture.shape[0] * 320 / picture.shape[1])
        at = sheet[30 : 30 + height, left : left + 320]
        scaled = cv2.resize(picture, (320, height), interpolation=cv2.INTER_NEAREST)
        np.testing.assert_array_equal(at, scaled)
