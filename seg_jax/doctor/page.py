"""The diagnosis as one self-contained HTML page, in the manner of the report of a sweep."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import jinja2
import numpy as np
from jaxtyping import UInt8

import seg_jax.report
from seg_jax.data.doctor.facts import SplitFacts
from seg_jax.data.doctor.finding import Finding
from seg_jax.data.validate import encode_png
from seg_jax.doctor.diagnosis import Diagnosis
from seg_jax.doctor.pictures import Shown, classes_of
from seg_jax.doctor.words import describe_place, size_range, verdict
from seg_jax.predict.overlay import UNPAINTED

TEMPLATES = Path(__file__).parent / "templates"
_SHARED = Path(seg_jax.report.__file__).parent / "templates"

_PIXELATED = 192
"""Stored side in pixels up to which pictures are kept exact; larger ones are JPEG."""

_QUALITY = 88
_MOST_EXAMPLES = 200


def render(diagnosis: Diagnosis, shown: Sequence[Shown]) -> str:
    """Returns the page.

    Args:
        diagnosis: what there is to say.
        shown: the examples of the contact sheet.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([TEMPLATES, _SHARED]),
        # Names of classes, files and examples are the user's.
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["hex"] = lambda colour: "#{:02x}{:02x}{:02x}".format(*colour)
    environment.filters["number"] = lambda value: f"{value:,}"
    facts = diagnosis.facts
    return environment.get_template("doctor.html.j2").render(
        diagnosis=diagnosis,
        spec=diagnosis.spec,
        place=describe_place(diagnosis),
        verdict=verdict(diagnosis),
        findings=[_finding(finding) for finding in diagnosis.findings],
        splits=[_split(one) for one in facts.values()],
        labelled=[one for one in facts.values() if any(one.pixels[:-1])],
        classes=_classes(diagnosis),
        weights=_lists(diagnosis),
        pictures=[_picture(one, diagnosis) for one in shown],
        legend=classes_of(shown),
        unpainted=UNPAINTED,
    )


def _finding(finding: Finding) -> dict[str, Any]:
    more = len(finding.examples) - _MOST_EXAMPLES
    return {"finding": finding, "examples": finding.examples[:_MOST_EXAMPLES], "more": max(0, more)}


def _split(facts: SplitFacts) -> dict[str, Any]:
    return {"facts": facts, "sizes": size_range(facts.sizes)}


def _classes(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    labelled = [facts for facts in diagnosis.facts.values() if any(facts.pixels[:-1])]
    highest = max((max(facts.shares) for facts in labelled), default=1.0) or 1.0
    median, enet = diagnosis.median_frequency, diagnosis.enet
    return [
        {
            "id": k,
            "name": name,
            "colour": diagnosis.spec.palette[k],
            "shares": [(100 * f.shares[k], f.shares[k] / highest) for f in labelled],
            "images": [f.present[k] for f in labelled],
            "median": median[k],
            "enet": enet[k],
        }
        for k, name in enumerate(diagnosis.spec.classes)
    ]


def _lists(diagnosis: Diagnosis) -> list[tuple[str, str]]:
    """Returns both weights as Python lists to copy; an absent class gets 0."""
    lists = {"median frequency balancing": diagnosis.median_frequency, "ENet": diagnosis.enet}
    return [
        (name, "[" + ", ".join(f"{value or 0:.4g}" for value in values) + "]")
        for name, values in lists.items()
        if any(values)
    ]


def _picture(shown: Shown, diagnosis: Diagnosis) -> dict[str, Any]:
    names = diagnosis.spec.classes
    return {
        "shown": shown,
        "image": _data_uri(shown.image, shown.size),
        "overlay": _data_uri(shown.overlay, shown.size),
        "classes": ", ".join(names[k] for k in shown.classes[:8])
        + (f" and {len(shown.classes) - 8} more" if len(shown.classes) > 8 else ""),
    }


def _data_uri(picture: UInt8[np.ndarray, "h w 3"], size: tuple[int, int]) -> str:
    """Encodes a small picture exactly, a photograph as JPEG."""
    if max(size) <= _PIXELATED:
        kind, data = "png", encode_png(picture)
    else:
        order = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        quality = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
        kind, data = "jpeg", cv2.imencode(".jpg", order, quality)[1].tobytes()
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
