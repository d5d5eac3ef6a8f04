import pytest

from seg_jax.sweeps.logs import exit_reason, last_error

TRACEBACK = """Traceback (most recent call last):
  File "a.py", line 1, in <module>
    raise ValueError("Error: quoted")
"""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("step 1\n" + TRACEBACK + "ValueError: bad shape\n", "ValueError: bad shape"),
        (
            TRACEBACK
            + "ValueError: first\n\nDuring handling of the above exception, another exception "
            "occurred:\n\n" + TRACEBACK + "pkg.errors.RuntimeError: second\nmore detail\n",
            "pkg.errors.RuntimeError: second",
        ),
        (
            TRACEBACK + "ValueError: real\n" + "-" * 20 + "\nFor simplicity, JAX has removed its "
            "internal frames from the traceback of the following exception.\n",
            "ValueError: real",
        ),
        (TRACEBACK + "subprocess.TimeoutExpired: slow\nbye\n", "subprocess.TimeoutExpired: slow"),
        (
            TRACEBACK + "ValueError: real\nException ignored in: <function f>\n" + TRACEBACK
            + "TypeError: at shutdown\n",
            "ValueError: real",
        ),
        (TRACEBACK + "KeyboardInterrupt\n", "KeyboardInterrupt"),
        ("loss_error 0.5\nConfigError: no field\nstep 3 no error\n", "ConfigError: no field"),
        ("error: no data\nbye\n", "error: no data"),
        ("F1122 10:11:12.5 7 x.cc:3] Check failed: n > 0\n*** stack ***\n",
         "F1122 10:11:12.5 7 x.cc:3] Check failed: n > 0"),
        ("10%\r50%\r\x1b[31mValueError: red\x1b[0m\n", "ValueError: red"),
        ("one\n\ntwo\n\n", "two"),
        ("", ""),
        ("x" * 400, "x" * 297 + "..."),
    ],
)  # fmt: skip
def test_last_error(tmp_path, text, line):
    log = tmp_path / "log.txt"
    log.write_text(text)
    assert last_error(log, 0) == line


def test_earlier_attempts_and_undecodable_bytes_do_not_count(tmp_path):
    log = tmp_path / "log.txt"
    log.write_bytes(b"ValueError: old\n" + b"\xff new\n")
    assert last_error(log, len(b"ValueError: old\n")) == "\ufffd new"


def test_only_the_end_of_a_long_log_is_read(tmp_path):
    log = tmp_path / "log.txt"
    log.write_text("ValueError: long ago\n" + "step\n" * 100_000 + "the end\n")
    assert last_error(log, 0) == "the end"


@pytest.mark.parametrize(
    ("code", "text", "reason"),
    [
        (1, "ValueError: x\n", "ValueError: x"),
        (3, "", "exited with code 3 and printed nothing"),
        (-9, "step 4\n", "killed by signal 9 (SIGKILL), perhaps for lack of memory"),
        (-11, "Fatal Python error: Segmentation fault\n",
         "killed by signal 11 (SIGSEGV): Fatal Python error: Segmentation fault"),
        (-6, "", "killed by signal 6 (SIGABRT)"),
        (-63, "", "killed by signal 63 (unnamed)"),
    ],
)  # fmt: skip
def test_exit_reason(tmp_path, code, text, reason):
    log = tmp_path / "log.txt"
    log.write_text(text)
    assert exit_reason(code, log, 0) == reason
