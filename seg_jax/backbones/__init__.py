"""Image encoders: `(image) -> {stride: features}`; adding one is a file and a line here."""

BACKBONES = {
    "mobilenet_v2": "seg_jax.backbones.mobilenet_v2:MobileNetV2",
    "mobilenet_v3_large": "seg_jax.backbones.mobilenet_v3:mobilenet_v3_large",
    "mobilenet_v3_small": "seg_jax.backbones.mobilenet_v3:mobilenet_v3_small",
    "resnet18": "seg_jax.backbones.resnet:resnet18",
    "resnet34": "seg_jax.backbones.resnet:resnet34",
    "resnet50": "seg_jax.backbones.resnet:resnet50",
    "resnet101": "seg_jax.backbones.resnet:resnet101",
    "vgg16": "seg_jax.backbones.vgg:VGG16",
    "xception41": "seg_jax.backbones.xception:xception41",
    "xception65": "seg_jax.backbones.xception:xception65",
    "xception71": "seg_jax.backbones.xception:xception71",
}
"""Config name -> constructor taking `output_stride`, `norm`, `name` and fields of its own."""
