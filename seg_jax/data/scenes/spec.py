"""The embedded dataset `scenes`: classes, factors and probe splits (see `scenes.render`).

Every factor that is said to separate architectures has one knob, and a series of splits
that pins this knob and nothing else: object size and line width ask how much resolution
survives, cue distance asks how far a network sees, stripe period asks for texture.
"""

import dataclasses

from seg_jax.data.spec import DatasetSpec, Probe

CLASSES = (
    "sky",
    "ground",
    "rows",
    "columns",
    "disk",
    "square",
    "triangle",
    "wire",
    "port",
    "starboard",
    "red_lamp",
    "green_lamp",
)
SHAPES = ("disk", "square", "triangle")


@dataclasses.dataclass(frozen=True)
class SceneKnobs:
    """The factors of a scene, each a closed range (low, high) in pixels unless said otherwise.

    Attributes:
        object_size: side of a square, diameter of a disk, base and height of a triangle;
            log-uniform. Shape tells the class, colour does not.
        line_width: thickness of a wire; uniform.
        cue_distance: rows from the topmost row of a marker to the lowest row of its lamp,
            the nearest pixel that tells the marker's class; uniform.
        stripe_period: period of a striped field, powers of two; the two kinds of field
            differ in the direction of the stripes alone.
        colour_noise: amplitude of the uniform noise of every channel of every pixel, in grey
            levels; it carries no information.
        ignore_band: width of the ring of IGNORE_LABEL around objects, markers and lamps.
        image_size: height and width, not a factor.

    Raises:
        ValueError: a range is empty, or something would not fit into the picture.
    """

    object_size: tuple[int, int] = (6, 40)
    line_width: tuple[int, int] = (1, 4)
    cue_distance: tuple[int, int] = (4, 32)
    stripe_period: tuple[int, int] = (2, 16)
    colour_noise: int = 10
    ignore_band: int = 1
    image_size: int = 96

    def __post_init__(self):
        if self.image_size < 80:
            raise ValueError(
                f"SceneKnobs.image_size={self.image_size} is too small for two fields side by "
                "side; the smallest is 80."
            )
        limits = {
            "object_size": (2, self.image_size // 2),
            "line_width": (1, self.image_size // 8),
            "cue_distance": (2, self.image_size // 2),
            "stripe_period": (2, 16),
        }
        for field, (lowest, highest) in limits.items():
            low, high = getattr(self, field)
            if not lowest <= low <= high <= highest:
                raise ValueError(
                    f"SceneKnobs.{field}={(low, high)} must be (low, high) with {lowest} <= low "
                    f"<= high <= {highest} in a picture of {self.image_size} px."
                )


PROBES = (
    Probe(
        factor="size",
        unit="px",
        description=(
            "Objects of one size: small ones need resolution, large ones a receptive field "
            "that reaches from their middle to their outline."
        ),
        classes=SHAPES,
        levels=(6, 12, 24, 40),
    ),
    Probe(
        factor="width",
        unit="px",
        description="Wires of one thickness: thin ones vanish where resolution is given up.",
        classes=("wire",),
        levels=(1, 2, 3, 4),
    ),
    Probe(
        factor="distance",
        unit="px",
        description=(
            "Two markers that look the same, told apart by the colour of a lamp that far "
            "above: beyond the receptive field the score falls to that of guessing."
        ),
        classes=("port", "starboard"),
        levels=(4, 8, 16, 32),
    ),
    Probe(
        factor="period",
        unit="px",
        description=(
            "Striped fields of one period, told apart by the direction of the stripes: fine "
            "ones need resolution, coarse ones a receptive field of a period or more."
        ),
        classes=("rows", "columns"),
        levels=(2, 4, 8, 16),
    ),
)

KNOB_OF_FACTOR = {
    "size": "object_size",
    "width": "line_width",
    "distance": "cue_distance",
    "period": "stripe_period",
}

SPEC = DatasetSpec(
    name="scenes",
    classes=CLASSES,
    palette=(
        (135, 190, 235),
        (140, 120, 100),
        (190, 200, 70),
        (80, 130, 50),
        (245, 130, 48),
        (145, 30, 180),
        (250, 190, 212),
        (40, 40, 40),
        (225, 30, 45),
        (20, 160, 70),
        (255, 150, 160),
        (150, 255, 150),
    ),
    licence="Made by this project's own code; no rights reserved beyond its licence.",
    citation="seg_jax, procedural scenes.",
    splits={
        "train": 4000,
        "val": 200,
        **{probe.split(level): 64 for probe in PROBES for level in probe.levels},
    },
    probes=PROBES,
)


def knobs_of(split: str) -> SceneKnobs:
    """Returns the knobs of a split: the defaults, with one pinned in a probe split."""
    for probe in PROBES:
        for level in probe.levels:
            if split == probe.split(level):
                pinned = {KNOB_OF_FACTOR[probe.factor]: (level, level)}
                return dataclasses.replace(SceneKnobs(), **pinned)
    return SceneKnobs()


def stream_of(split: str) -> str:
    """Returns the name of the random stream a split draws from.

    The splits of one probe share theirs: the n-th scene is the same scene at every level
    but for the pinned factor, so that the difference between two levels is not that
    between two samples.
    """
    for probe in PROBES:
        if split in map(probe.split, probe.levels):
            return probe.factor
    return split
