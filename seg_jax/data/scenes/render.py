"""Draws one scene of the embedded dataset: a pure function of (seed, stream, index, knobs).

Back to front: sky and ground, two striped fields, wires, whole objects that do not
overlap, and two markers, each with a lamp straight above it.

A marker is `port` under a red lamp and `starboard` under a green one. Everything else of
the two is the same, and where they stand and what surrounds them is drawn without looking
at the class, so no pixel nearer than the lamp says which it is.
"""

import hashlib

import numpy as np
from jaxtyping import UInt8

from seg_jax.data.scenes.canvas import Canvas, Dice, log_sizes
from seg_jax.data.scenes.spec import CLASSES, SHAPES, SceneKnobs

Box = tuple[int, int, int, int]
"""Rectangle as (y, x, height, width)."""

# Rows of the table of colours; a field takes two, a lamp and an object one each.
SKY, GROUND, WIRE, FRAME, PLATE, LAMPS, FIELDS, OBJECTS = 0, 1, 2, 3, 4, 5, 7, 11

FIXED_COLORS = ((150, 186, 226), (122, 106, 92), (44, 44, 50), (24, 24, 24), (235, 235, 235))
LAMP_COLORS = ((235, 24, 24), (16, 205, 60))
FIELD_COLORS = ((118, 138, 96), (146, 128, 104), (104, 126, 132))
OBJECT_COLORS = (
    (228, 208, 50),
    (232, 140, 30),
    (140, 60, 180),
    (40, 180, 190),
    (36, 50, 150),
    (232, 120, 190),
    (232, 228, 205),
    (110, 50, 40),
)
STRIPE_CONTRAST = 30
"""Half the difference between the two colours of a field, in grey levels."""

MARKER_SIZE = (10, 16)
LAMP_SIZE = (8, 16)
FIELD_SIZES = ((16, 32), (24, 40))
NUM_MARKERS = 2
NUM_WIRES = 3
NUM_OBJECTS = 5
NUM_TRIES = 12
"""Places tried for an object before it is left out; no object hides part of another."""

WORDS = {"colors": 16, "fields": 14, "wires": 15, "markers": 8, "objects": 160}
"""Random words set aside for each component of a scene."""


def render(
    seed: int, stream: str, index: int, knobs: SceneKnobs
) -> tuple[UInt8[np.ndarray, "h w 3"], UInt8[np.ndarray, "h w"]]:
    """Returns image and label of scene `index` of a stream.

    The components read random words of their own: turning one knob leaves the places,
    sizes and colours of what it does not concern as they are.

    Args:
        seed: seed of the whole dataset.
        stream: name of the random stream, see `scenes.spec.stream_of`.
        index: position in the stream, any non-negative integer.
        knobs: the factors.
    """
    digest = hashlib.sha256(f"{seed}/{stream}".encode()).digest()
    bits = np.random.Philox(key=[int.from_bytes(digest[:8], "little"), index])
    dice = Dice(bits.random_raw(sum(WORDS.values())).tolist())
    colors, fields, wires, markers, objects = map(dice.fork, WORDS.values())
    table = _draw_colors(colors, knobs.colour_noise)
    canvas = Canvas(knobs.image_size)
    horizon = colors.between(canvas.size * 3 // 10, canvas.size // 2)
    canvas.fill(0, 0, (horizon, canvas.size), SKY, CLASSES.index("sky"))
    canvas.fill(horizon, 0, (canvas.size, canvas.size), GROUND, CLASSES.index("ground"))
    for place in range(2):
        _draw_field(canvas, fields, knobs.stripe_period, place)
    for _ in range(NUM_WIRES):
        _draw_wire(canvas, wires, knobs.line_width)
    taken = []
    for place in range(NUM_MARKERS):
        taken += _draw_marker(canvas, markers, knobs, place)
    _draw_objects(canvas, objects, knobs, taken)
    image = table.take(canvas.rows, axis=0)
    noise = bits.random_raw(image.size // 8 + 1).astype("<u8", copy=False).view(np.uint8)
    noise = np.multiply(noise[: image.size], 2 * knobs.colour_noise + 1, dtype=np.uint16) >> 8
    image += noise.astype(np.uint8).reshape(image.shape)
    return image, canvas.label


def _draw_colors(dice: Dice, noise: int) -> UInt8[np.ndarray, "n 3"]:
    """Returns the table of colours of one scene, dark enough for the noise to be added."""
    colors = [tuple(c + dice.between(-12, 12) for c in color) for color in FIXED_COLORS[:2]]
    colors += [*FIXED_COLORS[2:], *LAMP_COLORS]
    for _ in range(2):
        mean = dice.pick(FIELD_COLORS)
        colors += [tuple(c + sign * STRIPE_CONTRAST for c in mean) for sign in (1, -1)]
    colors += OBJECT_COLORS
    gains = np.array([dice.between(225, 287) for _ in range(3)], np.int64)
    table = np.array(colors, np.int64) * gains >> 8
    return np.clip(table - noise, 0, 255 - 2 * noise).astype(np.uint8)


def _draw_field(canvas: Canvas, dice: Dice, periods: tuple[int, int], place: int) -> None:
    """Draws a striped field in the left (`place` 0) or right half of the lower part."""
    height, width = (dice.between(*sizes) for sizes in FIELD_SIZES)
    y = dice.between(canvas.size // 2, canvas.size - height)
    x = place * canvas.size // 2 + dice.between(0, canvas.size // 2 - width)
    low, high = (period.bit_length() for period in periods)
    period = 1 << dice.between(low, high) - 1
    stripes = (np.arange(max(height, width)) + dice.between(0, 15)) % period * 2 // period
    rows = FIELDS + 2 * place + stripes
    if dice.between(0, 1):
        pattern, name = rows[:height, None], "rows"
    else:
        pattern, name = rows[None, :width], "columns"
    canvas.fill(y, x, (height, width), pattern, CLASSES.index(name))


def _draw_wire(canvas: Canvas, dice: Dice, widths: tuple[int, int]) -> None:
    """Draws a pole, or a wire from the left to the right edge, at most 1 in 4 steep.

    Thickness is counted along columns, which at that slope is within 3 % of the true one.
    """
    width = dice.between(*widths)
    upright = dice.between(0, 1)
    start, end = (dice.between(0, canvas.size - width) for _ in range(2))
    if upright:
        top, height = end // 2, canvas.size // 3 + dice.between(0, canvas.size // 3)
        canvas.fill(top, start, (height, width), WIRE, CLASSES.index("wire"))
        return
    across = np.arange(canvas.size)
    end = start + (end - start) // 4
    down = start + (end - start) * across // (canvas.size - 1)
    for line in range(width):
        canvas.rows[down + line, across] = WIRE
        canvas.label[down + line, across] = CLASSES.index("wire")


def _draw_marker(canvas: Canvas, dice: Dice, knobs: SceneKnobs, place: int) -> list[Box]:
    """Draws a marker and its lamp in one of the `NUM_MARKERS` columns of the picture.

    Returns:
        The rectangles they take.
    """
    distance = dice.between(*knobs.cue_distance)
    room = canvas.size // NUM_MARKERS
    band = knobs.ignore_band
    x = place * room + dice.between(band, room - MARKER_SIZE[1] - band)
    above = LAMP_SIZE[0] + distance - 1
    y = above + dice.between(band, canvas.size - above - MARKER_SIZE[0] - band)
    side = dice.between(0, 1)
    canvas.ignore(y, x, MARKER_SIZE, band)
    canvas.fill(y, x, MARKER_SIZE, FRAME, CLASSES.index(("port", "starboard")[side]))
    canvas.rows[y + 2 : y + MARKER_SIZE[0] - 2, x + 2 : x + MARKER_SIZE[1] - 2] = PLATE
    lamp = (y - above, x + (MARKER_SIZE[1] - LAMP_SIZE[1]) // 2)
    canvas.ignore(*lamp, LAMP_SIZE, band)
    canvas.fill(*lamp, LAMP_SIZE, LAMPS + side, CLASSES.index(("red_lamp", "green_lamp")[side]))
    return [(y, x, *MARKER_SIZE), (*lamp, *LAMP_SIZE)]


def _draw_objects(canvas: Canvas, dice: Dice, knobs: SceneKnobs, taken: list[Box]) -> None:
    """Draws objects, the largest first, wherever one fits whole and free."""
    sizes = log_sizes(*knobs.object_size)
    first = dice.between(0, len(OBJECT_COLORS) - 1)
    drawn = []
    for order in range(NUM_OBJECTS):
        # Consecutive colours of the palette: no two objects of a scene look alike.
        row = OBJECTS + (first + order) % len(OBJECT_COLORS)
        drawn.append((dice.pick(sizes), dice.pick(SHAPES), row, dice.fork(2 * NUM_TRIES)))
    band = knobs.ignore_band
    for size, shape, row, places in sorted(drawn, key=lambda item: -item[0]):
        last = canvas.size - size - band
        for _ in range(NUM_TRIES):
            y, x = places.between(band, last), places.between(band, last)
            box = (y, x, size, size)
            if all(_apart(box, other, 2 * band) for other in taken):
                canvas.stamp(shape, size, y, x, row, CLASSES.index(shape), band)
                taken.append(box)
                break


def _apart(one: Box, other: Box, gap: int) -> bool:
    """Whether two rectangles leave `gap` pixels between them, across or down."""
    return (
        one[0] + one[2] + gap <= other[0]
        or other[0] + other[2] + gap <= one[0]
        or one[1] + one[3] + gap <= other[1]
        or other[1] + other[3] + gap <= one[1]
    )
