"""Datasets: what each is (spec), how it is built, read, augmented and batched."""

DATASETS = {
    "camvid": "seg_jax.data.datasets.camvid:CamVid",
    "scenes": "seg_jax.data.scenes.builder:Scenes",
}
"""Dataset name -> its builder; `source.spec_of` and `source.open_source` resolve it."""
