"""Finds a publisher's folders wherever unpacking has put them."""

from pathlib import Path


def find(root: Path, relative: str) -> Path | None:
    """Returns a file or folder under `root`, or None where there is none.

    An archive may have been unpacked into the given folder, into a folder of the dataset's
    name in it, or with others each into a folder of its own: the path is looked for in
    `root` first, then in its folders, then in theirs.

    Args:
        root: the folder the user named.
        relative: path inside the publisher's archive, such as "gtFine/train".
    """
    for above in ("", "*/", "*/*/"):
        found = sorted(root.glob(above + relative))
        if found:
            return found[0]
    return None
