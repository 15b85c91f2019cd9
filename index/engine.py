"""The index of a directory: build, save, open, search, rerank."""

import json
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embed.encoder import Encoder, Vectors
from embed.errors import MaillonError
from embed.spelling import Spelling
from embed.text import clean
from index import folder as files
from index.concepts import Concepts, Links
from index.confidence import calibration_of
from index.dense import Dense
from index.lexical import Lexical
from index.ranking import HYBRID, Mix, Scores, cosines, fuse, highlights, without_cosine
from index.suppliers import Highlight, Suggestion, Supplier

MAX_NEED = 5_000
MAX_K = 1_000

MAX_EXPLAINED = 100

_BATCH = 1_024
_STEP = 1e-4  # scores are given to four decimals, and equal ones ranked by id
_PROBE = "usinage de pièces mécaniques en petite série"

Track = Callable[[Sequence[list[str]]], Iterable[list[str]]]
"""Wraps the batches of a long encoding, to show how far it is."""


class NeedError(MaillonError):
    """A need that cannot be searched, or a number of suggestions that cannot be given."""


def check_need(text: str) -> str:
    """The clean text of a need; raises `NeedError` where it is empty, too long or wordless."""
    need = clean(text[: MAX_NEED * 4])
    if len(text) > MAX_NEED * 4 or len(need) > MAX_NEED:
        raise NeedError(
            f"the need has {len(text):,} characters, at most {MAX_NEED:,} are read. Shorten it."
        )
    if not any(c.isalnum() for c in need):
        raise NeedError("the need holds no word. Say in a few words what is to be made or done.")
    return need


def check_k(k: int) -> int:
    """The number of suggestions asked for; raises `NeedError` outside 1 to 1,000."""
    if not 1 <= k <= MAX_K:
        raise NeedError(f"k is {k}. Ask for 1 to {MAX_K:,} suggestions.")
    return k


class Reading(NamedTuple):
    """A need with its slips mended, and the trades it evokes most, in the lexicon's words.

    `nearest` is its cosine with the trade nearest to it.
    """

    text: str
    trades: tuple[str, ...]
    nearest: float


class _Need(NamedTuple):
    """A need as it was read."""

    text: str
    vector: Vectors
    links: Links

    @property
    def nearest(self) -> float:
        """The cosine with the trade nearest to it."""
        return float(self.links.nearest[0])


class _Reason(NamedTuple):
    """Why a capability is suggested: the words that weighed, the trades in common."""

    highlights: tuple[Highlight, ...] = ()
    trades: tuple[str, ...] = ()


class SupplierIndex:
    """Suppliers; the vectors, words and trades of their capabilities; the encoder of needs."""

    def __init__(
        self,
        suppliers: Sequence[Supplier],
        encoder: Encoder,
        dense: Dense,
        lexical: Lexical,
        concepts: Concepts,
        spelling: Spelling,
        mix: Mix = HYBRID,
        calibrated: bool = True,
    ) -> None:
        self.suppliers = suppliers
        self.encoder = encoder
        self._dense = dense
        self._lexical = lexical
        self._concepts = concepts
        self._spelling = spelling
        self._mix = mix
        known = calibrated and mix == HYBRID
        self._calibration = calibration_of(encoder.name) if known else None
        self._read = lru_cache(maxsize=64)(self._read_need)  # one answer reads its need thrice
        self._links = concepts.links(dense.vectors)
        self._capabilities = _capabilities(suppliers)
        counts = [len(supplier.capabilities) for supplier in suppliers]
        self._owner = np.repeat(np.arange(len(suppliers)), counts)

    def __len__(self) -> int:
        """The number of suppliers."""
        return len(self.suppliers)

    @classmethod
    def build(
        cls,
        suppliers: Sequence[Supplier],
        encoder: Encoder,
        track: Track = iter,
        mix: Mix = HYBRID,
        calibrated: bool = True,
    ) -> "SupplierIndex":
        """Index suppliers; `track` may wrap the batches that are encoded, to show progress.

        `mix` weighs the three signals of a score; it is not kept in the index folder. Suggestions
        have a confidence where the index is `calibrated` and its encoder ships one.
        Raises `MaillonError` where there is no supplier or an id stands twice.
        """
        if not suppliers:
            raise MaillonError("no supplier to index. Give a file with at least one valid line.")
        _check_ids(suppliers)
        texts = _capabilities(suppliers)
        batches = [texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH)]
        vectors = np.concatenate([encoder.encode_capabilities(batch) for batch in track(batches)])
        dense, lexical = Dense.build(vectors), Lexical.build(texts)
        concepts, spelling = Concepts.build(encoder), Spelling.learn(texts)
        return cls(suppliers, encoder, dense, lexical, concepts, spelling, mix, calibrated)

    def save(self, folder: Path) -> None:
        """Write the index folder aside, then in place of the one that may stand there."""
        files.write(
            folder,
            self._fill,
            encoder=self.encoder.name,
            dim=self.encoder.dim,
            suppliers=len(self),
            capabilities=len(self._capabilities),
            probe=[round(float(x), 4) for x in _probe(self.encoder)],
        )

    @classmethod
    def open(cls, folder: Path, encoder: Encoder) -> "SupplierIndex":
        """Read an index folder.

        Raises `IndexFolderError` where it is missing, damaged, or built with another encoder.
        """
        manifest = files.read_manifest(folder)
        _check_encoder(folder, manifest, encoder)
        files.check_files(folder, manifest)
        lines = (folder / files.SUPPLIERS).read_text(encoding="utf-8").splitlines()
        suppliers = [_supplier(json.loads(line)) for line in lines]
        dense = Dense.load(folder / files.DENSE)
        lexical = Lexical.load(folder / files.LEXICAL)
        concepts = Concepts.load(folder / files.CONCEPTS)
        spelling = Spelling.load(folder / files.WORDS)
        return cls(suppliers, encoder, dense, lexical, concepts, spelling)

    def search(self, need: str, k: int = 10, *, explain: bool = False) -> list[Suggestion]:
        """The `k` best suppliers, or all of them where there are fewer; best first.

        With `explain`, each of the first 100 says which words of its capability weighed, and by
        which trades it answers. Raises `NeedError` for a need without words or too long, or `k`
        outside 1 to 1,000.
        """
        asked = self._read(need)
        rows, scores = self._best_rows(asked, min(check_k(k), len(self)))
        return self._suggest(asked, self._pairs(rows), scores, explain)

    def rerank(
        self, need: str, suppliers: Sequence[Supplier] | None = None, *, explain: bool = False
    ) -> list[Suggestion]:
        """All the given suppliers (by default the whole index), best first.

        They need not be in the index: its statistics weigh their words, so that a pair has the
        score that `search` gives it. Raises `NeedError` as `search` does.
        """
        asked = self._read(need)
        if suppliers is None:
            rows, scores = self._best_rows(asked, len(self))
            return self._suggest(asked, self._pairs(rows), scores, explain)
        pairs = [(supplier, text) for supplier in suppliers for text in supplier.capabilities]
        scores = self._score(asked, [text for _, text in pairs])
        owner = np.repeat(np.arange(len(suppliers)), [len(s.capabilities) for s in suppliers])
        best = _best_by_owner(scores, owner, [supplier.id for supplier, _ in pairs])
        return self._suggest(asked, [pairs[row] for row in best], scores[best], explain)

    def reading(self, need: str) -> Reading:
        """How a need is understood before any supplier is looked at; raises `NeedError`."""
        read = self._read(need)
        return Reading(read.text, self._concepts.evoked(read.links), read.nearest)

    def nobody_fits(self, need: str, suggestions: Sequence[Suggestion]) -> bool:
        """Whether it is likely that none of the suggestions suits the need.

        Raises `NeedError` as `search` does.
        """
        if self._calibration is None:
            return False
        best = max((found.score for found in suggestions), default=0.0)
        nearest = self._read(need).nearest
        sure = self._calibration.answered.probability(np.array([best], np.float32), nearest)
        return float(sure[0]) < self._calibration.threshold

    def _fill(self, folder: Path) -> None:
        lines = "\n".join(files.as_json_line(supplier) for supplier in self.suppliers)
        (folder / files.SUPPLIERS).write_text(lines + "\n", encoding="utf-8")
        self._dense.save(folder / files.DENSE)
        self._lexical.save(folder / files.LEXICAL)
        self._concepts.save(folder / files.CONCEPTS)
        self._spelling.save(folder / files.WORDS)

    def _read_need(self, text: str) -> _Need:
        need = self._spelling.mend(check_need(text))
        vectors = self.encoder.encode_needs([need])
        return _Need(need, vectors[0], self._concepts.links(vectors))

    def _score(self, need: _Need, texts: list[str]) -> Scores:
        if not texts:
            return np.zeros(0, np.float32)
        vectors = self.encoder.encode_capabilities(texts)
        agreed = self._concepts.agreements(need.links, self._concepts.links(vectors))
        return fuse(
            cosines(vectors, need.vector), self._lexical.shares_of(need.text, texts), agreed
        )

    def _best_rows(self, need: _Need, k: int) -> tuple[list[int], Scores]:
        """The best row of each of the `k` best suppliers, and its score.

        Candidates are taken ever deeper from both rankings until no row outside them could still
        enter (the threshold algorithm: Fagin, Lotem & Naor 2003, section 4).
        """
        shares = self._lexical.shares(need.text)
        agreed = self._concepts.agreements(need.links, self._links)
        known = without_cosine(shares, agreed, self._mix)
        depth = 10 * k + 100
        while True:
            rows, bound = self._candidates(need.vector, known, depth)
            near = cosines(self._dense.vectors[rows], need.vector)
            scores = fuse(near, shares[rows], agreed[rows], self._mix)
            ids = [self.suppliers[owner].id for owner in self._owner[rows]]
            best = _best_by_owner(scores, self._owner[rows], ids)[:k]
            complete = depth >= len(self._capabilities)
            if complete or (len(best) == k and scores[best[-1]] > bound + _STEP):
                return rows[best].tolist(), scores[best]
            depth *= 4

    def _candidates(
        self, vector: Vectors, known: Scores, depth: int
    ) -> tuple[NDArray[np.int64], float]:
        near = self._dense.search(vector, depth)
        if depth >= len(known):
            return np.sort(near), 0.0
        best = np.argpartition(-known, depth)[:depth]
        farthest = cosines(self._dense.vectors[near[-1:]], vector)
        nothing = np.zeros(1, np.float32)
        bound = fuse(farthest, nothing, nothing, self._mix)[0] + known[best].min()
        return np.union1d(near, best), float(bound)

    def _pairs(self, rows: Sequence[int]) -> list[tuple[Supplier, str]]:
        return [(self.suppliers[self._owner[row]], self._capabilities[row]) for row in rows]

    def _suggest(
        self, need: _Need, pairs: Sequence[tuple[Supplier, str]], scores: Scores, explain: bool
    ) -> list[Suggestion]:
        texts = [capability for _, capability in pairs[:MAX_EXPLAINED]] if explain else []
        shown = self._explained(need, texts) + [_Reason()] * (len(pairs) - len(texts))
        sure = self._confidences(need, scores)
        return [
            Suggestion(rank, round(float(score), 4), *pair, confidence, *reason)
            for rank, (pair, score, confidence, reason) in enumerate(
                zip(pairs, scores, sure, shown, strict=True), start=1
            )
        ]

    def _confidences(self, need: _Need, scores: Scores) -> list[float | None]:
        if self._calibration is None:
            return [None] * len(scores)
        sure = self._calibration.suits.probability(scores.round(4), need.nearest)
        return [round(float(one), 3) for one in sure]

    def _explained(self, need: _Need, texts: list[str]) -> list[_Reason]:
        if not texts:
            return []
        marks = highlights(need.text, need.vector, texts, self.encoder, self._lexical, self._mix)
        links = self._concepts.links(self.encoder.encode_capabilities(texts))
        trades = self._concepts.shared(need.links, links)
        return [_Reason(*reason) for reason in zip(marks, trades, strict=True)]


def _best_by_owner(
    scores: Scores, owner: NDArray[np.int64], ids: Sequence[str]
) -> NDArray[np.int64]:
    """Places of each owner's best score, best owner first; equals in the order of their ids."""
    order = np.lexsort((np.arange(len(scores)), np.array(ids), -scores.round(4)))
    _, first = np.unique(owner[order], return_index=True)
    return order[np.sort(first)]


def _capabilities(suppliers: Sequence[Supplier]) -> list[str]:
    return [text for supplier in suppliers for text in supplier.capabilities]


def _check_ids(suppliers: Sequence[Supplier]) -> None:
    seen: set[str] = set()
    for supplier in suppliers:
        if supplier.id in seen:
            raise MaillonError(
                f"supplier id {supplier.id!r} stands twice (the second: {supplier.name}). "
                "Give each supplier its own id."
            )
        seen.add(supplier.id)


def _probe(encoder: Encoder) -> Vectors:
    probe: Vectors = encoder.encode_capabilities([_PROBE])[0]
    return probe


def _check_encoder(folder: Path, manifest: files.Manifest, encoder: Encoder) -> None:
    if (manifest.encoder, manifest.dim) != (encoder.name, encoder.dim):
        raise files.IndexFolderError(
            f"{folder} was built with encoder {manifest.encoder!r} ({manifest.dim} dimensions), "
            f"the encoder loaded is {encoder.name!r} ({encoder.dim}). Open it with "
            f"--encoder {manifest.encoder}, or rebuild it: maillon index … --to {folder}"
        )
    if float(_probe(encoder) @ np.array(manifest.probe, np.float32)) < 0.99:
        raise files.IndexFolderError(
            f"{folder} was built with other weights of encoder {manifest.encoder!r}. "
            f"Rebuild it: maillon index suppliers.csv --to {folder}"
        )


def _supplier(record: dict[str, object]) -> Supplier:
    for field in ("capabilities", "certifications", "series"):
        record[field] = tuple(record[field])  # type: ignore[arg-type]
    return Supplier(**record)  # type: ignore[arg-type]
