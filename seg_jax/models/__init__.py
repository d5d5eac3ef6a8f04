"""Architectures: `(image, train=) -> Outputs`; adding one is a file and a line here."""

MODELS = {
    "deeplab_v1": "seg_jax.models.deeplab_v1:DeepLabV1",
    "deeplab_v2": "seg_jax.models.deeplab_v2:DeepLabV2",
    "deeplab_v3": "seg_jax.models.deeplab_v3:DeepLabV3",
    "deeplab_v3plus": "seg_jax.models.deeplab_v3plus:DeepLabV3Plus",
    "encnet": "seg_jax.models.encnet:EncNet",
    "fastfcn": "seg_jax.models.fastfcn:FastFCN",
    "fcn16s": "seg_jax.models.fcn:fcn16s",
    "fcn32s": "seg_jax.models.fcn:fcn32s",
    "fcn8s": "seg_jax.models.fcn:fcn8s",
    "fcn_dilated": "seg_jax.models.fcn_dilated:FCNDilated",
    "lraspp": "seg_jax.models.lraspp:LRASPP",
    "pspnet": "seg_jax.models.pspnet:PSPNet",
    "segnet": "seg_jax.models.segnet:SegNet",
    "unet": "seg_jax.models.unet:UNet",
}
"""Config name -> constructor taking `num_classes`, `norm` and fields of its own."""
