"""The colour map of VOC, against the colours that its documentation shows."""

from seg_jax.predict.voc import VOC_CLASSES, voc_palette


def test_known_colours():
    palette = dict(zip(VOC_CLASSES, voc_palette(21), strict=True))
    assert palette["background"] == (0, 0, 0)
    assert palette["aeroplane"] == (128, 0, 0)
    assert palette["bus"] == (0, 128, 128)
    assert palette["person"] == (192, 128, 128)
    assert palette["potted plant"] == (0, 64, 0)
    assert palette["tv/monitor"] == (0, 64, 128)
    assert voc_palette(256)[255] == (224, 224, 192)


def test_all_colours_differ():
    assert len(set(voc_palette(256))) == 256
