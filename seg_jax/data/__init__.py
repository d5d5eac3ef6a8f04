"""Datasets: what each is (spec), how it is built, read, augmented and batched."""

DATASETS = {
    "ade20k": "seg_jax.data.datasets.ade20k:ADE20K",
    "bdd100k": "seg_jax.data.datasets.bdd100k:BDD100K",
    "camvid": "seg_jax.data.datasets.camvid:CamVid",
    "cell_tracking/dic_hela": "seg_jax.data.datasets.cell_tracking:DicHeLa",
    "cell_tracking/phc_u373": "seg_jax.data.datasets.cell_tracking:PhCU373",
    "cityscapes": "seg_jax.data.datasets.cityscapes:Cityscapes",
    "coco/semantic133": "seg_jax.data.datasets.coco_panoptic:CocoSemantic133",
    "coco/stuff10k": "seg_jax.data.datasets.coco_stuff:CocoStuff10k",
    "coco/stuff164k": "seg_jax.data.datasets.coco_stuff:CocoStuff164k",
    "coco/voc21": "seg_jax.data.datasets.coco_voc21:CocoVoc21",
    "folder": "seg_jax.data.datasets.folder:builder_of",
    "isbi2012": "seg_jax.data.datasets.isbi2012:ISBI2012",
    "oxford_iiit_pet": "seg_jax.data.datasets.oxford_iiit_pet:OxfordIIITPet",
    "pascal_context/59": "seg_jax.data.datasets.pascal_context:PascalContext59",
    "pascal_context/60": "seg_jax.data.datasets.pascal_context:PascalContext60",
    "scenes": "seg_jax.data.scenes.builder:Scenes",
    "voc": "seg_jax.data.datasets.voc:VOC",
}
"""Dataset name -> its builder; `catalogue.builder_class` resolves it."""
