"""A catalogue and what is derived from it, kept up with every change of this or another process."""

import logging
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import NamedTuple

import numpy as np

from embed.encoder import Encoder, load_encoder
from embed.errors import MaillonError
from embed.spelling import Spelling
from index import generation
from index.catalogue import START, Catalogue, Changes, EncoderChangedError, Moment
from index.completion import Completions
from index.concepts import Concepts
from index.dense import Fixed, fixed, floats
from index.facets import Mask
from index.gazetteer import KnownPlaces
from index.generation import DamagedError, Generation
from index.lexical import Lexical, Vocabulary, count_terms
from index.ranking import Mix
from index.reading import Reader
from index.segment import Part, Segment
from index.suppliers import Supplier

_LOG = logging.getLogger(__name__)

DELTA = 1_000
"""Changed capabilities that are kept in memory before a new generation is written, at least."""

DELTA_SHARE = 200
"""A directory of so many times as many capabilities bears a larger delta: one in 200."""

BATCH = 1_024
"""Texts that are encoded and kept at once."""

_TRIES = 3
"""A generation that was read may have been taken away for the next one: then that one is read."""

Track = Callable[[Sequence[list[str]]], Iterable[list[str]]]
"""Wraps the batches of a long encoding, to show how far it is."""


class View(NamedTuple):
    """A directory at a moment: how needs are read and completed, and who is in it.

    `segments` are the generation and the delta, where there are any; `alive`, one a segment, tells
    who of it is still there, bool `(suppliers,)`, or None for all.
    """

    reader: Reader
    completions: Completions
    segments: tuple[Segment, ...]
    alive: tuple[Mask | None, ...]
    moment: Moment


class Living:
    """What is searched of a catalogue; threads may share it.

    A generation on the disk, written by `index.generation`, and a delta in memory for what changed
    since. Without a folder both are in memory.
    """

    def __init__(
        self, folder: Path | None, catalogue: Catalogue, encoder: Encoder, mix: Mix
    ) -> None:
        self.folder = folder
        self.catalogue = catalogue
        self.encoder = encoder
        self.places = KnownPlaces(catalogue)
        self._mix = mix
        self._lock = RLock()
        self._folding: subprocess.Popen[bytes] | None = None
        self._version = 0
        self._name = ""
        self._view: View
        self._load()
        self._follow()

    def current(self) -> View:
        """The view that holds all that was acknowledged, by whichever process."""
        with self._lock:
            version = self.catalogue.version()
            if version != self._version:
                self._version = version
                self._follow()
            return self._view

    def write(self, suppliers: Sequence[Supplier], track: Track) -> Changes:
        """Upsert suppliers; durable, and part of the next view, when it returns."""
        try:
            changes = self._write(suppliers, track)
        except EncoderChangedError:
            self.current()
            changes = self._write(suppliers, track)
        self._settle()
        return changes

    def delete(self, ids: Sequence[str]) -> Changes:
        """Take suppliers out; durable, and out of the next view, when it returns."""
        changes = self.catalogue.delete(ids)
        self._settle()
        return changes

    def relocate(self) -> None:
        """Place all suppliers again, after the known communes have changed."""
        with self._lock:
            self._fold_here()

    def segment(self, suppliers: Sequence[Supplier]) -> Segment:
        """Suppliers that need not be in the catalogue, numbered from 0, as a segment of it."""
        texts = [text for supplier in suppliers for text in supplier.capabilities]
        vectors = self._vectors(texts)
        vocabulary: Vocabulary = {}
        links = self._concepts.told(floats(vectors))
        part = Part.read(list(enumerate(suppliers)), vectors, links, vocabulary, self.places)
        return self._gathered([part], vocabulary)

    def _vectors(self, texts: list[str]) -> Fixed:
        """The vectors of any texts; only those that the catalogue does not know are encoded."""
        name, dim = self.encoder.name, self.encoder.dim
        with self.catalogue.reading():
            missing = self.catalogue.missing(name, texts)
            known = list(set(texts) - set(missing))
            held = dict(zip(known, self.catalogue.vectors(name, dim, known), strict=True))
        new = fixed(self.encoder.encode_capabilities(missing)) if missing else ()
        held |= dict(zip(missing, new, strict=True))
        return np.stack([held[text] for text in texts])

    def close(self) -> None:
        """Wait for a generation that is being written, and close the catalogue."""
        if self._folding:
            self._folding.wait()
        self.catalogue.close()

    def _write(self, suppliers: Sequence[Supplier], track: Track) -> Changes:
        encoder = self.encoder
        name = encoder.name
        texts = [text for supplier in suppliers for text in supplier.capabilities]
        missing = self.catalogue.missing(name, texts)
        batches = [missing[start : start + BATCH] for start in range(0, len(missing), BATCH)]
        for batch in track(batches[:-1]) if len(batches) > 1 else []:
            self.catalogue.learn(name, batch, encoder.encode_capabilities(batch))
        last = batches[-1] if batches else []
        vectors = encoder.encode_capabilities(last) if last else None
        with self.catalogue.writing():  # one wait for the disk, where one batch is all
            if vectors is not None:
                self.catalogue.learn(name, last, vectors)
            dropped = self.catalogue.missing(name, texts)  # by a fold, while nobody had them
            if dropped:
                self.catalogue.learn(name, dropped, encoder.encode_capabilities(dropped))
            return self.catalogue.upsert(suppliers, name)

    def _load(self) -> None:
        """Start from the current encoder and generation; make the latter again if it is damaged."""
        self._version = self.catalogue.version()
        self._concepts = self._placed()
        self._begin(self._generation())

    def _placed(self) -> Concepts:
        """The trades as the encoder places them, kept in the catalogue from the first time."""
        self.catalogue.check(self.encoder)
        known = self.catalogue.concepts(self.encoder.name)
        if known is None:
            known = Concepts.build(self.encoder)
            self.catalogue.know(self.encoder, known)
        if self.catalogue.setting("encoder") is None:
            self.catalogue.keep(encoder=self.encoder.name)
        return known

    def _generation(self) -> Generation | None:
        if self.folder is None:
            return generation.build(self.catalogue, self.encoder.name, self._concepts)
        for _ in range(_TRIES):
            self._name = self.catalogue.setting("generation") or ""
            if not self._name:
                return None
            try:
                return generation.read(self.folder, self._name, self.encoder.name)
            except DamagedError as error:
                damage = error
                if self.catalogue.setting("generation") == self._name:
                    generation.fold(self.folder, self.encoder.name, self._concepts)
        raise damage

    def _begin(self, made: Generation | None) -> None:
        """Look at a generation and at nothing that changed since."""
        self._main = made.segment if made else None
        self._parts: list[Part] = []
        self._vocabulary: Vocabulary = {}
        self._gone: list[int] = []
        lexical = made.segment.lexical if made else Lexical.build(count_terms([], {}), {})
        spelling = made.spelling if made else Spelling.learn([])
        reader = Reader(
            self.encoder, spelling, self._concepts, lexical, self._mix, self.places.knows
        )
        completions = made.completions if made else Completions.learn([])
        segments = (made.segment,) if made else ()
        moment = made.moment if made else START
        self._view = View(reader, completions, segments, (None,) * len(segments), moment)

    def _follow(self) -> None:
        """Take in what was written since: suppliers, a generation, an encoder."""
        while not self._caught_up():
            current = self.catalogue.setting("encoder")
            if current != self.encoder.name:
                try:
                    self.encoder = load_encoder(current)
                except MaillonError as error:
                    _LOG.warning("still with %s: %s", self.encoder.name, error)
                    return
            with suppress(EncoderChangedError):
                self._load()

    def _caught_up(self) -> bool:
        """Take changed suppliers into the delta; False for another generation or encoder."""
        with self.catalogue.reading():
            setting = self.catalogue.setting
            if (setting("encoder"), setting("generation") or "") != (self.encoder.name, self._name):
                return False
            if self.catalogue.moment() != self._view.moment:
                self._take_in()
            return True

    def _take_in(self) -> None:
        since, until = self._view.moment, self.catalogue.moment()
        self._gone += self.catalogue.gone(since, until)
        self._parts += [
            generation.part_of(
                self.catalogue, some, self.encoder.name, self._concepts, self._vocabulary
            )
            for some in self.catalogue.since(since, until)
        ]
        segments = [self._main] if self._main else []
        if self._parts:
            segments.append(self._gathered(self._parts, self._vocabulary))
        gone = np.array(self._gone, np.int64)
        alive = tuple(_alive(segment, gone) for segment in segments)
        view = self._view
        self._view = View(view.reader, view.completions, tuple(segments), alive, until)

    def _gathered(self, parts: list[Part], vocabulary: Vocabulary) -> Segment:
        mean = self._main.lexical.mean if self._main else None
        return Segment.build(parts, vocabulary, len(self._concepts.labels), mean)

    def _settle(self) -> None:
        """Take in what this process has written; fold it where it has become much."""
        with self._lock:
            if self._main is None:
                self._fold_here()
            else:
                self._follow()
            changed = sum(len(part.vectors) for part in self._parts) + len(self._gone)
            if self._main and changed > max(DELTA, self._main.rows // DELTA_SHARE):
                self._fold_beside()

    def _fold_here(self) -> None:
        if self.folder is None:
            self._load()
        else:
            with suppress(EncoderChangedError):
                generation.fold(self.folder, self.encoder.name, self._concepts)
        self._follow()

    def _fold_beside(self) -> None:
        """Have another process write the next generation, while this one goes on answering."""
        if self.folder is None:
            self._load()
        elif self._folding is None or self._folding.poll() is not None:
            command = [sys.executable, "-m", "index.generation", str(self.folder)]
            self._folding = subprocess.Popen(command)


def _alive(segment: Segment, gone: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Mask | None:
    dead = np.isin(segment.seqs, gone)
    return ~dead if dead.any() else None
