"""Compiled programs on disk, shared by every trial of the same shapes."""

import os
from pathlib import Path

import jax

VARIABLE = "SEG_JAX_COMPILATION_CACHE"


def enable() -> Path:
    """Turns on JAX's persistent cache and returns its folder.

    The folder is $SEG_JAX_COMPILATION_CACHE, or seg_jax/xla in the user's cache folder.
    Every program is kept, however fast it compiled: a sweep starts many short processes.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = Path(os.environ.get(VARIABLE, home / "seg_jax" / "xla"))
    folder.mkdir(parents=True, exist_ok=True)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return folder
