"""A trial that does what its config says: plain Python, for the tests of the executor.

python dummy_trial.py TRIAL_FOLDER
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def main(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    with (folder / "attempts").open("a") as file:
        file.write(f"{os.getpid()}\n")
    attempt = len((folder / "attempts").read_text().split())
    do = config["do"]
    if do == "meet":
        meet(folder, config["number"])
    elif do == "crash" and attempt <= config["times"]:
        raise ValueError(f"crash number {attempt}")
    elif do == "refuse":
        sys.stderr.write("ConfigError: no such network\n")
        sys.exit(2)
    elif do == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif do == "nothing":
        sys.exit(0)
    elif do == "say":
        write(folder / "status.json", {"state": "failed", "error": "in my own words"})
        sys.exit(3)
    elif do == "hang" and attempt <= config["times"]:
        hang(folder, ignore=config.get("ignore", False))
    elif do == "environment":
        write(folder / "environment", {"cores": cores(), **os.environ})
    write(folder / "result.json", {"metrics": {"miou": 0.5}})
    write(folder / "status.json", {"state": "done", "step": 10, "num_steps": 10})


def meet(folder: Path, number: int) -> None:
    """Waits until `number` trials run at a time, and notes whether there were ever more."""
    room = folder.parent / "room"
    room.mkdir(exist_ok=True)
    own = room / folder.name
    own.touch()
    wait(lambda: len(list(room.iterdir())) >= number or (folder.parent / "met").exists())
    write(folder / "seen", {"seen": len(list(room.iterdir()))})
    (folder.parent / "met").touch()
    own.unlink()


def hang(folder: Path, *, ignore: bool) -> None:
    """Waits to be ended, with a child that ignores SIGTERM."""
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); "
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", script + "time.sleep(60)"], stdout=subprocess.PIPE
    )
    child.stdout.readline()
    if ignore:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    write(folder / "status.json", {"state": "running", "step": 4, "num_steps": 10})
    write(folder / "hanging", {"pid": os.getpid(), "child": child.pid})
    time.sleep(60)


def cores() -> list[int]:
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def wait(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            sys.exit("waited in vain")
        time.sleep(0.02)


def write(path: Path, value: dict) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(value))
    temporary.replace(path)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main(Path(sys.argv[1]))
