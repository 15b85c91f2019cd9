"""Files that come out whole: written aside, then put in the place of the earlier one."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from embed.errors import MaillonError

T = TypeVar("T")

Writers = Mapping[str, Callable[[Path, Iterable[T]], int]]
"""For each ending, what writes items to a file and counts them."""


def write_whole(path: Path, items: Iterable[T], writers: Writers[T]) -> int:
    """Write items with the writer of the path's ending; returns how many.

    An earlier file of that name stays as it was until the new one is whole. Raises `MaillonError`
    for another ending or a folder that is missing, and what the writer raises.
    """
    write = writers.get(path.suffix.lower())
    if write is None:
        *most, last = writers
        endings = f"{', '.join(most)} or {last}"
        raise MaillonError(f"{path.name}: results are written as {endings}, not {path.suffix!r}.")
    if not path.parent.is_dir():
        raise MaillonError(f"{path}: the folder {path.parent} does not exist. Create it first.")
    aside = path.with_name(f".{path.name}.part")
    try:
        count = write(aside, items)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return count
