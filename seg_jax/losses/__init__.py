"""Losses by name: what `config.loss.terms` may hold. Every one returns (sum, weight)."""

LOSSES = {
    "cross_entropy": "seg_jax.losses.cross_entropy:softmax_cross_entropy",
    "ohem": "seg_jax.losses.hard_pixels:ohem_cross_entropy",
    "top_k": "seg_jax.losses.hard_pixels:top_k_cross_entropy",
    "focal": "seg_jax.losses.focal:focal",
    "dice": "seg_jax.losses.region:dice",
    "tversky": "seg_jax.losses.region:tversky",
    "jaccard": "seg_jax.losses.region:jaccard",
    "lovasz": "seg_jax.losses.lovasz:lovasz_softmax",
}
