"""Writes a diagnosis into a folder: a page, a contact sheet, and a record for programs."""

from pathlib import Path

from seg_jax.data.validate import encode_png
from seg_jax.doctor.diagnosis import Diagnosis, to_record
from seg_jax.doctor.page import render
from seg_jax.doctor.pictures import show_examples
from seg_jax.doctor.sheet import draw_sheet
from seg_jax.files import write_json

PAGE, SHEET, RECORD = "index.html", "contact_sheet.png", "diagnosis.json"


def write_diagnosis(diagnosis: Diagnosis, folder: Path) -> Path:
    """Writes the files, over those of an earlier call, and returns the page."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / RECORD, to_record(diagnosis))
    shown = show_examples(diagnosis.spec, diagnosis.examined)
    (folder / SHEET).unlink(missing_ok=True)
    if shown:
        (folder / SHEET).write_bytes(encode_png(draw_sheet(diagnosis.spec, shown)))
    page = folder / PAGE
    page.write_text(render(diagnosis, shown), encoding="utf-8")
    return page
