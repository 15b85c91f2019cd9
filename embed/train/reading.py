"""Readers of the gzipped tables of the data folder, and the key that compares two sentences."""

import csv
import gzip
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def rows(path: Path) -> Iterator[list[str]]:
    """Read the cells of each line of a gzipped TSV without header.

    Raises OSError if the file cannot be read.
    """
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        yield from csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def records(path: Path) -> Iterator[dict[str, str]]:
    """Read the lines of a gzipped TSV by the names of its header.

    Raises OSError if the file cannot be read.
    """
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def objects(path: Path) -> Iterator[dict[str, Any]]:
    """Read the JSON objects of a gzipped JSONL file.

    Raises OSError if the file cannot be read, ValueError if a line is not JSON.
    """
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def key(text: str) -> str:
    """Keep the letters and digits of a text without case, accents, blanks or punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if character.isalnum())
