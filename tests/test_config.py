"""Configs: overrides keep types, JSON keeps values, and every mistake gets its sentence."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from seg_jax.config import (
    ConfigError,
    apply_overrides,
    base_config,
    from_dict,
    load_experiment,
    parse_override,
    to_dict,
)
from seg_jax.files import JSONFileError
from seg_jax.registry import UnknownNameError
from seg_jax.validate import validate

ROOT = Path(__file__).parents[1]

OWN = {"path": "x", "images": "i/*.jpg", "labels": "l/*.png", "classes": ("a", "b")}


def changed(**fields):
    return apply_overrides(
        base_config(), {name.replace("__", "."): value for name, value in fields.items()}
    )


def test_a_description_of_own_pictures_is_valid():
    assert validate(changed(dataset__name="folder", dataset__folder=OWN)) is None


def test_a_dataset_of_own_pictures_has_to_be_described():
    with pytest.raises(ValueError, match=r"config\.dataset\.folder has no path"):
        validate(changed(dataset__name="folder"))


def test_the_base_config_is_valid():
    assert validate(base_config()) is None


def test_overrides_set_fields_and_replace_sections_and_leave_the_original():
    base = base_config()
    config = apply_overrides(
        base, {"train.num_steps": 7, "model": {"name": "fcn8s", "backbone": {"name": "vgg16"}}}
    )
    assert config.train.num_steps == 7
    assert config.model.backbone.name == "vgg16"
    assert base.train.num_steps != 7
    assert base.model.name == "unet"


def test_an_integer_is_a_fine_float_but_not_the_other_way_round():
    assert isinstance(changed(schedule__base_lr=1).schedule.base_lr, float)
    with pytest.raises(ConfigError, match=r"config.train.num_steps takes a int.*float 1.5"):
        changed(train__num_steps=1.5)


def test_fields_of_an_architecture_can_be_added():
    assert changed(model__base_features=16).model.base_features == 16
    validate(changed(model__base_features=16))  # build_model knows the architecture's fields


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        ("train.num_step", r"Unknown config field 'num_step'. Did you mean 'num_steps'\?"),
        ("trian.num_steps", r"Unknown config section 'trian'. Did you mean 'train'\?"),
        ("seeds", r"Unknown config field 'seeds'. Did you mean 'seed'\?"),
    ],
)
def test_a_misspelt_field_names_the_nearest(field, sentence):
    with pytest.raises(UnknownNameError, match=sentence):
        apply_overrides(base_config(), {field: 1})


def test_json_keeps_every_value_and_type():
    config = changed(augment__crop_size=(64, 96), model={"name": "deeplab_v3", "rates": (1, 2)})
    again = from_dict(to_dict(config))
    assert again.to_dict() == config.to_dict()
    assert again.model.rates == (1, 2)


@pytest.mark.parametrize(
    ("argument", "field", "value"),
    [
        ("--config.train.num_steps=100", "train.num_steps", 100),
        ("--config.augment.crop_size=(64, 96)", "augment.crop_size", (64, 96)),
        ("--config.model.name=unet", "model.name", "unet"),
        ("--config.augment.flip=false", "augment.flip", False),
        ("--config.dataset.data_dir=a=b", "dataset.data_dir", "a=b"),
    ],
)
def test_command_line_values_are_literals_or_text(argument, field, value):
    assert parse_override(argument) == (field, value)


@pytest.mark.parametrize("argument", ["--confg.seed=1", "--config.seed", "seed=1"])
def test_an_argument_that_sets_nothing_is_refused(argument):
    with pytest.raises(ConfigError, match="is not understood"):
        parse_override(argument)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"dataset__name": "camvit"}, "Unknown dataset 'camvit'. Did you mean 'camvid'"),
        ({"dataset__folder": {"path": "x"}}, "but config.dataset.name is 'scenes'"),
        (
            {"dataset__name": "folder", "dataset__folder": OWN, "dataset__eval_split": "vall"},
            "Unknown split of config.dataset.folder 'vall'. Did you mean 'val'",
        ),
        ({"model__name": "deeplabv3"}, "Unknown model 'deeplabv3'. Did you mean 'deeplab_v3'"),
        ({"optimizer__name": "adan"}, "Unknown optimizer 'adan'. Did you mean 'adam"),
        ({"schedule__name": "polly"}, "Did you mean 'poly'"),
        ({"seed": -1}, r"config.seed=-1 is not a whole number from 0"),
        ({"train__batch_size": 0}, "config.train.batch_size=0 is not a whole number from 1"),
        ({"schedule__base_lr": 0.0}, r"config.schedule.base_lr=0.0 is not a number above 0"),
        ({"optimizer__momentum": 1.0}, "not a number at least 0 and below 1"),
        ({"augment__crop_size": (96,)}, r"not \(height, width\) in pixels"),
        ({"augment__scale_range": (2.0, 0.5)}, "lowest <= highest"),
        ({"evaluate__boundary_widths": (0,)}, "half-widths of 1 pixel or more"),
        ({"parallel__backend": "pmpa"}, "Unknown backend 'pmpa'. Did you mean 'pmap'"),
        ({"parallel__height_shards": 2}, "backend='pmap' cannot. Set it to 'mesh'"),
        ({"loss__terms": {}}, "config.loss.terms is empty"),
        ({"loss__terms": {"dise": {}}}, "Unknown loss 'dise'. Did you mean 'dice'"),
        ({"loss__terms": {"dice": {"weight": 0}}}, r"dice.weight=0 is not a number above 0"),
        ({"loss__class_balance": "median"}, "Unknown class balance 'median'"),
        (
            {"loss__class_balance": "enet", "loss__class_weights": (1.0, 2.0)},
            "Set only one of the two",
        ),
        ({"loss__class_weights": (1.0, -2.0)}, "one weight of 0 or more for every class"),
        ({"optimizer__decayed": ("(",)}, "regular expressions for paths"),
        ({"optimizer__lr_multipliers": (("bias$", -1.0),)}, "a factor of 0 or more"),
        ({"optimizer__lr_multipliers": ("bias$",)}, "pairs of a regular expression"),
        ({"schedule__milestones": (200, 100)}, "steps in ascending order"),
        ({"optimizer__lr_multipliers": (("bias$", "2"),)}, "a factor of 0 or more"),
        ({"optimizer__name": "adam", "optimizer__nesterov": True}, "'adam' does not have"),
        ({"schedule__name": "step"}, "of which none is among the 1000 steps"),
        (
            {"schedule__name": "step", "schedule__milestones": (2000,)},
            r"milestones=\(2000,\), of which none",
        ),
        ({"schedule__end_lr": 0.1}, "end_lr=0.1 is above config.schedule.base_lr=0.01"),
        ({"schedule__peak": 1.0}, "a number above 0 and below 1"),
        ({"train__ema_decay": 1.0}, "at least 0 and below 1"),
        ({"train__keep_last": 1}, "a whole number from 2"),
        ({"train__keep_best": 2}, "nothing is evaluated during training"),
        ({"train__remat": "all"}, "Unknown form of rematerialisation 'all'"),
        ({"log__profile_steps": (5, 5)}, "first before last"),
        ({"evaluate__labels": "resized"}, "config.evaluate.resize='native' resizes none"),
        ({"evaluate__resize": "short"}, r"config.evaluate.base_size=\(\) is not \(pixels,\)"),
        ({"evaluate__window": "slide"}, "Unknown window 'slide'. Did you mean 'sliding'"),
        ({"evaluate__window": "pad"}, "the size that every image is padded to"),
        (
            {"evaluate__window": "sliding", "evaluate__window_size": (64, 64)},
            r"window_stride=\(\) is not \(height, width\) of the step",
        ),
        (
            {
                "evaluate__window": "sliding",
                "evaluate__window_size": (64, 64),
                "evaluate__window_stride": (65, 64),
            },
            "at most config.evaluate.window_size",
        ),
        (
            {
                "evaluate__window": "center_crop",
                "evaluate__window_size": (64, 64),
                "evaluate__resize": "short",
                "evaluate__base_size": (64,),
            },
            "Set config.evaluate.labels to 'resized'",
        ),
        ({"evaluate__window_size": (64, 64)}, "as the whole image needs"),
        ({"evaluate__scales": ()}, "one or more factors above 0"),
        ({"evaluate__output_stride": 5}, "an output stride of 1 to 32"),
        ({"evaluate__metrics": ("ece",)}, "Unknown metric 'ece'"),
        ({"weights__name": "mobilenet_v2_imagenet"}, r"config.weights.path='' is not where to"),
        (
            {"weights__name": "mobilenet_v2_imagenet", "weights__path": "w.safetensors"},
            "model 'unet' has none",
        ),
    ],
)
def test_a_value_out_of_range_names_the_field_and_what_it_allows(fields, sentence):
    with pytest.raises((ConfigError, UnknownNameError), match=sentence):
        validate(changed(**fields))


def test_missing_and_surplus_fields_of_a_hand_written_config_are_refused():
    values = to_dict(base_config())
    del values["train"]["num_steps"]
    with pytest.raises(ConfigError, match=r"config.train.num_steps is missing"):
        validate(from_dict(values))
    values = to_dict(base_config())
    values["train"]["epochs"] = 3
    with pytest.raises(UnknownNameError, match="'epochs'"):
        validate(from_dict(values))


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("none.py", None, "No experiment at"),
        ("empty.py", "x = 1\n", "has no get_config"),
        ("bad.json", "{", "is not JSON"),
        ("list.json", "[]", "holds a JSON list, not an object"),
        ("notes.txt", "hello", "neither a .py experiment nor a trial's config.json"),
    ],
)
def test_a_file_that_is_no_experiment_is_refused(tmp_path, name, text, sentence):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises((ConfigError, JSONFileError), match=sentence):
        load_experiment(str(tmp_path / name))


def test_configs_and_their_checks_do_without_jax():
    code = (
        "import sys, seg_jax.config, seg_jax.validate as v;"
        "v.validate(seg_jax.config.load_experiment('experiments/quickstart.py').config);"
        "print('jax' in sys.modules, 'tensorflow_datasets' in sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"False False\s*", found.stdout)


def test_a_published_figure_needs_its_source():
    with pytest.raises(ConfigError, match=r"paper\.value=0\.7 has no source"):
        validate(changed(paper__value=0.7))


def test_a_published_figure_of_another_metric_needs_what_measures_it():
    figure = {"paper__source": "arXiv:1505.04597", "paper__metric": "warping_error"}
    with pytest.raises(ConfigError, match="'warping_error', which is none of miou"):
        validate(changed(**figure))
    assert validate(changed(**figure, evaluate__metrics=("isbi",))) is None
    with pytest.raises(ConfigError, match="'pixel_acc'"):
        validate(changed(paper__further={"pixel_acc": 0.9}))


def test_a_trial_from_before_published_figures_is_still_read():
    values = to_dict(base_config())
    del values["paper"]
    assert validate(from_dict(values)) is None


def test_an_experiment_is_named_by_its_path_below_experiments(tmp_path):
    folder = tmp_path / "experiments" / "papers" / "fcn"
    folder.mkdir(parents=True)
    text = (
        '"""Title."""\nfrom seg_jax.config import base_config as get_config\nMISSING = {"a": "b"}\n'
    )
    (folder / "table2.py").write_text(text)
    experiment = load_experiment(str(folder / "table2.py"))
    assert experiment.name == experiment.config.experiment == "papers/fcn/table2"
    assert (experiment.description, experiment.missing) == ("Title.", {"a": "b"})
