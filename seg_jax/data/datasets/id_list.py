"""Reads the lists that say which examples a split has."""

from pathlib import Path


def read_ids(path: Path) -> tuple[str, ...]:
    """Returns the ids of a list, the first word of every line; none where there is no list."""
    if not path.is_file():
        return ()
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(line.split()[0] for line in lines if line.strip())
