"""Run lengths as masks: COCO's form for crowds, plain or compressed.

A mask is read down its columns as alternating runs of pixels outside and inside, the first
one outside (it may be empty). The compressed form is that of the COCO API
(https://github.com/cocodataset/cocoapi, common/maskApi.c, `rleToString`): from the fourth
count on the difference to the count two before; five bits a character, lowest first, a sixth
bit where more follow, plus 48.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int

_OFFSET, _BITS, _MORE, _SIGN = 48, 5, 0x20, 0x10


def decode(counts: Sequence[int] | str | bytes, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """Returns the pixels that run lengths put inside.

    Args:
        counts: the run lengths, as numbers or as the compressed string.
        size: (height, width) of the mask.

    Raises:
        ValueError: the runs do not cover the mask exactly, or the string is not one.
    """
    height, width = size
    runs = decompress(counts) if isinstance(counts, str | bytes) else np.asarray(counts, np.int64)
    if (runs < 0).any() or runs.sum() != height * width:
        raise ValueError(
            f"Run lengths have to be 0 or more and cover {height} x {width} = {height * width} "
            f"pixels, but the {runs.size} given have the sum {runs.sum()} and the minimum "
            f"{runs.min(initial=0)}. Correct `counts` or `size`."
        )
    inside = np.arange(runs.size) % 2 == 1
    return np.repeat(inside, runs).reshape(width, height).T


def decompress(text: str | bytes) -> Int[np.ndarray, " n"]:
    """Returns the run lengths written in a compressed string.

    Raises:
        ValueError: a character is not one of the code, or the last run is cut off.
    """
    data = text.encode() if isinstance(text, str) else text
    code = np.frombuffer(data, np.uint8).astype(np.int64) - _OFFSET
    last = (code & _MORE) == 0
    if code.size and (code.min() < 0 or code.max() > 63 or not last[-1]):
        raise ValueError(
            f"The compressed run lengths {text[:20]!r}... are damaged: allowed are characters "
            f"of the codes {_OFFSET}..{_OFFSET + 63}, the last one ending a run."
        )
    ends = np.flatnonzero(last)
    starts = np.concatenate([[0], ends[:-1] + 1])[: ends.size]
    place = np.arange(code.size) - np.repeat(starts, ends - starts + 1)
    values = np.add.reduceat((code & 0x1F) << _BITS * place, starts) if ends.size else code
    negative = (code[ends] & _SIGN) != 0
    values = values - (negative.astype(np.int64) << _BITS * (place[ends] + 1))
    runs = values.copy()
    runs[1::2] = np.cumsum(values[1::2])
    runs[2::2] = np.cumsum(values[2::2])
    return runs
