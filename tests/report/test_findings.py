"""Generated sentences: the numbers in them, and whether they call noise noise."""

import json

from seg_jax.report import findings
from seg_jax.report.collect import read_sweep


def text(sentences):
    return " ".join(sentences).replace("\N{NO-BREAK SPACE}", " ")


def set_miou(folder, value):
    path = folder / "result.json"
    result = json.loads(path.read_text())
    result["metrics"]["miou"] = value
    path.write_text(json.dumps(result))


def test_a_lead_beyond_the_seeds_is_called_one(make_sweep, folder_of, toy):
    workdir = make_sweep()
    for label, scores in zip(toy.labels, [(0.5, 0.52), (0.6, 0.62), (0.8, 0.82)], strict=True):
        for seed, score in enumerate(scores):
            set_miou(folder_of(workdir, label, seed), score)
    said = text(findings.overall(read_sweep(workdir).comparisons[0]))
    # Each std is sqrt(2) points, so a difference has sqrt(2 + 2) = 2.0.
    assert "deeplab_v3 has the highest mIoU, 81.0 ± 1.4 %: 20.0 points above u_net" in said
    assert "more than seed noise (2.0)" in said
    assert "fcn8s, 51.0 ± 1.4 %) are 30.0 points apart" in said
    assert "so no difference" not in said


def test_a_lead_within_the_seeds_is_called_noise(make_sweep, folder_of, toy):
    workdir = make_sweep()
    for label, scores in zip(toy.labels, [(0.50, 0.54), (0.51, 0.55), (0.52, 0.56)], strict=True):
        for seed, score in enumerate(scores):
            set_miou(folder_of(workdir, label, seed), score)
    said = text(findings.overall(read_sweep(workdir).comparisons[0]))
    assert "1.0 points above" in said
    assert said.count("within seed noise (4.0), so no difference") == 2
    assert f"Not told apart from deeplab_v3 by these seeds: {toy.labels[1]}, fcn8s." in said


def test_single_seeds_never_claim_a_difference(make_sweep):
    comparison = read_sweep(make_sweep(seeds=1)).comparisons[0]
    said = text(
        findings.overall(comparison)
        + findings.on_boundary(comparison)
        + findings.on_classes(comparison)
        + findings.on_probe(comparison, comparison.probes[0])
    )
    assert "seed noise unknown" in said
    assert "more than seed noise" not in said


def test_one_architecture_has_nothing_to_be_compared_with(make_sweep):
    comparison = read_sweep(make_sweep(labels=("fcn8s",))).comparisons[0]
    assert "nothing to compare" in text(findings.overall(comparison))
    assert findings.on_probe(comparison, comparison.probes[0]) == []
    assert findings.on_boundary(comparison) == []


def test_probe_and_boundary_sentences_name_level_leader_and_gap(make_sweep, folder_of):
    workdir = make_sweep()
    for seed in range(2):
        path = folder_of(workdir, "fcn8s", seed) / "result.json"
        result = json.loads(path.read_text())
        result["probes"][0]["miou"] = [0.95 + 0.01 * seed, 0.6, None]
        result["boundary_miou"]["2"] = 0.05
        path.write_text(json.dumps(result))
    comparison = read_sweep(workdir).comparisons[0]
    said = text(findings.on_probe(comparison, comparison.probes[0]))
    assert "The gap is widest at 6 px: fcn8s 95.5 ± 0.7 %" in said
    assert "At 12 px, deeplab_v3 leads u_net" in said
    said = text(findings.on_boundary(comparison))
    assert "fcn8s loses most within 2 px of a boundary (45.5 points)" in said
