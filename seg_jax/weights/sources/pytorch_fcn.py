"""wkentaro/pytorch-fcn: the networks of the FCN paper, pixel by pixel those of the Caffe release.

Their input is that of Caffe's VGG-16: BGR from 0 to 255 with the mean taken off.
"""

from typing import Any

from seg_jax.preprocess import Preprocessing
from seg_jax.weights.names import Names, Place, under
from seg_jax.weights.sources.backbones import VGG16_CAFFE
from seg_jax.weights.sources.reference import Reference

CAFFE = Preprocessing(
    mean=(122.67891434, 116.66876762, 104.00698793),
    std=(1.0, 1.0, 1.0),
    scale=1.0,
    channel_order="bgr",
)

_UPSAMPLING = ("upscore", "upscore2", "upscore8", "upscore16", "upscore_pool4")
_SCORES = ("fc6", "fc7", "score_fr", "score_pool4", "score_pool3")

_NAMES: Names = {
    **under(VGG16_CAFFE, here="backbone"),
    **{f"head/{name}": name for name in _SCORES},
    **{f"head/{name}": Place(name, "transposed") for name in _UPSAMPLING},
}


def _fcn(name: str, **fields: Any) -> Reference:
    section = {"name": name, "fixed_crops": True, "backbone": {"name": "vgg16"}, **fields}
    return Reference(section, _NAMES, CAFFE)


FCN32S = _fcn("fcn32s")
FCN16S = _fcn("fcn16s")
FCN8S = _fcn("fcn8s")
FCN8S_ATONCE = _fcn("fcn8s", at_once=True)
