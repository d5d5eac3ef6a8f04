"""The colour map of VOC, against its definition in words and the colours its pages show."""

from seg_jax.data.palettes import VOC_CLASSES, voc_palette


def test_known_colours():
    palette = dict(zip(VOC_CLASSES, voc_palette(21), strict=True))
    assert palette["background"] == (0, 0, 0)
    assert palette["aeroplane"] == (128, 0, 0)
    assert palette["bus"] == (0, 128, 128)
    assert palette["person"] == (192, 128, 128)
    assert palette["potted plant"] == (0, 64, 0)
    assert palette["tv/monitor"] == (0, 64, 128)
    assert voc_palette(256)[255] == (224, 224, 192)


def reversed_bits(bits):
    """Returns the eight highest bits of a channel, given from its lowest bit of the id on."""
    return int("".join(bits).ljust(8, "0"), 2)


def test_the_bits_of_an_id_are_dealt_to_red_green_and_blue_in_turn():
    for index, colour in enumerate(voc_palette(256)):
        bits = f"{index:09b}"[::-1]
        assert colour == tuple(reversed_bits(bits[channel::3]) for channel in range(3))


def test_all_colours_differ():
    assert len(set(voc_palette(256))) == 256
