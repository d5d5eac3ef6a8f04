"""Architectures: `(image, train=) -> Outputs`; adding one is a file and a line here."""

MODELS = {
    "deeplab_v3": "seg_jax.models.deeplab_v3:DeepLabV3",
    "deeplab_v3plus": "seg_jax.models.deeplab_v3plus:DeepLabV3Plus",
    "fastfcn": "seg_jax.models.fastfcn:FastFCN",
    "fcn8s": "seg_jax.models.fcn8s:FCN8s",
    "unet": "seg_jax.models.unet:UNet",
}
"""Config name -> module class taking `num_classes`, `norm` and fields of its own."""
