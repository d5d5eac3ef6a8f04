"""The finished report: its files, its page, and the page in a browser."""

import html.parser
import json
import re
import shutil
import subprocess
import urllib.parse

import pytest

from seg_jax.report.build import build_report
from seg_jax.report.collect import read_sweep
from seg_jax.sweeps.status import Status, write_status

VOID = {"meta", "link", "img", "br", "input", "path", "use", "rect"}


class Page(html.parser.HTMLParser):
    """Checks that elements nest, and gathers what a page refers to."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.references, self.ids, self.images, self.rows = [], [], [], 0, 0
        self.words = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self._note(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self._note(tag, attrs)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        if not {"script", "style"} & set(self.open):
            self.words.append(data)

    def _note(self, tag, attrs):
        self.images += tag == "img"
        self.rows += tag == "tr"
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "srcset", "action"):
                self.references.append(value)
            if name == "id":
                self.ids.append(value)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def test_report_writes_every_file_and_the_page_is_well_formed(make_sweep, folder_of, toy):
    workdir = make_sweep()
    failed = folder_of(workdir, "fcn8s", 1)
    (failed / "result.json").unlink()
    write_status(failed, Status(state="failed", step=3, error="OOM: <script>alert(1)</script>"))
    (folder_of(workdir, "deeplab_v3", 1) / "result.json").write_text("{")
    (workdir / "report").mkdir()
    (workdir / "report" / "stale.png").write_bytes(b"old")

    index = build_report(workdir)

    assert index == workdir / "report" / "index.html"
    written = {path.name for path in index.parent.iterdir()}
    assert {"table.md", "table.csv", "table.tex", "trials.csv", "pictures.png"} <= written
    assert {"probe_size.png", "boundary.png", "learning_loss.png", "miou_flops.png"} <= written
    assert "stale.png" not in written
    assert not [name for name in written if name.endswith(".tmp")]

    source = index.read_text()
    page = Page(source)
    assert len(page.ids) == len(set(page.ids))
    for reference in page.references:
        if reference.startswith("#"):
            assert reference[1:] in page.ids
        elif not reference.startswith("data:"):
            assert reference.startswith("../")
            assert (index.parent / reference).is_file()
    assert not re.search(r"url\((?!#)", source)
    assert source.count("<script>alert") == 0  # a diff of the whole page takes minutes
    assert "OOM: <script>alert(1)</script>" in page.text
    assert "4 of 6 trials done, 1 failed, 1 unreadable" in page.text
    assert "2 of 6 trials have no result" in page.text
    for label in toy.labels:
        assert label in page.text
    assert source.count(str(workdir)) == 0
    assert "Diameter of <one> disk." in page.text
    assert "Single seed: fcn8s, deeplab_v3." in page.text
    # Two images, each with truth, and prediction and errors for three configurations.
    assert page.images == 2 * (2 + 2 * 3)


@pytest.mark.parametrize("what", ["one trial", "nothing finished", "bare results"])
def test_little_makes_a_short_but_whole_report(make_sweep, folder_of, what):
    workdir = make_sweep(
        labels=("fcn8s",), seeds=1, predictions=False, results=what != "nothing finished"
    )
    if what == "bare results":
        path = folder_of(workdir, "fcn8s", 0) / "result.json"
        path.write_text(json.dumps({"metrics": {"miou": 0.5}}))
        (path.parent / "metrics.jsonl").unlink()
    index = build_report(workdir)
    page = Page(index.read_text())
    assert page.images == 0
    if what == "nothing finished":
        assert "No trial has finished yet" in page.text
        assert "0 of 1 trial done, 1 pending" in page.text
    else:
        assert "there is nothing to compare it with" in page.text
        assert "No trial kept its predictions." in page.text
        assert ("comes without probes" in page.text) == (what == "bare results")
    assert read_sweep(workdir).trials[0].uid in page.text


@pytest.fixture
def browser(tmp_path):
    """Returns a function (page) -> its DOM after loading; skips where there is no browser."""
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("No chromium, chromium-browser or google-chrome on this machine.")

    def load(page):
        flags = (
            "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
            "--disable-background-networking --disable-component-update --disable-sync "
            f"--user-data-dir={tmp_path / 'profile'} --virtual-time-budget=5000 --dump-dom"
        )
        command = [program, *flags.split(), page.as_uri()]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=True
        ).stdout

    return load


def test_a_browser_shows_images_and_figures_and_sorts_tables(make_sweep, browser):
    """A probe appended to the page measures what loaded and clicks on a heading."""
    index = build_report(make_sweep())
    probe = """<script>addEventListener("load", () => {
      const table = document.querySelector("table.sortable");
      const names = () => [...table.tBodies[0].rows].map((row) => row.cells[0].textContent);
      const button = table.tHead.rows[1].cells[1].querySelector("button");
      button.click(); const down = names(); button.click(); const up = names();
      const images = [...document.images];
      const loaded = images.filter((image) => image.complete && image.naturalWidth > 0).length;
      const figures = [...document.querySelectorAll("figure svg")];
      const drawn = figures.filter((svg) => svg.getBoundingClientRect().height > 100).length;
      const wide = document.documentElement.scrollWidth > innerWidth;
      const seen = {down, up, images: images.length, loaded, figures: figures.length, drawn, wide};
      document.body.append(Object.assign(document.createElement("pre"),
        {id: "seen", textContent: encodeURIComponent(JSON.stringify(seen))}));
    });</script>"""
    page = index.with_name("probed.html")
    page.write_text(index.read_text().replace("</body>", probe + "</body>"))
    found = re.search(r'<pre id="seen">(.*?)</pre>', browser(page))
    assert found
    seen = json.loads(urllib.parse.unquote(found[1]))
    assert seen["up"] == ["fcn8s", "u_net <b>&50%$x$", "deeplab_v3"]
    assert seen["down"] == seen["up"][::-1]
    assert seen["loaded"] == seen["images"] == 16
    assert seen["drawn"] == seen["figures"] == 8
    assert not seen["wide"]
