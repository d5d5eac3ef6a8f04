"""Tables that say where a reference keeps the parameters of a network.

A table maps a module of ours to one of the reference: "stage{i}_block{j}/conv{k}/conv" to
"layer{i}.{j-1}.conv{k}". A name in braces stands for a number, on the right with an offset
where the two count from different starts.
"""

import functools
import re
from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias


class Place(NamedTuple):
    """A module of the reference whose channels are laid out in another way than ours.

    Attributes:
        module: template of its name.
        layout: "conv" [out, in, h, w], or "transposed" [in, out, h, w] of a transposed
            convolution.
        parts: channels of each part of the concatenation that the module reads, in the order of
            the reference, where ours joins the parts in reverse; -1 stands for the rest.
    """

    module: str
    layout: Literal["conv", "transposed"] = "conv"
    parts: tuple[int, ...] = ()


Names: TypeAlias = Mapping[str, str | Place]
"""Module of ours -> module of the reference."""

_FIELD = re.compile(r"\{([a-z])(?:([+-]\d+))?\}")


def under(names: Names, *, here: str = "", there: str = "") -> Names:
    """Returns `names` with its modules inside those called `here` and `there`.

    Args:
        names: table of a part of a network.
        here: path in our network, without its last slash; none for the whole network.
        there: prefix of the reference's names, as it stands in front of them.
    """
    moved = {}
    for ours, theirs in names.items():
        if isinstance(theirs, Place):
            theirs = theirs._replace(module=there + theirs.module)
        else:
            theirs = there + theirs
        moved[f"{here}/{ours}" if here else ours] = theirs
    return moved


def conv_norm(names: Mapping[str, tuple[str, str]]) -> Names:
    """Returns a table of convolutions with their norms from {ours: (convolution, norm)}."""
    pairs = {}
    for ours, (conv, norm) in names.items():
        pairs[f"{ours}/conv"] = conv
        pairs[f"{ours}/norm"] = norm
    return pairs


def find(module: str, names: Names) -> Place | None:
    """Returns the place of a module of ours in the reference, or `None` if no line names it."""
    for ours, theirs in names.items():
        match = _pattern(ours).fullmatch(module)
        if match:
            place = theirs if isinstance(theirs, Place) else Place(theirs)
            return place._replace(module=_fill(place.module, match.groupdict()))
    return None


@functools.cache
def _pattern(template: str) -> re.Pattern[str]:
    """Compiles the left side of a line, in which fields have no offsets."""
    parts = re.split(r"\{([a-z])\}", template)
    literals, fields = map(re.escape, parts[::2]), parts[1::2]
    pattern = next(literals)
    for field, literal in zip(fields, literals, strict=True):
        pattern += rf"(?P<{field}>\d+)" + literal
    return re.compile(pattern)


def _fill(template: str, numbers: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda field: str(int(numbers[field[1]]) + int(field[2] or 0)), template)
