"""Fields of `config.dataset.folder`: their faults, and the types most of them have."""

from typing import Any

FIELD = "config.dataset.folder"


def fault(field: str, message: str) -> ValueError:
    """Returns the error for a field; the message completes "config.dataset.folder.x ..."."""
    return ValueError(f"{FIELD}.{field} {message}")


def as_text(field: str, value: Any) -> str:
    """Returns a text that is not empty.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, str) or not value.strip():
        raise fault(field, f"is {value!r}; it has to be a text that is not empty.")
    return value


def as_names(field: str, value: Any) -> tuple[str, ...]:
    """Returns a tuple of texts; one alone may stand without brackets.

    Raises:
        ValueError: it is something else.
    """
    values = value if isinstance(value, list | tuple) else (value,)
    return tuple(as_text(field, item) for item in values)
