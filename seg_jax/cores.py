"""The cores of the machine that this process may use, which a sweep or a scheduler may limit."""

import os


def usable_cores() -> tuple[int, ...]:
    """Returns the cores this process may use; none where the system cannot pin processes."""
    if not hasattr(os, "sched_getaffinity"):
        return ()
    return tuple(sorted(os.sched_getaffinity(0)))


def count_cores() -> int:
    """Returns how many cores this process may use, at least one."""
    return len(usable_cores()) or os.cpu_count() or 1
