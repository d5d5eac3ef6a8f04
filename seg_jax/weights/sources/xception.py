"""Where timm keeps the aligned Xceptions, and segmentation-models-pytorch over one of them."""

from seg_jax.preprocess import Preprocessing
from seg_jax.weights.names import Names, conv_norm
from seg_jax.weights.sources import smp
from seg_jax.weights.sources.reference import Reference

TIMM = Preprocessing(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


def xception(blocks: int, *, stem: str, block: str) -> Names:
    """Returns the table of an aligned Xception.

    Args:
        blocks: residual blocks; the last three convolutions are timm's block behind them.
        stem: what stands in front of the number of a stem's convolution.
        block: what stands in front of the number of a block.
    """
    last = f"{block}{blocks}.stack"
    return conv_norm(
        {
            "stem{i}": (f"{stem}{{i-1}}.conv", f"{stem}{{i-1}}.bn"),
            "block{i}/shortcut": (
                f"{block}{{i-1}}.shortcut.conv",
                f"{block}{{i-1}}.shortcut.bn",
            ),
            "block{i}/conv{j}/depthwise": (
                f"{block}{{i-1}}.stack.conv{{j}}.conv_dw",
                f"{block}{{i-1}}.stack.conv{{j}}.bn_dw",
            ),
            "block{i}/conv{j}/pointwise": (
                f"{block}{{i-1}}.stack.conv{{j}}.conv_pw",
                f"{block}{{i-1}}.stack.conv{{j}}.bn_pw",
            ),
            "last{j}/depthwise": (f"{last}.conv{{j}}.conv_dw", f"{last}.conv{{j}}.bn_dw"),
            "last{j}/pointwise": (f"{last}.conv{{j}}.conv_pw", f"{last}.conv{{j}}.bn_pw"),
        }
    )


_BLOCKS_65 = 3 + 16 + 1

DEEPLABV3PLUS_TU_XCEPTION65: Reference = smp.deeplab_v3plus(
    {"name": "xception65", "output_stride": 16},
    # Its feature extractor flattens timm's names.
    xception(_BLOCKS_65, stem="model.stem_", block="model.blocks_"),
    preprocessing=TIMM,
    epsilons={"backbone": 1e-3},
)
