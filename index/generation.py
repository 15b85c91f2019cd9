"""A generation: the segment of a whole catalogue at one moment, in a folder of its own.

It is written aside, checked by its digests when it is opened, and made again from the catalogue,
without encoding anything, where it is missing or damaged. `python -m index.generation FOLDER` folds
the changes since the last one into a new one; the process that serves goes on meanwhile.
"""

import fcntl
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from embed.spelling import Spelling
from index.catalogue import FILE, START, Catalogue, CatalogueError, EncoderChangedError, Moment
from index.completion import Completions
from index.concepts import Concepts
from index.dense import floats
from index.gazetteer import KnownPlaces
from index.lexical import Vocabulary
from index.segment import Part, Segment
from index.suppliers import Supplier

MANIFEST = "manifest.json"
WORDS = "words.txt"
_FORMAT = 3
_SHOWN = 16
"""Digits of the manifest's digest that end the name of a generation."""

Numbered = list[tuple[int, Supplier]]


@dataclass(frozen=True, slots=True)
class Generation:
    """A segment, the words it knows, what may complete a need, and the moment it stands for."""

    segment: Segment
    spelling: Spelling
    completions: Completions
    moment: Moment


class DamagedError(CatalogueError):
    """A generation that is missing, incomplete or altered: it can be made again."""


def build(catalogue: Catalogue, encoder: str, concepts: Concepts) -> Generation | None:
    """Gather all suppliers whose vectors are known; None where there is no supplier."""
    until = catalogue.moment()
    vocabulary: Vocabulary = {}
    parts: list[Part] = []
    texts: list[str] = []
    for numbered in catalogue.since(START, until):
        parts.append(part_of(catalogue, numbered, encoder, concepts, vocabulary))
        texts += capabilities(numbered)
    if not parts:
        return None
    segment = Segment.build(parts, vocabulary, len(concepts.labels))
    return Generation(segment, Spelling.learn(texts), Completions.learn(texts), until)


def capabilities(numbered: Numbered) -> list[str]:
    """The texts of some suppliers, in their order."""
    return [text for _, supplier in numbered for text in supplier.capabilities]


def part_of(
    catalogue: Catalogue,
    numbered: Numbered,
    encoder: str,
    concepts: Concepts,
    vocabulary: Vocabulary,
) -> Part:
    """Read suppliers of a catalogue under an encoder that knows all their capabilities."""
    texts = capabilities(numbered)
    vectors = catalogue.vectors(encoder, concepts.vectors.shape[1], texts)
    links = concepts.told(floats(vectors))
    return Part.read(numbered, vectors, links, vocabulary, KnownPlaces(catalogue))


def fold(folder: Path, encoder: str, concepts: Concepts, switching: bool = False) -> None:
    """Write a new generation of an index folder and make it the current one.

    Readers see either the one before or this one. Older generations are taken away, with the
    vectors that nothing uses. Where there is no supplier, there is no generation either. Where
    `switching`, its encoder becomes the current one. Raises `EncoderChangedError` where another
    encoder is without, or suppliers changed meanwhile with it.
    """
    catalogue = Catalogue.open(folder / FILE)
    with closing(catalogue), _alone(folder):
        if not switching and catalogue.setting("encoder") != encoder:
            raise EncoderChangedError(f"{folder}: the encoder is no longer {encoder!r}.")
        moment = catalogue.moment()
        try:
            made = build(catalogue, encoder, concepts)
        except KeyError as error:
            if not switching:
                raise
            raise EncoderChangedError(f"{folder}: {encoder!r} knows not all texts.") from error
        name = _write(folder, made, encoder) if made else ""
        moment = made.moment if made else moment
        if not catalogue.switch(name, encoder, moment):
            raise EncoderChangedError(f"{folder}: suppliers changed meanwhile.")
        for old in folder.glob("generation-*"):
            if old.name != name:
                shutil.rmtree(old, ignore_errors=True)
        catalogue.forget(encoder, moment)


def read(folder: Path, name: str, encoder: str) -> Generation:
    """Map a generation; raises `DamagedError` where any of its files is not what was written."""
    home = folder / name
    try:
        if _digest(home / MANIFEST)[:_SHOWN] != name.rpartition("-")[2]:
            raise DamagedError(f"{home / MANIFEST} is not the file that was written.")
        manifest = json.loads((home / MANIFEST).read_text(encoding="utf-8"))
        if (manifest["format"], manifest["encoder"]) != (_FORMAT, encoder):
            raise DamagedError(f"{home} is of another format or encoder.")
        for file, digest in manifest["sha256"].items():
            if _digest(home / file) != digest:
                raise DamagedError(f"{home / file} is not the file that was written.")
        words, completions = Spelling.load(home / WORDS), Completions.open(home)
        return Generation(Segment.open(home), words, completions, Moment(*manifest["moment"]))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise DamagedError(f"{home} is missing or damaged ({error}).") from error


def _write(folder: Path, made: Generation, encoder: str) -> str:
    aside = Path(tempfile.mkdtemp(prefix=".generation-", dir=folder))
    made.segment.save(aside)
    made.spelling.save(aside / WORDS)
    made.completions.save(aside)
    digests = {file.name: _digest(file) for file in sorted(aside.iterdir())}
    manifest = {
        "format": _FORMAT,
        "made": time.time_ns(),  # no two generations have one name
        "encoder": encoder,
        "moment": made.moment,
        "sha256": digests,
    }
    (aside / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    name = f"generation-{made.moment.seq}-{made.moment.gone}-{_digest(aside / MANIFEST)[:_SHOWN]}"
    for file in (*aside.iterdir(), aside):
        _sync(file)
    aside.chmod(0o755)
    aside.rename(folder / name)
    _sync(folder)
    return name


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other process folds this folder; sweep what a killed one left."""
    with (folder / ".folding").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in folder.glob(".generation-*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def main(folder: Path) -> None:
    """Fold what changed, without an encoder: all vectors are in the catalogue."""
    with closing(Catalogue.open(folder / FILE)) as catalogue:
        encoder = str(catalogue.setting("encoder"))
        concepts = catalogue.concepts(encoder)
    if concepts:
        fold(folder, encoder, concepts)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
