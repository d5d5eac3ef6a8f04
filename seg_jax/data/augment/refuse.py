"""The one sentence that refuses a field."""

from typing import Any


def refusal(field: str, value: Any, allowed: str) -> ValueError:
    """Returns the error for a value of `config.augment.<field>` and what it must be."""
    return ValueError(f"config.augment.{field}={value!r} must be {allowed}.")
