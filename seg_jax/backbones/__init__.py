"""Image encoders: `(image) -> {stride: features}`; adding one is a file and a line here."""

BACKBONES = {
    "mobilenet_v2": "seg_jax.backbones.mobilenet_v2:MobileNetV2",
    "resnet18": "seg_jax.backbones.resnet:resnet18",
    "resnet34": "seg_jax.backbones.resnet:resnet34",
    "resnet50": "seg_jax.backbones.resnet:resnet50",
    "resnet101": "seg_jax.backbones.resnet:resnet101",
    "vgg16": "seg_jax.backbones.vgg:VGG16",
}
"""Config name -> constructor taking `output_stride`, `norm`, `name` and fields of its own."""
