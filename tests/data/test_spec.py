import dataclasses
import subprocess
import sys

import pytest

from seg_jax.data import DATASETS
from seg_jax.data.catalogue import spec_of
from seg_jax.data.spec import DatasetSpec, Probe, Union

PROBE = Probe("size", "px", "Larger is easier.", classes=("a",), levels=(6, 12))
SPEC = DatasetSpec(
    name="toy",
    classes=("a", "b"),
    palette=((0, 0, 0), (1, 1, 1)),
    licence="",
    citation="",
    splits={"train": 3, "size_6": 1, "size_12": 1},
    probes=(PROBE,),
)


@pytest.mark.parametrize("name", sorted(set(DATASETS) - {"folder"}))
def test_every_dataset_says_what_it_is(name):
    spec = spec_of(name)
    assert spec.name == name
    assert len(set(spec.classes)) == spec.num_classes
    # The publisher of ADE20K gives one colour to two classes.
    assert len(set(spec.palette)) == spec.num_classes - (name == "ade20k")
    assert "train" in spec.all_splits
    assert any(split.endswith("val") for split in spec.all_splits)
    assert spec.homepage or name == "scenes"
    assert spec.licence
    assert spec.citation


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"palette": ((0, 0, 0),)}, "2 classes but 1 colours"),
        ({"probes": (dataclasses.replace(PROBE, classes=("c",)),)}, r"scores \['c'\]"),
        ({"splits": {"size_6": 1}}, r"needs the splits \['size_12'\]"),
        ({"unlabelled": ("test",)}, r"unlabelled.*needs the splits \['test'\]"),
        ({"derived": {"both": Union(("train", "vall"))}}, r"'both'.*needs the splits \['vall'\]"),
    ],
)
def test_contradictions_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SPEC, **change)


@pytest.mark.parametrize("module", ["seg_jax.data.spec", "seg_jax.data.scenes.spec"])
def test_specs_import_no_array_library(module, python_env):
    code = f"import sys, {module}; sys.exit('jax' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=python_env).returncode == 0
