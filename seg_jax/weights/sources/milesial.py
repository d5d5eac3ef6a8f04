"""milesial/Pytorch-UNet: the padded U-Net with batch normalisation."""

from seg_jax.preprocess import Preprocessing
from seg_jax.weights.names import Names, Place
from seg_jax.weights.sources.reference import Reference

_UNSCALED = Preprocessing(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def _double_conv(here: str, there: str) -> dict[str, str]:
    return {
        f"{here}/conv1": f"{there}.double_conv.0",
        f"{here}/norm1": f"{there}.double_conv.1",
        f"{here}/conv2": f"{there}.double_conv.3",
        f"{here}/norm2": f"{there}.double_conv.4",
    }


_NAMES: Names = {
    **_double_conv("encoder/stage1", "inc"),
    **{
        ours: theirs
        for i in range(1, 5)
        for ours, theirs in _double_conv(f"encoder/stage{i + 1}", f"down{i}.maxpool_conv.1").items()
    },
    **{
        ours: theirs
        for i in range(1, 5)
        for ours, theirs in _double_conv(f"decoder/stage{5 - i}", f"up{i}.conv").items()
    },
    **{f"decoder/stage{5 - i}_up": Place(f"up{i}.up", "transposed") for i in range(1, 5)},
    "classifier": "outc.conv",
}

UNET = Reference({"name": "unet"}, _NAMES, _UNSCALED)
UNET_BILINEAR = Reference({"name": "unet", "upsampling": "bilinear"}, _NAMES, _UNSCALED)
