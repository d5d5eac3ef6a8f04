"""What `describe` prints of published networks and of experiments."""

import launch


def test_a_published_network_has_its_published_size(capsys):
    assert launch.main(["describe", "--source=torchvision/lraspp_mobilenet_v3_large"]) == 0
    (row,) = (line for line in capsys.readouterr().out.splitlines() if "/lraspp" in line)
    assert row.split()[1:4] == ["lraspp", "mobilenet_v3_large", "3,221,538"]
    assert row.split()[4].startswith("1.9")
    assert row.split()[-1] == "512x512"


def test_an_unknown_network_is_refused_with_its_nearest(capsys):
    assert launch.main(["describe", "--source=torchvision/fcn_resnet5"]) == 2
    error = capsys.readouterr().err
    assert "Did you mean 'torchvision/fcn_resnet50'?" in error
    assert error.count("\n") == 1


def test_every_network_of_an_experiment_has_a_row(capsys):
    assert launch.main(["describe", "--config=experiments/quickstart.py"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:7]] == [
        "FCN-8s",
        "U-Net",
        "DeepLabv3",
        "DeepLabv3+",
        "FastFCN",
    ]
