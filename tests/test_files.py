import subprocess
import sys

import pytest

from seg_jax.files import JSONFileError, read_json, write_json


def test_round_trip_leaves_one_file(tmp_path):
    write_json(tmp_path / "a.json", {"a": [1, None, "é"]})
    write_json(tmp_path / "a.json", {"a": 2})
    assert read_json(tmp_path / "a.json") == {"a": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("text", ["", "{", "[1]", "\udcff"])
def test_what_is_no_object_is_refused_by_name(tmp_path, text):
    (tmp_path / "a.json").write_text(text, errors="surrogateescape")
    with pytest.raises(JSONFileError, match=r"a\.json"):
        read_json(tmp_path / "a.json")


def test_values_that_are_no_json_leave_the_old_file(tmp_path):
    write_json(tmp_path / "a.json", {"a": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"a": float("nan")})
    assert read_json(tmp_path / "a.json") == {"a": 1}


def test_a_killed_writer_leaves_a_whole_file(tmp_path, python_env, wait_until):
    path = tmp_path / "a.json"
    script = """
import pathlib, sys
from seg_jax.files import write_json
for i in range(10**9):
    write_json(pathlib.Path(sys.argv[1]), {"i": i, "filling": [i] * 2000})
"""
    for _ in range(4):
        path.unlink(missing_ok=True)
        writer = subprocess.Popen([sys.executable, "-c", script, str(path)], env=python_env)
        try:
            wait_until(path.exists)
            for _ in range(50):
                value = read_json(path)
                assert value["filling"] == [value["i"]] * 2000
        finally:
            writer.kill()
            writer.wait()
        value = read_json(path)
        assert value["filling"] == [value["i"]] * 2000
