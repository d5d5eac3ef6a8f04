"""Classes and colours of PASCAL VOC, which most published networks were trained on."""

VOC_CLASSES = (
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "dining table",
    "dog",
    "horse",
    "motorbike",
    "person",
    "potted plant",
    "sheep",
    "sofa",
    "train",
    "tv/monitor",
)
"""Names of the classes of VOC 2012 by class id, spelt as on the page of the challenge."""


def voc_palette(num_classes: int) -> tuple[tuple[int, int, int], ...]:
    """Returns the colour map of the VOC development kit (VOClabelcolormap.m), RGB 0..255.

    Bits 0, 1, 2 of the class id are the highest bits of red, green, blue, bits 3, 4, 5 the next
    lower ones, and so on: ids that follow each other differ strongly, and 256 ids have 256
    colours. The last of them, (224, 224, 192), marks void pixels in VOC's label pictures.
    """
    palette = []
    for index in range(num_classes):
        channels = [
            sum((index >> (3 * level + channel) & 1) << (7 - level) for level in range(8))
            for channel in range(3)
        ]
        palette.append((channels[0], channels[1], channels[2]))
    return tuple(palette)
