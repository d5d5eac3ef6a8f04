"""The house rules that a program can check: who imports whom, and what no file holds."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "seg_jax").rglob("*.py")) + sorted((ROOT / "experiments").rglob("*.py"))

BASE = {"typing", "labels", "registry", "preprocess", "files", "cores"}
"""Records and tables that anyone may use."""

ALLOWED = {
    "layers": set(),
    "backbones": {"layers"},
    "heads": {"layers"},
    "models": {"layers", "heads", "backbones"},
    "losses": set(),
    "metrics": set(),
    "optim": set(),
    "data": set(),
    "checkpoints": set(),
    "logs": set(),
    "train": {"checkpoints", "logs"},
    "evaluate": {"metrics"},
    "weights": {"models"},
    "sweeps": set(),
    "report": {"sweeps"},
    "describe": {"layers"},
    "initialise": {"layers"},
    "defaults": set(),
    "config": {"defaults"},
    "compilation_cache": set(),
}
"""Part of seg_jax -> the parts it may import, itself and BASE aside. Those that wire
(validate, assemble, start, trial, predict, doctor, commands) are not listed and may import any."""

WIRING = {"validate", "assemble", "start", "trial", "predict", "doctor", "commands"}
LIGHT = ["config", "validate", "registry", "files", "sweeps", "report", "commands"]


def part(path):
    relative = path.relative_to(ROOT / "seg_jax")
    return relative.parts[0].removesuffix(".py")


def imported(path):
    """Yields (part, lineno) for every import of seg_jax in the file, nested ones included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("seg_jax"):
            names = node.module.split(".")[1:] or [alias.name for alias in node.names]
            yield names[0], node.lineno
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("seg_jax."):
                    yield alias.name.split(".")[1], node.lineno


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_a_part_imports_only_what_lies_below_it(name):
    files = [path for path in FILES if "seg_jax" in path.parts and part(path) == name]
    assert files, f"{name} is gone: take it off the list"
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {other}"
        for path in files
        for other, line in imported(path)
        if other not in ALLOWED[name] | BASE | {name}
    ]
    assert not wrong


def test_every_part_is_listed():
    parts = {part(path) for path in FILES if path.is_relative_to(ROOT / "seg_jax")}
    assert parts - BASE - WIRING - {"__init__"} == set(ALLOWED)


def test_experiments_are_data():
    wrong = [
        f"{path.name}:{line} imports {other}"
        for path in FILES
        if path.is_relative_to(ROOT / "experiments")
        for other, line in imported(path)
        if other not in {"config", "sweeps"}
    ]
    assert not wrong


def test_no_file_is_long_and_none_is_called_utils():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in FILES
        if (lines := path.read_text().count("\n")) > 250
    }
    assert not long
    assert not [path for path in FILES if path.stem in {"utils", "helpers", "common", "misc"}]


def test_no_bare_assert_or_print_in_the_library():
    wrong = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            called = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
            if isinstance(node, ast.Assert) or (called and "commands" not in path.parts):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not wrong


def test_tests_mirror_the_library():
    known = {path.relative_to(ROOT / "seg_jax").parent for path in FILES if "seg_jax" in path.parts}
    folders = {
        path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")
    }
    assert folders - known <= {Path("experiments"), Path("reliability")}


def test_torch_and_tensorflow_are_never_imported():
    found = subprocess.run(
        ["git", "grep", "-nE", r"^\s*(import|from) (torch|tensorflow)\b", "--", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == ""


def test_preparing_and_examining_data_does_without_jax(python_env):
    # Every worker process of `prepare` imports this; jax would double the time that takes.
    modules = "seg_jax.data.preparation.prepare, seg_jax.data.doctor.prepared, seg_jax.data.derive"
    code = f"import sys, {modules}; print('jax' in sys.modules, 'grain' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], env=python_env, capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == ["False", "False"]
